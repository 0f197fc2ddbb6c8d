# SPDX-License-Identifier: MIT
# The judge: {model, facts} in, an array of violations out; {raw, overlay} in,
# the same for one overlay of the user's before it is merged; {} in, the table
# of rules out.  It is an allow-list: a service is what `service` below expects,
# key by key, and what is not expected is a violation, whatever it is.

# One row a rule: its name, the keys of a service that it speaks for, and what
# it promises.  A key that no row names falls to unknown-key.
def table: [
{rule: "unknown-key", text: "no key that drydock does not know, at any level"},
{rule: "top-level", text: "name, services and drydock's own declarations stand at the top, nothing else"},
{rule: "services", keys: ["container_name"], text: "the services are agent, egress when contained, and further ones of your overlays"},
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
{rule: "limits", keys: ["mem_limit", "memswap_limit", "mem_reservation", "mem_swappiness", "pids_limit", "cpus", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpuset", "shm_size", "oom_kill_disable", "oom_score_adj", "blkio_config", "storage_opt", "ulimits", "deploy", "scale"], text: "memory, swap, processors and processes are limited as set; a further service may have less"},
{rule: "tmpfs", keys: ["tmpfs"], text: "the tmpfs mounts are drydock's; those of a further service have a size, /tmp's at most"},
{rule: "network", keys: ["network_mode", "networks", "ports", "expose", "dns", "dns_opt", "dns_search", "extra_hosts", "links", "external_links", "hostname", "domainname", "mac_address"], text: "contained: no network for the agent, the default bridge for egress; dood: the host's; none for a further service"},
{rule: "entrypoint", keys: ["entrypoint", "command", "working_dir", "post_start", "pre_stop"], text: "the container runs drydock's holder, a further service its own command, nothing before or after it"},
{rule: "image", keys: ["image", "pull_policy", "pull_refresh_after", "platform", "build", "develop"], text: "the image that drydock built, for a further service one that the engine has; by its id, never pulled"},
{rule: "healthcheck", keys: ["healthcheck"], text: "no health check runs"},
{rule: "restart", keys: ["restart", "stop_signal", "stop_grace_period", "depends_on", "attach"], text: "starts and stops are drydock's"},
{rule: "environment", keys: ["environment"], text: "drydock's own environment; overlays add plain names to the agent's; a further service has its own"},
{rule: "labels", keys: ["labels", "annotations"], text: "no labels but drydock's own"},
{rule: "logging", keys: ["logging"], text: "the container's log is bounded"},
{rule: "terminal", keys: ["tty", "stdin_open"], text: "the terminal is the holder's"},
{rule: "storage", keys: ["volumes", "volumes_from", "secrets", "configs", "volume_driver"], text: "nothing but binds and tmpfs"},
{rule: "bind-target", text: "binds are at targets of their own, each once, and hide no guardrail"},
{rule: "bind-missing", text: "each bind of the mode is there"},
{rule: "bind-source", text: "the source of a bind is the directory that belongs there, or one that the setting binds lists"},
{rule: "bind-options", text: "no propagation, relabelling or subpath, and no source that the engine makes"},
{rule: "bind-read-only", text: "what is read-only stays so, what is not is not"},
{rule: "source-kind", text: "a bind source is of the declared kind"},
{rule: "source-link", text: "no symlink leads to a bind source"},
{rule: "source-owner", text: "drydock's own bind sources are the caller's alone"},
{rule: "source-swapped", text: "the project is still the directory that was opened"},
{rule: "source-home", text: "the project and the user's binds are not, and do not hold, the home directory or /"},
{rule: "source-credentials", text: "they are not, and do not hold or lie in, a place of keys and credentials"},
{rule: "source-agent", text: "nor an agent's own configuration on the host"},
{rule: "source-system", text: "nor /etc, /proc, /sys, /dev, /run, /boot; nor do they lie in /root when that is not the caller's home"},
{rule: "source-engine", text: "nor the engine's data, and they are not and do not hold an engine's socket"},
{rule: "source-drydock", text: "nor drydock's configuration and state"},
{rule: "source-program", text: "they are not a directory of PATH, and are not and do not hold drydock's program"},
{rule: "include", text: "an overlay includes no other file"},
{rule: "extends", keys: ["extends"], text: "a service of an overlay extends no other"},
{rule: "env-file", keys: ["env_file"], text: "an overlay reads no environment from a file"},
{rule: "label-file", keys: ["label_file"], text: "an overlay reads no labels from a file"},
{rule: "profiles", keys: ["profiles"], text: "no service depends on a profile"},
{rule: "null-environment", text: "an overlay takes no variable's value from the environment"},
{rule: "from-files", text: "an overlay has no secrets or configs"},
{rule: "interpolation", text: "an overlay interpolates drydock's own variables alone, as ${NAME}"},
{rule: "anchors", text: "an overlay has no anchors, aliases or merge keys"},
{rule: "tags", text: "an overlay has no tags but !reset and !override"}
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
	end),
	($f.further // {} | keys as $further
	| select($further | length > 0)
	| dir("services"; "/run/services") | .service = ("agent", $further[]));

# What all services have.
def hardened($f; $role): {
	image: ($f.images[$role] // $f.further[$role].image), pull_policy: "never",
	init: true, user: ($f.users[$role] // $f.users.agent), read_only: true, cap_drop: ["ALL"],
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

# What a further service must be, but for what it may choose.
def further($f; $name):
	hardened($f; $name)
	+ {network_mode: "none", restart: "no", stop_grace_period: "10s"}
	| with_entries(select(.value | unset | not));

def chosen: ["entrypoint", "command", "working_dir", "tmpfs",
	"mem_limit", "memswap_limit", "pids_limit", "cpus"];

def equal($key; $is; $want):
	if $key | among(["mem_limit", "memswap_limit", "pids_limit"]) then
		($is | type | . == "string" or . == "number")
		and ($is | tostring) == ($want | tostring)
	elif $key | among(["cap_drop", "group_add", "tmpfs"]) then
		($is | type) == "array" and ($is | sort) == ($want | sort)
	else
		$is == $want
	end;

# What overlays may not set: what drydock sets, what chooses programs, proxies.
def reserved: ascii_downcase
	| . == "path" or . == "home" or startswith("ld_")
	or startswith("drydock") or endswith("proxy");

def plain_name: explode
	| length > 0 and (.[0] < 48 or .[0] > 57)
	and all(.[]; . == 95 or (. >= 48 and . <= 57) or (. >= 65 and . <= 90)
		or (. >= 97 and . <= 122));

def judge_environment($name; $is; $want):
	if ($is | type) != "object" then
		violation("environment"; $name; "environment is no mapping"; "environment")
	else
		($want | keys[] | select($is[.] != $want[.])
		| violation("environment"; $name; "\(.) must be \($want[.] | short), is \($is[.] | short)"; .)),
		($is | keys[] | . as $key | select($want | has($key) | not)
		| if $name == "egress" then
			violation("environment"; $name; "\(short) is not drydock's"; .)
		elif reserved or (plain_name | not) then
			violation("environment"; $name; "\(short) is not for an overlay to set"; .)
		elif $is[.] | type != "string" then
			violation("environment"; $name; "\(short) is no text"; .)
		else empty end)
	end;

def judge_keys($name; $is; $want):
	($is + $want | keys[])
	| select(. != "volumes" and . != "security_opt" and . != "environment") as $key
	| if ($want | has($key)) then
		select(equal($key; $is[$key]; $want[$key]) | not)
		| violation(rule_of_key($key); $name; "\($key) must be \($want[$key] | short), is \(
			if $is | has($key) then $is[$key] | short else "not set" end)"; $key)
	else
		select($is[$key] | unset | not)
		| violation(rule_of_key($key); $name; "\($key): \($is[$key] | short)"; $key)
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

# Absolute, and spelled in the one way there is.
def normal: startswith("/") and (. == "/" or (split("/")[1:]
	| all(.[]; . != "" and . != "." and . != "..")));

# In the container, nothing of the user's may hide any of these.
def guarded: ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run",
	"/sbin", "/sys", "/usr/bin", "/usr/lib", "/usr/sbin", "/var/lib/drydock", "/var/run"];

def judge_bind_options($name; $target; $volume):
	(if $volume.bind | . == {} or . == {create_host_path: false} then empty else
		violation("bind-options"; $name; "\($target | short) has \($volume.bind | short)"; $target) end),
	(($volume | keys) - ["type", "source", "target", "read_only", "bind"]
	| .[] | violation("bind-options"; $name; "\($target | short) has \(.)"; .));

# A bind that is not drydock's own.
def judge_user_bind($f; $name; $target; $volume; $want):
	[$f.binds[] | select(.path == $volume.source)][0] as $listed
	| (if $name == "agent" and $listed != null then empty else
		violation("bind-source"; $name; "\($volume.source | short) is not a directory that the setting binds lists";
			$volume.source // "" | tostring) end),
	(if $listed != null and $listed.read_only and $volume.read_only != true then
		violation("bind-read-only"; $name; "\($target | short) is listed as read-only"; $target)
	elif $volume.read_only | among([null, true, false]) | not then
		violation("bind-read-only"; $name; "\($target | short): read_only is \($volume.read_only | short)"; $target)
	else empty end),
	(if $target | normal | not then
		violation("bind-target"; $name; "\($target | short) is no plain absolute path"; $target)
	else
		(guarded[] | select(touches(.; $target))
		| violation("bind-target"; $name; "\($target | short) would hide or lie in \(.)"; $target)),
		(($want[].target, "/tmp") | select(holds($target; .))
		| violation("bind-target"; $name; "\($target | short) would hide \(.)"; $target))
	end);

def judge_volume($f; $name; $volume; $want):
	if ($volume | type) != "object" or $volume.type != "bind" then
		violation("storage"; $name; "not a bind: \($volume | short)"; $volume.source? // "volumes")
	else
		($volume.target | tostring) as $target
		| [$want[] | select(.target == $target)][0] as $bind
		| judge_bind_options($name; $target; $volume),
		if $bind == null then
			judge_user_bind($f; $name; $target; $volume; $want)
		else
			(if $volume.source == $bind.declared.source then empty else
				violation("bind-source"; $name; "\($target | short) must be \($bind.declared.source | short), is \($volume.source | short)";
					$volume.source // "" | tostring) end),
			(if ($volume.read_only // false) == $bind.read_only then empty else
				violation("bind-read-only"; $name; "\($target | short) is \(
					if $bind.read_only then "not read-only" else "read-only" end)"; $target) end)
		end
	end;

def judge_volumes($f; $name; $is; $want):
	if ($is | type) != "array" then
		violation("storage"; $name; "volumes is no list"; "volumes")
	else
		($is[] | judge_volume($f; $name; .; $want)),
		($want[].target as $target
		| if any($is[]; type == "object" and .target == $target) then empty else
			violation("bind-missing"; $name; "nothing at \($target | short)"; "") end),
		([$is[] | objects | .target | tostring] | group_by(.)[] | select(length > 1)
		| violation("bind-target"; $name; "\(length) binds at \(.[0] | short)"; .[0]))
	end;

# A number, also as text; null for anything else.
def number:
	if type == "number" then . elif type == "string" and length > 0 and length < 16
	    and (explode | all(.[]; . >= 48 and . <= 57)) then tonumber else null end;

# "64m" in bytes, null for what is no size.
def size:
	{"k": 1024, "m": 1048576, "g": 1073741824}[.[-1:] | ascii_downcase] as $unit
	| if $unit == null then number else .[:-1] | number | values * $unit end;

def judge_limit($name; $key; $is; $least; $most):
	select($is == null or $is <= 0 or $is < $least or ($most != null and $is > $most))
	| violation("limits"; $name; "\($key) is not between \($least) and \($most)"; $key);

def judge_limits($f; $name; $service):
	($f.limits.memory | number) as $memory
	| judge_limit($name; "mem_limit"; $service.mem_limit | number; 1; $memory),
	judge_limit($name; "memswap_limit"; $service.memswap_limit | number;
		$service.mem_limit | number // 1; $memory),
	judge_limit($name; "pids_limit"; $service.pids_limit | number; 1; $f.limits.pids | number),
	(if $f.limits.cpus == null and ($service.cpus | unset) then empty else
		judge_limit($name; "cpus"; $service.cpus | numbers // null; 0; $f.limits.cpus) end);

def tmpfs_option: . as $option | ["mode=", "uid=", "gid="]
	| any(.[]; . as $key | $option | startswith($key) and (.[($key | length):] | number) != null)
	or ($option | among(["rw", "exec", "noexec", "nosuid", "nodev"]));

def judge_tmpfs($f; $name; $tmpfs):
	if ($tmpfs | type) != "array" or any($tmpfs[]; type != "string") then
		violation("tmpfs"; $name; "tmpfs is no list"; "tmpfs")
	else
		($tmpfs[] | . as $entry | split(":") as $parts | $parts[0] as $target
		| ($parts[1] // "" | split(",")) as $options
		| [$options[] | select(startswith("size=")) | .[5:] | size] as $sizes
		| (select(($target | normal | not) or ($parts | length) > 2
		    or any("/proc", "/sys", "/dev", "/run/services"; touches(.; $target)))
		| violation("tmpfs"; $name; "\($entry | short) is no place for a tmpfs"; $entry)),
		(select(($sizes | length) != 1 or $sizes[0] <= 0 or $sizes[0] > ($f.limits.tmp | number))
		| violation("tmpfs"; $name; "\($entry | short) has not one size, of \($f.limits.tmp) at most"; $entry)),
		($options[] | select(startswith("size=") or tmpfs_option | not)
		| violation("tmpfs"; $name; "\($entry | short) has the option \(short)"; $entry))),
		([$tmpfs[] | split(":")[0]] | group_by(.)[] | select(length > 1)
		| violation("tmpfs"; $name; "\(length) tmpfs at \(.[0] | short)"; .[0]))
	end;

def words: type == "array" and all(.[]; type == "string");

def judge_command($name; $service):
	($service.entrypoint // [] | words) as $entrypoint
	| ($service.command // [] | words) as $command
	| (select(($entrypoint and $command | not)
	    or (($service.entrypoint // []) + ($service.command // []) | length) == 0)
	| violation("entrypoint"; $name; "neither the image nor an overlay says what runs"; "entrypoint")),
	(select($service.working_dir | . == null or (type == "string" and normal) | not)
	| violation("entrypoint"; $name; "working_dir: \($service.working_dir | short)"; "working_dir"));

def judge_own_environment($name; $is):
	if ($is | type) != "object" then
		violation("environment"; $name; "environment is no mapping"; "environment")
	else
		($is | to_entries[] | select((.value | type) != "string" or .key == "" or (.key | contains("=")))
		| violation("environment"; $name; "\(.key | short) is no text"; .key))
	end;

# What an image brings acts though no plan says so.
def judge_image($name; $image):
	if $image.image == null then
		violation("image"; $name; "the engine has no image \($image.reference | short): it is not pulled";
			$image.reference // "image")
	else
		(({volumes: "VOLUME", healthcheck: "HEALTHCHECK", onbuild: "ONBUILD"} | to_entries[])
		| select($image[.key])
		| violation("image"; $name; "image \($image.reference | short) carries \(.value)"; $image.reference)),
		($image.labels[]
		| select(among(["context", "gid", "home", "image", "uid", "user"] | map("io.drydock." + .)) | not)
		| violation("image"; $name; "image \($image.reference | short) carries the label \(.)"; $image.reference))
	end;

def judge_further($f; $name; $service):
	if ($f.further // {} | has($name) | not) then
		violation("services"; $name; "a further service with no name of a-z, 0-9 and -, a letter first, 32 at most"; $name)
	elif ($service | type) != "object" then
		violation("services"; $name; "no service"; $name)
	else
		further($f; $name) as $want
		| judge_image($name; $f.further[$name]),
		judge_keys($name; $service | with_entries(select(.key | among(chosen) | not))
			| if $want | has("image") then . else del(.image) end; $want),
		judge_limits($f; $name; $service),
		judge_tmpfs($f; $name; $service.tmpfs // []),
		(if $want | has("image") then judge_command($name; $service) else empty end),
		judge_own_environment($name; $service.environment // {}),
		judge_security_opt($f; $name; $service.security_opt // []),
		judge_volumes($f; $name; $service.volumes // [];
			[binds($f) | select(.service == $name)])
	end;

def judge_service($f; $name; $service):
	[binds($f) | select(.service == $name)] as $binds
	| if ($service | type) != "object" then
		violation("services"; $name; "no service"; "")
	else
		service($f; $name) as $want
		| judge_keys($name; $service; $want),
		judge_environment($name; $service.environment // {}; $want.environment // {}),
		judge_security_opt($f; $name; $service.security_opt // []),
		judge_volumes($f; $name; $service.volumes // []; $binds)
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
		| . as $name | judge_further($f; $name; $model.services[$name])),
		($names[] as $name | judge_service($f; $name; $model.services[$name]))
	end,
	if $model.name == "drydock-" + $f.session then empty else
		violation("top-level"; ""; "name: \($model.name | short)"; "name") end;

# What a source may not be to a protected place, by the place's group, and what
# such a place is in words.
def forbidden: {
	root: {rule: "source-home", how: ["is", "holds"], text: "the root of the file system"},
	home: {rule: "source-home", how: ["is", "holds"], text: "the home directory"},
	credentials: {rule: "source-credentials", how: ["is", "holds", "under"], text: "a place of keys, credentials or programs"},
	"agent-config": {rule: "source-agent", how: ["is", "holds", "under"], text: "the agent's own configuration"},
	system: {rule: "source-system", how: ["is", "holds", "under"], text: "a system directory"},
	"root-home": {rule: "source-system", how: ["is", "under"], text: "a system directory"},
	"engine-data": {rule: "source-engine", how: ["is", "holds", "under"], text: "the engine's data"},
	"engine-socket": {rule: "source-engine", how: ["is", "holds"], text: "an engine's socket"},
	drydock: {rule: "source-drydock", how: ["is", "holds", "under"], text: "drydock's configuration or state"},
	path: {rule: "source-program", how: ["is"], text: "a directory of PATH"},
	program: {rule: "source-program", how: ["is", "holds"], text: "drydock's program or a part of it"}
};

# A directory of PATH has many names as a rule: "/usr/bin" is "/bin".
def relation($path; $touch; $text):
	if $touch.how == "is" and ($touch.place == $path or $touch.group == "path") then
		"\($path | short) is \($text)"
	else
		"\($path | short) \(if $touch.how == "under" then "lies in" else $touch.how end) \(
			$touch.place | short), \($text)"
	end;

# For what drydock does not make itself.
def judge_touches($f; $service; $path; $source):
	if ($source.touches | type) != "array" then
		violation("source-kind"; $service; "\($path | short) is no directory that can be looked at"; "")
	else
		$source.touches[] | . as $touch
		| .group as $group | .how as $how | forbidden[$group] as $no
		| select($group != "root-home" or .place != $f.home)
		| if $no == null then
			error("no group \($group)")
		elif $how | among($no.how) then
			violation($no.rule; $service; "\(relation($path; $touch; $no.text))\(
				if $no.rule == "source-home" then ": name a directory of its own for the project" else "" end)"; "")
		else empty end
	end;

# Sources that the setting lists; those that nothing lists are refused as such.
# One of drydock's own is that at its own target alone.
def judge_user_sources($f; $model):
	[binds($f) | select(.service == "agent") | .target] as $own
	| ([(try $model.services.agent.volumes[] catch empty) | objects
		| select(.target | among($own) | not) | .source | strings] | unique)[]
	| . as $path | $f.sources[$path] as $source
	| select(any($f.binds[]; .path == $path))
	| if $path | among([binds($f) | select(.role != "project") | .declared.source]) then
		violation("source-drydock"; "agent"; "\($path | short) stands at its own target alone"; "")
	elif $source.exists != true or $source.kind != "directory" then
		violation("source-kind"; "agent"; "\($path | short) is no directory"; "")
	elif $source.real != $path then
		violation("source-link"; "agent"; "\($path | short) leads to \($source.real | short)"; "")
	else
		judge_touches($f; "agent"; $path; $source)
	end;

# Facts about the sources, which the model does not show.
def judge_source($f; $bind; $source):
	"\($bind.role) \($bind.declared.source | short)" as $what
	# Nothing is bound from there, which bind-missing says.
	| if $source == null then empty
	elif $source.exists | not then
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
		elif "\($source.uid):\($source.gid)" | among([$f.users.agent, $f.users.egress]) | not then
			violation("source-owner"; $bind.service; "\($what) belongs to \($source.uid):\($source.gid)"; "")
		elif $source.others_write then
			violation("source-owner"; $bind.service; "\($what) can be written by others"; "")
		else empty end),
		(select($bind.role == "project")
		| judge_touches($f; $bind.service; $bind.declared.source; $source),
		(select($source.dev != $f.roles.project.dev or $source.ino != $f.roles.project.ino)
		| violation("source-swapped"; $bind.service; "\($what) is another directory now"; "")))
	end;

def judge_places($f):
	(["home", $f.home], ["project", $f.roles.project.path]) as [$role, $path]
	| (guarded[] | select(touches(.; $path))
	| violation("bind-target"; "agent"; "\($role) at \($path | short) would hide or lie in \(.)"; "")),
	(if holds($path; "/tmp") then
		violation("bind-target"; "agent"; "\($role) at \($path | short) would hide /tmp"; "") else empty end);

# sha256sum seccomp.json; a test tells when the two part.
def judge_seccomp($f):
	"949cefc55e0135de1daa56877fbde15aa562f08e7c34efd11694dcefb7ad821f" as $digest
	| if $f.seccomp.digest == $digest then empty else
		violation("seccomp-profile"; ""; "seccomp.json is not the profile that the policy knows"; "") end;

# What Compose would resolve away, in an overlay as it was written.
def judge_raw_service($name; $service):
	if ($service | type) != "object" then empty
	else
		($service | keys[] | rule_of_key(.) as $rule
		| select($rule | among(["unknown-key", "extends", "env-file", "label-file", "profiles"]))
		| violation($rule; $name; "\(.) stands in an overlay"; .)),
		($service.environment
		| if type == "object" then
			to_entries[] | select(.value == null) | .key
		elif type == "array" then
			.[] | tostring | select(contains("=") | not)
		else empty end
		| violation("null-environment"; $name; "\(short) has no value"; .))
	end;

# "$$" is a dollar.
def foreign_variables($variables):
	split("$$") | join("") | split("$")[1:][]
	| select(. as $rest | any($variables[]; . as $v | $rest | startswith("{\($v)}")) | not)
	| "$" + .;

def judge_raw($overlay; $variables):
	($overlay | keys[]
	| select(among(["services", "version"]) | not)
	| violation(if . == "include" then "include"
		elif among(["secrets", "configs"]) then "from-files"
		else "top-level" end; ""; "\(.) stands in an overlay"; .)),
	($overlay.services
	| if type == "object" then
		keys[] as $name | judge_raw_service($name; .[$name])
	elif . == null then empty
	else violation("services"; ""; "services is no mapping"; "services") end),
	([$overlay | .. | strings | foreign_variables($variables)] | unique[]
	| violation("interpolation"; ""; "\(short) is not drydock's"; .)),
	([$overlay | .. | objects | keys[] | select(contains("$"))] | unique[]
	| violation("interpolation"; ""; "a $ in the key \(short)"; .));

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
	   judge_user_sources($f; $model), judge_places($f), judge_seccomp($f)]
	| unique | map(attribute($f))
elif has("raw") then
	.raw as $raw
	| [judge_raw(.overlay; $raw.variables)]
	| unique | map(del(.word) | .overlay = $raw.name)
else
	table
end
