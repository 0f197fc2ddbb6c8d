# SPDX-License-Identifier: MIT
# drydock run: the agent itself in a session.

load ../helper

setup() {
  bed_setup user
}

@test "run starts the agent with the arguments behind --, and says how to get a token" {
  run -0 --separate-stderr as_who drydock run "$project" -- --version </dev/null
  assert_contains "$output" "Claude Code"
  assert_equal "$(grep -c 'claude setup-token' <<<"$stderr")" 1
}

# An older client than the host's is named.
@test "drydock alone is drydock run in the working directory" {
  local dir=$BATS_TEST_TMPDIR/client
  mkdir -p "$dir/bin" "$dir/versions"
  echo 'echo run >>"$0.run"' >"$dir/versions/99.0.0"
  chmod 0755 "$dir" "$dir/bin" "$dir/versions" "$dir/versions/99.0.0"
  ln -s ../versions/99.0.0 "$dir/bin/claude"
  cd "$project"
  ANTHROPIC_API_KEY=x PATH=$dir/bin:$PATH run -0 --separate-stderr as_who \
    drydock -- --version </dev/null
  assert_contains "$output" "Claude Code"
  assert_contains "$stderr" "99.0.0 on this host"
  assert_contains "$stderr" "drydock config set agent_version claude@99.0.0"
  assert_equal "$(ls -A "$dir/versions")" 99.0.0
  refute_contains "$stderr" setup-token
}

@test "the agent's configuration and history are the session's own; variables of a setting come along" {
  run -0 --separate-stderr in_session sh -c 'echo "$CLAUDE_CONFIG_DIR"
    readlink -f "$CLAUDE_CONFIG_DIR/projects"
    mkdir -p "$CLAUDE_CONFIG_DIR/projects/x"
    echo talk >"$CLAUDE_CONFIG_DIR/projects/x/y"'
  assert_equal "${lines[0]}" "$BED/user/.claude"
  assert_equal "${lines[1]}" /var/lib/drydock/history
  # A conversation outlives its session, and the next one has it.
  assert_equal "$(find "$XDG_STATE_HOME/drydock/agents" -name y -exec cat {} +)" \
    talk
  # So do variables named by the setting, which stand in no plan.
  export MY_TOKEN=xyzzy-plugh DRYDOCK_PASS_ENV=MY_TOKEN
  # shellcheck disable=SC2016 # the session's shell
  open_session sh -c 'cat "$CLAUDE_CONFIG_DIR/projects/x/y"
    echo "token $MY_TOKEN"; echo ready; cat >/dev/null'
  run grep -rl xyzzy-plugh "$XDG_STATE_HOME"
  local found=$output ids
  mapfile -t ids < <(docker ps -q --filter label=io.drydock.session)
  run docker inspect "${ids[@]}"
  close_session
  refute_contains "$output" xyzzy-plugh
  assert_equal "$found" ""
  assert_equal "$(cat "$session_lines")" "talk
token xyzzy-plugh
ready"
  assert_equal "$(find "$XDG_STATE_HOME/drydock/sessions" -mindepth 1)" ""
}

@test "a client with a token asks neither for a theme nor how to log in" {
  as_who drydock token set <<<"sk-ant-oat01-$(printf 'x%.0s' {1..80})"
  # Claude Code ends with 1 when the folder is not trusted; a step that is not
  # seen is 99.
  TERM=xterm-256color run -1 --separate-stderr as_who \
    "$BATS_TEST_DIRNAME/servers/terminal.py" \
    "expect:trust" $'send:\e' -- drydock run "$project"
  refute_contains "$output" "login method"
  refute_contains "$output" "text style"
}
