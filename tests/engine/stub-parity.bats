# SPDX-License-Identifier: MIT
# The world that the fault tests run in answers as a real engine does: the same
# commands on both, with the same status, words and leavings.  BUILD is where
# tests/stub/world and tests/sweep/drydock-world were built (./check says so).

load ../helper

setup() {
  bed_setup root
  : "${BUILD:?where the test programs are built}"
  prefix=$(cat "$BED/prefix")
  real_compose=$(type -P docker-compose)
  world=$BATS_TEST_TMPDIR/w
  mkdir -p "$world/prefix/bin" "$world/prefix/share" "$world/config/drydock" \
    "$world/state" "$world/bin" "$world/wrap" "$BATS_TEST_TMPDIR/wrap"
  cp "$BUILD/tests/sweep/drydock-world" "$world/prefix/bin/drydock"
  cp -R "$prefix/share/drydock" "$world/prefix/share/drydock"
  cp -R "$prefix/libexec" "$world/prefix/libexec"
  cp -R "$prefix" "$world/real"
  for top in "$world/real" "$world/prefix"; do
    images_agent "$top" waits <<'END'
{"command": ["sh", "-c", "echo ready; while [ ! -e end ]; do sleep 0.1; done; exit 7"]}
END
  done
  "$BUILD/tests/stub/world" init "$world/bin" "$BUILD/holder" \
    "$world/guard" "$real_compose"
  printf '{"Id":"sha256:%064d","Created":"2026-01-01T00:00:00Z","Config":{}}' \
    0 >"$world/bin/world.d/images/base"
  echo "base_image = base" >"$world/config/drydock/drydock.conf"
  "$BUILD/tests/stub/world" serve "$world/bin" "$world/sock" \
    >"$world/listen" 3>&- &
  listener=$!
  wait_for "the world" test -s "$world/listen"
  on_world build >/dev/null 2>&1
}

teardown() {
  kill "$listener"
}

# The Compose that wrap() made in a directory, or else the other one.
compose_of() {
  if [ -e "$1/docker-compose" ]; then
    echo "$1/docker-compose"
  else
    echo "$2"
  fi
}

# on_real, on_world: drydock with these arguments on either engine.
on_real() {
  DRYDOCK_COMPOSE=$(compose_of "$BATS_TEST_TMPDIR/wrap" "") \
    drydock "$@" </dev/null
}

on_world() {
  env XDG_CONFIG_HOME="$world/config" XDG_STATE_HOME="$world/state" \
    DRYDOCK_DOCKER="$world/bin/docker" WORLD_DIR="$world/bin/world.d" \
    DRYDOCK_COMPOSE="$(compose_of "$world/wrap" "$world/bin/docker-compose")" \
    DRYDOCK_ENGINE="$world/sock" "$world/prefix/bin/drydock" "$@" </dev/null
}

# terminal_of real|world STEP... -- ARGUMENT...: the same on a terminal.
terminal_of() {
  local drydock=("$world/real/bin/drydock") steps=()
  [ "$1" = real ] || drydock=(env XDG_CONFIG_HOME="$world/config"
    XDG_STATE_HOME="$world/state" DRYDOCK_DOCKER="$world/bin/docker"
    DRYDOCK_COMPOSE="$world/bin/docker-compose"
    WORLD_DIR="$world/bin/world.d" DRYDOCK_ENGINE="$world/sock"
    "$world/prefix/bin/drydock")
  shift
  while [ "$1" != -- ]; do
    steps+=("$1")
    shift
  done
  "$BATS_TEST_DIRNAME/servers/terminal.py" "${steps[@]}" -- \
    "${drydock[@]}" "${@:2}"
}

# A session on each that its terminal has left.
leave_both() {
  local engine
  for engine in real world; do
    terminal_of "$engine" 'expect:ready' $'send:\034' 'expect:goes on' -- \
      run --agent waits "$project" >/dev/null
  done
}

# What is the same of two runs: no ids, no times, no places.
plain() {
  sed -E -e "s|$BATS_TEST_TMPDIR/w/|DIR/|g; s|$BATS_TEST_TMPDIR/|DIR/|g" \
    -e "s|$world/sock\|${DRYDOCK_ENGINE:-none}|SOCKET|g" \
    -e 's/[0-9a-f]{64}/CONTAINER/g; s/[0-9a-f]{32}/STATE/g' \
    -e 's/((SESSION|session)": ")[a-z0-9]{8}"/\1ID"/' \
    -e 's/session [a-z0-9]{8}/session ID/g' \
    -e 's/drydock-[a-z0-9]{8}/drydock-ID/g; s|sessions/[a-z0-9]{8}|sessions/ID|g' \
    -e 's/^[a-z0-9]{8} /ID /; s/[0-9-]{10}T[0-9:]{8}Z/TIME/' \
    -e '/older than what is installed/d' \
    -e "/has drydock's labels, but this user's/d"
}

