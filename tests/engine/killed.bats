# SPDX-License-Identifier: MIT
# A launcher that is interrupted puts away what it made; one that is killed
# leaves it to the next collection, and a live session to nobody.

load ../helper
load between

setup() {
  bed_setup user
  bin=$BATS_TEST_TMPDIR/bin
  mkdir "$bin"
}

teardown() {
  between_teardown
}

sessions() {
  find "$XDG_STATE_HOME/drydock/sessions" "$XDG_STATE_HOME/drydock/trash" \
    -mindepth 1 -maxdepth 1
}

containers() {
  docker ps -aq --filter \
    "label=io.drydock.state=$(cat "$XDG_STATE_HOME/drydock/id")"
}

nothing_is_left() {
  finds_nothing containers && finds_nothing sessions
}

nobody_holds_a_lease() {
  local lease
  for lease in "$XDG_STATE_HOME"/drydock/sessions/*/lease; do
    [ ! -e "$lease" ] || flock --nonblock "$lease" true || return
  done
}

# stop_at STAGE ACTION: a docker-compose that, once it has done "up", runs the
# shell words ACTION with the launcher's id in $PPID, before it returns; at
# "before" it does so instead of starting anything.
stop_at() {
  type -P docker-compose >"$bin/real"
  cat >"$bin/docker-compose" <<END
#!/bin/bash
real=\$(cat "\${0%/*}/real")
case " \$* " in
  *" up "*)
    if [ $1 = before ]; then
      $2
      exit 1
    fi
    "\$real" "\$@"
    $2
    sleep 1
    ;;
  *) exec "\$real" "\$@" ;;
esac
END
  chmod 0755 "$bin" "$bin/docker-compose"
  export DRYDOCK_COMPOSE=$bin/docker-compose
}

start_and_stop() {
  stop_at "$1" "$2"
  run --separate-stderr in_session sh -c 'echo the command ran'
  unset DRYDOCK_COMPOSE
  assert_equal "$output" ""
}

@test "an interrupt before the containers leaves nothing" {
  local signal signals=(HUP)
  ! all_cases || signals=(INT TERM HUP)
  for signal in "${signals[@]}"; do
    start_and_stop before "kill -$signal \$PPID"
    [ "$status" -ne 0 ]
    nothing_is_left
  done
}

@test "an interrupt while Compose works leaves nothing" {
  local signal signals=(TERM)
  ! all_cases || signals=(INT TERM HUP)
  for signal in "${signals[@]}"; do
    start_and_stop after "kill -$signal \$PPID"
    assert_equal "$status" 130
    nothing_is_left
  done
}

@test "who interrupts twice has the prompt back while Compose works on" {
  stop_at before "kill -INT \$PPID
      until grep -q waiting '$BATS_TEST_TMPDIR/err'; do sleep 0.1; done
      kill -TERM \$PPID
      for i in {1..600}; do
        [ ! -e '$BATS_TEST_TMPDIR/returned' ] || break
        sleep 0.1
      done
      \"\$real\" \"\$@\"; exit"
  status=0
  in_session echo ran >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" ||
    status=$?
  unset DRYDOCK_COMPOSE
  assert_equal "$status" 130
  assert_equal "$(cat "$BATS_TEST_TMPDIR/out")" ""
  # Compose has the lease, and nobody collects what it is about to make.
  run ! nobody_holds_a_lease
  run -0 as_who drydock gc
  [ -n "$(sessions)" ]
  touch "$BATS_TEST_TMPDIR/returned"
  wait_for "end of Compose" nobody_holds_a_lease
  assert_equal "$(containers | wc -l)" 2
  run -0 as_who drydock gc
  nothing_is_left
}

@test "what a launcher killed while Compose works leaves is collected, once the engine answers" {
  local id
  between_setup
  start_and_stop after 'kill -KILL $PPID'
  assert_equal "$status" 137
  # Compose outlives it, and so does the lease.
  wait_for "end of Compose" nobody_holds_a_lease
  [ -n "$(containers)" ]
  id=$(sessions)
  between fail 'GET .*/containers/json'
  run --separate-stderr in_session true
  assert_contains "$stderr" "ended sessions are not removed"
  assert_contains "$(sessions)" "$id"
  between_nothing
  in_session true
  nothing_is_left
}

@test "a launcher killed at any moment leaves nothing that stays" {
  local i step=3
  ! all_cases || step=1
  for ((i = 1; i < 12; i += step)); do
    as_who timeout --signal=KILL "$(((i + 1) / 10)).$(((i + 1) % 10))" \
      drydock shell "$project" -- sleep 60 </dev/null >/dev/null 2>&1 || true
  done
  wait_for "end of Compose" nobody_holds_a_lease
  # One that had started ends with its client, and is collected then.
  collected() {
    as_who drydock gc && nothing_is_left
  }
  wait_for "collection" collected
}

@test "a session that runs is not collected, nor is its lease in the way" {
  local id
  open_session sh -c 'echo ready; read -r _ || :'
  id=$(basename "$(sessions)")
  run -0 as_who drydock gc
  assert_equal "$(basename "$(sessions)")" "$id"
  assert_equal "$(containers | wc -l)" 2
  close_session
  nothing_is_left
}
