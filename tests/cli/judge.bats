# SPDX-License-Identifier: MIT
# An overlay of the user's that breaks one rule, last in the list: refused by
# that rule's name.  Compose is the machine's own, the engine a stub.

load judging

setup() {
  judging_setup
}

teardown() {
  judging_teardown
}

# overlay [NAME]: standard input becomes one.
overlay() {
  cat >"$config/compose.d/${1-z.yml}"
}

@test "what a user may add is allowed" {
  judge 0 "" ''
  judge 0 "" '# nothing'
  judge 0 "" 'services: { agent: { environment: { EDITOR: vi, N: 1 } } }'
  judge 0 "" 'services:
  agent:
    environment:
      - EDITOR=vi
      - "PRICE=5$$"'
  judge 0 "" '{"services": {"agent": {"environment": {"A": "b"}}}}'
  judge 0 "" 'services: { agent: { environment: { P: "${DRYDOCK_PROJECT}" } } }'
  judge 0 "" 'services: { agent: { read_only: true, cap_drop: [ALL] } }'
}

@test "what Compose would resolve away is refused before it is merged" {
  judge 77 include 'include: [other.yml]'
  judge 77 include '"include": [{ path: /etc/passwd }]'
  agent extends 'extends: { service: egress }'
  agent env-file 'env_file: /etc/passwd'
  agent env-file 'env_file: [{ path: /etc/passwd, required: false }]'
  agent label-file 'label_file: /etc/passwd'
  agent profiles 'profiles: [x]'
  agent null-environment 'environment: { SECRET: }'
  agent null-environment 'environment: { SECRET: null }'
  agent null-environment 'environment: [SECRET]'
  judge 77 from-files 'secrets: { s: { file: /etc/shadow } }'
  judge 77 from-files 'configs: { s: { environment: HOME } }'
  agent interpolation 'environment: { A: "$HOME" }'
  agent interpolation 'environment: { A: "${HOME}" }'
  agent interpolation 'environment: { A: "${DRYDOCK_HOME:-$HOME}" }'
  agent interpolation 'environment: { A: "$$$HOME" }'
  agent interpolation 'labels: { "a$b": c }'
}

@test "what hides its meaning is refused, or is not read at all" {
  judge 77 anchors 'services: { agent: &a { environment: { A: b } } }'
  judge 77 anchors 'services: { agent: *a }'
  judge 77 anchors 'services: { agent: { <<: { privileged: true } } }'
  judge 77 anchors 'services: { agent: { "<<": { privileged: true } } }'
  judge 77 tags 'services: { agent: { privileged: !!bool "true" } }'
  judge 77 tags 'services: { agent: !custom { } }'
  judge 78 "" 'services: { agent: { "\x70rivileged": true } }'
  judge 78 "" '? services
: { agent: { privileged: true } }'
  judge 78 "" 'services: { agent: { environment: { A: b, A: c } } }'
  judge 78 "" 'services: {}
---
services: {}'
  judge 78 "" '%YAML 1.1'
  judge 78 "" $'services:\n\tagent: {}'
  judge 78 "" $'services: {}\r'
  judge 78 "" 'services: { agent: { privileged: "tr
ue" } }'
  judge 78 "" '- a list'
  judge 78 "" 'services: { agent: { environment: [ } }'
  judge 78 "" "$(printf '[%.0s' {1..40})"
}

@test "reset and override are judged by their effect" {
  agent read-only 'read_only: !reset null'
  agent capabilities 'cap_drop: !reset []'
  agent no-new-privileges 'security_opt: !reset []'
  agent limits 'mem_limit: !reset null'
  agent init 'init: !reset null'
  agent bind-missing 'volumes: !reset []'
  agent environment 'environment: !override { HOME: /x }'
  agent tmpfs 'tmpfs: !override [/tmp]'
  agent network 'network_mode: !reset null'
  judge 77 services 'services: { egress: !reset null }'
}

