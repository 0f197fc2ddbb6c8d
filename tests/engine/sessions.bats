# SPDX-License-Identifier: MIT
# What `list` says of a session, whatever became of it, and who takes what.

load ../helper
load counter
load between

setup() {
  bed_setup user
  counter_setup
}

teardown() {
  chattr -R -i "$XDG_STATE_HOME" 2>/dev/null || true
  as_who drydock stop --all --force >/dev/null 2>&1 || true
  between_teardown
}

# said STATE: list tells it, to people and as JSON.
said() {
  local expected=0
  [ "$1" != damaged ] || expected=1
  run "-$expected" --separate-stderr as_who drydock list --all
  assert_equal "$(grep "^$id " <<<"$output" | cut -c 11-28 |
    sed 's/ *$//')" "$1"
  [ "$expected" = 0 ] ||
    assert_equal "$(grep -c "session $id is damaged: " <<<"$stderr")" 1
  run "-$expected" --separate-stderr as_who drydock list --all --json
  # Each of those with this id, if there are several.
  assert_equal "$(jq -r --arg id "$id" \
    '.[] | select(.id == $id) | .state' <<<"$output")" "$1"
}

record() {
  printf '%s/drydock/sessions/%s/session.json\n' "$XDG_STATE_HOME" "$id"
}

# change FIELD VALUE: in the session's record.
change() {
  local text
  text=$(jq --arg f "$1" --arg v "$2" '.[$f] = $v' "$(record)")
  printf '%s\n' "$text" >"$(record)"
}

# has_another_companion: than $first.
has_another_companion() {
  [ -n "$(companions "$id")" ] && [ "$(companions "$id")" != "$first" ]
}

@test "a companion outlives its drydock, and attach brings another" {
  local first
  open_counter
  # The drydock that started it is gone.
  has_companion "$id"
  first=$(companions "$id")
  kill -KILL "$first"
  wait_for "no companion" has_no_companion "$id"
  assert_equal "$(as_who drydock list --json | jq '.[0].companion')" false
  on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock attach >/dev/null
  wait_for "another companion" has_another_companion
  assert_equal "$(companions "$id" | wc -l)" 1
  first=$(companions "$id")
  # A session that stops has none, and gets one when it is started again.
  docker kill "drydock-$id-agent-1" >/dev/null
  wait_for "no companion" has_no_companion "$id"
  on_terminal 'expect:agent resumed' $'send:\034' 'expect:goes on' -- \
    drydock attach >/dev/null
  wait_for "another companion" has_another_companion
  as_who drydock stop "$id"
  wait_for "no companion" has_no_companion "$id"
}

@test "running, detached, stopped, ended" {
  open_counter
  said detached
  on_terminal 'expect:agent first' 'expect:never' -- \
    drydock attach >/dev/null 2>&1 3>&- &
  wait_for "a viewer" test_state running
  said running
  docker kill "drydock-$id-agent-1" >/dev/null
  wait $! || true
  said stopped
  run -0 as_who drydock gc
  said stopped
  rm "$home/count"
  on_terminal 'expect:agent resumed' $'send:\034' -- drydock attach "$id"
  # The command ended by itself, also with status 255; unvouched.bats has 137.
  as_who sh -c "echo 255 >'$home/end.new' && mv '$home/end.new' '$home/end'"
  wait_for "the end" test_state ended
  said ended
  run -0 as_who drydock gc --dry-run
  assert_equal "$output" "$id would be removed"
  run -255 on_terminal -- drydock attach "$id"
  assert_contains "$output" "has ended with status 255"
  finds_nothing docker ps -aq --filter label=io.drydock.session
}

@test "an agent's end that is not its own is told from one, whatever stands in the note's place" {
  local code
  # Who killed it is not known: it can go on.
  open_counter
  # With the agent goes its container, and with that who killed it.
  as_who drydock exec "$id" -- sh -c \
    'kill -KILL "$(cut -d" " -f2 ~/count)"' || [ "$?" -eq 137 ]
  wait_for "a stopped session" test_state stopped
  run -0 as_who drydock gc
  said stopped
  # What stands in the note's place is believed for no session that runs.
  rm "$home/count"
  on_terminal 'expect:agent resumed' $'send:\034' -- drydock attach "$id"
  for code in 'echo 0' 'echo 137' 'printf %0999d 7' 'echo x'; do
    as_who drydock exec "$id" -- sh -c "$code >/run/drydock/ended"
    said detached
    run -0 as_who drydock gc
    goes_on
  done
  as_who drydock exec "$id" -- sh -c \
    'rm /run/drydock/ended && mkfifo /run/drydock/ended'
  docker kill "drydock-$id-agent-1" >/dev/null
  said stopped
  run -0 as_who drydock gc
  said stopped
}

