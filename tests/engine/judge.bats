# SPDX-License-Identifier: MIT
# The judge on a real engine: what is refused leaves nothing, and nothing that
# changes between the judge and the start changes what starts.

load ../helper

# A docker-compose of ours, first in PATH: before "config" or "up" it runs the
# script of that name.
setup() {
  bed_setup self
  bin=$BATS_TEST_TMPDIR/bin
  mkdir "$bin" "$XDG_CONFIG_HOME/drydock/compose.d"
  type -P docker-compose >"$bin/real"
  cat >"$bin/docker-compose" <<'END_OF_SCRIPT'
#!/bin/bash
here=${0%/*}
for arg; do
  case $arg in
    config | up) [ ! -e "$here/$arg.sh" ] || . "$here/$arg.sh" >&2 ;;
  esac
done
exec "$(cat "$here/real")" "$@"
END_OF_SCRIPT
  chmod 0755 "$bin" "$bin/docker-compose"
  export DRYDOCK_COMPOSE=$bin/docker-compose
  overlays=$XDG_CONFIG_HOME/drydock/compose.d
}

ours() {
  docker ps -aq --filter \
    "label=io.drydock.state=$(cat "$XDG_STATE_HOME/drydock/id")"
}

nothing_is_left() {
  finds_nothing ours
  assert_equal "$(find "$XDG_STATE_HOME/drydock/sessions" \
    "$XDG_STATE_HOME/drydock/trash" -mindepth 1)" ""
}

@test "an overlay that is refused makes no container, volume or network" {
  local keys some=('privileged: true' 'volumes: [/anonymous]')
  ! all_cases || some+=('network_mode: bridge' 'extends: { service: egress }'
    'tomorrow: 1' 'image: debian')
  for keys in "${some[@]}"; do
    echo "services: { agent: { $keys } }" >"$overlays/z.yml"
    run -77 --separate-stderr drydock shell "$project" -- echo ran
    assert_equal "$output" ""
    assert_contains "$stderr" "compose.d/z.yml"
    nothing_is_left
  done
  echo 'networks: { drydock-test-n: {} }' >"$overlays/z.yml"
  run -77 --separate-stderr drydock shell "$project" -- echo ran
  nothing_is_left
  finds_nothing docker volume ls -q --filter name=drydock-test
  finds_nothing docker network ls -q --filter name=drydock
}

@test "an overlay's environment and listed directory are in the session" {
  mkdir "$BATS_TEST_TMPDIR/data"
  echo found >"$BATS_TEST_TMPDIR/data/file"
  cat >"$overlays/z.yml" <<END_OF_OVERLAY
services:
  agent:
    environment:
      WORD: 'a \$\$dollar, "quoted"'
    volumes:
      - type: bind
        source: $BATS_TEST_TMPDIR/data
        target: /data
        read_only: true
        bind: { create_host_path: false }
END_OF_OVERLAY
  DRYDOCK_BINDS=$BATS_TEST_TMPDIR/data run -0 --separate-stderr drydock shell \
    "$project" -- sh -c 'echo "$WORD"; cat /data/file; touch /data/x || echo ro'
  assert_equal "$output" 'a $dollar, "quoted"
found
ro'
  run -77 --separate-stderr drydock shell "$project" -- echo ran
  assert_contains "$stderr" bind-source
}

# The names that people see point to the other image, and back.
swap_tags() {
  local agent egress
  agent=$(agent_image "$(id -u)") egress=$(egress_image)
  cat >"$bin/$1.sh" <<END_OF_SCRIPT
docker tag '$egress' 'drydock-agent:uid-$(id -u)'
docker tag '$agent' drydock-egress:latest
docker tag '$egress' drydock-agent:latest
END_OF_SCRIPT
}

@test "what changes once it was read changes nothing" {
  local image step steps=(config) config=$XDG_CONFIG_HOME/drydock
  # What changed before the one step has changed for the other, too.
  ! all_cases || steps+=(up)
  for step in "${steps[@]}"; do
    swap_tags "$step"
    rm -f "$overlays"/*
    echo 'services: { agent: { environment: { WORD: first } } }' \
      >"$overlays/z.yml"
    rm -f "$config/drydock.conf"
    cat >>"$bin/$step.sh" <<END_OF_SCRIPT
echo 'services: { agent: { privileged: true } }' >'$overlays/z.yml'
cp '$overlays/z.yml' '$overlays/a.yml'
cp '$overlays/z.yml' '$project/compose.yml'
echo COMPOSE_FILE=compose.yml >'$project/.env'
printf 'memory = 64m\nmode = dood\nbinds = /\n' >'$config/drydock.conf'
END_OF_SCRIPT
    COMPOSE_PROFILES=x COMPOSE_FILE=/etc/passwd COMPOSE_PROJECT_NAME=y \
      COMPOSE_REMOVE_ORPHANS=1 DOCKER_DEFAULT_PLATFORM=linux/arm64 \
      WORD=other run --separate-stderr drydock shell "$project" -- sh -c '
        echo "$WORD"; grep CapBnd /proc/self/status; ls /run/docker.sock
        true' 2>&1
    rm "$bin/$step.sh"
    image=$(docker images -q --no-trunc drydock-agent:latest)
    docker rmi drydock-agent:latest >/dev/null
    docker tag "$(docker images -q --no-trunc drydock-egress:latest)" \
      "drydock-agent:uid-$(id -u)"
    docker tag "$image" drydock-egress:latest
    assert_equal "$output" "first
CapBnd:	0000000000000000"
  done
}

# swapped_at STEP STATUS: the project becomes a link to another at that step.
swapped_at() {
  mkdir -p "$project" "$BATS_TEST_TMPDIR/victim"
  echo secret >"$BATS_TEST_TMPDIR/victim/file"
  cat >"$bin/$1.sh" <<END_OF_SCRIPT
mv '$project' '$BATS_TEST_TMPDIR/moved' &&
  ln -s '$BATS_TEST_TMPDIR/victim' '$project'
END_OF_SCRIPT
  run --separate-stderr drydock shell "$project" -- sh -c 'cat file; echo ran'
  rm -rf "$bin/$1.sh" "$project" "$BATS_TEST_TMPDIR/moved"
  refute_contains "$output" secret
  refute_contains "$output" ran
  assert_equal "$status" 77
  nothing_is_left
}

@test "a project that becomes a link to another is found out" {
  # swaps.bats has more of them.
  ! all_cases || swapped_at config
  swapped_at up
}

@test "a project that becomes another directory is found out" {
  local step steps=(config)
  ! all_cases || steps+=(up)
  for step in "${steps[@]}"; do
    mkdir -p "$project"
    echo "mv '$project' '$BATS_TEST_TMPDIR/moved' && mkdir '$project'" \
      >"$bin/$step.sh"
    run -77 --separate-stderr drydock shell "$project" -- echo ran
    assert_equal "$output" ""
    rm -rf "$bin/$step.sh" "$project" "$BATS_TEST_TMPDIR/moved"
    nothing_is_left
  done
}

# in_mounts SCRIPT: in a mount namespace of its own, as root.
in_mounts() {
  unshare --mount --propagation private bash -c "$1"
}

@test "a bind mount on the host hides no protected place" {
  [ "$(id -u)" = 0 ] || skip "only root mounts"
  mkdir -p "$HOME/.ssh/deep" "$project/inside"
  export project
  # The place itself, what is in it, what holds it, and one mounted below.
  for source in .ssh .ssh/deep; do
    run -77 --separate-stderr in_mounts "mount --bind '$HOME/$source' '$project'
      drydock plan '$project'"
    assert_contains "$stderr" source-credentials
  done
  run -77 --separate-stderr in_mounts "mount --bind '$HOME' '$project'
    drydock plan '$project'"
  assert_contains "$stderr" source-credentials
  run -77 --separate-stderr in_mounts "
    mount --bind '$HOME/.ssh/deep' '$project/inside'
    drydock plan '$project'"
  assert_contains "$stderr" source-credentials
  run -77 --separate-stderr in_mounts "mount --bind '$HOME' '$project/inside'
    drydock plan '$project'"
  assert_contains "$stderr" source-credentials
  # The place is a part of another directory, which the project shows whole.
  mkdir -p "$BATS_TEST_TMPDIR/disk/keys"
  run -77 --separate-stderr in_mounts "
    mount --bind '$BATS_TEST_TMPDIR/disk/keys' '$HOME/.ssh'
    mount --bind '$BATS_TEST_TMPDIR/disk' '$project'
    drydock plan '$project'"
  assert_contains "$stderr" source-credentials
  run -77 --separate-stderr in_mounts "mount --bind /etc '$project'
    drydock plan '$project'"
  assert_contains "$stderr" source-system
  rm -r "$HOME/.ssh"
}

# refused_by FILE PROJECT: no session on it, and nothing is left of the try.
refused_by() {
  run -77 --separate-stderr as_who drydock shell "$2" -- true </dev/null
  assert_contains "$stderr" "$1"
  assert_contains "$stderr" "replace the link with a copy"
  assert_equal "$(ls "$XDG_STATE_HOME/drydock/sessions")" ""
}

@test "what a session could write decides no launch, on whatever project" {
  local config=$XDG_CONFIG_HOME/drydock dots=$BATS_TEST_TMPDIR/dots name
  as_who mkdir "$dots" "$dots/home.d" "$dots/policy.d"
  as_who sh -c 'umask 077 && touch "$1/drydock.conf" "$1/allowlist"' - "$dots"
  for name in drydock.conf allowlist policy.d home.d; do
    as_who ln -s "$dots/$name" "$config/$name"
    # Nobody had it yet; its own session is refused.
    [ "$name" != home.d ] || run -0 in_session true
    refused_by "$dots/$name" "$dots"
    as_who rm "$config/$name"
  done
  # The agent of an earlier session there, and a launch somewhere else.
  as_who drydock shell "$dots" -- sh -c 'echo "mode = dood" >>drydock.conf' \
    </dev/null
  for name in drydock.conf allowlist policy.d home.d; do
    as_who ln -s "$dots/$name" "$config/$name"
    refused_by "$dots/$name" "$project"
    as_who rm "$config/$name"
  done
  as_who drydock plan "$project" | grep -x 'verdict: allowed'
}
