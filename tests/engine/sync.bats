# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What of the host's configuration is in a session, and what never is.

load ../helper

setup() {
  bed_setup user
  host=$BED/user
  agent_dir=$XDG_STATE_HOME/drydock/agents/claude
  rm -rf "$host/.claude" "$host/.claude.json" "$host/.gitconfig"
  as_who mkdir -p "$host/.claude/commands"
  as_who tee "$host/.claude/settings.json" <<<'{"theme": "dark"}' >/dev/null
  as_who tee "$host/.claude/commands/hello.md" <<<hello >/dev/null
  as_who tee "$host/.claude/.credentials.json" >/dev/null \
    <<<'{"claudeAiOauth": {"refreshToken": "canary-refresh"}}'
  as_who tee "$host/.claude.json" >/dev/null <<EOF
{"hasCompletedOnboarding": true,
 "oauthAccount": {"emailAddress": "canary-account"},
 "projects": {
  "/other": {"hasTrustDialogAccepted": true,
             "mcpServers": {"s": {"env": {"T": "canary-project"}}}},
  "$project": {"hasTrustDialogAccepted": true}}}
EOF
}

teardown() {
  rm -rf "$host/.claude" "$host/.claude.json" "$host/.gitconfig"
}

user_files() {
  (cd "$host" && find .claude .claude.json -printf '%p %y %m %U %i\n' | sort &&
    find .claude .claude.json -type f -exec sha256sum {} + | sort)
}

# Where a canary could be: the state, the engine's words, the process table.
no_canary() {
  run -1 grep -rl canary "$XDG_STATE_HOME" "$XDG_RUNTIME_DIR" "$BED/tmp" \
    --exclude-dir="$(basename "$BATS_RUN_TMPDIR")"
  # One may end meanwhile.
  { docker ps -aq && docker image ls -q; } | sort -u | xargs docker inspect \
    >"$BATS_TEST_TMPDIR/inspect" || true
  [ -s "$BATS_TEST_TMPDIR/inspect" ]
  run -1 grep canary "$BATS_TEST_TMPDIR/inspect"
  cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' \
    >"$BATS_TEST_TMPDIR/processes" || true
  run -1 grep -e canary-refresh -e canary-account -e canary-project \
    -e canary-cut "$BATS_TEST_TMPDIR/processes"
}

@test "a home has the configuration, its own project's entry, and no secret" {
  as_who tee "$host/.gitconfig" >/dev/null <<'EOF'
[user]
	name = "A \"B\" C" ; comment
	email = a@example.org
	signingkey = canary-key
[commit]
	gpgsign = true
[credential]
	helper = store
[include]
	path = canary-include
EOF
  before=$(user_files)
  run -0 --separate-stderr in_session sh -c \
    'git config user.name; git config user.email; git config commit.gpgsign
     git config credential.helper || echo no helper; cat ~/.gitconfig
     cat ~/.claude/settings.json ~/.claude/commands/hello.md
     cat ~/.claude/.claude.json; grep -rl canary ~ || echo none'
  # The git identity is there, keys and helpers are not.
  assert_equal "$(head -n 4 <<<"$output")" 'A "B" C
a@example.org
false
no helper'
  assert_contains "$output" '{"theme": "dark"}'
  assert_contains "$output" hello
  assert_contains "$output" "\"$project\": {\"hasTrustDialogAccepted\": true}"
  refute_contains "$output" /other
  refute_contains "$output" canary
  assert_contains "$output" none
  assert_equal "$(user_files)" "$before"
  assert_equal "$(find "$host" ! -uid "$BED_UID")" ""
}

@test "an MCP server whose program the image does not have is left out" {
  as_who tee "$host/.claude.json" >/dev/null <<'EOF'
{"mcpServers": {
  "npm": {"command": "npx", "args": ["-y", "x"]},
  "own": {"command": "foo-mcp", "env": {"K": "canary-absent"}},
  "path": {"command": "/usr/bin/bar-mcp"},
  "py": {"command": "/usr/bin/python3"},
  "remote": {"type": "http", "url": "https://mcp.example"},
  "var": {"command": "${TOOL}"}}}
EOF
  run -0 --separate-stderr in_session sh -c 'cat ~/.claude/.claude.json
    command -v npx python3 >/dev/null && ! command -v foo-mcp bar-mcp'
  assert_equal "$(jq -c '.mcpServers | keys' <<<"$output")" \
    '["npm","py","remote","var"]'
  refute_contains "$output" canary-absent
  assert_equal "$(grep -c 'left out' <<<"$stderr")" 1
  assert_contains "$stderr" ".claude/.claude.json: left out own (foo-mcp), \
path (/usr/bin/bar-mcp): the image does not have the program"
  # An image of an older drydock has no list: nothing is left out by name.
  rm -r "$XDG_STATE_HOME/drydock/programs"
  run -0 --separate-stderr in_session sh -c 'cat ~/.claude/.claude.json'
  assert_equal "$(jq '.mcpServers | length' <<<"$output")" 6
  refute_contains "$stderr" "left out"
}

