# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# setup: idempotent, and content with a home without any configuration.

load ../helper

setup() {
  bed_setup self
  export HOME=$BATS_TEST_TMPDIR/home
  mkdir "$HOME"
  rmdir "$XDG_CONFIG_HOME/drydock"
}

@test "an empty home is enough, and nothing is made in it" {
  run -0 drydock setup
  assert_contains "$output" "claude: synced"
  assert_contains "$output" "claude setup-token"
  assert_equal "$(ls -A "$HOME")" ""
  [ -d "$XDG_CONFIG_HOME/drydock/home.d/claude" ]
  [ -d "$XDG_STATE_HOME/drydock/agents/claude/snapshot" ]
}

@test "a second time changes nothing" {
  mkdir "$HOME/.claude"
  echo x >"$HOME/.claude/CLAUDE.md"
  drydock setup
  until drydock sync --check; do drydock sync; done
  before=$(find "$XDG_CONFIG_HOME" "$XDG_STATE_HOME" -printf '%p %i %m %T@\n' |
    sort)
  run -0 drydock setup
  assert_contains "$output" "nothing changed"
  assert_equal "$(find "$XDG_CONFIG_HOME" "$XDG_STATE_HOME" \
    -printf '%p %i %m %T@\n' | sort)" "$before"
  assert_equal "$(ls -A "$HOME")" ".claude"
}

@test "without XDG directories only drydock's own are made in the home" {
  unset XDG_CONFIG_HOME XDG_STATE_HOME
  drydock setup
  assert_equal "$(cd "$HOME" && find . -maxdepth 3 -mindepth 1 | sort)" \
    "./.config
./.config/drydock
./.config/drydock/home.d
./.local
./.local/state
./.local/state/drydock"
  assert_equal "$(find "$HOME" ! -user "$(id -u)")" ""
}

@test "the agents that the home has a configuration of are synced" {
  mkdir -p "$HOME/.codex" "$HOME/.gemini/tmp"
  echo x >"$HOME/.codex/config.toml"
  echo '{}' >"$HOME/.gemini/settings.json"
  echo canary >"$HOME/.gemini/oauth_creds.json"
  run -0 drydock setup
  assert_contains "$output" "claude: synced"
  assert_contains "$output" "codex: synced"
  assert_contains "$output" "gemini: synced"
  refute_contains "$output" opencode
  local agents=$XDG_STATE_HOME/drydock/agents
  [ -f "$agents/codex/snapshot/.codex/config.toml" ]
  [ -f "$agents/gemini/snapshot/.gemini/settings.json" ]
  assert_equal "$(grep -rl canary "$XDG_STATE_HOME" || :)" ""
  run -0 drydock setup --agent codex
  refute_contains "$output" claude
  assert_contains "$output" "codex: nothing changed"
}
