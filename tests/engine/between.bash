# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Somebody between drydock and the engine (servers/engine.py): from
# between_setup on drydock asks him, and he passes on what comes.

between_setup() {
  between_socket=$BATS_TEST_TMPDIR/between.sock
  "$BATS_TEST_DIRNAME/servers/engine.py" "$between_socket" \
    "$DRYDOCK_ENGINE" "$BATS_TEST_TMPDIR/between.rule" 3>&- &
  between_pid=$!
  wait_for "somebody between" test -S "$between_socket"
  export DRYDOCK_ENGINE=$between_socket
}

# between WHEN CALL [COMMAND]: see servers/engine.py; between_nothing ends it.
between() {
  printf '%s\n' "$1" "$2" "${3-}" >"$BATS_TEST_TMPDIR/between.new"
  mv "$BATS_TEST_TMPDIR/between.new" "$BATS_TEST_TMPDIR/between.rule"
}

between_nothing() {
  rm "$BATS_TEST_TMPDIR/between.rule"
}

between_teardown() {
  if [ -n "${between_pid-}" ]; then
    kill "$between_pid"
  fi
}
