# SPDX-License-Identifier: MIT
# An overlay of the user's that breaks one rule, last in the list: refused by
# that rule's name.  Compose is the machine's own, the engine a stub.

load ../helper
load judging

setup() {
  bed_setup self
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
  judge 0 "" 'services: { agent: { environment: { A: "two
    lines", B: 0o17, C: 1_000, D: 2001-12-14, E: yes } } }'
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
  judge 77 tags 'services: { agent: { privileged: !<!reset> true } }'
  judge 77 tags 'services: { agent: { privileged: ! true } }'
  judge 77 privileged 'services: { agent: { "\x70rivileged": true } }'
  judge 77 privileged '? services
: { agent: { privileged: true } }'
  judge 78 "" 'services: { agent: { ? [privileged] : true } }'
  judge 78 "" 'services: { agent: { "privileged\0": true } }'
  judge 78 "" 'services: { agent: { environment: { A: b, A: c } } }'
  judge 78 "" 'services: {}
---
services: {}'
  judge 78 "" 'services: { agent: { environment: { A: b, "\x41": c } } }'
  judge 78 "" '%YAML 1.1'
  judge 78 "" '%TAG ! !reset
---
services: {}'
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

# The invariants have nothing against any of these.
@test "what only the difference to drydock's own overlays shows" {
  agent restart 'stop_signal: SIGINT'
  agent restart 'stop_grace_period: 9s'
  agent limits 'pids_limit: 1'
  agent limits 'ulimits: { sigpending: 1 }'
  agent tmpfs 'tmpfs: ["/x:size=1k"]'
  agent tmpfs 'tmpfs: !reset []'
  agent environment 'environment: { DRYDOCK: "2" }'
  agent bind-missing 'volumes: !override []'
  agent bind-read-only 'volumes: [{ type: bind, target: /run/drydock,
    source: "${DRYDOCK_SOURCE_RUN}", read_only: true,
    bind: { create_host_path: false } }]'
  egress limits 'mem_limit: 512m, memswap_limit: 512m'
  egress limits 'pids_limit: 65'
  egress tmpfs 'tmpfs: !reset []'
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
  agent security-opt 'security_opt: ["label:type:spc_t"]'
  agent seccomp 'security_opt: ["seccomp=unconfined"]'
  agent seccomp 'security_opt: ["seccomp:/etc/passwd"]'
  agent no-new-privileges 'security_opt: ["no-new-privileges=false"]'
  agent namespaces 'pid: host'
  agent namespaces 'pid: "service:egress"'
  agent namespaces 'pid: "container:x"'
  agent namespaces 'ipc: host'
  agent namespaces 'ipc: shareable'
  agent namespaces 'uts: host'
  agent namespaces 'userns_mode: host'
  agent namespaces 'cgroup: host'
  agent namespaces 'ipc: "service:egress"'
  agent namespaces 'ipc: "container:x"'
  agent namespaces 'pid: ""
    , uts: "container:x"'
  agent namespaces 'cgroup: !reset null'
  agent namespaces 'ipc: !reset null'
  agent devices 'devices: ["/dev/fuse:/dev/fuse"]'
  agent devices 'device_cgroup_rules: ["c *:* rwm"]'
  agent devices 'devices: ["vendor.com/class=gpu"]'
  judge '77|78' "*gpus" 'services: { agent: { gpus: all } }'
  agent limits 'mem_limit: !reset null, memswap_limit: !reset null,
    pids_limit: !reset null, cpus: !reset null,
    deploy: { resources: { limits: { memory: 900g } } }'
  agent limits 'deploy: { replicas: 3 }'
  agent limits 'scale: 3'
  agent limits 'deploy: { resources: { reservations: { devices:
    [{ capabilities: [gpu] }] } } }'
  agent sysctls 'sysctls: { net.ipv4.ip_forward: 1 }'
  agent sysctls 'sysctls: [net.ipv4.ip_forward=1]'
  agent limits 'ulimits: { core: { soft: 0, hard: -1 } }'
  agent limits 'ulimits: { nproc: 10 }'
  agent limits 'ulimits: { nofile: 1000000 }'
  agent runtime 'runtime: other'
  agent runtime 'cgroup_parent: /'
  agent runtime 'credential_spec: { file: x.json }'
  agent runtime 'credential_spec: { registry: x }'
  agent runtime 'isolation: hyperv'
  agent limits 'storage_opt: { size: 1g }'
  agent limits 'oom_kill_disable: true'
  agent limits 'oom_score_adj: -1000'
  agent user 'user: "4711"'
  agent user 'user: "4711:0"'
  agent user 'user: root'
  agent user 'user: !reset null'
  agent groups 'group_add: ["27"]'
  agent groups 'group_add: [docker]'
  agent read-only 'read_only: false'
  agent init 'init: false'
  agent limits 'memswap_limit: !reset null'
  agent limits 'pids_limit: !reset null'
  agent limits 'pids_limit: 0'
  agent limits 'mem_limit: 0'
  agent limits 'mem_reservation: 1g'
  agent limits 'cpu_shares: 9999'
  agent limits 'cpu_quota: -1'
  agent limits 'cpu_rt_runtime: 950000'
  agent limits 'cpu_count: 64'
  agent tmpfs 'tmpfs: !reset []'
  agent tmpfs 'tmpfs: !override ["/tmp:exec,size=900g"]'
  agent tmpfs 'tmpfs: ["/tmp:suid,dev"]'
  agent limits 'mem_limit: 1000g, memswap_limit: 1000g'
  agent limits 'memswap_limit: -1'
  agent limits 'pids_limit: -1'
  agent limits 'shm_size: 64g'
  agent limits 'cpus: 3'
  agent limits 'mem_swappiness: 50'
  agent limits 'blkio_config: { weight: 10 }'
  agent limits 'cpuset: "0"'
  agent tmpfs 'tmpfs: [/etc/claude-code]'
  agent tmpfs 'tmpfs: [/run]'
  agent tmpfs 'tmpfs: [/run/egress]'
  agent tmpfs 'tmpfs: [/run/drydock]'
  agent tmpfs 'tmpfs: [/usr/lib/drydock]'
}

