# SPDX-License-Identifier: MIT
# Extra services of an overlay: what drydock makes of one, and that each
# weakening of one is refused by its rule's name.  Compose is the machine's own,
# the engine a stub.

load ../helper
load stub

setup() {
  bed_setup self
  stub_setup
  config=$XDG_CONFIG_HOME/drydock
  mkdir "$config/compose.d"
  chmod -R go-w "$config"
  [ "$(id -u)" = 0 ] || chmod 0755 "$config"
  id=$(printf 'd%.0s' {1..64})
  image '"Env":["A=$b"],"Entrypoint":["/db"],"Cmd":["--x"]'
}

# image CONFIG: the engine has one that is called as asked.
image() {
  local stub_images=$stub_images
  stub_image "$id" "$1" my/db
}

# judge STATUS WORD FILE: the overlay FILE ends in STATUS, with WORD.
judge() {
  printf '%s\n' "$3" >"$config/compose.d/z.yml"
  run --separate-stderr drydock plan --json "$project"
  [ "$status" -eq "$1" ] || fail "$3" "status $status, not $1" "$stderr"
  [ -z "$2" ] || case $'\n'"$stderr" in
    *[:\ $'\n']"$2:"*) ;;
    *) fail "$3" "not $2 but: $stderr" ;;
  esac
}

# refused RULE KEYS: for what its keys are.
refused() {
  judge 77 "$1" "services: { db: { image: my/db, $2 } }"
}

# db RULE KEYS: the same; of a test, each rule once, or all_cases.
db() {
  untried "$1" || return 0
  refused "$@"
}

may() {
  judge 0 "" "services: { db: { image: my/db, $1 } }"
}

@test "an image is enough, and the plan shows what becomes of it" {
  judge 0 "" 'services: { db: { image: my/db } }'
  assert_equal "$(jq -c '.model.services.db | [.image, .entrypoint, .command,
    .environment, .network_mode, .read_only, .cap_drop, .user]' <<<"$output")" \
    "[\"sha256:$id\",[\"/db\"],[\"--x\"],{\"A\":\"\$b\"},\"none\",true,[\"ALL\"],\"$(id -u):$(id -g)\"]"
  assert_equal "$(jq -r '.model.services.db.volumes, (.model.services.agent
    | .volumes) | .[-1].target' <<<"$output")" $'/run/services\n/run/services'
  assert_equal "$(jq -r '[.overlays[].name] | join(" ")' <<<"$output")" \
    "base contained hardening service db images compose.d/z.yml image ids"
}

@test "what is a service's own matter is allowed" {
  may 'entrypoint: [/other, -v], environment: { PATH: /x, LD_PRELOAD: y }'
  assert_equal "$(jq -c '.model.services.db | [.entrypoint, .command]' \
    <<<"$output")" '[["/other","-v"],null]'
  may 'command: "--socket /run/services/db", working_dir: /data'
  may 'tmpfs: ["/data:size=64m,mode=0700,uid=5,gid=5", "/run/db:size=1k,exec"]'
  may 'mem_limit: 256m, memswap_limit: 256m, pids_limit: 10, cpus: 0.5'
  may 'read_only: true, cap_drop: [ALL], network_mode: none'
  judge 0 "" 'services: { db: { image: my/db }, cache-2: { image: my/db } }'
}

@test "process and kernel" {
  db privileged 'privileged: true'
  db capabilities 'cap_add: [NET_RAW]'
  db capabilities 'cap_drop: !reset []'
  db capabilities 'cap_drop: !override [NET_RAW]'
  db no-new-privileges 'security_opt: !reset []'
  db security-opt 'security_opt: ["label:disable"]'
  db seccomp 'security_opt: ["seccomp:unconfined"]'
  db namespaces 'pid: host'
  db namespaces 'ipc: host'
  db namespaces 'uts: host'
  db namespaces 'userns_mode: host'
  db namespaces 'cgroup: host'
  db devices 'devices: [/dev/null]'
  db sysctls 'sysctls: { net.core.somaxconn: 1 }'
  db runtime 'runtime: runc'
  db user 'user: "54321:54321"'
  db groups 'group_add: ["4"]'
  db read-only 'read_only: false'
  db init 'init: false'
}

