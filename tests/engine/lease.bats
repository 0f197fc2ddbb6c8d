# SPDX-License-Identifier: MIT
# The sidecar ends with its agent, without a command of drydock's.

load ../helper
load counter

setup() {
  bed_setup user
  counter_setup
}

teardown() {
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

proxy() {
  docker inspect --format "{{$1}}" "drydock-$id-egress-1"
}

proxy_is() {
  [ "$(proxy .State.Status)" = "$1" ]
}

# ends_in SECONDS: the sidecar exits within that time, with status 0.
ends_in() {
  local deadline=$((SECONDS + $1))
  until proxy_is exited; do
    [ "$SECONDS" -lt "$deadline" ] || fail "the proxy is still $(proxy .State.Status)" || return
    sleep 0.3
  done
  assert_equal "$(proxy .State.ExitCode)" 0
}

# answer: the proxy's answer to a name that is not listed.
answer() {
  docker exec "drydock-$id-agent-1" curl --silent --output /dev/null \
    --write-out '%{http_connect}' --max-time 20 https://nowhere.example || true
}

answers() {
  [ "$(answer)" = 403 ]
}

@test "an agent that is killed takes its sidecar along, and only attach starts both" {
  open_counter
  echo kept >"$home/mine"
  docker kill "drydock-$id-agent-1" >/dev/null
  ends_in 15
  assert_equal "$(state_of "$id")" stopped
  # The engine starts it alone: it ends again.
  docker start "drydock-$id-egress-1" >/dev/null
  ends_in 15
  rm "$home/count"
  run -0 on_terminal 'expect:new process' 'expect:agent resumed' $'send:\034' \
    -- drydock attach
  goes_on
  # Longer than a lease that is not held.
  sleep 5
  proxy_is running
  answers
}

# kill_proxy WORD: kills the sidecar's process with WORD in its command line.
kill_proxy() {
  local pid
  for pid in $(docker top "drydock-$id-egress-1" -o pid,args |
    awk -v word="$1" 'index($0, word) { print $1 }' | tail -n 1); do
    kill -KILL "$pid" || true
  done
}

restarts_are() {
  [ "$(proxy .RestartCount)" = "$1" ] && proxy_is running
}

@test "each process of the sidecar that dies restarts it, and it goes on till the agent ends" {
  local words word act n=0
  open_counter
  assert_equal "$(proxy .Config.Entrypoint)" \
    "[/usr/lib/drydock/holder egress --lease]"
  words=$(docker top "drydock-$id-egress-1" -o pid,args | tail -n +2 |
    awk '{ print $2 }' | sort -u)
  assert_contains "$words" holder
  while IFS= read -r word; do
    kill_proxy "$word"
    n=$((n + 1))
    wait_for "restart $n" restarts_are "$n"
    wait_for "the proxy" answers
  done <<<"$words"
  sleep 5
  restarts_are "$n"
  answers
  # Nor does an agent end it by anything that it does to the lease, but by its
  # own end, with nobody there.
  for act in 'rm lease; mkdir lease' 'rmdir lease; touch lease'; do
    docker exec --workdir /run/egress "drydock-$id-agent-1" sh -c "$act"
    sleep 5
    proxy_is running
    answers
  done
  touch "$home/end"
  ends_in 15
  assert_equal "$(state_of "$id")" ended
}

@test "an agent's image without a lease runs without one; a proxy's is built again" {
  local file=$XDG_STATE_HOME/drydock/images.json kind
  cp "$file" "$BATS_TEST_TMPDIR/whole"
  for kind in agent egress; do
    jq --arg kind "$kind" '(.images[] | select(.kind == $kind)) |= del(.holder)' \
      "$BATS_TEST_TMPDIR/whole" >"$BATS_TEST_TMPDIR/part.$kind"
  done
  cat "$BATS_TEST_TMPDIR/part.agent" >"$file"
  open_counter
  assert_equal "$(proxy .Config.Entrypoint)" "[/usr/lib/drydock/holder egress]"
  answers
  as_who drydock stop --force "$id"
  cat "$BATS_TEST_TMPDIR/part.egress" >"$file"
  run -69 --separate-stderr as_who drydock shell "$project" -- true </dev/null
  assert_contains "$stderr" "an older drydock built the image of the proxy: run \
\"drydock build"
}