@test "what runs" {
  agent entrypoint 'entrypoint: [sh]'
  agent entrypoint 'command: [-c, id]'
  agent entrypoint 'working_dir: /'
  agent healthcheck 'healthcheck: { disable: false, test: [CMD, id] }'
  agent healthcheck 'healthcheck: !override { test: id, interval: 1s }'
  agent healthcheck 'healthcheck: !reset null'
  agent entrypoint 'entrypoint: !reset null'
  agent image 'build: { context: ., dockerfile_inline: "FROM scratch" }'
  agent image 'develop: { watch: [{ path: /, target: /x, action: sync }] }'
  agent restart 'depends_on: [egress]'
  agent restart 'attach: false'
  agent services 'container_name: other'
  agent image 'build: /'
  agent image 'image: debian'
  agent image "image: 'sha256:$id'"
  agent image 'pull_policy: always'
  agent image 'platform: linux/arm64'
  agent restart 'restart: always'
  agent restart 'restart: on-failure:3'
  agent restart 'restart: unless-stopped'
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
  egress restart 'restart: on-failure'
  egress restart 'restart: always'
  egress read-only 'read_only: false'
  egress init 'init: false'
  egress limits 'mem_limit: 64g, memswap_limit: 64g'
  egress limits 'pids_limit: 9999'
  egress limits 'ulimits: !override { fsize: -1 }'
  egress tmpfs 'tmpfs: !override []'
  egress logging 'logging: { driver: none }'
  egress labels 'labels: { a: b }'
  egress privileged 'privileged: true'
  egress capabilities 'cap_drop: !reset []'
  egress no-new-privileges 'security_opt: !reset []'
  egress seccomp 'security_opt: ["seccomp:unconfined"]'
  egress namespaces 'pid: host'
  egress groups 'group_add: ["0"]'
  egress entrypoint 'entrypoint: [sh]'
  egress healthcheck 'healthcheck: !override { test: id }'
  egress network 'networks: { default: }, network_mode: !reset null'
  egress bind-missing 'volumes: !reset []'
  egress bind-read-only 'volumes: [{ type: bind, target: /etc/drydock-egress,
    source: "${DRYDOCK_SOURCE_PROXY}", read_only: false,
    bind: { create_host_path: false } }]'
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
  agent network 'network_mode: other'
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
  judge 77 top-level 'networks: { default: { external: true } }'
  agent network 'links: ["egress:proxy"]'
  agent network 'extra_hosts: { host.docker.internal: host-gateway }'
  agent network 'ports: [{ target: 80, published: "80", host_ip: 0.0.0.0 }]'
}