@test "process and kernel" {
  agent privileged 'privileged: true'
  agent capabilities 'cap_add: [SYS_ADMIN]'
  agent capabilities 'cap_drop: !override [NET_RAW]'
  agent no-new-privileges 'security_opt: ["no-new-privileges:false"]'
  agent seccomp 'security_opt: ["seccomp:unconfined"]'
  agent security-opt 'security_opt: ["apparmor:unconfined"]'
  agent security-opt 'security_opt: ["label:disable"]'
  agent security-opt 'security_opt: ["systempaths=unconfined"]'
  agent namespaces 'pid: host'
  agent namespaces 'pid: "service:egress"'
  agent namespaces 'pid: "container:x"'
  agent namespaces 'ipc: host'
  agent namespaces 'ipc: shareable'
  agent namespaces 'uts: host'
  agent namespaces 'userns_mode: host'
  agent namespaces 'cgroup: host'
  agent devices 'devices: ["/dev/fuse:/dev/fuse"]'
  agent devices 'device_cgroup_rules: ["c *:* rwm"]'
  agent limits 'deploy: { resources: { reservations: { devices:
    [{ capabilities: [gpu] }] } } }'
  agent sysctls 'sysctls: { net.ipv4.ip_forward: 1 }'
  agent limits 'ulimits: { nofile: 1000000 }'
  agent runtime 'runtime: other'
  agent runtime 'cgroup_parent: /'
  agent runtime 'credential_spec: { file: x.json }'
  agent limits 'storage_opt: { size: 1g }'
  agent limits 'oom_kill_disable: true'
  agent limits 'oom_score_adj: -1000'
  agent user 'user: "4711"'
  agent user 'user: "4711:0"'
  agent groups 'group_add: ["27"]'
  agent read-only 'read_only: false'
  agent init 'init: false'
  agent limits 'mem_limit: 1000g, memswap_limit: 1000g'
  agent limits 'memswap_limit: -1'
  agent limits 'pids_limit: -1'
  agent limits 'shm_size: 64g'
  agent limits 'cpus: 3'
  agent limits 'mem_swappiness: 50'
  agent limits 'blkio_config: { weight: 10 }'
  agent limits 'cpuset: "0"'
  agent tmpfs 'tmpfs: [/etc/claude-code]'
}

@test "what runs" {
  agent entrypoint 'entrypoint: [sh]'
  agent entrypoint 'command: [-c, id]'
  agent entrypoint 'working_dir: /'
  agent healthcheck 'healthcheck: { disable: false, test: [CMD, id] }'
  agent image 'build: /'
  agent image 'image: debian'
  agent image "image: 'sha256:$id'"
  agent image 'pull_policy: always'
  agent image 'platform: linux/arm64'
  agent restart 'restart: always'
  agent restart 'restart: on-failure:3'
  agent restart 'stop_signal: SIGHUP'
  agent restart 'stop_grace_period: 1h'
  agent terminal 'tty: true'
  agent terminal 'stdin_open: true'
  egress capabilities 'cap_add: [NET_RAW]'
  egress entrypoint 'command: [sh]'
  egress environment 'environment: { A: b }'
  egress image 'image: debian'
  egress network 'network_mode: host'
  egress network 'ports: ["3128:3128"]'
  egress bind-source 'volumes: [{ type: bind, source: /srv, target: /srv,
    bind: { create_host_path: false } }]'
  egress restart 'restart: "no"'
  egress user 'user: "0:0"'
  judge 77 image 'services: { db: { image: debian } }'
  judge 77 image "services: { db: { image: 'sha256:$id', read_only: true,
    network_mode: none, cap_drop: [ALL] } }"
}

@test "hooks are refused, by the policy or by a Compose too old for them" {
  local key
  for key in post_start pre_stop; do
    judge '77|78' "*$key" "services: { agent: { $key: [{ command: id }] } }"
  done
}

