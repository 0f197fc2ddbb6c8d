# SPDX-License-Identifier: MIT
# Leaving a session and coming back.

load ../helper
load counter

setup() {
  bed_setup user
  counter_setup
}

teardown() {
  tmux -L "life$$" kill-server 2>/dev/null || true
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

no_container_left() {
  finds_nothing docker ps -aq --filter \
    "label=io.drydock.state=$(cat "$XDG_STATE_HOME/drydock/id")"
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

@test "stop ends a session of a state directory 200 characters deep, and the one who looks is told" {
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
  on_terminal 'expect:agent first' 'expect:another process ended' -- \
    drydock attach >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  wait_for "a viewer" test_state running
  run -0 as_who drydock stop "$id"
  assert_equal "$output" "$id ended"
  wait $! || status=$?
  assert_equal "$status" 143
  no_container_left
  run -64 as_who drydock stop "$id"
  # What a terminal showed last is left.
  run -1 --separate-stderr as_who drydock attach "$id"
  assert_contains "$output" "agent first "
  assert_contains "$stderr" "session $id was stopped by drydock stop at 2"
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