@test "storage" {
  agent storage 'volumes: ["v:/v"]'
  agent storage 'volumes: [/anonymous]'
  agent storage 'volumes: [{ type: tmpfs, target: /run/egress }]'
  agent storage 'volumes_from: [egress]'
  agent storage 'volumes_from: ["container:x:rw"]'
  agent storage 'volumes: [{ type: volume, target: /v }]'
  agent storage 'volumes: [{ type: volume, target: /v,
    volume: { nocopy: true } }]'
  agent storage 'volumes: [{ type: npipe, source: /srv, target: /v }]'
  agent storage 'volumes: [{ type: cluster, source: v, target: /v }]'
  agent storage 'volumes: [{ type: image, source: debian, target: /v }]'
  judge 77 top-level 'volumes: { v: { driver_opts: { type: none, o: bind,
    device: /etc } } }'
  judge 77 top-level 'volumes: { v: { external: true } }'
  judge 77 top-level 'volumes: { v: }'
  agent bind-options 'volumes: ["/srv:/srv"]'
  agent bind-options 'volumes: ["/srv:/srv:rshared"]'
  agent bind-options 'volumes: ["/srv:/srv:z"]'
  agent bind-options 'volumes: [{ type: bind, source: /srv, target: /data,
    bind: { create_host_path: true } }]'
  agent bind-options 'volumes: [{ type: bind, source: /srv, target: /data,
    bind: { create_host_path: false, recursive: disabled } }]'
  bind bind-source /srv /run/drydock
  bind bind-source /srv /run/egress
  bind bind-target /srv /run/drydock/
  bind bind-target /srv /run/drydock/sub
  bind bind-source /srv /run/drydock/../run/egress
  bind bind-target /srv /data/../run/egress
  bind bind-target /srv //etc/claude-code
  bind bind-target /srv /etc/claude-code/managed-settings.d
  bind bind-target /srv /etc/claude-code ', read_only: true'
  bind bind-target /srv /usr/lib/drydock
  bind bind-target /srv /var/run
  bind bind-target /srv /proc/self
  bind bind-target /srv data
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
  agent labels 'labels: [io.drydock.session=other]'
  agent logging 'logging: { driver: syslog }'
  agent logging 'logging: { driver: json-file }'
  agent logging 'logging: !reset null'
  agent logging 'logging: !override { driver: local }'
  agent logging 'logging: { options: { max-file: "999" } }'
  agent logging 'logging: { driver: none }'
  agent logging 'logging: { options: { max-size: 10g } }'
  judge 78 "" 'services: { agent: { secrets: [s] } }'
}

@test "environment that chooses programs, proxies or drydock's own" {
  local name
  for name in PATH HOME LD_PRELOAD LD_LIBRARY_PATH DRYDOCK DRYDOCK_SESSION \
    DRYDOCK_X HTTP_PROXY https_proxy ALL_PROXY Ftp_Proxy BASH_ENV Node_Options \
    CLAUDE_CODE_SIMPLE RUSTC_WRAPPER goflags MAKEFLAGS PIP_INDEX_URL \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER JAVA_TOOL_OPTIONS \
    'A B' 1A '' a-b; do
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
  judge 78 "" 'services: { agent: { logging: { tomorrow: 1 } } }'
  judge 78 "" 'services: { agent: { volumes: [{ type: bind, source: /srv,
    target: /data, bind: { create_host_path: false, tomorrow: 1 } }] } }'
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
  run -78 --separate-stderr timeout 60 drydock plan "$project"
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
  own=$config/projects/$key/compose.d
  mkdir -p "$config/compose.d/$key" "$config/compose.d/other" "$own"
  chmod go-w "$config/compose.d"/*/ "${own%/*}" "$own" "$config/projects"
  printf 'services: { agent: { environment: { A: "%s" } } }\n' all |
    overlay b.yml
  printf 'services: { agent: { environment: { A: "%s" } } }\n' upper |
    overlay B.yaml
  printf '{"services": {"agent": {"environment": {"A": "%s"}}}}\n' older |
    overlay "$key/a.json"
  printf '{"services": {"agent": {"environment": {"A": "%s"}}}}\n' own |
    overlay "../projects/$key/compose.d/a.json"
  printf 'services: { agent: { privileged: true } }\n' | overlay other/x.yml
  # Keys that are nearly the project's.
  local near
  for near in "${key}x" "${key%?}" "${key^^}" "${key%%-*}" "$key." " $key"; do
    mkdir "$config/compose.d/$near"
    cp "$config/compose.d/other/x.yml" "$config/compose.d/$near/x.yml"
    mkdir -p "$config/projects/$near/compose.d"
    cp "$config/compose.d/other/x.yml" "$config/projects/$near/compose.d/"
  done
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
    "[\"compose.d/B.yaml\",\"compose.d/b.yml\",\"compose.d/$key/a.json\",\
\"projects/$key/compose.d/a.json\"]"
  assert_contains "$stderr" "move this project's overlays from \
$config/compose.d/$key to $own"
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
