# SPDX-License-Identifier: MIT
# The judge: {model, facts} in, an array of violations out; {} in, the table of
# rules out.  It is an allow-list: a service is what `service` below expects, key
# by key, and what is not expected is a violation, whatever it is.

# One row a rule: its name, the keys of a service that it speaks for, and what
# it promises.  A key that no row names falls to unknown-key.
def table: [
{rule: "unknown-key", text: "no key that drydock does not know, at any level"},
{rule: "top-level", text: "name, services and drydock's own declarations stand at the top, nothing else"},
{rule: "services", text: "the services are agent and, when contained, egress"},
{rule: "declaration", text: "each bind source is declared once, as drydock declares it"},
{rule: "privileged", keys: ["privileged"], text: "no privileged container"},
{rule: "capabilities", keys: ["cap_add", "cap_drop"], text: "every capability is dropped, none is added"},
{rule: "no-new-privileges", text: "no process gains privileges"},
{rule: "seccomp", text: "drydock's own seccomp profile, from the session's directory"},
{rule: "seccomp-profile", text: "the profile is the one that came with the policy, judged by its digest"},
{rule: "security-opt", keys: ["security_opt"], text: "no security option but no-new-privileges and the profile"},
{rule: "namespaces", keys: ["pid", "ipc", "uts", "userns_mode", "cgroup"], text: "own pid, ipc, uts and cgroup namespaces"},
{rule: "runtime", keys: ["runtime", "cgroup_parent", "isolation", "credential_spec", "use_api_socket", "provider", "models"], text: "the engine's own runtime and cgroup"},
{rule: "devices", keys: ["devices", "device_cgroup_rules", "gpus"], text: "no devices"},
{rule: "sysctls", keys: ["sysctls"], text: "no kernel settings"},
{rule: "user", keys: ["user"], text: "the caller's own uid and gid; for egress the proxy's own when the caller is root"},
{rule: "groups", keys: ["group_add"], text: "no further group; in dood the engine socket's alone"},
{rule: "read-only", keys: ["read_only"], text: "the root file system is read-only"},
{rule: "init", keys: ["init"], text: "an init process is PID 1"},
{rule: "limits", keys: ["mem_limit", "memswap_limit", "mem_reservation", "mem_swappiness", "pids_limit", "cpus", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpuset", "shm_size", "oom_kill_disable", "oom_score_adj", "blkio_config", "storage_opt", "ulimits", "deploy", "scale"], text: "memory, swap, processors and processes are limited as set"},
{rule: "tmpfs", keys: ["tmpfs"], text: "the tmpfs mounts are drydock's, with their sizes and options"},
{rule: "network", keys: ["network_mode", "networks", "ports", "expose", "dns", "dns_opt", "dns_search", "extra_hosts", "links", "external_links", "hostname", "domainname", "mac_address"], text: "contained: no network for the agent, the default bridge for egress; dood: the host's"},
{rule: "entrypoint", keys: ["entrypoint", "command", "working_dir", "post_start", "pre_stop"], text: "the container runs drydock's holder, nothing before or after it"},
{rule: "image", keys: ["image", "pull_policy", "platform", "build", "develop"], text: "the image that drydock built, by its id, never pulled"},
{rule: "healthcheck", keys: ["healthcheck"], text: "no health check runs"},
{rule: "restart", keys: ["restart", "stop_signal", "stop_grace_period", "depends_on", "profiles", "attach"], text: "starts and stops are drydock's"},
{rule: "environment", keys: ["environment", "env_file"], text: "no environment but drydock's own"},
{rule: "labels", keys: ["labels", "label_file", "annotations"], text: "no labels but drydock's own"},
{rule: "logging", keys: ["logging"], text: "the container's log is bounded"},
{rule: "terminal", keys: ["tty", "stdin_open"], text: "the terminal is the holder's"},
{rule: "storage", keys: ["volumes", "volumes_from", "secrets", "configs", "volume_driver"], text: "nothing but binds and tmpfs"},
{rule: "bind-target", text: "binds are at drydock's targets, each once, and hide no guardrail"},
{rule: "bind-missing", text: "each bind of the mode is there"},
{rule: "bind-source", text: "the source of a bind is the directory that belongs there"},
{rule: "bind-options", text: "no propagation, relabelling or subpath, and no source that the engine makes"},
{rule: "bind-read-only", text: "what is read-only stays so, what is not is not"},
{rule: "source-kind", text: "a bind source is of the declared kind"},
{rule: "source-link", text: "no symlink leads to a bind source"},
{rule: "source-owner", text: "drydock's own bind sources are the caller's alone"},
{rule: "source-swapped", text: "the project is still the directory that was opened"},
{rule: "project-place", text: "the project is not, holds or lies in drydock's state or configuration, credentials, or the engine's data"}
];

# Not index(): libjq 1.6 leaks what it compares.
def among($list): . as $x | any($list[]; . == $x);

def rule_of_key($key):
	([table[] | select((.keys // []) as $keys | $key | among($keys)) | .rule] | first) // "unknown-key";

# A name that the table lacks is a bug, and an error is a refusal.
def violation($rule; $service; $what; $word):
	if any(table[]; .rule == $rule) | not then
		error("no rule \($rule)")
	else
		{$rule, $service, $what, $word}
	end;

# Compose prints what is not set in several ways; they mean the same.
def unset: . == null or . == [] or . == {};

def short: tojson | if length > 200 then .[:200] + "..." else . end;

# Is, holds or lies in.
def holds($a; $b):
	$a == "/" or $a == $b or ($b | startswith($a + "/"));
def touches($a; $b): holds($a; $b) or holds($b; $a);

# The binds of a mode: what stands at which target, and what is declared of it.
def binds($f):
	def dir($role; $target):
		{$role, $target, read_only: false,
		 declared: {source: $f.roles[$role].path, kind: "directory", make: "0700"}};
	(dir("home"; $f.home),
	 (dir("project"; $f.roles.project.path) | del(.declared.make)),
	 dir("run"; "/run/drydock"),
	 dir("history"; "/var/lib/drydock/history")
	 | .service = "agent"),
	(if $f.mode == "contained" then
		(dir("egress"; "/run/egress")
		| .declared += {make: "0711", owner: $f.users.egress}
		| .service = "agent", .service = "egress"),
		(dir("proxy"; "/etc/drydock-egress")
		| .declared.make = "0755" | .read_only = true | .service = "egress"),
		(dir("proxylog"; "/var/log/squid")
		| .declared.owner = $f.users.egress | .service = "egress")
	elif $f.mode == "dood" then
		{role: "engine", target: "/run/docker.sock", read_only: false, service: "agent",
		 declared: {source: $f.roles.engine.path, kind: "socket"}}
	else
		error("no such mode")
	end);

# What both services have.
def hardened($f; $role): {
	image: $f.images[$role], pull_policy: "never", init: true,
	user: $f.users[$role], read_only: true, cap_drop: ["ALL"],
	ipc: "private", cgroup: "private", healthcheck: {disable: true},
	stop_signal: "SIGTERM",
	logging: {driver: "local", options: {"max-size": "1m", "max-file": "2"}},
	labels: {"io.drydock.role": $role, "io.drydock.session": $f.session,
	    "io.drydock.state": $f.state}
};

def proxy_environment:
	"http://127.0.0.1:3128" as $proxy | "localhost,127.0.0.1,::1" as $no
	| {HTTPS_PROXY: $proxy, https_proxy: $proxy, HTTP_PROXY: $proxy,
	   http_proxy: $proxy, NO_PROXY: $no, no_proxy: $no};

# What a service must be, but for volumes and security_opt.
def service($f; $name):
	"/usr/lib/drydock/holder" as $holder
	| {DRYDOCK: "1", DRYDOCK_SESSION: $f.session, HOME: $f.home} as $own
	| if $name == "egress" then
		hardened($f; $name) + {
			entrypoint: [$holder, "egress"], working_dir: "/",
			network_mode: "bridge", restart: "on-failure:3",
			stop_grace_period: "2s", mem_limit: "268435456",
			memswap_limit: "268435456", pids_limit: 64,
			ulimits: {fsize: 16777216},
			tmpfs: [
			    "/tmp:rw,noexec,nosuid,nodev,mode=1777,size=16m",
			    "/var/spool/squid:rw,noexec,nosuid,nodev,mode=1777,size=16m"]
		}
	else
		hardened($f; $name) + {
			working_dir: $f.roles.project.path, restart: "no",
			stop_grace_period: "10s", mem_limit: $f.limits.memory,
			memswap_limit: $f.limits.memory,
			pids_limit: $f.limits.pids, cpus: $f.limits.cpus,
			tmpfs: ["/tmp:rw,exec,nosuid,nodev,mode=1777,size=\($f.limits.tmp)"]
		} + (if $f.mode == "contained" then {
			entrypoint: [$holder, "hold", "--egress"],
			network_mode: "none", environment: ($own + proxy_environment)
		} else {
			entrypoint: [$holder, "hold"], network_mode: "host",
			environment: $own, group_add: ["\($f.engine.gid)"]
		} end)
	end
	| with_entries(select(.value | unset | not));

def equal($key; $is; $want):
	if $key | among(["mem_limit", "memswap_limit", "pids_limit"]) then
		($is | type | . == "string" or . == "number")
		and ($is | tostring) == ($want | tostring)
	elif $key | among(["cap_drop", "group_add", "tmpfs"]) then
		($is | type) == "array" and ($is | sort) == ($want | sort)
	else
		$is == $want
	end;

def judge_keys($name; $is; $want):
	($is + $want | keys[])
	| select(. != "volumes" and . != "security_opt") as $key
	| rule_of_key($key) as $rule
	| if ($want | has($key)) then
		select(equal($key; $is[$key]; $want[$key]) | not)
		| violation($rule; $name; "\($key) must be \($want[$key] | short), is \(
			if $is | has($key) then $is[$key] | short else "not set" end)"; $key)
	else
		select($is[$key] | unset | not)
		| violation($rule; $name; "\($key): \($is[$key] | short)"; $key)
	end;

def judge_security_opt($f; $name; $options):
	"no-new-privileges:true" as $nnp | "seccomp:\($f.seccomp.path)" as $seccomp
	| if ($options | type) != "array" then
		violation("security-opt"; $name; "security_opt is no list"; "security_opt")
	else
		(if $nnp | among($options) then empty else
			violation("no-new-privileges"; $name; "\($nnp) is missing"; "") end),
		(if $seccomp | among($options) then empty else
			violation("seccomp"; $name; "drydock's profile is missing"; "") end),
		(($options - [$nnp, $seccomp])[] | tostring
		| violation(if startswith("seccomp") then "seccomp"
			elif startswith("no-new-privileges") then "no-new-privileges"
			else "security-opt" end; $name; "option \(.)"; .)),
		(if ($options | length) != ($options | unique | length) then
			violation("security-opt"; $name; "an option twice"; "") else empty end)
	end;

def judge_volume($name; $volume; $want):
	if ($volume | type) != "object" or $volume.type != "bind" then
		violation("storage"; $name; "not a bind: \($volume | short)"; $volume.source? // "volumes")
	else
		($volume.target | tostring) as $target
		| [$want[] | select(.target == $target)][0] as $bind
		| if $bind == null then
			violation("bind-target"; $name; "a bind at \($target | short)"; $target)
		else
			(if $volume.source == $bind.declared.source then empty else
				violation("bind-source"; $name; "\($target | short) must be \($bind.declared.source | short), is \($volume.source | short)";
					$volume.source // "" | tostring) end),
			(if ($volume.read_only // false) == $bind.read_only then empty else
				violation("bind-read-only"; $name; "\($target | short) is \(
					if $bind.read_only then "not read-only" else "read-only" end)"; $target) end),
			(if $volume.bind | . == {} or . == {create_host_path: false} then empty else
				violation("bind-options"; $name; "\($target | short) has \($volume.bind | short)"; $target) end),
			(($volume | keys) - ["type", "source", "target", "read_only", "bind"]
			| .[] | violation("bind-options"; $name; "\($target | short) has \(.)"; .))
		end
	end;

def judge_volumes($name; $is; $want):
	if ($is | type) != "array" then
		violation("storage"; $name; "volumes is no list"; "volumes")
	else
		($is[] | judge_volume($name; .; $want)),
		($want[] | .target as $target
		| [$is[] | objects | select(.target == $target)] | length
		| if . == 0 then
			violation("bind-missing"; $name; "nothing at \($target | short)"; "")
		elif . > 1 then
			violation("bind-target"; $name; "\(.) binds at \($target | short)"; $target)
		else empty end)
	end;

def judge_service($f; $name; $service):
	[binds($f) | select(.service == $name)] as $binds
	| if ($service | type) != "object" then
		violation("services"; $name; "no service"; "")
	else
		judge_keys($name; $service; service($f; $name)),
		judge_security_opt($f; $name; $service.security_opt),
		judge_volumes($name; $service.volumes; $binds)
	end;

def judge_top($f; $model):
	[binds($f) | {key: "x-drydock-\(.role)", value: .declared}] | unique | from_entries
	| . as $declared
	| (($model | keys) - ["name", "services"] - ($declared | keys))[]
	| select($model[.] | unset | not)
	| violation(if startswith("x-drydock") then "declaration" else "top-level" end;
		""; "\(.): \($model[.] | short)"; .);

def judge_declarations($f; $model):
	[binds($f) | {key: "x-drydock-\(.role)", value: .declared}] | from_entries
	| to_entries[]
	| select($model[.key] != .value)
	| violation("declaration"; ""; "\(.key) must be \(.value | short), is \($model[.key] | short)"; .key);

def judge_services($f; $model):
	(if $f.mode == "contained" then ["agent", "egress"] else ["agent"] end) as $names
	| if ($model.services | type) != "object" then
		violation("services"; ""; "no services"; "")
	else
		((($model.services | keys) - $names)[]
		| violation("services"; .; "a further service"; .)),
		($names[] as $name | judge_service($f; $name; $model.services[$name]))
	end,
	if $model.name == "drydock-" + $f.session then empty else
		violation("top-level"; ""; "name: \($model.name | short)"; "name") end;

# Facts about the sources, which the model does not show.
def judge_source($f; $bind; $source):
	"\($bind.role) \($bind.declared.source | short)" as $what
	| if $source.exists | not then
		(if $bind.declared | has("make") then empty else
			violation("source-kind"; $bind.service; "\($what) is not there"; "") end)
	else
		(if $source.kind == $bind.declared.kind then empty
		elif $source.kind == "symlink" then
			violation("source-link"; $bind.service; "\($what) is a symlink"; "")
		else
			violation("source-kind"; $bind.service; "\($what) must be a \($bind.declared.kind), is a \($source.kind)"; "") end),
		(if $source.real == $bind.declared.source then empty else
			violation("source-link"; $bind.service; "\($what) leads to \($source.real | short)"; "") end),
		(if $bind.declared | has("make") | not then empty
		elif ["\($source.uid):\($source.gid)"] | inside([$f.users.agent, $f.users.egress]) | not then
			violation("source-owner"; $bind.service; "\($what) belongs to \($source.uid):\($source.gid)"; "")
		elif $source.others_write then
			violation("source-owner"; $bind.service; "\($what) can be written by others"; "")
		else empty end),
		(if $bind.role != "project" then empty
		elif $source.dev == $f.roles.project.dev and $source.ino == $f.roles.project.ino then empty
		else violation("source-swapped"; $bind.service; "\($what) is another directory now"; "") end)
	end;

# In the container, home and project may hide none of these.
def guarded: ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run",
	"/sbin", "/sys", "/usr/bin", "/usr/lib", "/usr/sbin", "/var/lib/drydock", "/var/run"];

def judge_places($f):
	(["home", $f.home], ["project", $f.roles.project.path]) as [$role, $path]
	| (guarded[] | select(touches(.; $path))
	| violation("bind-target"; "agent"; "\($role) at \($path | short) would hide or lie in \(.)"; "")),
	(if holds($path; "/tmp") then
		violation("bind-target"; "agent"; "\($role) at \($path | short) would hide /tmp"; "") else empty end);

def judge_project($f):
	$f.roles.project.path as $project
	| (if holds($project; $f.home) then
		violation("project-place"; "agent"; "the project is or holds the home directory"; "") else empty end),
	($f.private[] | select(touches(.; $project))
	| violation("project-place"; "agent"; "the project is, holds or lies in \(short)"; ""));

# sha256sum seccomp.json; a test tells when the two part.
def judge_seccomp($f):
	"34d6ba4734ab3f7d62d6adf600b21ad9cfc6927758f42ecd6fabc71cb9b5bf09" as $digest
	| if $f.seccomp.digest == $digest then empty else
		violation("seccomp-profile"; ""; "seccomp.json is not the profile that the policy knows"; "") end;

# The overlay that brought a word, where one alone shows it.
def attribute($f):
	.word as $word | del(.word)
	| .overlay = if $word == "" then "" else
		[$f.overlays[] | select(.text | contains($word)) | .name] | last // "" end;

if has("model") then
	.model as $model | .facts as $f
	| [judge_top($f; $model), judge_declarations($f; $model),
	   judge_services($f; $model),
	   (binds($f) as $bind | judge_source($f; $bind; $f.sources[$bind.declared.source])),
	   judge_places($f), judge_project($f), judge_seccomp($f)]
	| unique | map(attribute($f))
else
	table
end