@test "network" {
  agent network 'network_mode: bridge'
  agent network 'network_mode: host'
  agent network 'network_mode: "service:egress"'
  agent network 'network_mode: "container:x"'
  agent network 'networks: { default: }, network_mode: !reset null'
  agent network 'dns: [10.0.0.1]'
  agent network 'dns_search: [x]'
  agent network 'dns_opt: [x]'
  agent network 'extra_hosts: ["a=10.0.0.1"]'
  agent network 'links: [egress]'
  agent network 'external_links: [x]'
  agent network 'ports: ["80:80"]'
  agent network 'expose: ["80"]'
  agent network 'hostname: other'
  agent network 'domainname: other'
  agent network 'mac_address: "02:42:ac:11:00:02"'
  judge 77 top-level 'networks: { n: { } }'
}

@test "storage" {
  agent storage 'volumes: ["v:/v"]'
  agent storage 'volumes: [/anonymous]'
  agent storage 'volumes: [{ type: tmpfs, target: /run/egress }]'
  agent storage 'volumes_from: [egress]'
  judge 77 top-level 'volumes: { v: { driver_opts: { type: none, o: bind,
    device: /etc } } }'
  judge 77 top-level 'volumes: { v: { external: true } }'
  agent bind-options 'volumes: ["/srv:/srv"]'
  bind bind-source /srv /run/drydock
  bind bind-source /srv /run/egress
  bind bind-target /srv /run/drydock/
  bind bind-target /srv /run
  bind bind-target /srv /
  bind bind-target /srv /etc/claude-code
  bind bind-target /srv /etc
  bind bind-target /srv /usr/lib/drydock/holder
  bind bind-target /srv /usr
  bind bind-target /srv /tmp
  bind bind-source /srv /data
  bind bind-source / /data
  bind bind-source /etc /data ', read_only: true'
  bind bind-source "$project" "$project/../data"
  agent bind-options 'volumes: [{ type: bind, source: /srv, target: /data,
    bind: { create_host_path: false, propagation: rshared } }]'
  agent bind-options 'volumes: [{ type: bind, source: /srv, target: /data,
    bind: { create_host_path: false, selinux: Z } }]'
  agent bind-options 'volumes: [{ type: bind, source: /srv, target: /data,
    bind: { create_host_path: false }, consistency: cached }]'
  agent labels 'labels: { io.drydock.role: egress }'
  agent labels 'labels: { a: b }'
  agent labels 'annotations: { a: b }'
  agent logging 'logging: { driver: syslog }'
  agent logging 'logging: { driver: json-file }'
  agent logging 'logging: { options: { max-size: 10g } }'
  judge 78 "" 'services: { agent: { secrets: [s] } }'
}

@test "environment that chooses programs, proxies or drydock's own" {
  local name
  for name in PATH HOME LD_PRELOAD LD_LIBRARY_PATH DRYDOCK DRYDOCK_SESSION \
    DRYDOCK_X HTTP_PROXY https_proxy ALL_PROXY Ftp_Proxy 'A B' 1A '' a-b; do
    agent environment "environment: { '$name': 'http://u:p@h' }"
  done
}

@test "keys that nobody knows, at every level" {
  judge 77 top-level 'tomorrow: 1'
  judge 77 top-level 'x-drydock-home: { source: / }'
  judge 77 top-level 'x-mine: 1'
  judge 77 top-level 'name: other'
  agent unknown-key 'tomorrow: 1'
  agent unknown-key 'x-mine: 1'
  judge 77 services 'services: [agent]'
}

@test "directories that the setting lists may be bound" {
  mkdir "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/ref"
  export DRYDOCK_BINDS="$BATS_TEST_TMPDIR/data $BATS_TEST_TMPDIR/ref:ro"
  bind_status() {
    judge "$1" "$2" "services: { agent: { volumes: [ { type: bind,
      source: '$BATS_TEST_TMPDIR/$3', target: '$4',
      bind: { create_host_path: false } ${5-} } ] } }"
  }
  bind_status 0 "" data /data
  bind_status 0 "" data /data ", read_only: true"
  bind_status 0 "" ref /ref ", read_only: true"
  bind_status 0 "" data "$project/data"
  bind_status 77 bind-read-only ref /ref
  bind_status 77 bind-source data "$project"
  bind_status 77 bind-source data "$HOME"
  bind_status 77 bind-target data /run/x
  bind_status 77 bind-target data /tmp
  bind_status 77 bind-target data "$BATS_TEST_TMPDIR"
  bind_status 77 bind-source other /data
  bind_status 77 bind-source data/../ref/../other /data
}

