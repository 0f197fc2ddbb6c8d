# SPDX-License-Identifier: MIT
# Containers that somebody else labelled like a session's: they are neither
# attached to nor stopped, and prove neither life nor death.

load ../helper
load counter

setup() {
  bed_setup user
  counter_setup
}

teardown() {
  as_who drydock stop --all --force >/dev/null 2>&1 || true
  docker ps -aq --filter label=drydock-test.stranger |
    xargs -r docker rm -f >/dev/null
}

# stranger COMMAND...: labelled as the session $id's agent, from its own image;
# $other is its id.
stranger() {
  local image
  image=$(docker inspect -f '{{.Image}}' "drydock-$id-agent-1")
  other=$(docker run -d --name "drydock-$id-agent-2" --network none \
    --label drydock-test.stranger=1 --label io.drydock.role=agent \
    --label "io.drydock.session=$id" \
    --label "io.drydock.state=$(cat "$XDG_STATE_HOME/drydock/id")" \
    --label "com.docker.compose.project=drydock-$id" \
    --label com.docker.compose.service=agent \
    --entrypoint "$1" "$image" "${@:2}")
}

stranger_runs() {
  assert_equal "$(docker inspect -f '{{.State.Running}}' "$other")" true
}

@test "a running stranger is neither attached to nor stopped" {
  open_counter
  stranger sleep 600
  test_state detached
  assert_equal "$(as_who drydock list --all | grep -c "^$id ")" 1
  on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id" >/dev/null
  run -0 --separate-stderr as_who drydock exec "$id" -- \
    sh -c 'echo "$DRYDOCK_SESSION"' </dev/null
  assert_equal "$output" "$id"
  goes_on
  as_who drydock stop "$id" || true
  run docker inspect "drydock-$id-agent-1"
  [ "$status" -ne 0 ] ||
    assert_equal "$(jq -r '.[0].State.Running' <<<"$output")" false
  stranger_runs
}

@test "a running stranger is no proof of life" {
  open_counter
  stranger sleep 600
  as_who touch "$home/end"
  wait_for "the end" test_state ended
  run -0 as_who drydock gc
  run --separate-stderr as_who drydock attach "$id"
  [ "$status" -ne 0 ]
  stranger_runs
}

@test "a stranger that ended is no proof of death" {
  open_counter
  stranger true
  docker wait "$other" >/dev/null
  test_state detached
  run -0 as_who drydock gc
  test_state detached
  goes_on
  docker rm "$other" >/dev/null
  run -0 as_who drydock gc
  goes_on
  docker inspect "drydock-$id-agent-1" >/dev/null
}

@test "a stranger with a session's labels is no session" {
  open_counter
  stranger sleep 600
  as_who drydock stop "$id" --force || true
  # Of another state directory, and of no session at all.
  docker run -d --label drydock-test.stranger=1 --network none \
    --label io.drydock.role=agent --label io.drydock.session=zzzzzzzz \
    --label "io.drydock.state=$(cat "$XDG_STATE_HOME/drydock/id")" \
    --entrypoint sleep "$(docker inspect -f '{{.Image}}' "$other")" 600 \
    >/dev/null
  run as_who drydock attach zzzzzzzz
  [ "$status" -ne 0 ]
  as_who drydock gc || true
  as_who drydock stop --all || true
  assert_equal "$(docker ps -q --filter label=drydock-test.stranger |
    wc -l)" 2
}