# Only the first line is drydock's; what follows are the engine's own words.
words() {
  grep '^drydock:' "$1" | plain
}

left() {
  (cd "$1/drydock" && find sessions trash -mindepth 1 -maxdepth 1 | wc -l)
  # The real one's images were built before.
  find "$1/drydock" -maxdepth 1 ! -name images.lock ! -name programs | sed 's|.*/||' |
    LC_ALL=C sort
}

containers_left() {
  docker ps -aq --filter \
    "label=io.drydock.state=$(cat "$XDG_STATE_HOME/drydock/id")" | wc -l
}

# same ARGUMENT...: on both, and compares.
same() {
  local a=0 b=0
  on_real "$@" >"$world/real.out" 2>"$world/real.err" || a=$?
  on_world "$@" >"$world/stub.out" 2>"$world/stub.err" || b=$?
  assert_equal "world: $b" "world: $a" || {
    cat "$world/real.err" "$world/stub.err" >&2
    return 1
  }
  assert_equal "$(words "$world/stub.err")" "$(words "$world/real.err")"
  assert_equal "$(plain <"$world/stub.out")" "$(plain <"$world/real.out")"
  status=$a
}

same_left() {
  assert_equal "$(left "$world/state")" "$(left "$XDG_STATE_HOME")"
  assert_equal "$(find "$world/bin/world.d/containers" -mindepth 1 \
    -maxdepth 1 | wc -l)" "$(containers_left)"
}

# wrap SCRIPT: Compose with something done before `up`; $id is the session.
wrap() {
  local where compose
  for where in "$BATS_TEST_TMPDIR/wrap" "$world/wrap"; do
    compose=$real_compose
    [ "$where" != "$world/wrap" ] || compose=$world/bin/docker-compose
    cat >"$where/docker-compose" <<END
#!/bin/bash
for a; do
  case \$a in --project-directory=*) dir=\${a#*=} ;; esac
done
id=\${dir##*/}
case " \$* " in *" up "*) $1 ;; esac
exec -a $compose $compose "\$@"
END
    chmod +x "$where/docker-compose"
  done
}

@test "a command that does not exist, and one killed by a signal" {
  same shell "$project" -- /nowhere
  assert_equal "$status" 127
  # shellcheck disable=SC2016
  same shell "$project" -- sh -c 'kill -KILL $$'
  assert_equal "$status" 137
  same_left
}

@test "the plan of a shell is the same" {
  same plan "$project"
  assert_equal "$status" 0
}

@test "a shell's status and output, and another one that outlives it, are the same" {
  local engine
  for engine in on_real on_world; do
    mkfifo "$world/$engine.in"
    if [ "$engine" = on_real ]; then
      drydock shell "$project" -- sh -c 'echo ready; read x; exit 7' \
        <"$world/$engine.in" >"$world/$engine.out" 2>&1 3>&- &
    else
      env XDG_CONFIG_HOME="$world/config" XDG_STATE_HOME="$world/state" \
        DRYDOCK_DOCKER="$world/bin/docker" \
        DRYDOCK_COMPOSE="$world/bin/docker-compose" \
        WORLD_DIR="$world/bin/world.d" \
        DRYDOCK_ENGINE="$world/sock" "$world/prefix/bin/drydock" shell \
        "$project" -- sh -c 'echo ready; read x; exit 7' \
        <"$world/$engine.in" >"$world/$engine.out" 2>&1 3>&- &
    fi
    eval "${engine}_pid=$!"
    exec {hold}>"$world/$engine.in"
    eval "${engine}_in=$hold"
    wait_for "$engine ready" grep -x ready "$world/$engine.out"
  done
  same shell "$project" -- sh -c 'echo out; echo err >&2; exit 42'
  assert_equal "$status" 42
  # shellcheck disable=SC2154
  exec {on_real_in}>&- {on_world_in}>&-
  local a=0 b=0
  # shellcheck disable=SC2154
  wait "$on_real_pid" || a=$?
  # shellcheck disable=SC2154
  wait "$on_world_pid" || b=$?
  assert_equal "$b" "$a"
  same_left
}

