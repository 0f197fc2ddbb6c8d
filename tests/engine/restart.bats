# SPDX-License-Identifier: MIT
# The engine goes down while sessions run: with an engine of our own.

load ../helper
load counter

setup_file() {
  counter_prefix
  export AGENT=$BATS_FILE_TMPDIR/prefix/share/drydock/agents/counter.json
  cp "$AGENT" "$BATS_FILE_TMPDIR/counter.json"
  export ENGINE_DIR=$BED/restart
  local bed=$DOCKER_HOST
  engine_start
  DOCKER_HOST=$bed docker save "$(agent_image 0)" "$(egress_image)" |
    docker --host "unix://$ENGINE_DIR/docker.sock" load >/dev/null
}

teardown_file() {
  engine_kill_shims
  "$BATS_TEST_DIRNAME/../../tools/engine" stop "$ENGINE_DIR"
}

setup() {
  bed_setup root
  counter_setup
  # A test may have changed it.
  cat "$BATS_FILE_TMPDIR/counter.json" >"$AGENT"
  engine_start
  export DRYDOCK_ENGINE=$ENGINE_DIR/docker.sock DOCKER_HOST=unix://$ENGINE_DIR/docker.sock
  images_adopt "$XDG_STATE_HOME/drydock/images.json"
}

