# SPDX-License-Identifier: MIT
# Homes that their agents made hard to remove, and what cannot be removed.

load ../helper
load counter

setup() {
  bed_setup user
  counter_setup
}

teardown() {
  chattr -R -i "$XDG_STATE_HOME" 2>/dev/null || true
  as_who drydock stop --all --force >/dev/null 2>&1 || true
  umount "$XDG_STATE_HOME" 2>/dev/null || true
}

nothing_left() {
  assert_equal "$(find "$XDG_STATE_HOME/drydock/sessions" \
    "$XDG_STATE_HOME/drydock/trash" "$XDG_RUNTIME_DIR/drydock" -mindepth 1)" ""
}

@test "a home of links, deep trees, fifos and closed directories goes alone" {
  local canary=$BATS_TEST_TMPDIR/canary
  as_who sh -c "echo kept >'$project/kept'"
  mkdir -p "$canary/below"
  echo kept >"$canary/below/kept"
  chown -R "$BED_UID:$BED_UID" "$canary"
  open_counter
  as_who drydock exec "$id" -- python3 -c '
import os, socket, sys
project, canary = sys.argv[1:]

def fill(top):
    os.chdir(top)
    for n, to in enumerate(["/", "/etc", "/proc", "..", "../..", "../../..",
                            project, project + "/kept", canary,
                            canary + "/below", "loop", "/run/drydock"]):
        os.symlink(to, "link%d" % n)
    os.symlink("loop", "loop")
    for name in "-rf", "a\nb", "\x1b[31m", "x" * 255, "\udcff\udcfe":
        os.mkdir(name)
        os.mkfifo(name + "/fifo")
        os.symlink(canary, name + "/link")
    s = socket.socket(socket.AF_UNIX)
    s.bind("socket")
    os.makedirs("closed/inner")
    for path in "closed/file", "closed/inner/file":
        open(path, "w").close()
        os.chmod(path, 0)
    os.symlink(canary, "closed/inner/link")
    os.chmod("closed/inner", 0)
    os.chmod("closed", 0o100)

fill("/run/drydock")
fill(os.environ["HOME"])
for i in range(5000):
    os.mkdir("d")
    os.chdir("d")
os.symlink(canary, "link")
os.mkfifo("fifo")
' "$project" "$canary"
  # Another session of the same user is none of its business.
  open_session sh -c 'echo ready; read -r _ || echo on'
  as_who touch "$home/end"
  wait_for "the end" test_state ended
  run -0 --separate-stderr as_who drydock gc
  assert_equal "$output" "$id removed"
  # shellcheck disable=SC2154
  assert_equal "$stderr" ""
  close_session
  assert_contains "$(cat "$session_lines")" on
  nothing_left
  assert_equal "$(cat "$project/kept" "$canary/below/kept")" \
    kept$'\n'kept
}

# Directories of root's, and files that nobody can change: in check --full once
# for each.
@test "what cannot be removed is one warning, and nobody else's matter" {
  local kind kinds=(root-immutable) bad good
  ! all_cases || kinds=(root immutable)
  for kind in "${kinds[@]}"; do
    open_counter
    bad=$id
    open_counter
    good=$(find "$XDG_STATE_HOME/drydock/sessions" -mindepth 1 -maxdepth 1 \
      -not -name "$bad" -printf %f)
    for id in "$good" "$bad"; do
      home=$XDG_STATE_HOME/drydock/sessions/$id/home
      as_who touch "$home/end"
      wait_for "the end" test_state ended
    done
    if [ "${kind%-*}" = root ]; then
      mkdir -p "$home/root/inner"
      touch "$home/root/inner/file"
    fi
    if [ "${kind#*-}" = immutable ]; then
      touch "$home/fixed"
      chattr +i "$home/fixed" || skip "no immutable files here"
    fi
    # Another session has ended beside it.
    run -0 --separate-stderr in_session sh -c 'echo again'
    assert_equal "$output" again
    assert_equal "$(grep -c warning: <<<"$stderr")" 1
    assert_contains "$stderr" "$bad"
    [ ! -e "$XDG_STATE_HOME/drydock/sessions/$good" ]
    run --separate-stderr as_who drydock gc
    assert_contains "$stderr" "$bad"
    chattr -R -i "$XDG_STATE_HOME/drydock/trash" 2>/dev/null || true
    chown -R "$BED_UID:$BED_UID" "$XDG_STATE_HOME/drydock/trash"
    run --separate-stderr as_who drydock gc
    run -0 --separate-stderr as_who drydock gc
    assert_equal "$(grep -c warning: <<<"$stderr")" 0
    nothing_left
  done
}

@test "a full disk: what runs can be seen and stopped, and nothing is half made" {
  local sessions=$XDG_STATE_HOME/drydock/sessions
  mount -t tmpfs -o "size=6m,mode=0700,uid=$BED_UID,gid=$BED_UID" tmpfs \
    "$XDG_STATE_HOME"
  images_record "$BED_UID" "$XDG_STATE_HOME"
  images_for_agent counter
  open_counter
  head -c 10m /dev/zero >"$XDG_STATE_HOME/fill" || true
  run -74 as_who drydock new "$project"
  run -74 in_session true
  assert_equal "$(ls "$sessions")" "$id"
  run -0 as_who drydock gc
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  # A mark that cannot be written is told, with the command that mends it.
  run -0 --separate-stderr as_who drydock stop "$id"
  assert_contains "$stderr" "session $id: its end is not recorded: "
  assert_contains "$stderr" "if its removal fails, run \"drydock stop --force\
 $id\""
  [ ! -e "$home" ]
  rm "$XDG_STATE_HOME/fill"
  run -0 as_who drydock gc
  nothing_left
}
