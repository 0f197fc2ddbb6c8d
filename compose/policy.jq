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
{rule: "source-drydock", text: "nor drydock's configuration and state, nor what a link in it leads to"},
{rule: "source-startup", text: "nor what the host runs by itself: shells' start files, units and programs of the user's log-in"},
{rule: "source-program", text: "they are not and do not hold a directory of PATH, but for an activated environment's, nor drydock's program or a directory of the programs that it runs"},
{rule: "source-socket", text: "nobody listens at a unix socket in them, unless the setting project_sockets says that the agent may connect"},
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
def among(list): [.] - list == [];

def unless(good): select(good | not);

def rule_of_key($key):
	[(table[] | select(.keys and [$key] - .keys == []) | .rule), "unknown-key"][0];

def short: tojson | if length > 200 then .[:200] + "..." else . end;

# The arguments in the places of a text's %: %s as they are, %j as JSON.
def fill($arguments):
	split("%") as $parts
	| if ($parts | length) != ($arguments | length) + 1 then
		error("\"\(.)\" has not \($arguments | length) arguments")
	else
		[$parts[0], (range(1; $parts | length) as $i | $parts[$i] as $part
		| ($arguments[$i - 1] | if $part | startswith("j") then short else tostring end),
		$part[1:])] | add
	end;

# A name that the table lacks is a bug, and an error is a refusal.  The word is
# what may show which overlay brought it.
def violation($rule; $word; $text; arguments):
	[arguments] as $arguments
	| if $rule | among([table[].rule]) then
		{$rule, service: "", what: ($text | fill($arguments)), $word}
	else
		error("no rule \($rule)")
	end;

def of($service; violations): violations + {$service};

# Compose prints what is not set in several ways; they mean the same.
def unset: among([null, [], {}]);

# Is, holds or lies in.
def holds($a; $b): $a == "/" or ($b + "/" | startswith($a + "/"));
def touches($a; $b): holds($a; $b) or holds($b; $a);

# Absolute, and spelled in the one way there is.
def normal: startswith("/")
	and (. == "/" or (split("/")[1:] | . == . - ["", ".", ".."]));

def words: type == "array" and all(.[]; type == "string");

# A number, also as text; null for anything else.
def number:
	if type == "number" then .
	elif type == "string" and test("\\A[0-9]{1,15}\\z") then tonumber
	else null end;

# "64m" in bytes, null for what is no size.
def size:
	{"k": 1024, "m": 1048576, "g": 1073741824}[.[-1:] | ascii_downcase] as $unit
	| if $unit == null then number else .[:-1] | number | values * $unit end;

# What Compose would resolve away, in an overlay as it was written.
def judge_raw_service($service):
	($service | keys[] | rule_of_key(.) as $rule
	| select($rule | among(["unknown-key", "extends", "env-file", "label-file", "profiles"]))
	| violation($rule; .; "overlays may not have the key %j in a service"; .)),
	($service.environment
	| if type == "object" then
		to_entries[] | select(.value == null) | .key
	elif type == "array" then
		.[] | tostring | unless(contains("="))
	else empty end
	| violation("null-environment"; .; "%j has no value"; .));

# "$$" is a dollar.
def foreign_variables($variables):
	split("$$") | join("") | split("$")[1:][]
	| unless(. as $rest | any($variables[]; . as $v | $rest | startswith("{\($v)}")))
	| "$" + .;

def judge_raw($overlay; $variables):
	($overlay | keys[]
	| unless(among(["services", "version"]))
	| violation(if . == "include" then "include"
		elif among(["secrets", "configs"]) then "from-files"
		else "top-level" end; .; "overlays may not have a top-level %j key"; .)),
	($overlay.services
	| if type == "object" then
		to_entries[] | select(.value | type == "object")
		| of(.key; judge_raw_service(.value))
	elif . == null then empty
	else violation("services"; "services"; "services is no mapping"; empty) end),
	([$overlay | .. | strings | foreign_variables($variables)] | unique[]
	| violation("interpolation"; .; "%j is not drydock's"; .)),
	([$overlay | .. | objects | keys[] | select(contains("$"))] | unique[]
	| violation("interpolation"; .; "a $ in the key %j"; .));

