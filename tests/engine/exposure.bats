# SPDX-License-Identifier: MIT
# What of the host a session sees, in both modes.

load ../helper

setup() {
  bed_setup user
}

teardown() {
  rm -rf "$BED/user/.ssh" "$BED/user/.claude" "$BED/user/.docker"
}

@test "a contained session has no engine socket" {
  run --separate-stderr in_session sh -c '
    ls /var/run/docker.sock /run/docker.sock "$1" 2>/dev/null
    find / -xdev -type s -not -path "/run/drydock/*" \
      -not -path "/run/egress/*" 2>/dev/null' sh "$DRYDOCK_ENGINE"
  assert_equal "$output" ""
}

@test "the host's ~/.ssh and ~/.claude are not there" {
  mkdir "$BED/user/.ssh" "$BED/user/.claude"
  echo secret >"$BED/user/.ssh/id_test"
  echo secret >"$BED/user/.claude/.credentials.json"
  chown -R "$BED_UID:$BED_UID" "$BED/user/.ssh" "$BED/user/.claude"
  run --separate-stderr in_session sh -c '
    ls -A ~/.ssh 2>/dev/null
    cat ~/.claude/.credentials.json 2>/dev/null
    find / \( -name id_test -o -name .credentials.json \) 2>/dev/null'
  assert_equal "$output" ""
  assert_equal "$(cat "$BED/user/.ssh/id_test")" secret
}

@test "the command cannot trace what holds it" {
  run --separate-stderr in_session sh -c '
    readlink /proc/$PPID/exe; cat /proc/$PPID/environ; ls /proc/$PPID/fd
    exec 3<>/proc/$PPID/mem && echo open'
  assert_equal "$output" ""
}

@test "the host's environment does not come along" {
  SECRET_TOKEN=xyzzy HTTP_PROXY=http://user:secret@proxy.test:1 \
    run --separate-stderr in_session sh -c 'env; cat /proc/1/environ'
  refute_contains "$output" xyzzy
  refute_contains "$output" user:secret
}

@test "the engine CLI's own configuration does not come along" {
  mkdir "$BED/user/.docker"
  printf '{"proxies": {"default": {"httpProxy": "http://user:secret@p:1"}}}' \
    >"$BED/user/.docker/config.json"
  chown -R "$BED_UID:$BED_UID" "$BED/user/.docker"
  open_session sh -c 'env; echo ready; cat >/dev/null'
  local -a ids
  mapfile -t ids < <(docker ps -q --filter label=io.drydock.session)
  assert_equal "${#ids[@]}" 2
  run docker inspect -f '{{json .Config}}' "${ids[@]}"
  close_session
  refute_contains "$output" user:secret
  refute_contains "$(cat "$session_lines")" user:secret
}

@test "a hostile project does not steer the launch" {
  cat >"$project/docker-compose.yml" <<'YML'
services:
  agent:
    privileged: true
  extra:
    image: scratch
YML
  cp "$project/docker-compose.yml" "$project/compose.override.yml"
  printf 'COMPOSE_PROJECT_NAME=evil\nDRYDOCK_ENGINE=/nowhere\n' \
    >"$project/.env"
  chmod 0644 "$project"/*.yml "$project/.env"
  cd "$project"
  COMPOSE_FILE=$project/docker-compose.yml COMPOSE_PROJECT_NAME=evil \
    COMPOSE_PROFILES=evil DOCKER_CONTEXT=evil PROJECT_DIR=/ \
    LD_PRELOAD=/nonexistent.so \
    run --separate-stderr in_session grep CapEff /proc/self/status
  assert_equal "$status" 0
  assert_contains "$output" 0000000000000000
  refute_contains "$output$stderr" evil
}

@test "dood mode says what it is, and the socket works" {
  run --separate-stderr as_who drydock shell --mode dood "$project" -- \
    curl -s --unix-socket /var/run/docker.sock http://engine/_ping </dev/null
  assert_equal "$status" 0
  assert_equal "$output" OK
  assert_contains "$stderr" dood
  assert_contains "$stderr" "root on the host"
}

@test "dood differs in network, socket and group, and in nothing else" {
  run --separate-stderr as_who drydock shell --mode dood "$project" -- \
    sh -c 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status
      touch /x 2>/dev/null && echo writable; id -u' </dev/null
  assert_equal "$status" 0
  refute_contains "$output" writable
  assert_contains "$output" $'CapEff:\t0000000000000000'
  assert_contains "$output" $'CapBnd:\t0000000000000000'
  assert_contains "$output" $'NoNewPrivs:\t1'
  assert_contains "$output" $'Seccomp:\t2'
  assert_contains "$output" "$BED_UID"
}

@test "an unknown mode is contained, with a warning" {
  run --separate-stderr as_who env DRYDOCK_MODE=dodo \
    drydock shell "$project" -- \
    sed -n '3,$s/^ *\([^:]*\):.*/\1/p' /proc/net/dev </dev/null
  assert_equal "$status" 0
  assert_equal "$output" lo
  assert_contains "$stderr" warning
}

@test "after plan and shell on an empty HOME only declared things exist" {
  run --separate-stderr as_who drydock plan "$project" </dev/null
  assert_equal "$status" 0
  assert_equal "$(find "$XDG_STATE_HOME/drydock/sessions" -mindepth 1 \
    2>/dev/null)" ""
  run --separate-stderr in_session true
  assert_equal "$status" 0
  run find "$XDG_STATE_HOME" "$XDG_CONFIG_HOME" "$BED/user" \
    "$project" ! -uid "$BED_UID"
  assert_equal "$output" ""
  run ls "$XDG_STATE_HOME"
  assert_equal "$output" drydock
}

# container_config ID: what the engine told the runtime of a container.
container_config() {
  find "$BED/engine/exec" -path "*/$1/config.json"
}

@test "the seccomp profile allows nothing that the engine's own does not" {
  local ours default
  open_session sh -c 'echo ready; cat >/dev/null'
  ours=$(docker ps -q --no-trunc --filter label=io.drydock.role=agent)
  default=$(docker run -d --network none --cap-drop ALL --entrypoint sleep \
    "$(agent_image "$BED_UID")" 600)
  run python3 "$BATS_TEST_DIRNAME/profiles.py" \
    "$(container_config "$ours")" "$(container_config "$default")"
  docker rm -f "$default" >/dev/null
  close_session
  assert_equal "$status: $output" "0: families 1 2 10 16
pairs 1"
}