@test "an overlay is the user's alone, and is no link" {
  local name
  echo 'services: {}' | overlay
  chmod 0666 "$config/compose.d/z.yml"
  run -78 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "compose.d/z.yml"
  rm "$config/compose.d/z.yml"
  echo 'services: {}' >"$project/evil.yml"
  ln -s "$project/evil.yml" "$config/compose.d/z.yml"
  run -78 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "link"
  rm "$config/compose.d/z.yml"
  mkfifo "$config/compose.d/z.yml"
  run -78 --separate-stderr timeout 20 drydock plan "$project"
  rm "$config/compose.d/z.yml"
  mkdir "$config/compose.d/z.yml"
  run -78 --separate-stderr drydock plan "$project"
  rmdir "$config/compose.d/z.yml"
  head -c 70000 /dev/zero | tr '\0' '#' >"$config/compose.d/z.yml"
  run -78 --separate-stderr drydock plan "$project"
  rm "$config/compose.d/z.yml"
  chmod 0777 "$config/compose.d"
  run -78 --separate-stderr drydock plan "$project"
  rmdir "$config/compose.d"
  mkdir "$project/compose.d"
  ln -s "$project/compose.d" "$config/compose.d"
  run -78 --separate-stderr drydock plan "$project"
}

@test "overlays for all, then those of the project, in byte order" {
  local key
  run -0 --separate-stderr drydock plan --json "$project"
  key=$(jq -r .project.key <<<"$output")
  assert_equal "$(jq -r .project.path <<<"$output")" "$project"
  run -0 --separate-stderr drydock plan "$project"
  assert_contains "$output" "key: $key"
  mkdir "$config/compose.d/$key" "$config/compose.d/other"
  chmod go-w "$config/compose.d"/*/
  printf 'services: { agent: { environment: { A: "%s" } } }\n' all |
    overlay b.yml
  printf 'services: { agent: { environment: { A: "%s" } } }\n' upper |
    overlay B.yaml
  printf '{"services": {"agent": {"environment": {"A": "%s"}}}}\n' own |
    overlay "$key/a.json"
  printf 'services: { agent: { privileged: true } }\n' | overlay other/x.yml
  printf 'services: { agent: { privileged: true } }\n' | overlay .hidden.yml
  printf 'services: { agent: { privileged: true } }\n' | overlay b.yml~
  # Nothing of the project's own is ever read.
  mkdir "$project/compose.d"
  cp "$config/compose.d/.hidden.yml" "$project/compose.d/x.yml"
  cp "$config/compose.d/.hidden.yml" "$project/compose.yml"
  cp "$config/compose.d/.hidden.yml" "$project/compose.override.yml"
  echo 'COMPOSE_FILE=compose.yml' >"$project/.env"
  run -0 --separate-stderr drydock plan --json "$project"
  assert_equal "$(jq -c '[.overlays[3:][].name]' <<<"$output")" \
    "[\"compose.d/B.yaml\",\"compose.d/b.yml\",\"compose.d/$key/a.json\"]"
  assert_equal "$(jq -r .model.services.agent.environment.A <<<"$output")" own
}

@test "the caller's environment changes no model" {
  run -0 --separate-stderr drydock plan --json "$project"
  local before=$output
  export COMPOSE_PROFILES='*' COMPOSE_FILE=/etc/passwd COMPOSE_PROJECT_NAME=x \
    COMPOSE_ENV_FILES=/etc/passwd HTTP_PROXY=http://u:p@h COMPOSE_REMOVE_ORPHANS=1
  run -0 --separate-stderr drydock plan --json "$project"
  assert_equal "$output" "$before"
}
