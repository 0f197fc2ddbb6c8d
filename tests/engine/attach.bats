# SPDX-License-Identifier: MIT
# Leaving a session and coming back.

load ../helper
load counter

setup() {
  bed_setup user
  counter_setup
}

teardown() {
  [ ! -e "$DRYDOCK_ENGINE.away" ] ||
    mv "$DRYDOCK_ENGINE.away" "$DRYDOCK_ENGINE"
  tmux -L "life$$" kill-server 2>/dev/null || true
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

no_container_left() {
  finds_nothing docker ps -aq --filter \
    "label=io.drydock.state=$(cat "$XDG_STATE_HOME/drydock/id")"
}

@test "the agent goes on however a terminal leaves" {
  local signal
  open_counter
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
  open_counter
  DRYDOCK_ENGINE=$BATS_TEST_TMPDIR/none run -0 on_terminal 'expect:agent first' \
    $'send:\034' -- drydock attach "${id:0:4}"
  goes_on
}

@test "attach tells of refused hosts, once" {
  open_counter
  as_who drydock exec "$id" -- curl -s --max-time 10 https://registry.example ||
    true
  cd "$project"
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach "$id"
  assert_contains "$output" "drydock allow registry.example"
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach "$id"
  refute_contains "$output" registry.example
}

@test "two terminals: one is closed, the other sees the end" {
  local tm=(tmux -L "life$$")
  open_counter
  as_who "${tm[@]}" -f /dev/null new-session -d -x 100 -y 30 \
    "drydock attach; echo status \$? >$project/one"
  as_who "${tm[@]}" new-window "drydock attach; echo status \$? >$project/two"
  shown() {
    as_who "${tm[@]}" capture-pane -p -t "$1" | grep -F "agent first"
  }
  wait_for "the first terminal" shown :0
  wait_for "the second terminal" shown :1
  as_who "${tm[@]}" kill-window -t :1
  goes_on
  assert_equal "$(state_of "$id")" running
  as_who touch "$home/end"
  wait_for "the status" test -s "$project/one"
  assert_equal "$(cat "$project/one")" "status 7"
  wait_for "end of the containers" no_container_left
  [ ! -e "$XDG_STATE_HOME/drydock/sessions/$id" ]
  [ ! -L "$XDG_RUNTIME_DIR/drydock/$id" ]
}

@test "a session that ends with nobody there is collected" {
  open_counter
  as_who touch "$home/end"
  wait_for "the end" test_state ended
  run -0 as_who drydock gc --dry-run
  assert_equal "$output" "$id would be removed"
  run -7 on_terminal -- drydock attach "$id"
  assert_contains "$output" "has ended with status 7"
  no_container_left
}

@test "run asks; end of input cancels, and without a terminal it says what there is" {
  open_counter
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
  open_counter
  for other in "${project}2" "${project%t}" "$BATS_TEST_TMPDIR/x$(basename "$project")" \
    "$BATS_TEST_TMPDIR/pro*" "$BATS_TEST_TMPDIR/p"; do
    make_project "$other"
    cd "$other"
    run -1 --separate-stderr on_terminal -- drydock attach
    run -1 --separate-stderr as_who drydock stop
  done
  cd "$project"
  goes_on
}

@test "exec and logs" {
  open_counter
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

@test "stop ends a session, and the one who looks is told" {
  open_counter
  on_terminal 'expect:agent first' 'expect:another process ended' -- \
    drydock attach >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  wait_for "a viewer" test_state running
  run -0 as_who drydock stop "$id"
  assert_equal "$output" "$id ended"
  wait $! || status=$?
  assert_equal "$status" 143
  no_container_left
  run -64 as_who drydock stop "$id"
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

@test "a terminal that stops reading is dropped, and nobody waits for it" {
  local reader stopped
  open_counter
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
}

@test "a terminal that stops for a while has all that was written meanwhile" {
  open_counter
  view stopped 'expect:29999' 'expect:over' $'send:\034'
  kill -STOP "$(cat "$project/stopped")"
  write_as_agent 'seq 30000; echo over'
  goes_on
  kill -CONT "$(cat "$project/stopped")"
  wait "$viewer"
  tr -d '\r' <"$BATS_TEST_TMPDIR/out.stopped" | grep -x '[0-9]*' |
    cmp - <(seq 30000)
}

@test "the engine's socket vanishes and comes back while somebody looks" {
  [ "$(id -u)" = 0 ] || skip "the socket is root's to move"
  open_counter
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

@test "the key that detaches is a setting" {
  open_counter
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
  open_counter
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

@test "attach asks no engine, and loads nothing for it" {
  local trace=$BATS_TEST_TMPDIR/trace
  open_counter
  : >"$trace"
  chmod 0666 "$trace"
  run -0 on_terminal 'expect:agent first' $'send:\034' -- strace -f -qq \
    -e trace=openat,connect -o "$trace" drydock attach
  grep holder.sock "$trace"
  run ! grep -F -e libcurl -e "$DRYDOCK_ENGINE" "$trace"
}

@test "a state directory 200 characters deep" {
  local deep
  deep=$XDG_STATE_HOME/$(printf 'd%.0s' {1..100})/$(printf 'e%.0s' {1..100})
  as_who mkdir -p "$deep"
  XDG_STATE_HOME=$deep
  images_record "$BED_UID" "$deep"
  images_for_agent counter
  open_counter
  goes_on
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  # Another program reaches the socket by its short path.
  as_who python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])' "$(as_who drydock list --json | jq -r '.[0].socket')"
}

@test "a lost session is said to be lost, and only --force removes it" {
  local state=$XDG_STATE_HOME/drydock/id
  open_counter
  # By the id of another state its container is not found; it goes on.
  cp "$state" "$BATS_TEST_TMPDIR/id"
  tr 0-9a-f 1-9a-f0 <"$BATS_TEST_TMPDIR/id" >"$state"
  run -69 as_who drydock stop --force "$id"
  assert_contains "$output" "session $id is not lost"
  cat "$BATS_TEST_TMPDIR/id" >"$state"
  goes_on
  docker rm -f "$(docker ps -q --no-trunc \
    --filter "label=io.drydock.session=$id" \
    --filter label=io.drydock.role=agent)" >/dev/null
  assert_equal "$(state_of "$id")" lost
  run -0 as_who drydock gc
  [ -e "$home" ]
  # Its proxy serves nobody any more.
  no_container_left
  run -1 as_who drydock stop "$id"
  run -0 as_who drydock stop --force "$id"
  [ ! -e "$home" ]
}
