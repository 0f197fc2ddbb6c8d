# SPDX-License-Identifier: MIT
# Coming back to a session, which the tests share, since they leave it as it was.

load ../helper
load counter

setup() {
  bed_guard && shared_counter
}

teardown() {
  [ ! -e "$DRYDOCK_ENGINE.away" ] ||
    mv "$DRYDOCK_ENGINE.away" "$DRYDOCK_ENGINE"
  shared_leave
}

teardown_file() {
  shared_teardown
}

# view NAME STEP...: a terminal on the session; its client's id goes to
# $project/NAME, what it shows to out.NAME, its own to $viewer.
view() {
  local name=$1
  shift
  on_terminal 'expect:agent first' "$@" -- \
    sh -c 'echo $$ >"$0"; exec drydock attach "$1"' "$project/$name" "$id" \
    >"$BATS_TEST_TMPDIR/out.$name" 2>&1 3>&- &
  viewer=$!
  wait_for "a viewer" grep -q 'agent first' "$BATS_TEST_TMPDIR/out.$name"
}

# To the agent's terminal, as if the agent wrote it.
write_as_agent() {
  as_who drydock exec "$id" -- sh -c "{ $1; } >/dev/pts/0"
}

# After a flood, for what the next test expects.
write_first_again() {
  write_as_agent 'printf "\033[H\033[2Jagent first\n"'
}

@test "the agent goes on however a terminal leaves" {
  local signal
  assert_equal "$(state_of "$id")" detached
  goes_on
  for signal in HUP TERM KILL INT; do
    as_who "$BATS_TEST_DIRNAME/servers/terminal.py" 'expect:agent first' \
      'expect:never' -- sh -c 'echo $$ >"$0/pid"; exec drydock attach' \
      "$project" >/dev/null 2>&1 &
    wait_for "a viewer" test -s "$project/pid"
    wait_for "a running session" test_state running
    kill -"$signal" "$(cat "$project/pid")"
    rm "$project/pid"
    wait_for "a detached session" test_state detached
    wait $! || true
    goes_on
  done
  on_terminal 'expect:agent first' close -- drydock attach "$id" >/dev/null || true
  wait_for "a detached session" test_state detached
  goes_on
}

@test "attach makes no engine call" {
  DRYDOCK_ENGINE=$BATS_TEST_TMPDIR/none run -0 on_terminal 'expect:agent first' \
    $'send:\034' -- drydock attach "${id:0:4}"
  goes_on
}

@test "attach tells of refused hosts, once" {
  as_who drydock exec "$id" -- curl -s --max-time 10 https://registry.example ||
    true
  cd "$project"
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach "$id"
  assert_contains "$output" "drydock allow registry.example"
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach "$id"
  refute_contains "$output" registry.example
}

@test "run asks; end of input cancels, and without a terminal it says what there is" {
  run -130 on_terminal 'expect:ancel?' $'send:\004' -- drydock run "$project"
  run -130 on_terminal 'expect:ancel?' 'send:c\r' -- drydock run "$project"
  run -0 on_terminal 'expect:ancel?' 'send:a\r' 'expect:agent first' \
    $'send:\034' -- drydock run "$project"
  run -64 --separate-stderr as_who drydock run "$project" </dev/null
  assert_contains "$stderr" "$id"
  goes_on
}

@test "projects whose names contain one another never meet" {
  local other
  for other in "${project}2" "${project%t}" "${project%/*}/x${project##*/}" \
    "${project%/*}/pro*" "${project%/*}/p"; do
    make_project "$other"
    cd "$other"
    run -1 --separate-stderr on_terminal -- drydock attach
    run -1 --separate-stderr as_who drydock stop
  done
  cd "$project"
  goes_on
}

@test "the key that detaches is a setting" {
  DRYDOCK_DETACH_KEY=ctrl-q run -0 on_terminal 'expect:agent first' \
    $'send:\021' 'expect:goes on' -- drydock attach
  goes_on
  run -0 on_terminal 'expect:agent first' $'send:\021' 'expect:goes on' -- \
    drydock attach --detach-key ctrl-q "$id"
  goes_on
}

