# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For tests of what needs an engine but not a real one: tests/stub answers for
# docker, and the machine's own Compose merges the files.

# Names the stubs by the settings, without any answer; $bin and $script are
# theirs.  stub_teardown ends the listener.
stub_programs() {
  unset DOCKER_HOST
  bin=$BATS_TEST_TMPDIR/bin
  script=$bin/stub.d
  mkdir -p "$script"
  cp "$BATS_TEST_DIRNAME/../stub/docker" "$bin/docker"
  ln -s docker "$bin/docker-compose"
  export DRYDOCK_DOCKER=$bin/docker DRYDOCK_COMPOSE=$bin/docker-compose
  export DRYDOCK_ENGINE=$BATS_TEST_TMPDIR/stub.sock
  # Compose pings the engine even to merge files: hanging up is the fastest no.
  python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(64)
while True:
    s.accept()[0].close()' "$DRYDOCK_ENGINE" 3>&- &
  listener=$!
  wait_for "a listener" test -S "$DRYDOCK_ENGINE"
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
  echo "$script/compose" >"$script/compose-config.exec"
  # Fifteen seconds were not enough for Compose on a machine with much to do.
  export DRYDOCK_ENGINE_TIMEOUT=60s
  user=$(id -un 2>/dev/null) || user=u$(id -u)
  stub_image 1 "$(printf 'a%.0s' {1..64})" '"io.drydock.image":"agent",
    "io.drydock.context":"of-the-stub","io.drydock.user":"'"$user"'",
    "io.drydock.uid":"'"$(id -u)"'","io.drydock.gid":"'"$(id -g)"'",
    "io.drydock.home":"'"$HOME"'"'
  stub_image 2 "$(printf 'b%.0s' {1..64})" '"io.drydock.image":"egress",
    "io.drydock.context":"of-the-stub"'
  stub_record "$user" "$script"
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
      $all + {kind: "egress", image: ("sha256:" + "b" * 64)}]}' \
    >"$XDG_STATE_HOME/drydock/images.json"
}

stub_teardown() {
  kill "$listener"
}

# Of each file that loads this one and has none of its own.
teardown() {
  stub_teardown
}

# stub_image N ID LABELS: what the Nth inspection of an image answers.
stub_image() {
  printf '[{"Id":"sha256:%s","Created":"2026-01-01T00:00:00Z",
    "Config":{"Labels":{%s}}}]\n' "$2" "$3" >"$script/inspect.$1.out"
  echo 0 >"$script/inspect.$1.rc"
}
