# SPDX-License-Identifier: MIT
# What goes wrong beside an agent that runs, and who says it.

load ../helper
load counter

setup() {
  bed_setup user
  counter_setup
}

teardown() {
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

proxy_state() {
  docker inspect --format '{{.State.Status}}' "drydock-$id-egress-1"
}

# Kills the proxy's main process, and waits until the engine has seen it.
crash() {
  local pid
  pid=$(docker inspect --format '{{.State.Pid}}' "drydock-$id-egress-1")
  [ "$pid" -gt 0 ] || return
  kill -KILL "$pid"
  wait_for "an end of the proxy" not_pid "$pid"
}

not_pid() {
  local now
  now=$(docker inspect --format '{{.State.Pid}}' "drydock-$id-egress-1") &&
    [ "$now" != "$1" ]
}

test_proxy() {
  [ "$(proxy_state)" = "$1" ]
}

@test "a proxy that has ended is told, and started again by attach and exec" {
  local times list=$XDG_CONFIG_HOME/drydock/allowlist
  open_counter
  run -0 --separate-stderr as_who drydock list
  assert_equal "$stderr" ""
  docker kill "drydock-$id-egress-1" >/dev/null
  run -0 --separate-stderr as_who drydock list
  assert_contains "$stderr" "session $id: its proxy has ended and it cannot\
 reach any host: \"drydock attach $id\" starts the proxy again"
  assert_contains "$(as_who drydock list --json 2>/dev/null | jq -r '.[0].note')" \
    "its proxy has ended"
  run -0 --separate-stderr as_who drydock logs "$id"
  assert_contains "$stderr" "the proxy of session $id has ended"
  # What is allowed is the user's present will.
  as_who mkdir -p "${list%/*}"
  as_who sh -c "echo opened.example >'$list'"
  run -0 on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id"
  assert_contains "$output" "the proxy of session $id had ended and was\
 started again"
  assert_equal "$(proxy_state)" running
  grep -q opened.example \
    "$XDG_STATE_HOME/drydock/sessions/$id/sidecar/conf/hosts"
  goes_on
  docker kill "drydock-$id-egress-1" >/dev/null
  run -0 --separate-stderr as_who drydock exec "$id" -- \
    curl --silent --output /dev/null --write-out '%{http_connect}' \
    --max-time 20 https://nowhere.example || [ "$status" -eq 56 ]
  assert_equal "$output" 403
  assert_equal "$(proxy_state)" running
  # One that crashes is started three times.
  for times in first second third; do
    crash
    wait_for "a proxy started a $times time" test_proxy running
    run -0 --separate-stderr as_who drydock list
    assert_equal "$stderr" ""
  done
  crash
  wait_for "a proxy that gave up" test_proxy exited
  run -0 --separate-stderr as_who drydock list
  assert_contains "$stderr" "session $id: its proxy has ended and it cannot\
 reach any host"
  run -0 on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id"
  assert_contains "$output" "had ended and was started again"
  test_proxy running
  goes_on
  # One that is not what was planned gets no second chance.
  docker kill "drydock-$id-egress-1" >/dev/null
  docker update --memory 300m --memory-swap 300m "drydock-$id-egress-1" >/dev/null
  run -0 on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id"
  assert_contains "$output" "cannot be started again"
  assert_equal "$(proxy_state)" exited
  goes_on
}

@test "a project that moved, was replaced or removed is told at every turn" {
  local elsewhere=$project.elsewhere
  open_counter
  mv "$project" "$elsewhere"
  cd "$elsewhere"
  run -0 --separate-stderr as_who drydock list
  assert_contains "$stderr" "session $id: its project $project was moved to\
 $elsewhere, and its agent continues there"
  run -0 on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id"
  assert_contains "$output" "was moved to $elsewhere"
  run -0 --separate-stderr as_who drydock exec "$id" -- true
  assert_contains "$stderr" "was moved to $elsewhere"
  # Another one in its place does not hide it.
  make_project "$project"
  run -0 --separate-stderr as_who drydock list
  assert_contains "$stderr" "was moved to $elsewhere"
  cd "$project"
  rm -r "$elsewhere"
  run -0 --separate-stderr as_who drydock list
  assert_contains "$stderr" "its project $project was removed and replaced;\
 its agent's changes are lost when the session ends"
  docker kill "drydock-$id-agent-1" >/dev/null
  wait_for "a stopped session" test_state stopped
  run -0 on_terminal 'expect:agent resumed' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id"
  assert_contains "$output" "its project $project is not the directory in which\
 the session began"
}
