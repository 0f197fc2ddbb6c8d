# SPDX-License-Identifier: MIT
# Many launches at once, an engine that takes seconds for what it does at once
# else, collectors beside them, launchers killed at random points.
# DRYDOCK_TEST_STORM is how many, else 9; DRYDOCK_TEST_SEED repeats a run.

load ../helper
load counter

setup() {
  bed_setup user
  counter_setup
  over=$BATS_TEST_TMPDIR/over
}

teardown() {
  touch "$over"
  kill -CONT "$(cat "$BED/engine/pid")"
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

# The daemon itself stands still for most of the time, at any point of what it
# does.  At its end it runs, whoever ends the test.
slow_engine() {
  local engine
  engine=$(cat "$BED/engine/pid")
  while [ ! -e "$over" ] && [ -e "$BATS_TEST_TMPDIR" ]; do
    kill -STOP "$engine"
    sleep "$((RANDOM % 8 / 7)).$((RANDOM % 10))"
    kill -CONT "$engine"
    sleep "0.$((RANDOM % 9 + 1))"
  done
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

# What gc could not or would not take, for whoever reads that it failed.
tell_what_is_left() {
  local status=0
  as_who drydock gc || status=$?
  echo "gc ended with $status; the live one is $id"
  as_who drydock list --all || true
  docker ps --all
  return 1
}

# Compose that outlived its launcher may be told of a container late.
two_containers() {
  as_who drydock gc >/dev/null 2>&1
  [ "$(docker ps -aq --filter \
    "label=io.drydock.state=$(cat "$XDG_STATE_HOME/drydock/id")" | wc -l)" = 2 ]
}

# launch I: killed at some point of its first seconds; every third in those
# after it has drawn its id, so that some come far on a slow machine too.
launch() {
  local out=$BATS_TEST_TMPDIR/out.$1 pid=$project/pid.$1 launcher
  local after="$((RANDOM % 9)).$((RANDOM % 10))"
  local limit="$((RANDOM % 18 + 1)).$((RANDOM % 10))"
  [ $(($1 % 3)) != 0 ] || limit=70
  as_who timeout --signal=KILL "$limit" sh -c 'echo $$ >"$0"
    exec drydock shell "$1" -- sleep 60' "$pid" "$project" \
    </dev/null >"$out" 2>&1 3>&- &
  launcher=$!
  launchers+=("$launcher")
  [ "$limit" = 70 ] || return 0
  (
    until grep 'session ' "$out" || ! kill -0 "$launcher"; do
      sleep 0.2
    done
    sleep "$after"
    kill -0 "$launcher" && kill -KILL "$(cat "$pid")"
  ) >/dev/null 2>&1 3>&- &
  launchers+=("$!")
}

# Each container of an agent that is started, from now on.
count_starts() {
  docker events --filter event=start --filter type=container \
    --filter label=io.drydock.role=agent --format '{{.ID}}' \
    >"$BATS_TEST_TMPDIR/started" 2>/dev/null 3>&- &
  events=$!
}

@test "launches at once, killed at random, while gc runs in a loop" {
  local i launchers=() collector slower events
  local seed=${DRYDOCK_TEST_SEED:-$RANDOM} n=${DRYDOCK_TEST_STORM:-9}
  echo "# seed $seed, $n launches" >&3
  open_counter
  count_starts
  RANDOM=$seed
  slow_engine 3>&- &
  slower=$!
  (while [ ! -e "$over" ]; do
    as_who drydock gc >/dev/null 2>&1 || true
  done) 3>&- &
  collector=$!
  for ((i = 0; i < n; i++)); do
    launch "$i"
  done
  for i in "${launchers[@]}"; do
    wait "$i" || true
  done
  touch "$over"
  wait "$collector" "$slower" || true
  kill "$events" 2>/dev/null || true
  wait "$events" || true
  echo "# $(grep -lE '^drydock: session ' "$BATS_TEST_TMPDIR"/out.* | wc -l) drew an id, $(sort -u "$BATS_TEST_TMPDIR/started" | wc -l) had an agent's container started" >&3
  # No two had one id.
  assert_equal "$(grep -hoE 'session [a-z0-9]{8},' "$BATS_TEST_TMPDIR"/out.* |
    sort | uniq -d)" ""
  goes_on
  # Twice: what many launches at once have begun takes a busy machine a while.
  wait_for "end of Compose" leases_are_free ||
    wait_for "end of Compose" leases_are_free
  # Where one died just before its command, the holder waits a minute.
  wait_for "collection of the dead" only_the_live_one ||
    wait_for "collection of the dead" only_the_live_one ||
    wait_for "collection of the dead" only_the_live_one ||
    tell_what_is_left
  wait_for "the live session's containers alone" two_containers
  goes_on
}

# One of what people and machines do to a session, killed at some point of it.
torment() {
  local limit="$((RANDOM % 2)).$((RANDOM % 9 + 1))"
  case $((RANDOM % 5)) in
    0) docker kill "drydock-$id-agent-1" >/dev/null 2>&1 ;;
    1) as_who timeout --signal=KILL "$limit" drydock gc >/dev/null 2>&1 ;;
    2) as_who timeout --signal=KILL "$limit" drydock shell "$project" -- true \
      </dev/null >/dev/null 2>&1 ;;
    *) as_who timeout --signal=KILL "$limit" script -qec \
      "drydock attach $id" /dev/null </dev/null >/dev/null 2>&1 ;;
  esac || true
}

rests() {
  flock --nonblock "${home%/home}/lease" true &&
    case $(state_of "$id") in
      stopped | detached) ;;
      *) return 1 ;;
    esac
}

can_be_attached() {
  on_terminal 'expect:agent ' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id"
}

@test "a session outlives restarts that die at any point" {
  local i seed=${DRYDOCK_TEST_SEED:-$RANDOM} n=$((${DRYDOCK_TEST_STORM:-9} / 2))
  echo "# seed $seed, $n torments" >&3
  open_counter
  as_who sh -c "echo kept >'$home/mine'"
  RANDOM=$seed
  for ((i = 0; i < n; i++)); do
    torment
    [ -e "$home/mine" ] || fail "lost at torment $i"
  done
  # An attach whose terminal was killed hears of that in its own time.
  wait_for "a session at rest" rests
  as_who drydock gc
  rests
  wait_for "a session that can be attached" can_be_attached
  goes_on
  assert_equal "$(cat "$home/mine")" kept
}