@test "no secret is anywhere while a session runs, nor after it was killed" {
  open_session sh -c 'echo ready; read x'
  no_canary
  # The home shares no inode with the snapshot.
  find "$agent_dir/snapshot" -type f -printf '%i\n' | sort >"$BATS_TEST_TMPDIR/a"
  find "$XDG_STATE_HOME"/drydock/sessions/*/home -type f -printf '%i\n' |
    sort >"$BATS_TEST_TMPDIR/b"
  [ -s "$BATS_TEST_TMPDIR/a" ]
  [ -s "$BATS_TEST_TMPDIR/b" ]
  assert_equal "$(comm -12 "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b")" ""
  kill -KILL "$session_pid"
  exec {session_in}>&-
  no_canary
  as_who drydock shell "$project" -- true </dev/null
  no_canary
}

# Every layer and configuration of an image.
search_archive() {
  python3 -c '
import gzip, sys, tarfile
def search(f, where):
    data = f.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    assert data[:4] != b"\x28\xb5\x2f\xfd", "zstd: " + where
    for secret in b"canary-refresh", b"canary-account", b"canary-project":
        if secret in data:
            sys.exit("%s in %s" % (secret, where))
    return len(data)
n = 0
with tarfile.open(fileobj=sys.stdin.buffer, mode="r|*") as archive:
    for member in archive:
        if member.isfile():
            n += search(archive.extractfile(member), member.name)
assert n > 1 << 20, n
'
}

# From the cache the build makes the bed's images, which are older than the
# secrets; where it makes others, they are searched.
@test "no secret is in an image that is built beside it" {
  local image
  as_who drydock sync
  run -0 --separate-stderr as_who drydock build --bootstrap --json
  for image in $(jq -r '.agent.id, .egress.id' <<<"$output"); do
    case $image in
      "$(agent_image "$BED_UID")" | "$(images_of egress "$BED_UID")") ;;
      *) docker image save "$image" | search_archive ;;
    esac
  done
}

@test "a launch sees what changed, and has the last copy of what is wrong" {
  as_who drydock sync
  assert_equal "$(cat "$agent_dir/snapshot/.claude/settings.json")" \
    '{"theme": "dark"}'
  as_who tee "$host/.claude.json" <<<'{"cut": "canary-cut' >/dev/null
  as_who tee "$host/.claude/settings.json" <<<'{"theme": "light"}' >/dev/null
  rm "$host/.claude/commands/hello.md"
  run -0 --separate-stderr in_session sh -c \
    'cat ~/.claude/settings.json; ls ~/.claude/commands'
  # The other files go along.
  assert_equal "$output" '{"theme": "light"}'
  assert_contains "$stderr" "warning: "
  assert_contains "$stderr" ".claude.json: line "
  no_canary
}

@test "home.d goes on top; what a session writes reaches neither it nor the host" {
  local own=$XDG_CONFIG_HOME/drydock/home.d/claude before files
  as_who mkdir -p "$own/.claude/commands" "$own/.config"
  as_who tee "$own/.claude/settings.json" <<<'{"mine": true}' >/dev/null
  as_who tee "$own/.config/tool" <<<mine >/dev/null
  as_who drydock sync
  before=$(find "$agent_dir/snapshot" "$own" -type f -exec sha256sum {} + |
    sort)
  files=$(user_files)
  run -0 --separate-stderr in_session sh -c \
    'cat ~/.claude/settings.json ~/.config/tool ~/.claude/commands/hello.md
    find ~ -type f | while read -r f; do
      chmod u+w "$f" && echo spoilt >>"$f" && echo spoilt >"$f"; done'
  # Whole files at a time.
  assert_equal "$output" '{"mine": true}
mine
hello'
  assert_equal "$(find "$agent_dir/snapshot" "$own" -type f \
    -exec sha256sum {} + | sort)" "$before"
  assert_equal "$(user_files)" "$files"
}

# The project is a checkout that a link of the user's leads to.
@test "what an agent plants in its project leads no later launch" {
  local other=$BATS_TEST_TMPDIR/other private=$BATS_TEST_TMPDIR/private where
  local ran=$BATS_TEST_TMPDIR/ran
  as_who mkdir "$project/claude" "$project/sub"
  as_who tee "$project/claude/CLAUDE.md" <<<'the user wrote this' >/dev/null
  mkdir "$other" "$private"
  echo canary-private >"$private/diary"
  touch "$ran"
  chmod 0666 "$ran"
  chown -R "$BED_UID:$BED_UID" "$other" "$private"
  as_who ln -s "$project/claude/CLAUDE.md" "$host/.claude/CLAUDE.md"
  as_who ln -s "$project/claude" "$host/.claude/commands/mine"
  # Before any session the checkout is the user's own.
  as_who drydock sync
  assert_equal "$(cat "$agent_dir/snapshot/.claude/CLAUDE.md")" \
    "the user wrote this"
  # shellcheck disable=SC2016 # the agent's shell
  run -0 in_session bash -ec '
    rm -r claude
    mkdir -p claude .venv/bin
    ln -s "$1/diary" claude/CLAUDE.md
    ln -s "$1" claude/all
    for name in docker docker-compose docker-buildx git; do
      printf "#!/bin/sh\necho %s >>%s\n" "$name" "$2" >".venv/bin/$name"
      chmod 0755 ".venv/bin/$name"
    done' -- "$private" "$ran"
  run -1 --separate-stderr as_who drydock sync
  assert_contains "$stderr" "skipped .claude/CLAUDE.md: it leads into a project"
  assert_contains "$stderr" "skipped .claude/commands/mine: it leads into a"
  # A launch says it each time, and the home has the rest.
  for where in first second; do
    PATH=$project/.venv/bin:$PATH run -0 --separate-stderr \
      as_who drydock shell "$other" -- sh -c \
      'grep -rl canary-private ~ || cat ~/.claude/commands/hello.md
       ls -A ~/.claude/CLAUDE.md ~/.claude/commands/mine 2>/dev/null || true' \
      </dev/null
    assert_equal "$output" hello
    assert_contains "$stderr" "skipped .claude/CLAUDE.md: it leads into a"
    assert_contains "$stderr" "replace the link with a copy"
  done
  run -1 grep -rl canary-private "$XDG_STATE_HOME"
  # None of its programs is run, from wherever drydock is called.
  for where in "$project" "$project/sub" / $(! all_cases || echo "$other"); do
    cd "$where"
    PATH=$project/.venv/bin:$PATH run -0 as_who drydock plan "$other"
    [ "$where" = "$project" ] || all_cases || continue
    PATH=$project/.venv/bin:$PATH run -0 as_who drydock list
    PATH=$project/.venv/bin:$PATH run -0 as_who drydock gc
  done
  assert_equal "$(cat "$ran")" ""
}

@test "a fault in home.d is named and starts nothing" {
  local own=$XDG_CONFIG_HOME/drydock/home.d/claude make
  local before
  before=$(docker ps -aq | sort)
  while IFS='|' read -r name make; do
    as_who rm -rf "$own"
    as_who mkdir -p "$own/.claude" "$own/.ssh"
    as_who rmdir "$own/.ssh"
    (cd "$own" && as_who sh -c "umask 022; $make")
    run -78 --separate-stderr in_session true
    assert_contains "$stderr" "home.d/claude/$name: "
    assert_equal "$(docker ps -aq | sort)" "$before"
    assert_equal "$(ls "$XDG_STATE_HOME/drydock/sessions")" ""
  done <<'EOF'
.claude/link|ln -s /etc/passwd .claude/link
.claude/.credentials.json|echo x >.claude/.credentials.json
.claude/.claude.json|echo {} >.claude/.claude.json
.claude.json|echo {} >.claude.json
.claude/fifo|mkfifo .claude/fifo
.claude/projects|mkdir .claude/projects
.claude/.claude.json.backup|echo {} >.claude/.claude.json.backup
.claude/named|ln ~/.claude/.credentials.json .claude/named
account|ln ~/.claude.json account
.ssh|mkdir .ssh
.claude/open|touch .claude/open; chmod 0666 .claude/open
EOF
}

@test "a home.d that leads nowhere starts nothing" {
  as_who ln -s nowhere "$XDG_CONFIG_HOME/drydock/home.d"
  run -78 --separate-stderr in_session true
  assert_contains "$stderr" "home.d is a link that leads nowhere"
  assert_equal "$(ls "$XDG_STATE_HOME/drydock/sessions")" ""
}

@test "nothing of home.d is written through a link" {
  local own=$XDG_CONFIG_HOME/drydock/home.d/claude
  as_who ln -s commands "$host/.claude/other"
  as_who mkdir -p "$own/.claude/other"
  as_who tee "$own/.claude/other/hello.md" <<<mine >/dev/null
  run -78 --separate-stderr in_session true
  assert_contains "$stderr" ".claude/other: a link is in the way"
}

@test "conversations are one project's and one mode's, and last; dood reads them when told so" {
  local dood=(drydock shell --mode dood --contained-history "$project" -- cat
    "$host/.claude/projects/talk")
  local terminal=$BATS_TEST_DIRNAME/servers/terminal.py
  in_session sh -c 'echo talk >~/.claude/projects/talk'
  run -64 --separate-stderr as_who "${dood[@]}" </dev/null
  assert_contains "$stderr" "asks for confirmation, which needs a terminal"
  run -130 as_who "$terminal" 'expect:[y/N]' 'send:\r' -- "${dood[@]}"
  run -130 as_who "$terminal" 'expect:[y/N]' 'send:n\r' -- "${dood[@]}"
  assert_equal "$(ls "$XDG_STATE_HOME/drydock/sessions")" ""
  run -0 as_who "$terminal" 'expect:[y/N]' 'send:y\r' -- "${dood[@]}"
  assert_contains "$output" talk
  # It is one answer to one launch: else dood sessions do not see what a
  # contained one wrote.
  run -1 --separate-stderr as_who drydock shell --mode dood "$project" -- \
    cat "$host/.claude/projects/talk" </dev/null
  as_who drydock sync --force
  run -0 --separate-stderr in_session cat "$host/.claude/projects/talk"
  assert_equal "$output" talk
}

@test "large directories can be left out, and a large home says so" {
  as_who mkdir "$host/.claude/plugins"
  as_who truncate -s 70M "$host/.claude/plugins/large"
  run -0 --separate-stderr in_session true
  assert_contains "$stderr" "70 MB"
  assert_contains "$stderr" "seed_leave_out"
  DRYDOCK_SEED_LEAVE_OUT=.claude/plugins run -0 --separate-stderr in_session \
    sh -c '[ ! -e ~/.claude/plugins ]'
  refute_contains "$stderr" seed_leave_out
}

# Whether a process has TEXT in its environment.
has_in_environment() {
  grep -qzs -e "$1" /proc/[0-9]*/environ
}

