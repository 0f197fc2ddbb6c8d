# SPDX-License-Identifier: MIT
# diff for sessions that exist or have ended, without an engine: from the stored
# state of a project's files.

load ../helper

setup() {
  bed_setup self
  cd "$project" || return
  id=abcd1234
  state=$XDG_STATE_HOME/drydock
  (umask 077 && mkdir -p "$state"/{ended,"sessions/$id"/{home,run}})
  : >"$state/sessions/$id/lease"
  printf '%032d\n' 1 >"$state/id"
  echo "$project" >"$state/projects"
  chmod 0600 "$state"/{id,projects}
  jq -n --arg id "$id" --arg project "$project" '{
    version: 2, id: $id, project: $project, agent: "claude",
    mode: "contained", mode_reason: "default", kind: "shell", engine_id: "e",
    engine_data_root: "/d", engine_socket: "/s",
    created_at: "2026-01-01T00:00:00Z", containers: []}' \
    >"$state/sessions/$id/session.json"
}

# start [NAME TEXT]...: the state at the session's start.
start() {
  python3 - "$state/sessions/$id/watched" "$project" "$@" <<'END'
import json, os, sys
out, project, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
rows = json.dumps({"skip": [], "git": [], "project": [
    {"path": ".envrc", "why": "direnv runs it", "source": "direnv(1)"}]})
st = os.stat(project)
files = list(zip(rest[::2], rest[1::2]))
with open(out, "w") as f:
    f.write(json.dumps({
        "version": 1, "list": len(rows), "files": len(files), "missed": None,
        "roots": [{"path": project,
                   "identity": "%d:%d" % (st.st_dev, st.st_ino)}]}) + "\n")
    f.write(rows)
    for name, text in files:
        f.write("f 644 0 0 %d %d 1.2\n%s%s" % (
            len(name), len(text), name, text))
END
}

@test "diff prints what changed with its reason, and gives 0 or 1" {
  start .envrc $'one\n'
  echo one >.envrc
  run -0 --separate-stderr drydock diff "$id"
  assert_equal "$output" ""
  printf 'two\033[31m\\\n' >.envrc
  run -1 --separate-stderr drydock diff "$id"
  assert_equal "$output" "changed .envrc: direnv runs it (direnv(1))
--- start/.envrc
+++ now/.envrc
@@ -1 +1 @@
-one
+two\\033[31m\\\\"
  chmod 0755 .envrc
  run -1 --separate-stderr drydock diff "$id"
  assert_equal "${lines[-1]}" "mode 0644, now 0755"
  printf 'a\0b' >.envrc
  run -1 --separate-stderr drydock diff "$id"
  assert_contains "$output" "start: file, 4 bytes, sha256 "
  rm .envrc && ln -s /etc/passwd .envrc
  run -1 --separate-stderr drydock diff "$id" .envrc
  assert_contains "$output" "+/etc/passwd"
  run -64 --separate-stderr drydock diff "$id" other
  assert_equal "$stderr" "drydock: other is not one of the changed files"
}

@test "diff without a stored state, or with a damaged one, is no answer" {
  run -65 --separate-stderr drydock diff "$id"
  assert_equal "$stderr" "drydock: session $id has no stored state of its\
 project's files: an older version of drydock started it, or it did not start"
  start .envrc one
  truncate -s -1 "$state/sessions/$id/watched"
  run -65 --separate-stderr drydock diff "$id"
  assert_equal "$stderr" "drydock: the state of the watched files: damaged"
  start ../.envrc one
  run -65 --separate-stderr drydock diff --restore --yes "$id"
  start .envrc one
  mv "$project" "$project.was" && mkdir "$project"
  cd / || return
  run -74 --separate-stderr drydock diff "$id"
  assert_contains "$stderr" "is not the directory that the session had"
  rmdir "$project"
  run -74 --separate-stderr drydock diff "$id"
  mv "$project.was" "$project"
}

@test "a restore asks, keeps what it replaces, and names what it cannot do" {
  start .envrc $'one\n'
  echo two >.envrc
  run -64 --separate-stderr drydock diff --restore "$id" </dev/null
  assert_equal "$stderr" "drydock: without a terminal, --restore needs --yes"
  run -64 --separate-stderr drydock diff --restore --json "$id"
  run -64 --separate-stderr drydock diff --yes "$id"
  assert_equal "$(cat .envrc)" two
  run -0 --separate-stderr drydock diff --restore --yes "$id"
  assert_equal "$(stat -c '%a %s' .envrc)" "644 4"
  assert_equal "$(cat "$state/ended/$id.kept/1-.envrc")" two
  assert_contains "$stderr" \
    "drydock: .envrc is as it was; the other version is in $state/ended/$id.kept/1-.envrc"
  # A directory in its place stays beside it.
  rm .envrc && mkdir .envrc && echo work >.envrc/work
  run -0 --separate-stderr drydock diff --restore --yes "$id"
  assert_equal "$(cat .envrc)" one
  assert_equal "$(cat .*envrc.*/work)" work
}

@test "a restore where the project cannot be written changes nothing" {
  [ "$(id -u)" != 0 ] || skip "root writes everywhere"
  start .envrc $'one\n'
  echo two >.envrc
  chmod 0555 .
  run -1 --separate-stderr drydock diff --restore --yes "$id"
  chmod 0755 .
  assert_contains "$stderr" "not put back: .envrc: "
  assert_equal "$(cat .envrc)" two
  assert_equal "$(ls -A)" .envrc
}

@test "diff takes an ended session only where no other one is meant" {
  local other
  start .envrc $'one\n'
  jq -n --arg project "$project" '{
    version: 1, id: "abcd9999", project: $project, agent: "claude",
    mode: "contained", kind: "shell", created_at: "2026-01-01T00:00:00Z",
    ended_at: "2026-01-01T00:00:00Z", status: 0}' >"$state/ended/abcd9999.json"
  cp "$state/sessions/$id/watched" "$state/ended/abcd9999.watched"
  echo two >.envrc
  cp -a "$state/sessions/$id" "$state/sessions/abcd5678"
  jq '.id = "abcd5678"' "$state/sessions/$id/session.json" \
    >"$state/sessions/abcd5678/session.json"
  run -64 --separate-stderr drydock diff --restore --yes abcd
  assert_contains "$stderr" "several sessions start with \"abcd\""
  assert_equal "$(cat .envrc)" two
  for other in logs attach; do
    run -64 --separate-stderr drydock "$other" abcd
    assert_contains "$stderr" "several sessions start with \"abcd\""
  done
  rm -r "$state/sessions"/*
  run -1 --separate-stderr drydock diff abcd
  assert_contains "$output" "changed .envrc"
  run -0 --separate-stderr drydock diff --restore --yes abcd
  assert_equal "$(cat .envrc)" one
}

@test "diff gives 64 where there is no session, because 1 says that files differ" {
  rm -r "$state/sessions/$id"
  run -64 --separate-stderr drydock diff
  assert_equal "$stderr" "drydock: no session of $project"
  run -64 --separate-stderr drydock diff "$project"
  run -64 --separate-stderr drydock diff "$id"
}