# From here on $f are the facts, and $model is what Compose merged.
.facts as $f | .model as $model |

# What stands at which target of which service, and what is declared of it; the
# home and the project stand where they do on the host.
def bind_table: [
{role: "home", for: ["agent"], declared: {kind: "directory", make: "0700"}},
{role: "project", for: ["agent"], declared: {kind: "directory"}},
{role: "run", for: ["agent"], target: "/run/drydock", declared: {kind: "directory", make: "0700"}},
{role: "history", for: ["agent"], target: "/var/lib/drydock/history", declared: {kind: "directory", make: "0700"}},
{role: "egress", mode: "contained", for: ["agent", "egress"], target: "/run/egress", declared: {kind: "directory", make: "0711"}, owner: "egress"},
{role: "proxy", mode: "contained", for: ["egress"], target: "/etc/drydock-egress", read_only: true, declared: {kind: "directory", make: "0755"}},
{role: "proxylog", mode: "contained", for: ["egress"], target: "/var/log/squid", declared: {kind: "directory", make: "0700"}, owner: "egress"},
{role: "engine", mode: "dood", for: ["agent"], target: "/run/docker.sock", declared: {kind: "socket"}},
{role: "services", target: "/run/services", declared: {kind: "directory", make: "0700"}}
];

# Those of the mode, one a service; "services" where there are further ones.
def binds:
	if $f.mode | among(["contained", "dood"]) then bind_table[] else error("no such mode") end
	| select(.mode | among([null, $f.mode]))
	| (if .for then .for[]
	    else $f.further // {} | keys | select(. != []) | "agent", .[] end) as $service
	| {read_only: false, target: {home: $f.home, project: $f.roles.project.path}[.role]} + .
	+ (if .role == "project" then {read_only: ($f.roles.project.read_only // false)} else {} end)
	+ {$service, declared: ({source: $f.roles[.role].path} + .declared
	    + (if .owner then {owner: $f.users[.owner]} else {} end))};

# Only an absent key may be defaulted: `//` would take false for absent, too.
def absent($default): if . == null then $default else . end;

# What services are, but for volumes and security_opt.
def service_table: {
all: {pull_policy: "never", init: true, read_only: true, cap_drop: ["ALL"],
	ipc: "private", cgroup: "private", healthcheck: {disable: true}, stop_signal: "SIGTERM",
	logging: {driver: "local", options: {"max-size": "1m", "max-file": "2"}}},
further: {ulimits: {msgqueue: 262144, sigpending: 1024}, network_mode: "none", restart: "no", stop_grace_period: "10s"},
egress: {entrypoint: ["/usr/lib/drydock/holder", "egress"], working_dir: "/",
	network_mode: "bridge", restart: "on-failure:3", stop_grace_period: "2s",
	mem_limit: "268435456", memswap_limit: "268435456", pids_limit: 64, ulimits: {fsize: 16777216, msgqueue: 262144, sigpending: 1024},
	tmpfs: ["/tmp:rw,noexec,nosuid,nodev,mode=1777,size=16m",
		"/var/spool/squid:rw,noexec,nosuid,nodev,mode=1777,size=16m"]},
agent: {ulimits: {msgqueue: 262144, sigpending: 1024}, restart: "no", stop_grace_period: "10s"},
contained: {entrypoint: ["/usr/lib/drydock/holder", "hold", "--egress"], network_mode: "none",
	environment: {
		HTTPS_PROXY: "http://127.0.0.1:3128", https_proxy: "http://127.0.0.1:3128",
		HTTP_PROXY: "http://127.0.0.1:3128", http_proxy: "http://127.0.0.1:3128",
		NO_PROXY: "localhost,127.0.0.1,::1", no_proxy: "localhost,127.0.0.1,::1"}},
dood: {entrypoint: ["/usr/lib/drydock/holder", "hold"], network_mode: "host"}
};

# What a service must be: a row of the table, and what the facts add.
def expected($name; $row):
	service_table.all + {
		image: ($f.images[$name] // $f.further[$name].image),
		user: ($f.users[$name] // $f.users.agent),
		labels: {"io.drydock.role": $name, "io.drydock.session": $f.session,
		    "io.drydock.state": $f.state}
	} + $row | with_entries(unless(.value | unset));

def agent_row:
	service_table[$f.mode] as $mode
	| service_table.agent + $mode + ($f.limits | {
		working_dir: $f.roles.project.path, mem_limit: .memory, memswap_limit: .memory,
		pids_limit: .pids, cpus, tmpfs: ["/tmp:rw,exec,nosuid,nodev,mode=1777,size=\(.tmp)",
			"/dev/shm:rw,noexec,nosuid,nodev,mode=1777,size=\(.shm)"],
		environment: ({DRYDOCK: "1", DRYDOCK_SESSION: $f.session, HOME: $f.home}
			+ $mode.environment)
	}) + ({group_add: ((if $f.mode == "dood" then ["\($f.engine.gid)"] else [] end) + ($f.groups // []))}
		| with_entries(unless(.value | unset)));

# Numbers may be text, and the order of these lists says nothing.
def comparable($key):
	if type == "number" and ($key | among(["mem_limit", "memswap_limit", "pids_limit"])) then tostring
	elif type == "array" and ($key | among(["cap_drop", "group_add", "tmpfs"])) then sort
	else . end;

def judge_keys($is; $want):
	($is + $want | keys - ["volumes", "security_opt", "environment"])[] as $key
	| if $want | has($key) then
		unless(($is[$key] | comparable($key)) == ($want[$key] | comparable($key)))
		| violation(rule_of_key($key); $key; "%s must be %j, is %s"; $key, $want[$key],
			($is | if has($key) then .[$key] | short else "not set" end))
	else
		unless($is[$key] | unset)
		| violation(rule_of_key($key); $key; "%s: %j"; $key, $is[$key])
	end;

# What overlays may not set: what drydock sets, and what makes programs load
# other code, as patterns; an absent list is an error, and so a refusal.
def reserved:
	ascii_downcase as $name
	| any($f.reserved_env[] | ascii_downcase; . as $pattern
	| if startswith("*") then $name | endswith($pattern[1:])
	elif endswith("*") then $name | startswith($pattern[:-1])
	else $name == $pattern end);

def judge_environment($name; $is; $want):
	if ($is | type) != "object" then
		violation("environment"; "environment"; "environment is no mapping"; empty)
	else
		($want | keys[] | unless($is[.] == $want[.])
		| violation("environment"; .; "%s must be %j, is %j"; ., $want[.], $is[.])),
		(($is | keys) - ($want | keys) | .[]
		| if $name == "egress" then
			violation("environment"; .; "%j is not drydock's"; .)
		elif reserved or (test("\\A[A-Za-z_][A-Za-z0-9_]*\\z") | not) then
			violation("environment"; .; "%j is not for an overlay to set"; .)
		else
			unless($is[.] | type == "string")
			| violation("environment"; .; "%j is no text"; .)
		end)
	end;

def judge_security_opt($options):
	"no-new-privileges:true" as $nnp | "seccomp=\($f.seccomp.path)" as $seccomp
	| if ($options | type) != "array" then
		violation("security-opt"; "security_opt"; "security_opt is no list"; empty)
	else
		(unless($nnp | among($options))
		| violation("no-new-privileges"; ""; "%s is missing"; $nnp)),
		(unless($seccomp | among($options))
		| violation("seccomp"; ""; "drydock's profile is missing"; empty)),
		(($options - [$nnp, $seccomp])[] | tostring
		| violation(if startswith("seccomp") then "seccomp"
			elif startswith("no-new-privileges") then "no-new-privileges"
			else "security-opt" end; .; "option %s"; .)),
		(unless(($options | length) == ($options | unique | length))
		| violation("security-opt"; ""; "an option twice"; empty))
	end;

# In the container, nothing of the user's may hide any of these.
def guarded: ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run",
	"/sbin", "/sys", "/usr/bin", "/usr/lib", "/usr/sbin", "/var/lib/drydock", "/var/run"];

# A bind that is not drydock's own.
def judge_user_bind($name; $target; $volume; $want):
	[$f.binds[] | select(.path == $volume.source)][0] as $listed
	| (unless($name == "agent" and $listed)
	| $volume.source // "" | tostring
	| if $name == "agent" and normal then
		violation("bind-source"; .; "%s may not be mounted yet: add \"binds = %s:ro\" to drydock.conf"; ., .)
	else violation("bind-source"; .; "%j may not be mounted in the service %s"; $volume.source, $name) end),
	(if $listed.read_only and $volume.read_only != true then
		violation("bind-read-only"; $target; "%j is listed as read-only"; $target)
	else
		unless($volume.read_only | among([null, true, false]))
		| violation("bind-read-only"; $target; "%j: read_only is %j"; $target, $volume.read_only)
	end),
	(if $target | normal | not then
		violation("bind-target"; $target; "%j is no plain absolute path"; $target)
	else
		(guarded[] | select(touches(.; $target))
		| violation("bind-target"; $target; "%j would hide or lie in %s"; $target, .)),
		($want[].target, "/tmp" | select(holds($target; .))
		| violation("bind-target"; $target; "%j would hide %s"; $target, .))
	end);

def judge_volume($name; $volume; $want):
	if ($volume | type) != "object" or $volume.type != "bind" then
		violation("storage"; $volume.source? // "volumes"; "not a bind: %j"; $volume)
	else
		($volume.target | tostring) as $target
		| [$want[] | select(.target == $target)][0] as $bind
		| (unless($volume.bind | among([{}, {create_host_path: false}]))
		| violation("bind-options"; $target; "%j has %j"; $target, $volume.bind)),
		(($volume | keys) - ["type", "source", "target", "read_only", "bind"] | .[]
		| violation("bind-options"; .; "%j has %s"; $target, .)),
		if $bind == null then
			judge_user_bind($name; $target; $volume; $want)
		else
			(unless($volume.source == $bind.declared.source)
			| violation("bind-source"; $volume.source // "" | tostring;
				"%j must be %j, is %j"; $target, $bind.declared.source, $volume.source)),
			(unless(($volume.read_only // false) == $bind.read_only)
			| violation("bind-read-only"; $target; "%j is %s"; $target,
				if $bind.read_only then "not read-only" else "read-only" end))
		end
	end;

def judge_volumes($name; $is):
	[binds | select(.service == $name)] as $want
	| if ($is | type) != "array" then
		violation("storage"; "volumes"; "volumes is no list"; empty)
	else
		($is[] | judge_volume($name; .; $want)),
		($want[].target | unless(among([$is[] | objects | .target]))
		| violation("bind-missing"; ""; "nothing at %j"; .)),
		([$is[] | objects | .target | tostring] | group_by(.)[] | select(length > 1)
		| violation("bind-target"; .[0]; "%s binds at %j"; length, .[0]))
	end;

def judge_limit($key; $is; $least; $most):
	select($is <= 0 or $is < $least or ($most != null and $is > $most))
	| violation("limits"; $key; "%s is not between %s and %s"; $key, $least, $most);

def judge_limits($service):
	($f.limits.memory | number) as $memory
	| judge_limit("mem_limit"; $service.mem_limit | number; 1; $memory),
	judge_limit("memswap_limit"; $service.memswap_limit | number;
		$service.mem_limit | number // 1; $memory),
	judge_limit("pids_limit"; $service.pids_limit | number; 1; $f.limits.pids | number),
	(unless($f.limits.cpus == null and ($service.cpus | unset))
	| judge_limit("cpus"; $service.cpus | numbers // null; 0; $f.limits.cpus));

def judge_tmpfs($tmpfs):
	if $tmpfs | words | not then
		violation("tmpfs"; "tmpfs"; "tmpfs is no list"; empty)
	else
		($tmpfs[] | . as $entry | split(":") as $parts | $parts[0] as $target
		| ($parts[1] // "" | split(",")) as $options
		| [$options[] | select(startswith("size=")) | .[5:] | size] as $sizes
		| (select(($target | normal | not) or ($parts | length) > 2
		    or any("/proc", "/sys", "/dev", "/run/services"; touches(.; $target)))
		| violation("tmpfs"; $entry; "%j is no place for a tmpfs"; $entry)),
		(select(($sizes | length) != 1 or $sizes[0] <= 0 or $sizes[0] > ($f.limits.tmp | number))
		| violation("tmpfs"; $entry; "%j has not one size, of %s at most"; $entry, $f.limits.tmp)),
		($options[]
		| unless(test("\\A(size=|(rw|(no)?exec|nosuid|nodev|(mode|uid|gid)=[0-9]{1,15})\\z)"))
		| violation("tmpfs"; $entry; "%j has the option %j"; $entry, .))),
		([$tmpfs[] | split(":")[0]] | group_by(.)[] | select(length > 1)
		| violation("tmpfs"; .[0]; "%s tmpfs at %j"; length, .[0]))
	end;

def judge_command($service):
	($service.entrypoint | absent([])) as $entrypoint | ($service.command | absent([])) as $command
	| (unless(($entrypoint | words) and ($command | words) and $entrypoint + $command != [])
	| violation("entrypoint"; "entrypoint"; "neither the image nor an overlay says what runs"; empty)),
	(unless($service.working_dir | . == null or (type == "string" and normal))
	| violation("entrypoint"; "working_dir"; "working_dir: %j"; $service.working_dir));

def judge_own_environment($is):
	if ($is | type) != "object" then
		violation("environment"; "environment"; "environment is no mapping"; empty)
	else
		$is | to_entries[]
		| unless((.value | type) == "string" and (.key | test("\\A[^=]+\\z")))
		| violation("environment"; .key; "%j is no text"; .key)
	end;

# What an image brings acts though no plan says so.
def judge_image($image):
	$image.reference as $reference
	| if $image.image == null then
		violation("image"; $reference // "image";
			"the engine has no image %j: it is not pulled"; $reference)
	else
		({healthcheck: "HEALTHCHECK", onbuild: "ONBUILD"} | to_entries[]
		| select($image[.key])
		| violation("image"; $reference; "image %j carries %s"; $reference, .value)),
		($image.labels[]
		| unless(among(["io.drydock.context", "io.drydock.gid", "io.drydock.home",
			"io.drydock.image", "io.drydock.uid", "io.drydock.user"]))
		| violation("image"; $reference; "image %j carries the label %s"; $reference, .))
	end;

# The engine makes a volume without a bound where an image declares one and the
# plan mounts nothing.
def judge_declared($image; $service):
	([($service.tmpfs | absent([]))[]? | strings | split(":")[0]]
		+ [($service.volumes | absent([]))[]? | .target?]) as $mounted
	| ($image.volumes // [])[]
	| unless(among($mounted))
	| violation("image"; $image.reference; "image %j carries VOLUME %j"; $image.reference, .);

# What a further service may choose.
def chosen: ["entrypoint", "command", "working_dir", "tmpfs",
	"mem_limit", "memswap_limit", "pids_limit", "cpus"];

def judge_further($name; $service):
	expected($name; service_table.further) as $want
	| judge_image($f.further[$name]),
	judge_declared($f.further[$name]; $service),
	judge_keys($service | delpaths([chosen[], ("image" | select($want[.] == null)) | [.]]); $want),
	judge_limits($service),
	judge_tmpfs($service.tmpfs | absent([])),
	(select($want.image) | judge_command($service)),
	judge_own_environment($service.environment | absent({}));

def judge_own($name; $service):
	expected($name; if $name == "egress" then service_table.egress else agent_row end) as $want
	| judge_keys($service; $want),
	judge_environment($name; $service.environment | absent({}); $want.environment | absent({}));

def judge_service($own; $name; $service):
	if ($own or ($f.further // {} | has($name))) | not then
		violation("services"; $name;
			"a further service with no name of a-z, 0-9 and -, a letter first, 32 at most"; empty)
	elif ($service | type) != "object" then
		violation("services"; if $own then "" else $name end; "no service"; empty)
	else
		if $own then judge_own($name; $service) else judge_further($name; $service) end,
		judge_security_opt($service.security_opt | absent([])),
		judge_volumes($name; $service.volumes | absent([]))
	end;

def judge_services:
	(if $f.mode == "contained" then ["agent", "egress"] else ["agent"] end) as $own
	| if ($model.services | type) != "object" then
		violation("services"; ""; "no services"; empty)
	else
		($own + ($model.services | keys) | unique[]) as $name
		| of($name; judge_service($name | among($own); $name; $model.services[$name]))
	end;

def judge_top:
	([binds | {("x-drydock-" + .role): .declared}] | add) as $declared
	| (($model | keys) - ["name", "services"] - ($declared | keys) | .[]
	| unless($model[.] | unset)
	| violation(if startswith("x-drydock") then "declaration" else "top-level" end;
		.; "%s: %j"; ., $model[.])),
	($declared | keys[] | unless($model[.] == $declared[.])
	| violation("declaration"; .; "%s must be %j, is %j"; ., $declared[.], $model[.])),
	(unless($model.name == "drydock-" + $f.session)
	| violation("top-level"; "name"; "name: %j"; $model.name));

# What a source may not be to a protected place, by the place's group, and what
# such a place is in words.
def forbidden: {
root: {rule: "source-home", how: ["is", "holds"], text: "the root of the file system: name a directory of its own for the project"},
home: {rule: "source-home", how: ["is", "holds"], text: "the home directory: name a directory of its own for the project"},
credentials: {rule: "source-credentials", how: ["is", "holds", "under"], text: "a place of keys, credentials or programs"},
local: {rule: "source-credentials", how: ["is", "holds", "under"], text: "a place of keys, credentials or programs"},
profiles: {rule: "source-credentials", how: ["is", "holds", "under"], text: "where programs keep their user's accounts"},
startup: {rule: "source-startup", how: ["is", "holds", "under"], text: "which runs on this host by itself: work on a copy or a clone of it"},
"own-programs": {rule: "source-program", how: ["is", "holds", "under"], text: "a place of the user's own programs: work on a clone of it"},
"agent-config": {rule: "source-agent", how: ["is", "holds", "under"], text: "the agent's own configuration"},
system: {rule: "source-system", how: ["is", "holds", "under"], text: "a system directory"},
"root-home": {rule: "source-system", how: ["is", "under"], text: "a system directory"},
"engine-data": {rule: "source-engine", how: ["is", "holds", "under"], text: "the engine's data"},
"engine-socket": {rule: "source-engine", how: ["is", "holds"], text: "an engine's socket"},
drydock: {rule: "source-drydock", how: ["is", "holds", "under"], text: "drydock's configuration or state"},
decisive: {rule: "source-drydock", how: ["is", "holds", "under"], text: "which decides what a session may do: put a copy into drydock's configuration in the place of the link"},
"decisive-link": {rule: "source-drydock", how: ["is", "holds"], text: "where a link leads to what decides what a session may do: put a copy into drydock's configuration in its place"},
path: {rule: "source-program", how: ["is", "holds"], text: "a directory of PATH: take it out of PATH, or work on a clone"},
"path-activated": {rule: "source-program", how: ["is"], text: "a directory of PATH: leave the environment that put it there"},
programs: {rule: "source-program", how: ["is", "holds"], text: "a directory of the programs that drydock runs"},
program: {rule: "source-program", how: ["is", "holds"], text: "drydock's program or a part of it"}
};

# For what drydock does not make itself.  A directory of PATH has many names as
# a rule: "/usr/bin" is "/bin".
def judge_touches($path; $source):
	if ($source.touches | type) != "array" then
		violation("source-kind"; ""; "%j is no directory that can be looked at"; $path)
	else
		$source.touches[] | . as $touch | forbidden[.group] as $no
		| select(.group != "root-home" or .place != $f.home)
		| if $no == null then
			error("no group \(.group)")
		else
			select(.how | among($no.how))
			| violation($no.rule; ""; "%j %s %s%s"; $path,
				if .how == "under" then "lies in" else .how end,
				if .how == "is" and (.place == $path or (.group | among(["path", "path-activated", "programs"]))) then ""
				else "\(.place | short), " end, $no.text)
		end
	end;

# Sources that the setting lists; those that nothing lists are refused as such.
# One of drydock's own is that at its own target alone.
def judge_user_sources:
	[binds | select(.service == "agent") | .target] as $own
	| ([($model.services.agent.volumes[])? | objects
		| unless(.target | among($own)) | .source | strings] | unique[])
	| . as $path | $f.sources[$path] as $source
	| select(among([$f.binds[].path]))
	| if among([binds | select(.role != "project") | .declared.source]) then
		violation("source-drydock"; ""; "%j stands at its own target alone"; $path)
	elif $source.exists != true or $source.kind != "directory" then
		violation("source-kind"; ""; "%j is no directory"; $path)
	elif $source.real != $path then
		violation("source-link"; ""; "%j leads to %j"; $path, $source.real)
	else
		judge_touches($path; $source)
	end;

# Facts about the sources, which the model does not show.
def judge_source($bind; $source):
	$bind.declared as $want
	| def wrong($rule; $text; arguments):
		violation($rule; ""; "%s %j " + $text; $bind.role, $want.source, arguments);
	# Nothing is bound from there, which bind-missing says.
	if $source == null then empty
	elif $source.exists | not then
		unless($want.make) | wrong("source-kind"; "is not there"; empty)
	else
		(unless($source.kind == $want.kind)
		| if $source.kind == "symlink" then
			wrong("source-link"; "is a symlink"; empty)
		else
			wrong("source-kind"; "must be a %s, is a %s"; $want.kind, $source.kind)
		end),
		(unless($source.real == $want.source)
		| wrong("source-link"; "leads to %j"; $source.real)),
		(select($want.make)
		| if "\($source.uid):\($source.gid)" | among([$f.users.agent, $f.users.egress]) | not then
			wrong("source-owner"; "belongs to %s:%s"; $source.uid, $source.gid)
		else
			select($source.others_write)
			| wrong("source-owner"; "can be written by others"; empty)
		end),
		(select($bind.role == "project")
		| judge_touches($want.source; $source),
		(unless($source.dev == $f.roles.project.dev and $source.ino == $f.roles.project.ino)
		| wrong("source-swapped"; "is another directory now"; empty)))
	end;

def judge_places:
	({home: $f.home, project: $f.roles.project.path} | to_entries[])
	| .key as $role | .value as $path
	| (guarded[] | select(touches(.; $path))
	| violation("bind-target"; ""; "%s at %j would hide or lie in %s"; $role, $path, .)),
	(select(holds($path; "/tmp"))
	| violation("bind-target"; ""; "%s at %j would hide /tmp"; $role, $path));

# A socket in a bind is a way out that no network namespace closes.
def judge_sockets:
	unless($f.sockets.allowed)
	| $f.sockets.listened_at[]
	| violation("source-socket"; ""; "a program listens at %j, and the agent could talk to it: stop that program, or set project_sockets = yes"; .);

# sha256sum seccomp.json; a test tells when the two part.
def judge_seccomp:
	"949cefc55e0135de1daa56877fbde15aa562f08e7c34efd11694dcefb7ad821f" as $digest
	| unless($f.seccomp.digest == $digest)
	| violation("seccomp-profile"; ""; "seccomp.json is not the profile that the policy knows"; empty);

# The overlay that brought a word, where one alone shows it.  One of drydock's
# own has its words by right when an overlay of the user's took them away.
def attribute:
	.word as $word | del(.word)
	| [$f.overlays[] | select(.name | startswith("compose.d/"))] as $users
	| [$users[] | select(.text | contains("!override") or contains("!reset"))] as $taking
	| .overlay = if $word == "" then "" else
		([$users[] | select(.text | contains($word))] | last)
		// (if $taking == [] then [$f.overlays[] | select(.text | contains($word))] | last
			elif ($taking | length) == 1 then $taking[0] else null end)
		| .name? // "" end;

if has("model") then
	[judge_top, judge_services,
	 (binds as $bind | of($bind.service; judge_source($bind; $f.sources[$bind.declared.source]))),
	 of("agent"; judge_user_sources, judge_places, judge_sockets), judge_seccomp]
	| unique | map(attribute)
elif has("raw") then
	.raw as $raw
	| [judge_raw(.overlay; $raw.variables)]
	| unique | map(del(.word) | .overlay = $raw.name)
else
	table
end
