# SPDX-License-Identifier: MIT
# Many launches at once, an engine slowed to seconds, collectors beside them,
# launchers killed at random points.  DRYDOCK_TEST_STORM is how many, else 32.

load ../helper
load counter

setup_file() {
  counter_prefix
}

setup() {
  bed_setup user
  counter_setup
  bin=$BATS_TEST_TMPDIR/bin
  mkdir "$bin"
}

teardown() {
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

slow() {
  local name
  for name in docker docker-compose; do
    printf '#!/bin/bash\nsleep "0.$((RANDOM %% 9))"\nexec %s "$@"\n' \
      "$(type -P "$name")" >"$bin/$name"
  done
  chmod -R go+rX "$bin"
  chmod 0755 "$bin"/*
}

leases_are_free() {
  local lease
  for lease in "$XDG_STATE_HOME"/drydock/sessions/*/lease; do
    [ ! -e "$lease" ] || [[ $lease == */"$id"/* ]] ||
      flock --nonblock "$lease" true || return
  done
}

only_the_live_one() {
  as_who drydock gc >/dev/null 2>&1 &&
    [ "$(ls "$XDG_STATE_HOME/drydock/sessions")" = "$id" ]
}

@test "launches at once, killed at random, while gc runs in a loop" {
  local i launchers=() collector
  open_counter
  slow
  PATH=$bin:$PATH
  (while [ ! -e "$BATS_TEST_TMPDIR/over" ]; do
    as_who drydock gc >/dev/null 2>&1 || true
  done) 3>&- &
  collector=$!
  for ((i = 0; i < ${DRYDOCK_TEST_STORM:-32}; i++)); do
    as_who timeout --signal=KILL "$((RANDOM % 6 + 1)).$((RANDOM % 10))" \
      drydock shell "$project" -- sleep 60 </dev/null \
      >"$BATS_TEST_TMPDIR/out.$i" 2>&1 3>&- &
    launchers+=("$!")
  done
  for i in "${launchers[@]}"; do
    wait "$i" || true
  done
  touch "$BATS_TEST_TMPDIR/over"
  wait "$collector" || true
  PATH=${PATH#"$bin:"}
  # No two had one id.
  assert_equal "$(grep -hoE 'session [a-z0-9]{8},' "$BATS_TEST_TMPDIR"/out.* |
    sort | uniq -d)" ""
  goes_on
  wait_for "end of Compose" leases_are_free
  wait_for "collection of the dead" only_the_live_one
  goes_on
  assert_equal "$(docker ps -aq --filter \
    "label=io.drydock.state=$(cat "$XDG_STATE_HOME/drydock/id")" | wc -l)" 2
}
