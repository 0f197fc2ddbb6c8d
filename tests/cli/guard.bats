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

# refused SUITE WORDS ENVIRONMENT...: none of its tests runs.  The setup of the
# suite refuses, whichever of its files are run: one is read faster than all.
refused() {
  local suite=$1 words=$2
  shift 2
  run "${clean[@]}" "$@" bats --tap "$BATS_TEST_DIRNAME/../$suite/plan.bats"
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

@test "the bench refuses them, too" {
  run "${clean[@]}" HOME="$home" "$BATS_TEST_DIRNAME/../bench"
  [ "$status" -ne 0 ]
  assert_contains "$output" "not in a bed"
  run "${clean[@]}" HOME="$home" BED="$BED" DRYDOCK_ENGINE=/var/run/docker.sock \
    "$BATS_TEST_DIRNAME/../bench"
  assert_equal "$status" 1
  assert_contains "$output" "HOME and engine are not the bed's"
  run "${clean[@]}" BED="${home%/*}" HOME="${home%/*}/home" \
    DRYDOCK_ENGINE="${home%/*}/sock" "$BATS_TEST_DIRNAME/../bench"
  assert_equal "$status" 1
  assert_contains "$output" "is no bed"
  assert_equal "$(snapshot)" "$before"
}

# An engine of somebody's, which notes whoever asks it.
listen() {
  python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
open(sys.argv[1] + ".ready", "w")
while True:
    s.accept()
    open(sys.argv[1] + ".asked", "w")' "$1" 3>&- &
  listener=$!
  wait_for "a listener" test -e "$1.ready"
}

teardown() {
  [ -z "${listener-}" ] || kill "$listener"
}

@test "unit tests, the sweep and the lies have all of their own" {
  local sock=$BATS_TEST_TMPDIR/sock name
  local -a as tests
  : "${BUILD:?where the test programs are built}"
  listen "$sock"
  as=("${clean[@]}" HOME="$home" DOCKER_HOST="unix://$sock"
    DRYDOCK_ENGINE="$sock")
  tests=(tests/unit/test-{paths,state,session,sync,seed,settings})
  # As check compiles what tests run.
  make -s -C "$BUILD" "${tests[@]}" CFLAGS='-g -O0' CPPFLAGS=-U_FORTIFY_SOURCE
  for name in "${tests[@]}"; do
    (cd "$BUILD" && "${as[@]}" top_srcdir="$BATS_TEST_DIRNAME/../.." \
      top_builddir=. "$name") >/dev/null 2>&1 || fail "$name"
  done
  as+=(XDG_STATE_HOME="$home/.local/state" XDG_CONFIG_HOME="$home/.config")
  "${as[@]}" "$BATS_TEST_DIRNAME/../sweep/sweep" --build "$BUILD" --sample 1 \
    --only setup --jobs 1
  "${as[@]}" "$BATS_TEST_DIRNAME/../sweep/lies" --build "$BUILD" \
    --only "ps 1 status"
  [ ! -e "$sock.asked" ]
  assert_equal "$(snapshot)" "$before"
}

@test "a directory that is no bed is refused" {
  mkdir "$BATS_TEST_TMPDIR/nobed" "$BATS_TEST_TMPDIR/nobed/home"
  refused cli "is no bed" HOME="$BATS_TEST_TMPDIR/nobed/home" \
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

@test "of a test each case is tried once, and all of them in --full" {
  local name names=
  for name in image entry-point image volume entry-point; do
    ! DRYDOCK_TEST_CASES='' untried "$name" || names+=" $name"
  done
  assert_equal "$names" " image entry-point volume"
  DRYDOCK_TEST_CASES=all untried image
}
