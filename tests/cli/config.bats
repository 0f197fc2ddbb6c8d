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

@test "config makes nothing" {
  drydock config >/dev/null
  assert_equal "$(ls -A "$XDG_STATE_HOME")" ""
}
