# SPDX-License-Identifier: MIT
# The tests refuse a home, a state directory and an engine that are not theirs.

load ../helper

setup() {
  bed_setup self
  home=$BATS_TEST_TMPDIR/somebody
  mkdir -p "$home/.local/state/drydock/sessions/abcd1234" "$home/.config"
  echo precious >"$home/.local/state/drydock/sessions/abcd1234/session.json"
  before=$(snapshot)
  # As a person would have it: nothing of the bed but the program.
  clean=(env -i PATH="$PATH" TMPDIR="$BATS_TEST_TMPDIR")
}

snapshot() {
  find "$home" -printf '%p %y %m %T@\n' | LC_ALL=C sort
  find "$home" -type f -exec cat {} +
}

# refused SUITE WORDS ENVIRONMENT...: not one of its tests runs.
refused() {
  local suite=$1 words=$2
  shift 2
  run "${clean[@]}" "$@" bats --tap "$BATS_TEST_DIRNAME/../$suite"
  [ "$status" -ne 0 ] || fail "it ran: $output"
  assert_contains "$output" "$words"
  refute_contains "$output" $'\nok '
  assert_equal "$(snapshot)" "$before"
}

@test "outside of a bed nothing runs" {
  refused cli "not in a bed" HOME="$home"
  refused engine "not in a bed" HOME="$home"
}

@test "somebody's home is refused in a bed, too" {
  refused cli "HOME and engine are not the bed's" HOME="$home" BED="$BED" \
    DRYDOCK_ENGINE="${DRYDOCK_ENGINE:-$BED/none}"
}

@test "the machine's own engine is refused in a bed, too" {
  refused engine "HOME and engine are not the bed's" HOME="$BED/home" \
    BED="$BED" DRYDOCK_ENGINE=/var/run/docker.sock
  refused engine "HOME and engine are not the bed's" HOME="$BED/home" \
    BED="$BED"
}

@test "a directory that is no bed is refused" {
  mkdir "$BATS_TEST_TMPDIR/nobed" "$BATS_TEST_TMPDIR/nobed/home"
  refused cli "setup_suite" HOME="$BATS_TEST_TMPDIR/nobed/home" \
    BED="$BATS_TEST_TMPDIR/nobed" \
    DRYDOCK_ENGINE="$BATS_TEST_TMPDIR/nobed/sock"
}

@test "a test's configuration and state are never the caller's" {
  assert_contains "$XDG_STATE_HOME" "$BATS_TEST_TMPDIR"
  assert_contains "$XDG_CONFIG_HOME" "$BATS_TEST_TMPDIR"
  local file
  for file in "$BATS_TEST_DIRNAME"/../cli/*.bats \
    "$BATS_TEST_DIRNAME"/../engine/*.bats; do
    grep -qE '^load \.\./helper|source .*helper' "$file" ||
      fail "$file does not load the helper"
    grep -qE 'bed_setup|bed_guard' "$file" ||
      fail "$file does not ask for a bed"
  done
}