@test "attach and kill, many times, leave no process behind" {
  local before i n=20
  ! all_cases || n=200
  # The agent's own children come and go: the least of some counts stands.
  count() {
    for ((i = 0; i < 10; i++)); do
      docker top "drydock-$id-agent-1" -eo pid | wc -l
    done | sort -n | head -n 1
  }
  no_more() {
    [ "$(count)" -le "$before" ]
  }
  before=$(count)
  # A pty for each costs time: half of the kills come before the view.
  for ((i = 0; i < n; i++)); do
    as_who timeout --signal=KILL "0.0$((i % 9 + 1))" script -qec \
      "drydock attach $id" /dev/null </dev/null >/dev/null 2>&1 || true
  done
  wait_for "a detached session" test_state detached
  wait_for "as many processes as before" no_more
  goes_on
}

@test "a terminal that stops reading is dropped, and nobody waits for it" {
  local reader stopped
  view reads 'expect:flood is over' 'expect:still here' $'send:\034'
  reader=$viewer
  view stopped 'expect:goes on without this terminal'
  stopped=$viewer
  kill -STOP "$(cat "$project/stopped")"
  # Twice what its buffer holds.
  write_as_agent 'seq 1200000; echo flood is over'
  wait_for "all of it" grep -q 'flood is over' "$BATS_TEST_TMPDIR/out.reads"
  goes_on
  write_as_agent 'echo still here'
  wait "$reader"
  kill -CONT "$(cat "$project/stopped")"
  status=0
  wait "$stopped" || status=$?
  assert_equal "$status" 69
  assert_contains "$(tail -n 3 "$BATS_TEST_TMPDIR/out.stopped")" \
    "drydock attach $id"
  goes_on
  run -0 on_terminal 'expect:still here' $'send:\034' -- drydock attach "$id"
  write_first_again
}

@test "a terminal that stops for a while has all that was written meanwhile" {
  view stopped 'expect:29999' 'expect:over' $'send:\034'
  kill -STOP "$(cat "$project/stopped")"
  write_as_agent 'seq 30000; echo over'
  goes_on
  kill -CONT "$(cat "$project/stopped")"
  wait "$viewer"
  tr -d '\r' <"$BATS_TEST_TMPDIR/out.stopped" | grep -x '[0-9]*' |
    cmp - <(seq 30000)
  write_first_again
}

@test "the engine's socket vanishes and comes back while somebody looks" {
  [ "$(id -u)" = 0 ] || skip "the socket is root's to move"
  view stays 'expect:it is back' $'send:\034'
  mv "$DRYDOCK_ENGINE" "$DRYDOCK_ENGINE.away"
  goes_on
  assert_equal "$(state_of "$id")" "engine silent"
  run -69 as_who drydock gc
  run -69 as_who drydock stop "$id"
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  mv "$DRYDOCK_ENGINE.away" "$DRYDOCK_ENGINE"
  run -0 as_who drydock gc
  write_as_agent 'echo it is back'
  wait "$viewer"
  goes_on
  assert_equal "$(state_of "$id")" detached
}

@test "attach asks no engine, and loads nothing for it" {
  local trace=$project/trace
  : >"$trace"
  chmod 0666 "$trace"
  run -0 on_terminal 'expect:agent first' $'send:\034' -- strace -f -qq \
    -e trace=openat,connect -o "$trace" drydock attach
  grep holder.sock "$trace"
  run ! grep -F -e libcurl -e "$DRYDOCK_ENGINE" "$trace"
}

@test "exec and logs" {
  run -9 --separate-stderr as_who drydock exec "$id" -- \
    sh -c 'cat ~/count; pwd; id -u; exit 9'
  assert_contains "$output" "$project"
  [ "$who" = root ] || assert_contains "$output" "$BED_UID"
  run -0 as_who drydock exec "$id" -- sh -c 'printf "\033[31mred\n" >/proc/1/fd/1'
  run -0 as_who drydock logs "$id"
  assert_contains "$output" '\033[31mred'
  goes_on
  docker kill "drydock-$id-agent-1" >/dev/null
  run -1 --separate-stderr as_who drydock exec "$id" -- true
  assert_equal "$stderr" \
    "drydock: session $id is stopped: \"drydock attach $id\" starts it again"
  run -0 as_who drydock logs "$id"
  assert_contains "$output" '\033[31mred'
}
