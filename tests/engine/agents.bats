# SPDX-License-Identifier: MIT
# Agents that are a file each: an image of their own, with their package at its
# version and their guardrails, and nobody else's.  The clients are a download
# of 300 MB: DRYDOCK_TEST_TOOLCHAINS=all tries them, too.

load ../helper

setup_file() {
  bed_guard && images_all >"$BATS_FILE_TMPDIR/before"
}

teardown_file() {
  bed_guard && images_remove_new "$BATS_FILE_TMPDIR/before"
}

setup() {
  bed_setup user
}

# with_agent NAME COMMAND...: builds its image, and runs COMMAND in a session.
with_agent() {
  export DRYDOCK_AGENT=$1
  shift
  as_user drydock build --bootstrap >"$BATS_TEST_TMPDIR/build" 2>&1 ||
    fail "$(tail -n 20 "$BATS_TEST_TMPDIR/build")" || return
  run -0 --separate-stderr in_session "$@"
}

need_all() {
  [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ] ||
    skip "DRYDOCK_TEST_TOOLCHAINS=all tries $1"
}

@test "shell is bash, without any agent's package or guardrails" {
  with_agent shell sh -c 'bash --version | head -n 1
    cat /usr/lib/drydock/policy.sha256
    command -v claude codex gemini opencode || echo none'
  assert_contains "${lines[0]}" "GNU bash"
  assert_equal "${lines[1]}" "# none"
  assert_equal "${lines[2]}" none
}

@test "an agent of the user's own, with guardrails: its image alone is built" {
  local dir=$XDG_CONFIG_HOME/drydock/agents
  as_user mkdir -p -m 0700 "$dir"
  as_user sh -c 'umask 077 && cat >"$1"' sh "$dir/aid.json" <<'END'
{"command": ["sh", "-c", "cat /etc/aid/rules.d/a.json; cat /etc/aid/b"],
 "guardrails": {"dir": "/etc/aid",
   "files": {"rules.d/a.json": {"deny": ["x"]}, "b": "plain\n"}}}
END
  with_agent aid sh -c 'cat /etc/aid/b; tr -d " \n" </etc/aid/rules.d/a.json
    echo; cat /usr/lib/drydock/policy.sha256 | head -n 1
    stat -c "%a %u" /etc/aid /etc/aid/rules.d/a.json
    ! { echo >>/etc/aid/b; } 2>/dev/null'
  assert_equal "${lines[0]}" plain
  assert_equal "${lines[1]}" '{"deny":["x"]}'
  assert_equal "${lines[2]}" "# /etc/aid"
  assert_equal "${lines[3]}" "555 0"
  assert_equal "${lines[4]}" "444 0"
}

# client new|resume COMMAND: the scripted API asks for COMMAND (client.sh) in a
# session of its own.
client() {
  cp "$BATS_TEST_DIRNAME/servers/api.py" "$BATS_TEST_DIRNAME/client.sh" \
    "$project"
  chmod 0755 "$project/api.py" "$project/client.sh"
  run --separate-stderr in_session ./client.sh "$DRYDOCK_AGENT" "$@"
  [ "$status" -eq 0 ] || fail "status $status" "$output" "$stderr"
}

# works_as_client NAME REFUSAL: the client runs a command in the project, is
# refused another by its guardrails, and finds its conversation in the next
# session.
works_as_client() {
  with_agent "$1" "$1" --version || return
  assert_contains "$output" "$(jq -r '.npm[0] | split("@")[-1]' \
    "$(cat "$BED/prefix")/share/drydock/agents/$1.json")" || return
  client new 'git push --force origin main' || return
  assert_contains "$output" "$2" || return
  rm -f "$project/made"
  client new 'echo one-of-a-kind | tee made' || return
  assert_equal "$(cat "$project/made")" one-of-a-kind || return
  assert_contains "$output" "wall=True" || return
  client resume 'echo another' || return
  assert_contains "${lines[-1]}" one-of-a-kind
}

@test "an update says from what to what" {
  need_all update
  as_user sh -c 'umask 077 && mkdir -p "${1%/*}" && cat >"$1"' sh \
    "$XDG_CONFIG_HOME/drydock/agents/aid.json" <<'END'
{"npm": ["is-number@6.0.0"], "command": ["sh"]}
END
  with_agent aid cat /usr/local/lib/node_modules/is-number/package.json
  assert_contains "$output" '"version": "6.0.0"'
  export DRYDOCK_AGENT_VERSION=latest
  run -0 --separate-stderr as_user drydock build --bootstrap --update
  assert_contains "$stderr" "is-number: 6.0.0 -> 7."
  run -0 --separate-stderr in_session \
    cat /usr/local/lib/node_modules/is-number/package.json
  assert_contains "$output" '"version": "7.'
}

@test "codex works, is refused, and finds its conversation" {
  need_all codex
  works_as_client codex "refuses pushes that lose commits"
}

@test "gemini works, is refused, and finds its conversation" {
  need_all gemini
  works_as_client gemini "refuses pushes that lose commits"
}

@test "opencode works, is refused, and finds its conversation" {
  need_all opencode
  works_as_client opencode "has specified a rule which prevents"
}