@test "an ended session whose client was killed is collected by the next" {
  local engine pid
  for engine in on_real on_world; do
    rm -f "$world/in" "$world/out"
    mkfifo "$world/in"
    : >"$world/out"
    "$engine" shell "$project" -- sh -c 'echo ready; sleep 600' \
      >"$world/out" 2>&1 3>&- &
    wait_for "$engine ready" grep -x ready "$world/out"
    # The function's own process is a shell: drydock is below it.
    pid=$(pgrep -P $! -x drydock || echo $!)
    kill -KILL "$pid"
  done
  wait_for "its end" sh -c '! docker ps -q --no-trunc --filter \
    label=io.drydock.role=agent --filter \
    "label=io.drydock.state=$(cat "$XDG_STATE_HOME/drydock/id")" | grep .'
  # The same on the other side: a holder whose client is gone ends.
  wait_for "its end" sh -c "grep -l '^exited' \
    '$world'/bin/world.d/containers/*/state"
  same shell "$project" -- true
  assert_equal "$status" 0
  same_left
  assert_equal "$(left "$XDG_STATE_HOME" | head -n 1)" 0
}

@test "an engine that is away" {
  local a=0 b=0
  DRYDOCK_ENGINE=$world/none
  on_real shell "$project" -- true 2>"$world/real.err" || a=$?
  sed -i 's|^base.*|&\nengine = '"$world"'/none|' \
    "$world/config/drydock/drydock.conf"
  env XDG_CONFIG_HOME="$world/config" XDG_STATE_HOME="$world/state" \
    DRYDOCK_DOCKER="$world/bin/docker" \
    DRYDOCK_COMPOSE="$world/bin/docker-compose" DRYDOCK_ENGINE="$world/none" \
    "$world/prefix/bin/drydock" shell "$project" -- true \
    2>"$world/stub.err" || b=$?
  assert_equal "$b" "$a"
  assert_equal "$a" 69
  assert_equal "$(words "$world/stub.err")" "$(words "$world/real.err")"
}

@test "a start that fails for a bind source that went away" {
  # shellcheck disable=SC2016
  wrap 'rm -rf "$dir/run"'
  same shell "$project" -- true
  assert_equal "$status" 69
  assert_contains "$(cat "$world/real.err")" "bind source path does not exist"
  assert_contains "$(cat "$world/stub.err")" "bind source path does not exist"
  same_left
}

@test "a start that fails for a name that is taken" {
  wrap ':'
  # shellcheck disable=SC2016
  sed -i 's|\*" up "\*) : ;;|*" up "*) docker create --name "drydock-$id-agent-1" '"$(agent_image 0)"' true >/dev/null ;;|' \
    "$BATS_TEST_TMPDIR/wrap/docker-compose"
  # shellcheck disable=SC2016
  sed -i 's|\*" up "\*) : ;;|*" up "*) mkdir "'"$world"'/bin/world.d/containers/other"; echo "\\"Name\\":\\"/drydock-$id-agent-1\\"" >"'"$world"'/bin/world.d/containers/other/body" ;;|' \
    "$world/wrap/docker-compose"
  same shell "$project" -- true
  docker ps -aq --filter name=-agent-1 --filter status=created |
    xargs -r docker rm >/dev/null
  assert_equal "$status" 69
  assert_contains "$(cat "$world/real.err")" "already in use"
  assert_contains "$(cat "$world/stub.err")" "already in use"
}

@test "a detached session is listed, kept while it lives, and stopped" {
  leave_both
  same list
  assert_equal "$status" 0
  assert_contains "$(cat "$world/real.out")" detached
  same gc
  assert_equal "$(left "$XDG_STATE_HOME" | head -n 1)" 1
  same_left
  same stop --all
  assert_equal "$status" 0
  assert_contains "$(cat "$world/real.out")" ended
  assert_equal "$(left "$XDG_STATE_HOME" | head -n 1)" 0
  same_left
}

@test "a detached session that ended is collected" {
  leave_both
  touch "$project/end"
  wait_for "its end" sh -c '! docker ps -q --filter \
    label=io.drydock.role=agent --filter \
    "label=io.drydock.state=$(cat "$XDG_STATE_HOME/drydock/id")" | grep .'
  wait_for "its end" sh -c "grep -l '^exited 7' \
    '$world'/bin/world.d/containers/*/state"
  same gc
  assert_equal "$status" 0
  assert_contains "$(cat "$world/real.out")" removed
  assert_equal "$(left "$XDG_STATE_HOME" | head -n 1)" 0
  same_left
}