@test "limits" {
  db limits 'mem_limit: 64g, memswap_limit: 64g'
  db limits 'memswap_limit: -1'
  db limits 'mem_limit: !reset null'
  db limits 'pids_limit: -1'
  db limits 'pids_limit: 0'
  db limits 'pids_limit: 100000'
  DRYDOCK_CPUS=1 db limits 'cpus: 2'
  DRYDOCK_CPUS=1 db limits 'cpus: !reset null'
  db limits 'shm_size: 1g'
  db limits 'ulimits: { nofile: 100 }'
  db limits 'oom_score_adj: -500'
  db logging 'logging: { driver: json-file }'
  db logging 'logging: !reset null'
  db tmpfs 'tmpfs: [/data]'
  db tmpfs 'tmpfs: ["/data:size=64g"]'
  db tmpfs 'tmpfs: ["/data:size=64x"]'
  db tmpfs 'tmpfs: ["/data:size=1m,size=2m"]'
  db tmpfs 'tmpfs: ["/data:size=1m,suid"]'
  db tmpfs 'tmpfs: ["/data:size=1m,dev"]'
  db tmpfs 'tmpfs: ["/tmp:size=1m"]'
  db tmpfs 'tmpfs: ["/run/services/x:size=1m"]'
  db tmpfs 'tmpfs: ["/run:size=1m"]'
  db tmpfs 'tmpfs: ["/proc/x:size=1m"]'
  db tmpfs 'tmpfs: ["/data/../proc:size=1m"]'
}

@test "network" {
  db network 'network_mode: bridge'
  db network 'network_mode: host'
  db network 'network_mode: !reset null'
  db network 'network_mode: "service:egress"'
  db network 'network_mode: "container:x"'
  db network 'ports: ["5432:5432"]'
  db network 'dns: [10.0.0.1]'
  db network 'extra_hosts: ["a:10.0.0.1"]'
  db network 'hostname: x'
}

@test "storage" {
  db storage 'volumes: [/anonymous]'
  db storage 'volumes: [{ type: tmpfs, target: /x }]'
  db bind-source 'volumes: [{ type: bind, source: /srv, target: /srv,
    bind: { create_host_path: false } }]'
  DRYDOCK_BINDS=$project db bind-source "volumes: [{ type: bind,
    source: $project, target: /srv, bind: { create_host_path: false } }]"
  db bind-source 'volumes: [{ type: bind, source: /, target: /run/services }]'
  db bind-missing 'volumes: !reset []'
  db storage 'volumes_from: [egress]'
  judge 77 top-level 'services: { db: { image: my/db } }
x-drydock-services: { kind: file }'
}

@test "what runs, and when" {
  db image 'build: .'
  db image 'pull_policy: always'
  db image 'platform: linux/amd64'
  db healthcheck 'healthcheck: { test: [CMD, x] }'
  db restart 'restart: always'
  db restart 'depends_on: [agent]'
  db restart 'stop_signal: SIGKILL'
  db entrypoint 'entrypoint: [], command: []'
  db entrypoint 'working_dir: "a/../b"'
  db services 'container_name: x'
  db labels 'labels: { io.drydock.role: agent }'
  db labels 'labels: { a: b }'
  db terminal 'tty: true'
  db profiles 'profiles: [x]'
  db extends 'extends: { service: agent }'
  db env-file 'env_file: /etc/passwd'
  db null-environment 'environment: [HOME]'
  db interpolation 'command: ["$HOME"]'
  db unknown-key 'tomorrow: 1'
}

@test "a service's name is plain" {
  judge 77 services 'services: { Db: { image: my/db } }'
  judge 77 services 'services: { a_b: { image: my/db } }'
  judge 77 services 'services: { 1a: { image: my/db } }'
}

@test "an image that is not there, or brings something, is refused" {
  judge 77 image 'services: { db: { image: "$$x" } }'
  judge 77 image 'services: { db: { image: "-v" } }'
  judge 77 image 'services: { db: { image: "${DRYDOCK_AGENT_IMAGE}" } }'
  judge 78 "" 'services: { db: { image: !reset null } }'
  image '"Entrypoint":["/db"],"Volumes":{"/data":{}}'
  refused image 'tmpfs: !override ["/elsewhere:size=1m"]'
  assert_contains "$stderr" VOLUME
  # A volume where nothing may be mounted, or that cannot be written down.
  for at in /proc /run/services /run/services/x /dev/x data /a/../b '/a:b' '/a,b'; do
    image '"Entrypoint":["/db"],"Volumes":{"'"$at"'":{}}'
    judge 77 "" 'services: { db: { image: my/db } }'
  done
  image '"Entrypoint":["/db"],"Healthcheck":{"Test":["CMD","x"]}'
  refused image 'read_only: true'
  image '"Entrypoint":["/db"],"OnBuild":["RUN x"]'
  refused image 'read_only: true'
  image '"Entrypoint":["/db"],"Labels":{"io.drydock.session":"x"}'
  refused image 'read_only: true'
  image '"Env":["A=b"]'
  refused entrypoint 'read_only: true'
  stub_image "$id" "" another
  refused image 'read_only: true'
}

@test "more services than a few are a mistake" {
  local many
  many=$(printf 's%d: { image: my/db }, ' {1..9})
  judge 78 "" "services: { $many }"
}
