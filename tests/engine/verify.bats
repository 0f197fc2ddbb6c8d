# SPDX-License-Identifier: MIT
# What runs is compared with the plan: a Compose that starts something else than
# the sealed plan says is found out, and nothing of it is left.

load ../helper
load editing

setup() {
  bed_setup user
  editing_setup
}

@test "the plan as it was sealed is launched" {
  echo . >"$bin/edit.jq"
  run --separate-stderr in_session echo fine
  assert_equal "$status" 0
  assert_equal "$output" fine
}

@test "more rights than planned are found out" {
  refused Cap '.services.agent.cap_drop = ["NET_RAW"]'
  refused NoNewPrivs '.services.agent.security_opt |=
    map(select(startswith("no-new-privileges") | not))'
  refused Cap '.services.agent.privileged = true'
  refused gid '.services.agent.user |= sub(":.*"; ":4")'
  refused groups '.services.agent.group_add = ["27"]'
}

@test "another seccomp profile than planned is found out" {
  refused seccomp '.services.agent.security_opt |=
    map(select(startswith("seccomp") | not))'
  refused Seccomp '.services.agent.security_opt |=
    map(if startswith("seccomp") then "seccomp:unconfined" else . end)'
}

@test "a network, or another's namespace, is found out" {
  refused network '.services.agent.network_mode = "host"'
  refused network '.services.agent.network_mode = "bridge"'
  refused ExtraHosts '.services.egress.extra_hosts = ["h:127.0.0.1"]'
  refused "its init" '.services.agent.pid = "host"'
  refused "ipc namespace" '.services.agent.ipc = "host"'
  refused "uts namespace" '.services.agent.uts = "host"'
}

@test "mounts that are more, or more writable, are found out" {
  refused "/: expected read-only" '.services.agent.read_only = false'
  refused /mnt '.services.agent.volumes +=
    [{"type": "bind", "source": "/etc", "target": "/mnt"}]'
  refused /etc/drydock-egress '.services.egress.volumes |=
    map(del(.read_only))'
  refused /run/drydock '.services.agent.volumes |=
    map(if .target == "/run/drydock" then .source = "/tmp" else . end)'
  refused /mnt '.services.agent.tmpfs += ["/mnt"]'
  refused /tmp '.services.agent.tmpfs = ["/tmp:exec,mode=1777"]'
}

@test "limits that are missing, an environment or a command that is not planned are found out" {
  refused memory 'del(.services.agent.mem_limit, .services.agent.memswap_limit)'
  DRYDOCK_CPUS=1 refused "cpu limit" 'del(.services.agent.cpus)'
  refused pids 'del(.services.agent.pids_limit)'
  refused environment \
    '.services.agent.environment.HTTP_PROXY = "http://u:secret@h"'
  refute_contains "$stderr" secret
  refused "log driver" 'del(.services.agent.logging)'
  refused "log options" '.services.agent.logging.options["max-size"] = "9g"'
  refused "restart policy" '.services.egress.restart = "on-failure"'
  refused ulimits 'del(.services.egress.ulimits)'
  refused "health check" '.services.agent.healthcheck =
    {"test": ["CMD", "/bin/true"]}'
}

@test "a sidecar with more rights is found out" {
  refused Cap '.services.egress.cap_drop = ["NET_RAW"]'
  refused network '.services.egress.network_mode = "host"'
}

@test "a container of another image is found out and removed" {
  refused image '.services.agent.image = .services.egress.image |
    .services.agent.entrypoint = ["/bin/sleep", "600"]'
  refused image '.services.agent.image = .services.egress.image'
  refused image '.services.egress.image = .services.agent.image |
    .services.egress.entrypoint = ["/bin/sleep", "600"]'
}

@test "a container that ends for what is not planned is found out by that" {
  # Its holder may not open the session's directories.
  refused user '.services.agent.user = "54321:54321"'
  refused user '.services.agent.user = "0:0"'
  refused command '.services.agent.entrypoint = ["/bin/false"]'
}

state_is() {
  grep -q "^State:.$2" "/proc/$1/status"
}

# Ends the agent's container while the engine's shim is stopped, so that for a
# while the kernel alone knows.
end_behind_the_engine() {
  local id pid shim
  wait_for "Compose" test -e "$flags/up" || return
  id=$(docker ps -q --no-trunc --filter label=io.drydock.role=agent)
  pid=$(docker inspect -f '{{.State.Pid}}' "$id")
  shim=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
  kill -STOP "$shim"
  wait_for "a stopped shim" state_is "$shim" T || return
  kill -KILL "$pid"
  wait_for "a zombie" state_is "$pid" Z || return
  touch "$flags/ended"
  sleep 1
  kill -CONT "$shim"
}

@test "a container that ended before the engine knows it is said to have ended" {
  local flags=$BATS_TEST_TMPDIR/flags
  mkdir -m 0777 "$flags"
  echo "touch '$flags/up'; until [ -e '$flags/ended' ]; do sleep 0.1; done" \
    >"$bin/after"
  end_behind_the_engine 3>&- &
  run --separate-stderr in_session sh -c 'echo the command ran'
  touch "$flags/up"
  wait "$!"
  rm "$bin/after"
  assert_equal "$status" 69
  assert_equal "$output" ""
  assert_contains "$stderr" "does not run (status 137)"
  nothing_is_left
}

@test "a container that no plan has is found out and removed" {
  refused "not in the plan" '.services.extra = .services.agent'
  refused "not in the plan" '.services.extra = .services.egress |
    .services.extra.labels["io.drydock.role"] = "extra"'
}

@test "a foreign container with the session's labels is not touched" {
  local kept
  cat >"$bin/beside" <<END
session=\${1##*drydock-}
docker run -d --label "io.drydock.session=\$session" \
  --label "io.drydock.state=\$(cat '$XDG_STATE_HOME/drydock/id')" --label io.drydock.role=agent \
  --label "com.docker.compose.project=drydock-\$session" \
  --entrypoint /bin/sleep $(agent_image 0) 600 >&2
END
  run --separate-stderr in_session sh -c 'echo the command ran'
  rm "$bin/beside"
  assert_equal "$status" 77
  assert_equal "$output" ""
  assert_contains "$stderr" "is not removed"
  # The session's own are gone; its directory leads to the other one.
  kept=$(docker ps -q)
  assert_equal "$(wc -w <<<"$kept")" 1
  docker rm -f "$kept"
  as_who drydock gc
  nothing_is_left
}