teardown() {
  engine_start >/dev/null
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

# The containerd's namespaces stay the same over a restart.
engine_start() {
  local i
  for ((i = 0; i < 3; i++)); do
    rm -f "$ENGINE_DIR/pid.old"
    "$BATS_TEST_DIRNAME/../../tools/engine" start --private-net "$ENGINE_DIR" \
      --containerd-namespace restart --containerd-plugins-namespace restart-p \
      "$@" >/dev/null 3>&- && return
    sleep 1
  done
  return 1
}

is_gone() {
  [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
}

engine_end() {
  local pid
  pid=$(cat "$ENGINE_DIR/pid")
  kill "-${1-TERM}" "$pid"
  wait_for "end of dockerd" is_gone "$pid"
  rm -f "$ENGINE_DIR/pid" "$ENGINE_DIR/docker.sock"
}

engine_shims() {
  local pid
  for pid in $(pgrep -f 'containerd-shim-runc-v2 -namespace restart '); do
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -F "$ENGINE_DIR/" >/dev/null &&
      printf '%s\n' "$pid"
  done
  return 0
}

engine_kill_shims() {
  local pid
  for pid in $(engine_shims); do
    kill -KILL "$pid" 2>/dev/null || true
  done
}

# Without its agent no proxy runs: an engine starts none by itself.
proxy_is_down() {
  finds_nothing docker ps -q --filter label=io.drydock.role=egress
}

proxy_process_is_gone() {
  local ids pids pid
  ids=$(docker ps -q --filter label=io.drydock.role=egress) || return
  [ -n "$ids" ] || return 0
  # shellcheck disable=SC2086
  pids=$(docker inspect -f '{{.State.Pid}}' $ids) || return
  for pid in $pids; do
    is_gone "$pid" || return
  done
}

# The promise is about the process.  An engine that was killed on a busy machine
# has been seen to list the proxy for more than a minute: what it says then is
# shown, and whether it ever learns of the end is its own matter.
wait_proxy() {
  wait_for "end of the proxy's process" proxy_process_is_gone ||
    wait_for "end of the proxy's process" proxy_process_is_gone || {
    engine_says
    return 1
  }
  wait_for "end of the proxy" proxy_is_down || {
    engine_says
    skip "the engine lists a process that has ended"
  }
}

engine_says() {
  {
    docker ps --all
    docker ps --all -q | xargs docker inspect -f '{{.Name}} {{json .State}}'
    docker ps -q | xargs -r -n 1 docker logs --timestamps
    tail -n 20 "$ENGINE_DIR/log"
  } 2>&1 | sed 's/^/# /' >&3
}

starts_again() {
  # What the first life left would be taken for the second one's.
  rm "$home/count"
  run -0 on_terminal 'expect:new process' 'expect:agent resumed' $'send:\034' \
    -- drydock attach
  goes_on
  assert_equal "$(cat "$home/mine")" "kept"
}

@test "stopped with its engine, or as dockerd is killed, and started again with its home" {
  local conf status=0
  DRYDOCK_AGENT_HOSTS=no open_counter
  conf=${home%/home}/sidecar/conf/hosts
  jq '.hosts = ["agent.example"]' "$BATS_FILE_TMPDIR/counter.json" >"$AGENT"
  echo kept >"$home/mine"
  # Whoever looks then is told.
  on_terminal 'expect:agent first' 'expect:is lost' -- drydock attach \
    >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  wait_for "a viewer" test_state running
  engine_end
  wait $! || status=$?
  assert_equal "$status" 69
  assert_equal "$(state_of "$id")" "engine silent"
  run -69 drydock gc
  run -69 drydock shell "$project" -- true
  [ -e "$home/mine" ]
  engine_start
  assert_equal "$(state_of "$id")" stopped
  proxy_is_down
  # A launch and a collection pass it by.
  run -0 drydock shell "$project" -- true
  run -0 --separate-stderr drydock gc
  assert_equal "$output" ""
  run -64 drydock stop </dev/null
  assert_equal "$(state_of "$id")" stopped
  # What the agent could write by now decides nothing.
  true >"$project/list"
  ln -s "$project/list" "$XDG_CONFIG_HOME/drydock/allowlist"
  run -77 on_terminal -- drydock attach
  assert_contains "$output" "replace the link with a copy"
  rm "$XDG_CONFIG_HOME/drydock/allowlist"
  assert_equal "$(state_of "$id")" stopped
  rm "$conf"
  starts_again
  # What the environment of the launch closed stays closed.
  run -1 grep -F agent.example "$conf"
  engine_end KILL
  run -69 drydock gc
  engine_start
  wait_proxy
  wait_for "a stopped session" test_state stopped
  run -0 drydock gc
  starts_again
  run -0 drydock stop
  [ ! -e "$home" ]
}

@test "dockerd, containerd and shims are killed, as by a power cut" {
  local containerd processes
  open_counter
  echo kept >"$home/mine"
  containerd=$(pgrep -P "$(cat "$ENGINE_DIR/pid")" containerd)
  processes=$(docker ps -q | xargs docker inspect -f '{{.State.Pid}}')
  kill -KILL "$(cat "$ENGINE_DIR/pid")" "$containerd"
  engine_kill_shims
  # shellcheck disable=SC2086
  kill -KILL $processes 2>/dev/null || true
  wait_for "end of containerd" is_gone "$containerd"
  wait_for "end of dockerd" is_gone "$(cat "$ENGINE_DIR/pid")"
  rm -f "$ENGINE_DIR/pid" "$ENGINE_DIR/docker.sock"
  run -69 drydock gc
  run -69 drydock shell "$project" -- true
  engine_start
  # The engine's restart policy starts the proxy, alone.
  wait_proxy
  wait_for "a stopped session" test_state stopped
  run -0 drydock gc
  starts_again
}

@test "with live-restore the same process goes on" {
  local pid
  engine_end
  engine_start --live-restore
  open_counter
  read -r _ pid <"$home/count"
  engine_end
  goes_on
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  run -69 drydock gc
  run -69 drydock shell "$project" -- true
  engine_start --live-restore
  goes_on
  assert_equal "$(state_of "$id")" detached
  assert_equal "$(cut -d' ' -f 2 "$home/count")" "$pid"
  run -0 drydock gc
  goes_on
  drydock stop
  engine_end
  engine_start
}

@test "without a name server a launch fails, unless no name is to be resolved" {
  local list=$XDG_CONFIG_HOME/drydock/allowlist
  engine_end
  engine_start --dns 127.0.0.53
  echo a.example >"$list"
  run -69 --separate-stderr drydock shell "$project" -- true
  assert_contains "$stderr" "the session's proxy cannot resolve names: the\
 engine gave its container no name server but 127.0.0.53, where nothing answers"
  assert_equal "$(drydock list --all --json | jq 'map(select(.id)) | length')" 0
  DRYDOCK_UPSTREAM_PROXY=http://p.example:80 run -69 drydock shell "$project" \
    -- true
  DRYDOCK_UPSTREAM_PROXY=http://192.0.2.1:80 run -0 drydock shell "$project" \
    -- true
  echo 192.0.2.7 >"$list"
  run -0 drydock shell "$project" -- true
  rm "$list"
  engine_end
  engine_start
}

@test "what is allowed is read again at each start, also by a proxy that runs" {
  local egress before
  open_counter
  echo kept >"$home/mine"
  egress=drydock-$id-egress-1
  before=$(docker inspect -f '{{.State.StartedAt}}' "$egress")
  docker kill "drydock-$id-agent-1" >/dev/null
  assert_equal "$(state_of "$id")" stopped
  echo 'later.example' >"$XDG_CONFIG_HOME/drydock/allowlist"
  starts_again
  grep -F later.example "${home%/home}/sidecar/conf/hosts"
  [ "$(docker inspect -f '{{.State.StartedAt}}' "$egress")" != "$before" ]
  # A line that says nothing stops the start, and not the session's life.
  docker kill "drydock-$id-agent-1" >/dev/null
  echo 'no name!' >"$XDG_CONFIG_HOME/drydock/allowlist"
  run -78 on_terminal -- drydock attach
  assert_equal "$(state_of "$id")" stopped
  rm "$XDG_CONFIG_HOME/drydock/allowlist"
  starts_again
}

@test "an engine that is reinstalled has another identity; a link planted on a mount point is refused at the start" {
  local was
  project=$HOME/deep/down/project
  mkdir -p "$project"
  cd "$project"
  open_counter
  echo kept >"$home/mine"
  drydock exec "$id" -- sh -c 'cd && mv deep away && mkdir -p deep && ln -s /etc deep/down'
  was=$(docker info -f '{{.ID}}')
  engine_end
  rm "$ENGINE_DIR/data/engine-id"
  engine_start
  [ "$(docker info -f '{{.ID}}')" != "$was" ]
  assert_equal "$(state_of "$id")" "foreign engine"
  run -0 drydock gc
  run -69 on_terminal -- drydock attach "$id"
  assert_contains "$output" "gc --adopt"
  run -0 on_terminal 'expect:[y/N]' 'send:y\r' "expect:$id adopted" -- \
    drydock gc --adopt
  assert_equal "$(state_of "$id")" stopped
  run -77 on_terminal -- drydock attach
  assert_contains "$output" "deep"
  assert_equal "$(state_of "$id")" stopped
  # Without the link it goes on.
  rm -r "$home/deep"
  mv "$home/away" "$home/deep"
  starts_again
  drydock stop --force "$id"
  rm -rf "${HOME:?}/deep"
}
