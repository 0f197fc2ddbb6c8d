# SPDX-License-Identifier: MIT
# What of the host a session sees, in both modes.

load ../helper

setup() {
  bed_setup user
}

teardown() {
  rm -rf "$BED/user/.ssh" "$BED/user/.claude" "$BED/user/.docker"
}

# container_config ID: what the engine told the runtime of a container.
container_config() {
  find "$BED/engine/exec" -path "*/$1/config.json"
}

# profiles_differ: in what the agent's profile differs from the engine's.
profiles_differ() {
  local ours default
  ours=$(docker ps -q --no-trunc --filter label=io.drydock.role=agent)
  default=$(docker run -d --network none --cap-drop ALL --entrypoint sleep \
    "$(agent_image "$BED_UID")" 600)
  run python3 "$BATS_TEST_DIRNAME/profiles.py" \
    "$(container_config "$ours")" "$(container_config "$default")"
  docker rm -f "$default" >/dev/null
}

# A session with all that must not come along: secrets in the home, in the
# environment, in the engine CLI's configuration, and a project that would steer
# Compose.  What it sees is in its project's files, by the questions' names.
@test "a contained session sees and takes nothing of the host, and its profile allows no more than the engine's own" {
  as_who sh -ec 'cd; mkdir .ssh .claude .docker
    echo secret >.ssh/id_test
    echo secret >.claude/.credentials.json
    echo "{\"proxies\": {\"default\": {\"httpProxy\": \"http://user:secret@p:1\"}}}" \
      >.docker/config.json'
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
  export COMPOSE_FILE=$project/docker-compose.yml COMPOSE_PROJECT_NAME=evil
  export COMPOSE_PROFILES=evil DOCKER_CONTEXT=evil PROJECT_DIR=/
  export LD_PRELOAD=/nonexistent.so SECRET_TOKEN=xyzzy
  export SSH_AUTH_SOCK=$DRYDOCK_ENGINE
  export HTTP_PROXY=http://user:secret@proxy.test:1
  # shellcheck disable=SC2016 # the session's shell
  open_session sh -c '
    {
      ls /var/run/docker.sock /run/docker.sock "$1"
      find / -xdev -type s -not -path "/run/drydock/*" \
        -not -path "/run/egress/*"
    } >sockets 2>/dev/null
    {
      ls -A ~/.ssh
      cat ~/.claude/.credentials.json
      find / \( -name id_test -o -name .credentials.json \)
    } >secrets 2>/dev/null
    {
      readlink /proc/$PPID/exe; cat /proc/$PPID/environ; ls /proc/$PPID/fd
      (exec 3<>/proc/$PPID/mem) && echo open
    } >holder 2>/dev/null
    env >environment
    tr "\0" "\n" </proc/1/environ >>environment
    grep CapEff /proc/self/status >capabilities
    echo ready; cat >/dev/null' sh "$DRYDOCK_ENGINE"
  local -a ids
  unset LD_PRELOAD DOCKER_CONTEXT
  mapfile -t ids < <(docker ps -q --filter label=io.drydock.session)
  assert_equal "${#ids[@]}" 2
  docker inspect -f '{{json .Config}}' "${ids[@]}" >config
  profiles_differ
  close_session
  assert_equal "$status: $output" "0: families 1 2 10 16
pairs 1"
  assert_equal "$(cat sockets)" ""
  assert_equal "$(cat secrets)" ""
  assert_equal "$(cat "$BED/user/.ssh/id_test")" secret
  assert_equal "$(cat holder)" ""
  grep -q ^HOME= environment
  run grep -e xyzzy -e user:secret -e evil -e SSH_AUTH_SOCK environment config \
    "$session_lines" "$BATS_TEST_TMPDIR/session.err"
  assert_equal "$status: $output" "1: "
  assert_contains "$(cat capabilities)" 0000000000000000
}

@test "dood says what it is, and differs in network, socket and group alone" {
  # shellcheck disable=SC2016 # the session's shell
  DRYDOCK_MODE=dood open_session \
    sh -c 'curl -s --unix-socket /var/run/docker.sock http://engine/_ping
      echo
      grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status
      touch /x 2>/dev/null && echo writable; id -u; echo ready; cat'
  local id output stderr
  id=$(as_who drydock list --all --json | jq -r '.[0].id')
  # Ports and prove are refused in this mode.
  run -1 --separate-stderr as_who drydock port "$id" 3000
  assert_equal "$stderr" "drydock: session $id has the host's network: its \
servers listen on the host already"
  run -77 --separate-stderr as_who drydock prove "$id"
  assert_contains "$stderr" "there is nothing to prove"
  close_session
  output=$(<"$session_lines")
  stderr=$(<"$BATS_TEST_TMPDIR/session.err")
  assert_equal "${output%%$'\n'*}" OK
  assert_contains "$stderr" dood
  assert_contains "$stderr" "root on the host"
  refute_contains "$output" writable
  assert_contains "$output" $'CapEff:\t0000000000000000'
  assert_contains "$output" $'CapBnd:\t0000000000000000'
  assert_contains "$output" $'NoNewPrivs:\t1'
  assert_contains "$output" $'Seccomp:\t2'
  assert_contains "$output" "$BED_UID"
}

@test "after plan and shell on an empty HOME only declared things exist" {
  run --separate-stderr as_who drydock plan "$project" </dev/null
  assert_equal "$status" 0
  assert_equal "$(find "$XDG_STATE_HOME/drydock/sessions" -mindepth 1 \
    2>/dev/null)" ""
  # An unknown mode is contained, with a warning.
  DRYDOCK_MODE=dodo run -0 --separate-stderr in_session \
    sed -n '3,$s/^ *\([^:]*\):.*/\1/p' /proc/net/dev
  assert_equal "$output" lo
  assert_contains "$stderr" warning
  run find "$XDG_STATE_HOME" "$XDG_CONFIG_HOME" "$BED/user" \
    "$project" ! -uid "$BED_UID"
  assert_equal "$output" ""
  run ls "$XDG_STATE_HOME"
  assert_equal "$output" drydock
}
