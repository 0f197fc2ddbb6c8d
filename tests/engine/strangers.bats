# SPDX-License-Identifier: MIT
# Containers and images that somebody else labelled like drydock's own: the
# containers are neither attached to nor stopped, and prove neither life nor
# death; the images are never run.

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
  [ -z "${moved-}" ] || tags_back
}

tags_back() {
  docker tag drydock-test:agent "drydock-agent:uid-$BED_UID"
  docker tag drydock-test:egress drydock-egress:latest
  docker image rm drydock-test:agent drydock-test:egress >/dev/null
  docker image ls -q --filter label=drydock-test.stranger | sort -u |
    xargs -r docker image rm -f >/dev/null
}

# heir IMAGE TAG: an image that inherits IMAGE's labels, newer than that, under
# TAG; prints its id.
heir() {
  printf '%s\n' "FROM $1" 'LABEL drydock-test.stranger=1' \
    'USER 0' 'WORKDIR /stranger' | docker build -q --tag "$2" -
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

@test "a stranger is no session, no proof of death, neither attached to nor stopped" {
  open_counter
  # One that ended.
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
  # One that runs.
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
  as_who drydock stop "$id" --force || true
  stranger_runs
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

@test "an image that inherits our labels is named and never run" {
  local agent egress images id words
  agent=$(agent_image "$BED_UID") egress=$(egress_image)
  # An image without a tag goes with the last that is made of it.
  docker tag "$agent" drydock-test:agent
  docker tag "$egress" drydock-test:egress
  moved=1
  images=$(heir drydock-test:agent "drydock-agent:uid-$BED_UID")
  images+=" $(heir drydock-test:egress drydock-egress:latest)"
  open_session sh -c 'ls /stranger; echo ready; cat' 2>&1
  assert_equal "$(docker ps -aq --filter label=io.drydock.session |
    xargs docker inspect --format '{{.Image}}' | sort)" \
    "$(printf '%s\n' "$agent" "$egress" | sort)"
  refute_contains "$(<"$session_lines")" /stranger
  close_session
  # An agent's image in the proxy's place, and the other way round.
  docker tag "$egress" "drydock-agent:uid-$BED_UID"
  docker tag "$agent" drydock-egress:latest
  run -0 in_session sh -c 'test ! -e /stranger && command -v claude'
  run -0 --separate-stderr as_who drydock plan "$project"
  words=$stderr
  run -0 as_who drydock list --all --json
  for id in $images; do
    assert_contains "$words" "image ${id:7:12} ("
    assert_equal "$(jq -r --arg id "$id" \
      '.[] | select(.image == $id) | "\(.id)\(.state)"' <<<"$output")" \
      "nullunknown image"
  done
  # It may be another user's, whose sessions need it.
  assert_contains "$words" \
    "if it is no other user's, \"docker image rm ${id:7:12}\" removes it"
  assert_contains "$(jq -r --arg id "$id" \
    '.[] | select(.image == $id) | .note' <<<"$output")" "no other user's"
  refute_contains "$words" "image ${agent:7:12} ("
  run -0 as_who drydock list
  assert_equal "$output" ""
}

@test "a record of images that is damaged, gone or of other images runs nothing" {
  local record=$XDG_STATE_HOME/drydock/images.json
  local kept status words filter command stranger
  kept=$(<"$record")
  stranger=$(docker image inspect --format '{{.Id}}' drydock-base:bookworm)
  while IFS='|' read -r status words filter; do
    jq "$filter" <<<"$kept" >"$record" 2>/dev/null || echo "$filter" >"$record"
    for command in shell plan; do
      run "-$status" --separate-stderr as_who drydock "$command" "$project"
      assert_contains "$stderr" "$words"
    done
  done <<END
65|$record cannot be used; move it away and run "drydock build": |not JSON
65|version 2, this drydock reads 1|.version = 2
65|but its labels say otherwise: run "drydock build"|.images |= map(.image = "$stranger")
69|this user has no image with agent counter: run "drydock build --agent counter"|.images |= map(.image = "sha256:" + "0" * 64)
69|this user has no image with agent counter: run "drydock build --agent counter"|.images |= map(.engine_data_root = "/other")
69|this user has no image with agent counter: run "drydock build --agent counter"|.images |= map(.engine_id = "other")
END
  rm "$record"
  run -69 --separate-stderr as_who drydock shell "$project"
  assert_contains "$stderr" "no agent image is recorded in $record"
  echo '{' >"$record"
  run -65 --separate-stderr as_who drydock build
  refute_contains "$stderr" "[1/"
}

# names ROLE: the session's record says that the stranger, which has no label
# of ours, is its container.
names() {
  local record=$XDG_STATE_HOME/drydock/sessions/$id/session.json text
  other=$(docker run -d --network none --label drydock-test.stranger=1 \
    --entrypoint sleep "$(agent_image "$BED_UID")" 600)
  began=$(docker inspect -f '{{.State.StartedAt}}' "$other")
  text=$(jq --arg role "$1" --arg id "$other" \
    '(.containers[] | select(.role == $role)).id = $id' "$record")
  printf '%s\n' "$text" >"$record"
}

# leaves_alone STATUS COMMAND...: it says that the record names a stranger, and
# does nothing to that.
leaves_alone() {
  run "-$1" --separate-stderr as_who "${@:2}" </dev/null
  assert_contains "$stderr" "session $id: its record names container ${other:0:12}, which does not have the session's labels and is left alone"
  stranger_runs
  assert_equal "$(docker inspect -f '{{.State.StartedAt}}' "$other")" "$began"
}

@test "a record that names a stranger leads no command to it" {
  local agent proxy
  open_counter
  agent=$(docker inspect -f '{{.Id}}' "drydock-$id-agent-1")
  names agent
  leaves_alone 0 drydock gc
  # By the session's own socket, whatever the record names.
  run -0 --separate-stderr as_who drydock exec "$id" -- \
    sh -c 'echo "$DRYDOCK_SESSION"' </dev/null
  assert_equal "$output" "$id"
  leaves_alone 69 drydock logs "$id"
  leaves_alone 1 drydock stop "$id"
  leaves_alone 69 drydock stop --force "$id"
  assert_contains "$stderr" "session $id is not removed: container ${agent:0:12} has its labels but is not in its record"
  goes_on
  docker rm -f "$agent" >/dev/null
  run -69 --separate-stderr on_terminal -- drydock attach "$id"
  assert_contains "$output$stderr" "its record names container ${other:0:12}"
  leaves_alone 0 drydock stop --force "$id"
  [ ! -e "$XDG_STATE_HOME/drydock/sessions/$id" ]
  docker rm -f "$other" >/dev/null

  open_counter
  proxy=$(docker inspect -f '{{.Id}}' "drydock-$id-egress-1")
  names egress
  docker kill "drydock-$id-agent-1" >/dev/null
  run -69 --separate-stderr on_terminal -- drydock attach "$id"
  assert_contains "$output$stderr" "session $id is not started again: the engine has no container ${other:0:12} with this session's labels"
  leaves_alone 0 drydock stop --force "$id"
  # Nobody's record has this one now; it is shown, and nothing else.
  run -0 as_who drydock list --all
  assert_contains "$output" "container ${proxy:0:12} ("
  docker inspect "$proxy" >/dev/null
}

@test "containers without a state directory are shown, and left alone" {
  local shown
  open_counter
  as_who mv "$XDG_STATE_HOME/drydock" "$XDG_STATE_HOME/gone"
  images_record "$BED_UID" "$XDG_STATE_HOME"
  run -0 as_who drydock list --all --json
  shown=$(jq -c --arg session "$id" '[.[] | select(.session == $session) |
    [.id, .state, .name, .role, .status, .state_id]] | sort' <<<"$output")
  assert_equal "$shown" "$(jq -nc --arg id "$id" \
    --arg state "$(cat "$XDG_STATE_HOME/gone/id")" '["agent", "egress"] |
    map([null, "unknown container", "drydock-\($id)-\(.)-1", ., "running",
      $state])')"
  run -0 as_who drydock list --all
  assert_contains "$output" "(drydock-$id-agent-1, session $id, role agent, state $(cat "$XDG_STATE_HOME/gone/id"), running): left alone; \"docker rm -f "
  run -0 as_who drydock list
  assert_equal "$output" ""
  as_who drydock gc
  as_who drydock stop --all --force || true
  assert_equal "$(docker inspect -f '{{.State.Running}}' \
    "drydock-$id-agent-1" "drydock-$id-egress-1" | sort -u)" true
  as_who rm -rf "$XDG_STATE_HOME/drydock"
  as_who mv "$XDG_STATE_HOME/gone" "$XDG_STATE_HOME/drydock"
}
