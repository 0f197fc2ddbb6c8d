# SPDX-License-Identifier: MIT
# Launches that an engine or Compose fails: tests/stub stands for both, and the
# machine's own Compose merges the files.

load ../helper
load stub

setup() {
  bed_setup self
  stub_setup
}

shell() {
  run "$@" --separate-stderr drydock shell "$project" -- true
}

nothing_is_left() {
  [ ! -e "$script/calls/rm.1" ]
  assert_equal "$(find "$XDG_STATE_HOME/drydock/sessions" \
    "$XDG_STATE_HOME/drydock/trash" -mindepth 1)" ""
}

@test "an engine whose disk is full says so, and what to do" {
  echo "Error response from daemon: mkdir /var/lib/docker/overlay2/x: no\
 space left on device" >"$script/compose-up.err"
  echo 1 >"$script/compose-up.rc"
  shell -69
  assert_contains "$stderr" "free space on the disk that holds the engine's"
  assert_contains "$stderr" "no space left on device"
  nothing_is_left
}

@test "a Compose that is killed while it starts containers fails the launch" {
  echo 137 >"$script/compose-up.rc"
  shell -69
  assert_contains "$stderr" "docker-compose up failed with status 137"
  nothing_is_left
}

@test "a Compose that hangs while it starts containers is given up" {
  echo hang >"$script/compose-up.fault"
  DRYDOCK_LAUNCH_TIMEOUT=1s shell -69
  assert_contains "$stderr" "docker-compose up did not answer within 1s\
 (setting launch_timeout)"
}

@test "a model that Compose cuts short starts nothing" {
  rm "$script/compose-config.exec"
  echo '{"services":{"agent":{' >"$script/compose-config.out"
  shell -69
  [ ! -e "$script/calls/compose-up.1" ]
  nothing_is_left
}

@test "files in the project and the caller's environment steer no Compose" {
  echo 'COMPOSE_PROFILES=hostile' >"$project/.env"
  echo '{"services":{"hostile":{"image":"x"}}}' \
    >"$project/docker-compose.yml"
  cp "$project/docker-compose.yml" "$project/compose.override.yml"
  cd "$project"
  export COMPOSE_FILE=$project/docker-compose.yml COMPOSE_PROFILES=hostile
  echo 1 >"$script/compose-up.rc"
  shell -69
  [ -e "$script/calls/compose-config.1.env" ]
  [ -e "$script/calls/compose-up.1.env" ]
  run ! grep -rlaF hostile "$script/calls"
}

@test "a model that Compose refuses is told in its words" {
  rm "$script/compose-config.exec"
  echo "validating /proc/self/fd/4: services.agent Additional property bogus\
 is not allowed" >"$script/compose-config.err"
  echo 15 >"$script/compose-config.rc"
  shell -78
  assert_contains "$stderr" "Additional property bogus is not allowed"
  # The overlay goes by its name, and not by a descriptor's number.
  refute_contains "$stderr" "/proc/self/fd/4"
  [ ! -e "$script/calls/compose-up.1" ]
  nothing_is_left
}

@test "a listing that fails collects nothing, and the launch goes on" {
  echo 1 >"$script/compose-up.rc"
  shell -69
  rm -r "$script/calls"
  mkdir "$XDG_STATE_HOME/drydock/sessions/abcdefgh"
  echo "something" >"$script/ps.1.err"
  echo 1 >"$script/ps.1.rc"
  shell -69
  assert_contains "$stderr" "drydock: warning: "
  assert_contains "$stderr" "failed at GET /containers/json with status 500"
  [ -e "$script/calls/compose-up.1" ]
  [ -d "$XDG_STATE_HOME/drydock/sessions/abcdefgh" ]
}

@test "a file that may not grow is an error with a name" {
  # The stub could not keep Compose's answer, which is longer.
  echo "$script/compose" >"$script/compose-config.exec"
  ulimit -S -f 4
  shell -74
  assert_contains "$stderr" "File too large"
  nothing_is_left
}

@test "without a docker program sessions are launched, and build says why not" {
  [ "$(id -u)" = 0 ] || skip "only root mounts"
  local -a programs
  mapfile -t programs < <(type -aP docker | grep -v "^$bin/")
  without_docker() {
    env -u DRYDOCK_DOCKER unshare --mount --propagation private bash -c '
      while [ "$1" != -- ]; do
        mount --bind /dev/null "$1"
        shift
      done
      "${@:2}"' hide "${programs[@]}" -- "$@"
  }
  run -0 --separate-stderr without_docker drydock plan "$project"
  assert_contains "$output" "verdict: allowed"
  run -69 without_docker drydock build
  assert_contains "$output" "found no docker program: install Docker"
  echo 1 >"$script/compose-up.rc"
  run -69 without_docker drydock shell "$project" -- true
  [ -e "$script/calls/compose-up.1" ]
}