@test "the token reaches the agent's process, and nothing else" {
  as_who drydock token set <<<"sk-ant-canary-1"
  as_who drydock run "$project" -- -p hello </dev/null \
    >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  local pid=$!
  wait_for "a process with the token" has_in_environment \
    '^CLAUDE_CODE_OAUTH_TOKEN=sk-ant-canary-1$'
  # In the container's namespace, and not the holder's own.
  local found holder
  while read -r found; do
    found=${found%/environ}
    [ "$(readlink "$found/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] ||
      fail "$(tr '\0' ' ' <"$found/cmdline")"
  done < <(grep -lzs -e sk-ant-canary-1 /proc/[0-9]*/environ)
  for holder in $(docker ps -q | xargs docker inspect -f '{{.State.Pid}}'); do
    run -1 grep -z sk-ant-canary-1 "/proc/$holder/environ"
  done
  cat /proc/[0-9]*/cmdline 2>/dev/null >"$BATS_TEST_TMPDIR/cmdlines" || true
  grep -a drydock "$BATS_TEST_TMPDIR/cmdlines" >/dev/null
  run -1 grep -a sk-ant-canary-1 "$BATS_TEST_TMPDIR/cmdlines"
  docker ps -aq | xargs docker inspect >"$BATS_TEST_TMPDIR/inspect"
  run -1 grep canary "$BATS_TEST_TMPDIR/inspect"
  run -1 grep -rl canary "$XDG_STATE_HOME/drydock/sessions" "$agent_dir"
  # The shell between has the command as its child, or is it.
  pkill -TERM -P "$pid" || kill -TERM "$pid"
  wait "$pid" || true
  refute_contains "$(cat "$BATS_TEST_TMPDIR/out")" "has no token"
  # A command that is not the agent gets none.
  run -0 --separate-stderr in_session env
  refute_contains "$output" canary
}