@test "a start that was cut short after the agent ran does not end it" {
  open_counter
  change starting_at 2026-01-01T00:00:00Z
  said detached
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  goes_on
  # A holder that is slow to answer is no holder that waits.
  docker exec "drydock-$id-agent-1" pkill -STOP -x holder
  run -69 on_terminal -- drydock attach
  assert_contains "$output" "does not answer"
  docker exec "drydock-$id-agent-1" pkill -CONT -x holder
  goes_on
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  # The holder's note is of this start: the agent's own end is one.
  assert_equal "$(jq -r .starting_at "$(record)")" null
  change starting_at 2026-01-01T00:00:00Z
  as_who touch "$home/end"
  wait_for "the end" test_state ended
  run -0 as_who drydock gc
  assert_equal "$output" "$id removed"
}

stop_is_cut_off() {
  # shellcheck disable=SC2016 # the server's
  between before 'POST .*/stop' 'kill -KILL "$PEER"'
  run -137 as_who drydock stop "$id"
  between_nothing
}

@test "a stop that is cut off before the agent heard of it takes nothing" {
  # The engine is reached by a way that kills who stops a container.
  between_setup
  open_counter
  stop_is_cut_off
  said detached
  goes_on
  run -0 as_who drydock gc
  said detached
  # The stop cannot be taken off the record: that is said.
  mv "$XDG_STATE_HOME/drydock/sessions/$id/lease" "$BATS_TEST_TMPDIR/lease"
  mkdir "$XDG_STATE_HOME/drydock/sessions/$id/lease"
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  assert_contains "$output" "session $id is still recorded as being stopped"
  assert_contains "$output" "when that is mended, run \"drydock attach $id\""
  rmdir "$XDG_STATE_HOME/drydock/sessions/$id/lease"
  mv "$BATS_TEST_TMPDIR/lease" "$XDG_STATE_HOME/drydock/sessions/$id/lease"
  # This project's session is found, and who comes back wants no stop.
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  assert_equal "$(jq -r .stopping_at "$(record)")" null
  stop_is_cut_off
  # The engine's end, a while later.
  change stopping_at 2026-01-01T00:00:00Z
  docker kill "drydock-$id-agent-1" >/dev/null
  said stopped
  run -0 as_who drydock gc
  said stopped
  rm "$home/count"
  run -0 on_terminal 'expect:agent resumed' $'send:\034' -- drydock attach
  assert_equal "$(jq -r .stopping_at "$(record)")" null
  goes_on
  run -0 as_who drydock stop "$id"
  assert_equal "$output" "$id ended"
}

@test "lost, damaged, an engine that is another or silent" {
  local damage
  open_counter
  cp -p "$(record)" "$BATS_TEST_TMPDIR/record"
  for damage in '' '{' '{"version":1}' '{"version":99}' '[]' \
    "$(jq -c '.containers[0].id = "--all"' "$(record)")" \
    "$(jq -c '.id = 7' "$(record)")"; do
    printf '%s' "$damage" >"$(record)"
    said damaged
    run -1 --separate-stderr as_who drydock gc
    assert_equal "$(grep -c warning <<<"$stderr")" 1
    run ! as_who drydock stop --force "$id"
    assert_contains "$output" "label=io.drydock.session=$id"
    goes_on
  done
  # A record of another session is no record of this one.
  jq -c '.id = "aaaabbbb"' "$BATS_TEST_TMPDIR/record" >"$(record)"
  said damaged
  run -0 as_who drydock gc
  goes_on
  # None at all, with a plan and containers.
  rm "$(record)"
  said damaged
  run -0 as_who drydock gc
  goes_on
  cp -p "$BATS_TEST_TMPDIR/record" "$(record)"
  said detached
  for damage in engine_id engine_data_root engine_socket; do
    change "$damage" /another
    said "foreign engine"
    run -0 as_who drydock gc
    run -69 as_who drydock stop --force "$id"
    goes_on
    cp -p "$BATS_TEST_TMPDIR/record" "$(record)"
  done
  DRYDOCK_ENGINE=$BATS_TEST_TMPDIR/none \
    run -69 --separate-stderr as_who drydock list --json
  assert_equal "$(jq -r '.[].state' <<<"$output")" "engine silent"
  DRYDOCK_ENGINE=$BATS_TEST_TMPDIR/none \
    run -69 as_who drydock stop --force "$id"
  goes_on
  docker rm -f "drydock-$id-agent-1" >/dev/null
  said lost
}

