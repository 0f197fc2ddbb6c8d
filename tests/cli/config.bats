# SPDX-License-Identifier: MIT
# Settings: one table, three places to set them, and what is wrong is named.

load ../helper

setup() {
  bed_setup self
  conf=$XDG_CONFIG_HOME/drydock/drydock.conf
}


@test "an option beats the environment, which beats the file" {
  run -0 drydock config
  assert_contains "$output" "pids = 2048"
  echo 'pids = 100' >"$conf"
  run -0 drydock config
  assert_contains "$output" "pids = 100"
  DRYDOCK_PIDS=200 run -0 drydock config
  assert_contains "$output" "pids = 200"
  DRYDOCK_PIDS=200 run -0 drydock config --pids 300
  assert_contains "$output" "pids = 300"
}

@test "the output is a drydock.conf that sets the same" {
  export DRYDOCK_MEMORY=3g DRYDOCK_PACKAGES="make,gcc" DRYDOCK_CPUS=1.5
  drydock config >"$BATS_TEST_TMPDIR/first"
  unset DRYDOCK_MEMORY DRYDOCK_PACKAGES DRYDOCK_CPUS
  cp "$BATS_TEST_TMPDIR/first" "$conf"
  drydock config >"$BATS_TEST_TMPDIR/second"
  diff "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/second"
  grep -x 'cpus = 1.5' "$BATS_TEST_TMPDIR/second"
}

@test "an unknown key is refused with file, line and the nearest name" {
  printf '# a comment\n\nmemry = 4g\n' >"$conf"
  run -78 --separate-stderr drydock config
  assert_equal "$output" ""
  assert_equal "$stderr" \
    "drydock: $conf:3: unknown key \"memry\" (nearest: memory)"
}

@test "a bad value is refused with file and line" {
  printf 'pids = many\n' >"$conf"
  run -78 --separate-stderr drydock config
  assert_contains "$stderr" "drydock: $conf:1: pids: "
}

@test "an unknown variable is refused with the nearest name" {
  DRYDOCK_MEMRY=1g run -78 --separate-stderr drydock config
  assert_contains "$stderr" "DRYDOCK_MEMRY"
  assert_contains "$stderr" "nearest: DRYDOCK_MEMORY"
}

@test "a file that others may write to is refused" {
  echo 'pids = 100' >"$conf"
  chmod 0666 "$conf"
  run -78 --separate-stderr drydock config
  assert_contains "$stderr" drydock.conf
}

@test "what a file holds cannot speak to the terminal" {
  printf 'pids = \033]0;x\007\n' >"$conf"
  run -78 --separate-stderr drydock config
  refute_contains "$stderr" $'\033'
  refute_contains "$stderr" $'\007'
}

@test "a relative HOME or XDG directory is refused" {
  HOME=somewhere run -78 --separate-stderr drydock config
  assert_contains "$stderr" HOME
  XDG_STATE_HOME=somewhere run -78 --separate-stderr drydock config
  assert_contains "$stderr" XDG_STATE_HOME
}

@test "a project has settings of its own, which beat drydock.conf's" {
  printf 'pids = 100\nmemory = 1g\n' >"$conf"
  project_conf <<<'pids = 200
toolchains = rust node'
  run -0 --separate-stderr drydock config "$project"
  assert_contains "$output" "pids = 200"
  assert_contains "$output" "memory = 1g"
  assert_contains "$output" 'toolchains = "rust node"'
  run -0 --separate-stderr drydock config
  assert_contains "$output" "pids = 100"
  assert_contains "$output" 'toolchains = ""'
  DRYDOCK_PIDS=300 run -0 --separate-stderr drydock config "$project"
  assert_contains "$output" "pids = 300"
  DRYDOCK_PIDS=300 run -0 --separate-stderr drydock config --pids 400 "$project"
  assert_contains "$output" "pids = 400"
  # What the project itself holds decides nothing.
  printf 'pids = 500\n' >"$project/drydock.conf"
  run -0 --separate-stderr drydock config "$project"
  assert_contains "$output" "pids = 200"
}

@test "a project's file that is wrong is refused by its name" {
  project_conf <<<'engine = /tmp/other.sock'
  run -78 --separate-stderr drydock config "$project"
  assert_equal "$stderr" "drydock: $own: engine cannot be set for one project: \
set it in drydock.conf"
  project_conf <<<'toolchains = $(id)'
  run -78 --separate-stderr drydock config "$project"
  assert_contains "$stderr" "$own:1: toolchains: \"\$(id)\" is not the name"
  project_conf <<<'mode = dood'
  chmod 0666 "$own"
  run -78 --separate-stderr drydock config "$project"
  assert_contains "$stderr" "$own can be written by others"
  # A link into the project is not a file that decides.
  rm "$own"
  echo 'mode = dood' >"$project/conf"
  chmod 0600 "$project/conf"
  ln -s "$project/conf" "$own"
  run -77 --separate-stderr drydock shell "$project" -- true
  assert_contains "$stderr" "$project/conf decides what a session may do"
}

@test "config makes nothing" {
  drydock config >/dev/null
  assert_equal "$(ls -A "$XDG_STATE_HOME")" ""
}
