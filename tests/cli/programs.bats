# SPDX-License-Identifier: MIT
# Which of the host's programs are run: none that a session could have written,
# wherever drydock is called from.

load ../helper
load stub

setup() {
  bed_setup self
  # Plugins of the user's own home would be a session's to write, too.
  export HOME=$BATS_TEST_TMPDIR/home
  ran=$BATS_TEST_TMPDIR/ran
  mkdir -p "$HOME/.docker/cli-plugins" "$project/.venv/bin" "$project/sub" \
    "$BATS_TEST_TMPDIR/other" "$XDG_STATE_HOME/drydock"
  stub_setup
  # A session was here, and nothing else is left of it.
  chmod 0700 "$XDG_STATE_HOME/drydock"
  echo "$project" >"$XDG_STATE_HOME/drydock/projects"
  local name
  for name in docker docker-compose docker-buildx git mmdebstrap setpriv \
    timeout apt-config sh env tar; do
    planted "$project/.venv/bin/$name"
  done
  planted "$HOME/.docker/cli-plugins/docker-compose"
  planted "$HOME/.docker/cli-plugins/docker-buildx"
}

# A program that leaves a word when it is run.
planted() {
  printf '#!/bin/bash\necho "%s" >>"%s"\nexit 1\n' "$1" "$ran" >"$1"
  chmod 0755 "$1"
}

nothing_planted_ran() {
  [ ! -e "$ran" ] || fail "was run: $(sort -u "$ran")" "by: $1"
}

# Each command that looks for an engine, with this PATH.
each_command() {
  local command
  for command in list gc "plan $project" "plan $BATS_TEST_TMPDIR/other" sync \
    "build" "build --bootstrap" setup "shell $BATS_TEST_TMPDIR/other -- true" \
    "stop aaaa" "logs aaaa"; do
    # shellcheck disable=SC2086 # words of a command
    PATH=$1 run drydock $command </dev/null
    nothing_planted_ran "$PWD: $command"
  done
}

@test "what a project holds is not run, wherever drydock is called from" {
  local where
  unset DRYDOCK_DOCKER DRYDOCK_COMPOSE
  export DRYDOCK_ENGINE_TIMEOUT=2s
  # What is run is found before the engine is asked anything.
  echo 1 >"$script/version.rc"
  for where in "$project" "$project/sub" "$BATS_TEST_TMPDIR/other" /; do
    cd "$where"
    each_command "$project/.venv/bin:$PATH"
  done
  # By a link to the directory, and to the program.
  mkdir "$BATS_TEST_TMPDIR/tools"
  ln -s "$project/.venv/bin" "$BATS_TEST_TMPDIR/linked"
  ln -s "$project/.venv/bin/docker" "$BATS_TEST_TMPDIR/tools/docker"
  ln -s "$project/.venv/bin/docker-compose" "$BATS_TEST_TMPDIR/tools"
  each_command "$BATS_TEST_TMPDIR/linked:$BATS_TEST_TMPDIR/tools:$PATH"
  # Relative entries are nobody's.
  cd "$project/.venv"
  each_command ".:bin:$PATH"
}

@test "a setting cannot name a program of a project" {
  local variable
  for variable in DOCKER COMPOSE; do
    run -77 --separate-stderr env \
      "DRYDOCK_$variable=$project/.venv/bin/docker" drydock plan "$project"
    assert_contains "$stderr" "drydock: $project/.venv/bin/docker is not run: "
    assert_contains "$stderr" "(setting ${variable,,})"
    run -78 --separate-stderr env "DRYDOCK_$variable=bin/docker" \
      drydock plan "$project"
    assert_contains "$stderr" "is not an absolute path"
    run -78 --separate-stderr env "DRYDOCK_$variable=/none/docker" \
      drydock plan "$project"
    assert_contains "$stderr" "/none/docker is not a program that can be run"
  done
  nothing_planted_ran "a setting"
}

@test "no program that is started gets the caller's PATH" {
  PATH=$project/.venv/bin:$PATH run -0 drydock plan "$BATS_TEST_TMPDIR/other"
  local file
  grep -h '^PATH=' "$script/calls"/*.env | sort -u >"$BATS_TEST_TMPDIR/paths"
  assert_equal "$(cat "$BATS_TEST_TMPDIR/paths")" \
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
  for file in "$script/calls"/*compose*.env; do
    [ -e "$file" ]
    run -1 grep -F .venv "$file"
  done
  nothing_planted_ran plan
}
