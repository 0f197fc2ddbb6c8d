# SPDX-License-Identifier: MIT
# An engine that is away, silent, out of reach or of the wrong kind.

load ../helper
load stub

setup() {
  bed_setup self
  unset DOCKER_HOST
  bin=$BATS_TEST_TMPDIR/bin
  mkdir "$bin"
}

teardown() {
  if [ -n "${listener-}" ]; then
    kill "$listener"
  fi
}

# A daemon that accepts and never answers.
silent_engine() {
  export DRYDOCK_ENGINE=$BATS_TEST_TMPDIR/silent.sock
  python3 -c '
import os, signal, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(64)
signal.pause()' "$DRYDOCK_ENGINE" 3>&- &
  listener=$!
  wait_for "the silent engine" test -S "$DRYDOCK_ENGINE"
}

@test "an engine that never answers is given up when the deadline has passed" {
  silent_engine
  local begin=$SECONDS
  DRYDOCK_ENGINE_TIMEOUT=1s run -69 --separate-stderr \
    drydock shell "$project" -- true
  # Without the setting it would be 15 seconds.
  [ $((SECONDS - begin)) -lt 14 ]
  assert_equal "$output" ""
  # What was asked is named, and so is the setting.
  assert_contains "$stderr" "GET /version within 1s (setting engine_timeout)"
}

@test "an engine that is not there is named, with what to do" {
  DRYDOCK_ENGINE=$BATS_TEST_TMPDIR/none.sock run -69 --separate-stderr \
    drydock shell "$project" -- true
  assert_contains "$stderr" "$BATS_TEST_TMPDIR/none.sock"
  assert_contains "$stderr" "start"
}

@test "an engine at tcp or ssh is refused by name" {
  unset DRYDOCK_ENGINE
  DOCKER_HOST=tcp://127.0.0.1:2375 run -69 --separate-stderr \
    drydock shell "$project" -- true
  assert_contains "$stderr" "tcp://"
  DOCKER_HOST=ssh://somebody@host run -69 --separate-stderr \
    drydock shell "$project" -- true
  assert_contains "$stderr" "ssh://"
}

@test "a socket without permission says how to get it" {
  [ "$(id -u)" != 0 ] || skip "root may use any socket"
  DRYDOCK_ENGINE=$BATS_TEST_TMPDIR/closed.sock
  export DRYDOCK_ENGINE
  python3 -c '
import os, signal, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0)
s.listen(1)
signal.pause()' "$DRYDOCK_ENGINE" 3>&- &
  listener=$!
  wait_for "the closed engine" test -S "$DRYDOCK_ENGINE"
  chmod 0 "$DRYDOCK_ENGINE"
  run -69 --separate-stderr drydock shell "$project" -- true
  assert_contains "$stderr" "permission denied on $DRYDOCK_ENGINE"
  assert_contains "$stderr" "group"
}

@test "Compose v1 is refused by name with what to install, where it would be run" {
  stub_programs
  rm "$bin/docker-compose"
  printf '#!/bin/sh\necho "docker-compose version 1.29.2, build unknown"\n' \
    >"$bin/docker-compose"
  chmod 0755 "$bin/docker-compose"
  echo "docker: compose is not a docker command" >"$script/compose-version.err"
  echo 1 >"$script/compose-version.rc"
  run -69 --separate-stderr drydock shell "$project" -- true
  assert_contains "$stderr" "Compose"
  assert_contains "$stderr" "docker-compose"
  # What to install.
  assert_contains "$stderr" "install"
  # What starts nothing does not ask it.
  rm -f "$script"/calls/compose-version.*
  run -0 --separate-stderr drydock list --all
  assert_equal "$stderr" ""
  run -0 drydock gc
  assert_equal "$(find "$script/calls" -name 'compose-version.*')" ""
}

@test "nothing is left in the state but what a launch declares" {
  DRYDOCK_ENGINE=$BATS_TEST_TMPDIR/none.sock run -69 \
    drydock shell "$project" -- true
  assert_equal "$(find "$XDG_STATE_HOME/drydock/sessions" \
    "$XDG_STATE_HOME/drydock/trash" -mindepth 1 2>/dev/null)" ""
}