is_leased() {
  ! flock --nonblock "$XDG_STATE_HOME/drydock/sessions/$id/lease" true
}

# The holder is stopped, so that it does not answer, until attach holds the lease,
# which it does when it asks the engine.
is_attached_late() {
  local holder viewer status=0
  holder=$(docker top "drydock-$id-agent-1" -eo pid,args |
    awk '$2 ~ /holder$/ { print $1 }')
  kill -STOP "$holder" || return
  on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id" &
  viewer=$!
  wait_for "lease that is held" is_leased
  kill -CONT "$holder"
  wait "$viewer" || status=$?
  return "$status"
}

# runc reports a failure if it does not see the processes frozen in time.
is_paused() {
  docker pause "drydock-$id-agent-1" ||
    [ "$(docker inspect --format '{{.State.Paused}}' \
      "drydock-$id-agent-1")" = true ]
}

@test "containers without a session are told, a reinstalled engine's adopted, late and paused ones attached to or stopped" {
  local where=$XDG_STATE_HOME/drydock
  open_counter
  # They are nobody's to remove.
  mv "$where/sessions/$id" "$where/away"
  said "orphan container"$'\n'"orphan container"
  run -0 as_who drydock gc
  run -64 as_who drydock stop --force "$id"
  # The directory comes back, and all is as it was.
  mv "$where/away" "$where/sessions/$id"
  said detached
  goes_on
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  # Of another engine they are adopted after asking.
  change engine_id reinstalled
  said "foreign engine"
  # A holder that answers is its session's, whatever the engine is called.
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  run -64 as_who drydock gc --adopt </dev/null
  run -130 on_terminal 'expect:[y/N]' 'send:n\r' -- drydock gc --adopt
  run -130 on_terminal 'expect:[y/N]' $'send:\004' -- drydock gc --adopt
  said "foreign engine"
  run -64 as_who drydock gc --adopt --dry-run
  run -0 on_terminal 'expect:[y/N]' 'send:y\r' "expect:$id adopted" -- \
    drydock gc --adopt
  said detached
  goes_on
  run -1 on_terminal -- drydock gc --adopt
  # A late holder is attached to; paused from outside it goes on, or is stopped.
  wait_for "late attachment" is_attached_late
  goes_on
  wait_for "paused agent" is_paused
  said detached
  run -0 as_who drydock gc
  run -69 on_terminal -- drydock attach
  run -69 as_who drydock exec "$id" -- true
  assert_contains "$output" "the holder did not answer in time"
  docker unpause "drydock-$id-agent-1" >/dev/null
  goes_on
  wait_for "paused agent" is_paused
  run -0 as_who drydock stop "$id"
  [ ! -e "$home" ]
}

@test "a session whose client is gone is not hidden" {
  local client
  open_session sh -c 'echo ready; trap "" HUP; sleep 1000'
  id=$(as_who drydock list --all | head -n 1 | cut -c 1-8)
  run -0 --separate-stderr as_who drydock list
  assert_equal "$output" ""
  # A holder that stands still cannot end it, and who would have is killed.
  docker exec "drydock-$id-agent-1" pkill -STOP -x holder
  client=$(pgrep -f "drydock shell $project -- sh" | head -n 1)
  kill -KILL "$client"
  exec {session_in}>&-
  wait "$session_pid" || true
  wait_for "a client that is gone" test_state detached
  run -0 --separate-stderr as_who drydock list
  assert_contains "$output" "$id  detached"
  run -0 as_who drydock gc
  said detached
  run -0 as_who drydock stop "$id"
  assert_equal "$output" "$id ended"
}
