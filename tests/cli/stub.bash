# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For tests of what needs an engine but not a real one: tests/stub answers for
# the engine's API (world-script.c) and for docker (docker), and the machine's
# own Compose merges the files; its answer to the same question is kept
# (world-config.c).  BUILD is where tests/stub/world was built.

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
  "$BUILD/tests/stub/world" serve "$bin" "$DRYDOCK_ENGINE" \
    >"$script/listening" 3>&- &
  listener=$!
  wait_for "the stub" test -s "$script/listening"
}

# The same with the machine's own Compose, and both images of the caller's.
stub_setup() {
  local compose user
  compose=$(type -P docker-compose)
  stub_programs
  # Collecting garbage is half of what so short a run of it costs.
  printf '#!/bin/sh\nexport GOGC=off\nexec %s "$@"\n' "$compose" \
    >"$script/compose"
  chmod 0755 "$script/compose"
  keep_answers "$script/compose" "$script/kept"
  echo "$script/kept/docker-compose" >"$script/compose-config.exec"
  # Fifteen seconds were not enough for Compose on a machine with much to do.
  export DRYDOCK_ENGINE_TIMEOUT=60s
  user=$(id -un 2>/dev/null) || user=u$(id -u)
  stub_images=
  stub_image "$(printf 'a%.0s' {1..64})" '"Labels":{
    "io.drydock.image":"agent","io.drydock.context":"of-the-stub",
    "io.drydock.user":"'"$user"'",
    "io.drydock.uid":"'"$(id -u)"'","io.drydock.gid":"'"$(id -g)"'",
    "io.drydock.home":"'"$HOME"'"}'
  stub_image "$(printf 'b%.0s' {1..64})" '"Labels":{
    "io.drydock.image":"egress","io.drydock.context":"of-the-stub"}'
  stub_record "$user" "$script"
}

# keep_answers COMPOSE DIR: DIR/docker-compose answers as COMPOSE does.
keep_answers() {
  mkdir -p "$2/world.d/calls" "$2/world.d/templates"
  ln -s "$BUILD/tests/stub/world" "$2/docker-compose"
  printf %s "$1" >"$2/world.d/compose-real"
}

# stub_record USER ROOT: that `drydock build` made both images, for a user of
# this name, on an engine with this data.
stub_record() {
  install --directory --mode 0700 "$XDG_STATE_HOME/drydock"
  jq -n --arg user "$1" --arg root "$2" --arg home "$HOME" \
    --argjson uid "$(id -u)" --argjson gid "$(id -g)" '
    {context: "of-the-stub", engine_id: "stub", engine_data_root: $root,
     built_at: "2026-01-01T00:00:00Z"} as $all |
    {version: 1, images: [
      $all + {kind: "agent", image: ("sha256:" + "a" * 64), user: $user,
        uid: $uid, gid: $gid, home: $home},
      $all + {kind: "egress", image: ("sha256:" + "b" * 64), holder: 2}]}' \
    >"$XDG_STATE_HOME/drydock/images.json"
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
