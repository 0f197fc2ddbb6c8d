# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For tests of what needs an engine but not a real one: tests/stub answers for
# the engine's API (world-script.c) and for docker (docker), and the machine's
# own Compose merges the files; its answer to the same question is kept for all
# tests of a run (world-config.c).  BUILD is where tests/stub/world was built.

# Names the stubs by the settings, without any answer; $bin and $script are
# theirs.  stub_teardown ends the engine.
stub_programs() {
  : "${BUILD:?where the test programs are built}"
  unset DOCKER_HOST
  bin=$BATS_TEST_TMPDIR/bin
  script=$bin/stub.d
  mkdir -p "$script"
  cp "$BATS_TEST_DIRNAME/../stub/docker" "$bin/docker"
  ln -s docker "$bin/docker-compose"
  export DRYDOCK_DOCKER=$bin/docker DRYDOCK_COMPOSE=$bin/docker-compose
  export DRYDOCK_ENGINE=$BATS_TEST_TMPDIR/stub.sock
  local listening
  exec {listening}< <(
    exec "$BUILD/tests/stub/world" serve "$bin" "$DRYDOCK_ENGINE" 3>&-)
  listener=$!
  read -r -t 60 <&"$listening" || fail "the stub does not listen" || return
  exec {listening}<&-
}

# The same with the machine's own Compose, and both images of the caller's.
stub_setup() {
  stub_programs
  # Collecting garbage is half of what so short a run of it costs.
  printf '#!/bin/sh\nexport GOGC=off\nexec %s "$@"\n' \
    "$(type -P docker-compose)" >"$script/compose"
  chmod 0755 "$script/compose"
  keep_answers "$script/compose" "$script/kept"
  echo "$script/kept/docker-compose" >"$script/compose-config.exec"
  # Fifteen seconds were not enough for Compose on a machine with much to do.
  export DRYDOCK_ENGINE_TIMEOUT=60s
  stub_user=$(id -un 2>/dev/null) || stub_user=u$EUID
  stub_images=
  stub_image "$agent_hex" '"Labels":{
    "io.drydock.image":"agent","io.drydock.context":"of-the-stub",
    "io.drydock.user":"'"$stub_user"'",
    "io.drydock.uid":"'"$EUID"'","io.drydock.gid":"'"${GROUPS[0]}"'",
    "io.drydock.home":"'"$HOME"'"}'
  stub_image "$egress_hex" '"Labels":{
    "io.drydock.image":"egress","io.drydock.context":"of-the-stub"}'
  stub_record "$stub_user" "$script"
}

printf -v agent_hex 'a%.0s' {1..64}
printf -v egress_hex 'b%.0s' {1..64}

# keep_answers COMPOSE DIR: DIR/docker-compose answers as COMPOSE does.
keep_answers() {
  local answers=$BATS_SUITE_TMPDIR/answers
  mkdir -p "$2/world.d/calls" "$answers"
  ln -s "$answers" "$2/world.d/templates"
  ln -s "$BUILD/tests/stub/world" "$2/docker-compose"
  printf %s "$1" >"$2/world.d/compose-real"
  printf %s "$BATS_TEST_TMPDIR" >"$2/world.d/here"
}

# stub_record USER ROOT: that `drydock build` made both images, for a user of
# this name, on an engine with this data.
stub_record() {
  local all='"context":"of-the-stub","engine_id":"stub",
    "engine_data_root":"'"$2"'","built_at":"2026-01-01T00:00:00Z"'
  [ -d "$XDG_STATE_HOME/drydock" ] || mkdir -m 0700 "$XDG_STATE_HOME/drydock"
  cat >"$XDG_STATE_HOME/drydock/images.json" <<END
{"version":1,"images":[
  {"kind":"agent","image":"sha256:$agent_hex","user":"$1",
    "uid":$EUID,"gid":${GROUPS[0]},"home":"$HOME",$all},
  {"kind":"egress","image":"sha256:$egress_hex","holder":2,$all}]}
END
}

stub_teardown() {
  kill "$listener"
}

# Of each file that loads this one and has none of its own.
teardown() {
  stub_teardown
}

# stub_image ID CONFIG [NAME]: one more image that the engine has.
stub_image() {
  stub_images+=${stub_images:+,}$(printf '{"Id":"sha256:%s",
    "RepoTags":["%s"],"Created":"2026-01-01T00:00:00Z","Config":{%s}}' \
    "$1" "${3-none}" "$2")
  echo "[$stub_images]" >"$script/image-inspect.out"
}
