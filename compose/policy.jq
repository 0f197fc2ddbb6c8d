# SPDX-License-Identifier: MIT
# The policy.  Input {reference, model, facts}: the output is an array of
# violations.  Compose merges the reference from drydock's overlays, and the
# model from all overlays.  Three parts judge, and each can refuse alone:
#   the difference   between model and reference: only what overlays may change
#   the invariants   of any model, independently of drydock's overlays
#   the sources      of the binds, as they are on the host
# Input {raw, overlay}: the violations of one user overlay, before the merge.
# Input {}: the table of rules.

# One row for each rule: its name, the keys of a service that it covers, and the
# required state.  A key that no row names violates unknown-key.
def table: [
{rule: "unknown-key", text: "no key that drydock does not know, at any level"},
{rule: "top-level", text: "name and services stand at the top, nothing else"},
{rule: "services", keys: ["container_name"], text: "the services are agent, egress when contained, and extra ones of your overlays"},
{rule: "layer", text: "drydock's own overlays are those that came with the policy, judged by their digests"},
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
{rule: "groups", keys: ["group_add"], text: "no supplementary group but the project's, if the session needs it, and in dood the engine socket's"},
{rule: "read-only", keys: ["read_only"], text: "the root file system is read-only"},
{rule: "init", keys: ["init"], text: "an init process is PID 1"},
{rule: "limits", keys: ["mem_limit", "memswap_limit", "mem_reservation", "mem_swappiness", "pids_limit", "cpus", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpuset", "shm_size", "oom_kill_disable", "oom_score_adj", "blkio_config", "storage_opt", "ulimits", "deploy", "scale"], text: "memory, swap, processors and processes are limited as set; an extra service may have less"},
{rule: "tmpfs", keys: ["tmpfs"], text: "the tmpfs mounts are drydock's; those of an extra service have a size, /tmp's at most"},
{rule: "network", keys: ["network_mode", "networks", "ports", "expose", "dns", "dns_opt", "dns_search", "extra_hosts", "links", "external_links", "hostname", "domainname", "mac_address"], text: "contained: no network for the agent, the default bridge for egress; dood: the host's; none for an extra service"},
{rule: "entrypoint", keys: ["entrypoint", "command", "working_dir", "post_start", "pre_stop"], text: "the container runs drydock's holder, an extra service its own command, nothing before or after it"},
{rule: "image", keys: ["image", "pull_policy", "pull_refresh_after", "platform", "build", "develop"], text: "the image that drydock built, for an extra service one that the engine has; by its id, never pulled"},
{rule: "healthcheck", keys: ["healthcheck"], text: "no health check runs"},
{rule: "restart", keys: ["restart", "stop_signal", "stop_grace_period", "depends_on", "attach"], text: "only drydock starts and stops containers"},
{rule: "environment", keys: ["environment"], text: "drydock's own environment; overlays add plain names to the agent's; an extra service has its own"},
{rule: "labels", keys: ["labels", "annotations"], text: "no labels but drydock's own"},
{rule: "logging", keys: ["logging"], text: "the container's log is bounded"},
{rule: "terminal", keys: ["tty", "stdin_open"], text: "no terminal of the engine's: the holder provides it"},
{rule: "storage", keys: ["volumes", "volumes_from", "secrets", "configs", "volume_driver"], text: "no storage but binds and tmpfs"},
{rule: "bind-target", text: "each bind has its own target, which hides no guardrail"},
{rule: "bind-missing", text: "each bind that the mode requires is there"},
{rule: "bind-source", text: "the source of a bind is drydock's own directory for it, a mount below the project, the project's git directory, or one that the setting binds lists"},
{rule: "bind-options", text: "no propagation, relabelling or subpath, and no source that the engine makes"},
{rule: "bind-read-only", text: "a bind is read-only or writable as drydock or the setting binds says"},
{rule: "source-kind", text: "a bind source has the required type"},
{rule: "source-link", text: "no symlink leads to a bind source"},
{rule: "source-owner", text: "only the caller owns and writes drydock's own bind sources"},
{rule: "source-swapped", text: "the project, the mounts below it and its git directory are still the directories that were opened"},
{rule: "source-home", text: "no project or user's bind is or holds the home directory or /"},
{rule: "source-credentials", text: "no project or user's bind is, holds or lies in a place of keys and credentials"},
{rule: "source-agent", text: "no project or user's bind is, holds or lies in an agent's configuration on the host"},
{rule: "source-system", text: "no project or user's bind is, holds or lies in /etc, /proc, /sys, /dev, /run or /boot, or lies in /root when that is not the caller's home"},
{rule: "source-engine", text: "no project or user's bind is, holds or lies in the engine's data, or is or holds an engine's socket"},
{rule: "source-drydock", text: "no project or user's bind is, holds or lies in drydock's configuration or state, or the target of a link in it"},
{rule: "source-startup", text: "no project or user's bind is, holds or lies in what the host runs by itself: shells' start files, units, programs of the log-in"},
{rule: "source-program", text: "no project or user's bind is or holds a directory of PATH, drydock's program, or a directory of programs that it runs"},
{rule: "source-socket", text: "no program listens at a unix socket in the project or a user's bind, unless the setting project_sockets allows it"},
{rule: "include", text: "an overlay includes no other file"},
{rule: "extends", keys: ["extends"], text: "a service of an overlay extends no other"},
{rule: "env-file", keys: ["env_file"], text: "an overlay reads no environment from a file"},
{rule: "label-file", keys: ["label_file"], text: "an overlay reads no labels from a file"},
{rule: "profiles", keys: ["profiles"], text: "no service depends on a profile"},
{rule: "null-environment", text: "each variable of an overlay has a value"},
{rule: "from-files", text: "an overlay has no secrets or configs"},
{rule: "interpolation", text: "an overlay interpolates drydock's own variables alone, as ${NAME}"},
{rule: "anchors", text: "an overlay has no anchors, aliases or merge keys"},
{rule: "tags", text: "an overlay has no tags but !reset and !override"}
];

# The sha256sum of each file of drydock's that the policy relies on.
def digests: {
"base.yml": "036ae1a17bff51cf76b4c8ad76f05f92c25b87718c586cd2fc20b7763e05cdef",
"cache.yml": "495603625beaffa8084053edfcb24d6e1c935fbc30a44f02f9d0c14f04415ea1",
"contained.yml": "b15e325d4c49f0eb13baca18ec33d4099878f44d30ada9bae13031462e896a8c",
"dood.yml": "4d4594748c1ec442591a4c2cba07fc702e21fa34145d3b45eab09bcc7dfe1c3b",
"group.yml": "e0c0d00aa908be81d66952d5bc715971c499f815f68edc3418e8738f826e7872",
"hardening.yml": "8025163fd1c1cc53d43fcfafda3980cad0a68fcc166644f3d65011e229e753fa",
"lease.yml": "808b158528209122af310903299694e855a450bc9a58496f5584a535f2232a21",
"mount.yml": "b5718ad4c7e695a5798f9e371b96eaca4e53acd124baa674a2811062ae2d9c89",
"seccomp.json": "949cefc55e0135de1daa56877fbde15aa562f08e7c34efd11694dcefb7ad821f",
"service.yml": "5b92c7a6362891dad7d5db505898a46da8f0a1e059d148d3e5f5b4df2403e9b3"
};

# Does not use index(): libjq 1.6 leaks its operands.
def among(list): [.] - list == [];

def unless(good): select(good | not);

def rule_of_key($key):
	[(table[] | select(.keys and [$key] - .keys == []) | .rule), "unknown-key"][0];

def short: tojson | if length > 200 then .[:200] + "..." else . end;

# Compose prints a key that is not set in several equivalent ways.
def unset: among([null, [], {}]);
def given($default): if unset then $default else . end;
def shown: if unset then "not set" else short end;

# drydock looks for $word in the user overlays, to name the one that caused the
# violation.
def violation($rule; $word; $what): {$rule, service: "", $what, $word};
def differs($rule; $word; $what; $want; $is):
	violation($rule; $word; "\($what) must be \($want | shown), is \($is | shown)");

def of($service; violations): violations + {$service};

# True if one path is the other or contains it.
def holds($a; $b): $a == "/" or ($b + "/" | startswith($a + "/"));
def touches($a; $b): holds($a; $b) or holds($b; $a);

# True for an absolute path without empty components, "." and "..".
def normal: type == "string" and startswith("/")
	and (. == "/" or (split("/")[1:] | . == . - ["", ".", ".."]));

def words: type == "array" and all(.[]; type == "string");

# The value of a number or of its text; null for anything else.
def number:
	if type == "string" and test("\\A[0-9]{1,15}\\z") then tonumber
	elif type == "number" then .
	else null end;

def at_most($most): number | . != null and . > 0 and . <= $most;

# Keys that Compose resolves, so that the merged model does not show them.
def judge_raw_service:
	(keys[] | rule_of_key(.) as $rule
	| select($rule | among(["unknown-key", "extends", "env-file", "label-file", "profiles"]))
	| violation($rule; .; "overlays may not have the key \(short) in a service")),
	(.environment
	| if type == "object" then
		to_entries[] | select(.value == null) | .key
	elif type == "array" then
		.[] | tostring | unless(contains("="))
	else empty end
	| violation("null-environment"; .; "\(short) has no value"));

# "$$" is an escaped dollar, not a variable.
def foreign_variables($variables):
	split("$$") | join("") | split("$")[1:][]
	| select(. as $rest | all($variables[]; . as $v | $rest | startswith("{\($v)}") | not))
	| "$" + .;

def judge_raw($variables):
	(keys - ["services", "version"] | .[]
	| violation({include: "include", secrets: "from-files", configs: "from-files"}[.] // "top-level";
		.; "overlays may not have a top-level \(short) key")),
	(.services
	| if type == "object" then
		to_entries[] | select(.value | type == "object")
		| of(.key; .value | judge_raw_service)
	else
		values | violation("services"; "services"; "services is not a mapping")
	end),
	([.. | strings | foreign_variables($variables)] | unique[]
	| violation("interpolation"; .; "\(short) is not a variable of drydock's")),
	([.. | objects | keys[] | select(contains("$"))] | unique[]
	| violation("interpolation"; .; "a $ in the key \(short)"));

# From here on $f are the facts.
.facts as $f | .model as $model | .reference as $reference |

def kind_of($name): if $name | among(["agent", "egress"]) then $name else "extra" end;

# The changes that overlays may make to a service:
#   names   add variables to its environment
#   binds   add binds that the setting "binds" lists
#   less    lower the limit
#   own     any value that the invariants allow
# Every other key must be as in the reference.
def permitted: {
agent: {environment: "names", volumes: "binds"},
egress: {},
extra: {entrypoint: "own", command: "own", working_dir: "own", environment: "own", tmpfs: "own",
	mem_limit: "less", memswap_limit: "less", pids_limit: "less", cpus: "less"}
};

# Reserved: variables that drydock sets, and variables that make programs load
# other code.  If the list is absent, jq fails, and a failure refuses.
def reserved:
	ascii_downcase as $name
	| all($f.reserved_env[] | ascii_downcase; . as $pattern
	| if startswith("*") then $name | endswith($pattern[1:])
	elif endswith("*") then $name | startswith($pattern[:-1])
	else $name == $pattern end | not) | not;
def not_free($name; $value):
	unless(($value | type) == "string" and ($name | test("\\A[A-Za-z_][A-Za-z0-9_]*\\z") and (reserved | not)))
	| violation("environment"; $name; "an overlay cannot set \($name | short), or its value is not a string");

def is_bind: type == "object" and .type == "bind";
def no_bind: violation("storage"; .source? // "volumes"; "not a bind: \(short)");
def listed: .source as $path | [$f.binds[] | select(.path == $path)][0];
# A path that the setting "binds" lists may be bound.  If it is also the source of
# one of drydock's binds, it must be the project.
def unlisted($may):
	if $may and listed then
		select($f.sources[.source].role | among([null, "project", "below", "git"]) | not)
		| violation("source-drydock"; .target; "\(.source | short) is drydock's own bind and cannot have another target")
	else
		.source | violation("bind-source"; .; if $may and normal
			then "\(.) may not be mounted yet: add \"binds = \(.):ro\" to drydock.conf"
			else "\(short) may not be mounted in this service" end)
	end;

def changed_names($was; $is):
	($was + $is | keys[]) as $name
	| if $was | has($name) then
		unless($is[$name] == $was[$name]) | differs("environment"; $name; $name; $was[$name]; $is[$name])
	else
		not_free($name; $is[$name])
	end;

# Compose prints or leaves out these defaults.
def plain:
	. + {read_only: (.read_only // false), bind: (if .bind == {create_host_path: false} then {} else .bind end)};

def changed_binds($may; $was; $is):
	($is[] | . as $bind | [$was[] | select(.target == ($bind | objects | .target))][0] as $own
	| if is_bind | not then
		no_bind
	elif $own == null then
		unlisted($may)
	else
		($own + . | keys[]) as $key
		| unless(($own | plain)[$key] == ($bind | plain)[$key])
		| differs({source: "bind-source", read_only: "bind-read-only"}[$key] // "bind-options";
			.target; "\($key) of \(.target)"; $own[$key]; $bind[$key])
	end),
	([$is[] | objects | .target | tostring] as $targets
	| ($was[].target | unless(among($targets)) | violation("bind-missing"; "volumes"; "no bind at \(short)")),
	($targets | group_by(.)[] | select(length > 1)
	| violation("bind-target"; .[0]; "\(length) binds at \(.[0] | short)")));

# A number may be text.  The order of these lists has no meaning.
def comparable($key):
	if unset then null
	elif type == "array" and ($key | among(["cap_drop", "group_add", "security_opt", "tmpfs"])) then sort
	elif $key | among(["mem_limit", "memswap_limit", "pids_limit"]) then number // .
	else . end;

def changed_key($name; $key; $was; $is):
	permitted[kind_of($name)][$key] as $may
	| if $key == "volumes" and ($is | given([]) | type == "array") then
		changed_binds($may == "binds"; $was | given([]); $is | given([]))
	elif $may == "names" and ($is | type == "object") then
		changed_names($was; $is)
	else
		unless($may == "own" or ($may == "less" and ($is | at_most($was | given("999999999") | number))))
		| differs(rule_of_key($key); $key; $key; $was; $is)
	end;

def judge_difference:
	(($reference + $model | del(.services) | keys[]) as $key
	| unless(($reference[$key] | given(null)) == ($model[$key] | given(null)))
	| differs("top-level"; $key; $key; $reference[$key]; $model[$key])),
	if ($model.services | type) != "object" then
		violation("services"; ""; "the model has no services")
	else
		($reference.services + $model.services | keys[]) as $name
		| $reference.services[$name] as $was | $model.services[$name] as $is
		| of($name; if $was == null or ($is | type) != "object" then
			violation("services"; $name; if $was == null
				then "the name of an extra service starts with a letter, and has at most 32 characters of a-z, 0-9 and -"
				else "the service is missing or is not a mapping" end)
		else
			($was + $is | keys[]) as $key
			| unless(($was[$key] | comparable($key)) == ($is[$key] | comparable($key)))
			| changed_key($name; $key; $was[$key]; $is[$key])
		end)
	end;

# The invariants: the required value of each key of a service, independently of
# drydock's overlays.  Text must match the pattern, a number must be at most this
# number, and any other value must be equal.  A key that is neither here nor in
# judge_service() must not be set.
def required: {
all: {pull_policy: "never", init: true, read_only: true, cap_drop: ["ALL"], ipc: "private", cgroup: "private",
	healthcheck: {disable: true}, stop_signal: "SIG[A-Z0-9]+", stop_grace_period: "[0-9]{1,2}s",
	logging: {driver: "local", options: {"max-size": "[1-9]m", "max-file": "[1-9]"}}},
agent: {restart: "no", entrypoint: "/usr/lib/drydock/holder hold (--egress )?",
	ulimits: {msgqueue: 1048576, sigpending: 4096}},
egress: {restart: "on-failure:[1-9]", entrypoint: "/usr/lib/drydock/holder egress (--lease )?", network_mode: "bridge",
	mem_limit: 1073741824, memswap_limit: 1073741824, pids_limit: 1024, cpus: null,
	ulimits: {msgqueue: 1048576, sigpending: 4096, fsize: 1073741824}},
extra: {restart: "no", network_mode: "none", ulimits: {msgqueue: 1048576, sigpending: 4096}},
"agent contained": {network_mode: "none"},
"agent dood": {network_mode: "host"}
};

def like($want):
	. as $is | $want | type
	| if . == "object" then
		$is | type == "object" and keys == ($want | keys)
		and all(keys[]; . as $key | $is[$key] | like($want[$key]))
	elif . == "number" then
		$is | at_most($want)
	elif . == "string" then
		$is | if words then [.[] + " "] | add else . end | type == "string" and test("\\A(\($want))\\z")
	else
		$is == $want
	end;

def broken($key):
	rule_of_key($key) as $rule
	| violation($rule; $key; "\($key) is \(.[$key] | shown): \(table[] | select(.rule == $rule) | .text)");

# Paths in the container that no mount of the user's may hide.
def guarded: ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run",
	"/sbin", "/sys", "/usr/bin", "/usr/lib", "/usr/sbin", "/var/lib/drydock", "/var/run"];

# $sizes has the maximum size of the tmpfs at each target; the maximum of any
# other target is /tmp's.
def judge_tmpfs($sizes; $taken):
	(.[] | split(":")[0] as $target | ($sizes[$target] // $sizes["/tmp"]) as $most
	| unless(test("\\A[^:]*:((rw|(no)?exec|nosuid|nodev|(mode|uid|gid)=[0-9]{1,15}),)*size=[0-9]{1,12}[kmg]?(,(rw|(no)?exec|nosuid|nodev|(mode|uid|gid)=[0-9]{1,15}))*\\z")
		and (split("size=")[1] | split(",")[0]
			| ({k: 1024, m: 1048576, g: 1073741824}[.[-1:]] // 1) * (if test("[kmg]") then .[:-1] else . end | tonumber) | at_most($most))
		and (($target | normal and all($taken[]; touches(.; $target) | not)) or ($sizes | has($target))))
	| violation("tmpfs"; .; "\(short) needs one size of at most \($most) bytes, a target of its own, and only the options rw, exec, noexec, nosuid, nodev, mode, uid and gid")),
	([.[] | split(":")[0]] | group_by(.)[] | select(length > 1)
	| violation("tmpfs"; .[0]; "\(length) tmpfs at \(.[0] | short)"));

# The proxy variables, under each name that programs read, must name a port of
# the agent's loopback.
def proxies:
	(.HTTPS_PROXY | strings | select(test("\\Ahttp://127\\.0\\.0\\.1:[0-9]{1,5}\\z"))) // "a proxy at 127.0.0.1"
	| {HTTPS_PROXY: ., https_proxy: ., HTTP_PROXY: ., http_proxy: .};

def judge_environment($name):
	if type != "object" then
		violation("environment"; "environment"; "environment is not a mapping")
	elif $name == "agent" then
		. as $is
		| ({HOME: $f.home, DRYDOCK_SESSION: $f.session, DRYDOCK}
		    + if $f.mode == "contained" then proxies + {NO_PROXY: ((.NO_PROXY | strings) // "a list"), no_proxy: .NO_PROXY} else {} end) as $own
		| (. + $own | keys[]) as $name
		| if $own | has($name) then
			unless($is[$name] == $own[$name]) | differs("environment"; $name; $name; $own[$name]; $is[$name])
		else
			not_free($name; $is[$name])
		end
	else
		to_entries[]
		| unless($name != "egress" and (.value | type) == "string" and (.key | test("\\A[^=]+\\z")))
		| violation("environment"; .key; "\(.key | short) is not a variable of drydock's, or its value is not a string")
	end;

def judge_security_opt:
	{"no-new-privileges": "no-new-privileges:true", seccomp: "seccomp=\($f.seccomp)"} as $want
	| (($want | keys[]) as $rule | select([$want[$rule]] - . != [])
	| violation($rule; ""; "\($want[$rule] | short) is missing")),
	((. - [$want[]])[] | tostring | . as $option
	| violation([($want | keys[] | select(. as $rule | $option | startswith($rule))), "security-opt"][0]; .; "option \(short)")),
	(unless(length == (unique | length))
	| violation("security-opt"; ""; "an option is given twice"));

# The engine applies these values of an image although the plan does not have
# them.  At a declared volume without a mount it would create a volume of
# unlimited size.
def judge_image($mounted):
	.reference as $reference
	| (if .image == null then
		"is not on the engine, and drydock pulls no image: run \"docker pull\""
	else
		{healthcheck: "HEALTHCHECK", onbuild: "ONBUILD"} as $acts
		| "carries " + ((to_entries[] | select(.value == true) | $acts[.key]), (.volumes - $mounted | .[] | "VOLUME \(short)"),
		    (.labels - ["io.drydock.context", "io.drydock.gid", "io.drydock.home", "io.drydock.image",
			"io.drydock.uid", "io.drydock.user"] | .[] | "the label " + .))
	end) as $what
	| violation("image"; $reference; "image \($reference | short) \($what)");

def judge_service($name):
	kind_of($name) as $kind | $f.services[$name] as $exact
	| ($f.limits + required.all + required[$kind] + required["\($kind) \($f.mode)"]) as $want
	| (($exact | keys[]) as $key | unless($exact[$key] != null and .[$key] == $exact[$key]) | broken($key)),
	(($want | keys[]) as $key | unless(.[$key] | given(null) | like($want[$key])) | broken($key)),
	(unless(.cpus | unset or at_most(999999)) | broken("cpus")),
	((keys - ["command", "cpus", "entrypoint", "environment", "group_add", "security_opt", "tmpfs", "volumes", "working_dir"]
	    - ($exact + $want | keys))[] as $key
	| unless(.[$key] | unset) | broken($key)),
	(unless((.memswap_limit | number) >= (.mem_limit | number)) | broken("memswap_limit")),
	(unless(.group_add | given([]) | type == "array" and . - if $kind == "agent" then $f.groups else [] end == []) | broken("group_add")),
	(unless(if $kind == "extra" then [.entrypoint, .command | given([])] | all(.[]; words) and add != []
	    else .command | unset end) | broken("command")),
	(unless(.working_dir | unset or normal) | broken("working_dir")),
	(.environment | given({}) | judge_environment($name)),
	(.security_opt | given([]) | if type == "array" then judge_security_opt else violation("security-opt"; "security_opt"; "security_opt is not a list") end),
	(.tmpfs | given([]) | if words then judge_tmpfs({agent: $f.tmpfs, egress: {"/tmp": 67108864}}[$kind] // {"/tmp": $f.tmpfs["/tmp"]};
		if $kind == "extra" then ["/proc", "/sys", "/dev", "/run/services"] else guarded end)
	else violation("tmpfs"; "tmpfs"; "tmpfs is not a list") end),
	([(.tmpfs[]? | strings | split(":")[0]), .volumes[]?.target?] as $mounted
	| $f.extra[$name] | values | judge_image($mounted));

def judge_invariants:
	(["base.yml", "\($f.mode).yml", "hardening.yml", "seccomp.json", ($f.files | keys[])] | unique[]
	| unless(digests[.] != null and $f.files[.] == digests[.])
	| violation(if . == "seccomp.json" then "seccomp-profile" else "layer" end; ""; "\(.) is not the file that came with the policy")),
	($model + {name: $model.name} | del(.services) | keys[]
	| unless(if . == "name" then $model.name == "drydock-" + $f.session else $model[.] | unset end)
	| violation("top-level"; .; "\(.): \($model[.] | short)")),
	($model.services
	| if type != "object" then
		violation("services"; ""; "the model has no services")
	else
		($f.services + . | keys[]) as $name
		| .[$name] | of($name; if type == "object" and ($f.services | has($name)) then judge_service($name)
		    else violation("services"; $name; "the service is not a mapping, or no service of this name is allowed") end)
	end);

# The sources.  By the group of a protected path: the rule, the relations to the
# path that are refused, and the words for the path.
def forbidden: {
root: {rule: "source-home", how: ["is", "holds"], text: "the root of the file system: name a directory of its own for the project"},
home: {rule: "source-home", how: ["is", "holds"], text: "the home directory: name a directory of its own for the project"},
credentials: {rule: "source-credentials", how: ["is", "holds", "under"], text: "a place of keys, credentials or programs"},
local: {rule: "source-credentials", how: ["is", "holds", "under"], text: "a place of keys, credentials or programs"},
profiles: {rule: "source-credentials", how: ["is", "holds", "under"], text: "a place of programs' accounts and passwords"},
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

# The services that have a bind of this role.  The role "services" is in all
# services but egress.
def seen_by: {home: ["agent"], project: ["agent"], below: ["agent"], git: ["agent"], run: ["agent"], history: ["agent"], cache: ["agent"], engine: ["agent"],
	egress: ["agent", "egress"], proxy: ["egress"], proxylog: ["egress"]};

# The role of a bind of drydock's that is at its own target, in a service that
# has this role.
def role($name):
	$f.sources[.source | tostring].role as $role
	| select($role and ($name | among(seen_by[$role] // [$name] - ["egress"])) and (.target | normal)
		and .target == ({home: $f.home, project: .source, below: .source, git: .source}[$role] // .target)) | $role;

# Judges a source that drydock does not make.  The message "is" names no path,
# because a directory often has several: "/usr/bin" is "/bin".
def judge_touches($path; $source):
	$source.touches
	| if type != "array" then
		violation("source-kind"; ""; "\($path | short) is not a directory")
	else
		.[] | (forbidden[.group] // error("no group \(.group)")) as $no
		| select((.how | among($no.how)) and (.group != "root-home" or .place != $f.home))
		| violation($no.rule; ""; "\($path | short) \({under: "lies in"}[.how] // .how) "
			+ if .how == "is" then "" else "\(.place | short), " end + $no.text)
	end;

# The facts of drydock's own sources that must be as in the role: the rule, and
# the words for another value.
def own_source: {
kind: ["source-kind", "is a"],
real: ["source-link", "leads to"],
others_write: ["source-owner", "can be written by others:"],
dev: ["source-swapped", "is another directory now, on device"],
ino: ["source-swapped", "is another directory now, of inode"]
};

def judge_own_bind($role; $source):
	($f.carried[.source] // $f.roles[$role] // error("no facts of \($role)")) as $want
	| (select($want.read_only and .read_only != true)
	| violation("bind-read-only"; .target; "\($role) is not read-only")),
	if $source.exists | not then
		unless($want.made and $source.exists == false) | violation("source-kind"; ""; "\($role) \(.source | short) does not exist")
	else
		(own_source | keys[]) as $key
		| select($want[$key] != null) | unless($want[$key] == $source[$key])
		| violation(if $source[$key] == "symlink" then "source-link" else own_source[$key][0] end; "";
			"\($role) \(.source | short) \(own_source[$key][1]) \($source[$key] | short)")
	end,
	(select($want.made and $source.exists) | $source.owner | unless(among([$f.services[].user]))
	| violation("source-owner"; ""; "\($role) \($want.real | short) belongs to \(.)")),
	(select($role | among(["project", "below", "git"])) | judge_touches(.source; $source));

def hidden($what; others):
	. as $target
	| (guarded[] | select(touches(.; $target) and (. != "/run" or ($target | startswith("/run/media/") | not)))), (others, "/tmp" | select(holds($target; .)))
	| violation("bind-target"; $target; "\($what)\($target | short) would hide or lie in \(.)");

# A bind of the user's, or one of drydock's that is not at its own target.
def judge_user_bind($name; $own; $source):
	.source as $path | listed as $listed
	| unlisted($name == "agent"),
	(unless(.read_only | . == true or (among([null, false]) and $listed.read_only != true))
	| violation("bind-read-only"; .target; "\(.target | short) is listed as read-only, or read_only is neither true nor false")),
	(.target | if normal then hidden(""; $own[])
	else violation("bind-target"; .; "\(short) is not a normalized absolute path") end),
	(select($listed)
	| if $source.exists != true or $source.kind != "directory" then
		violation("source-kind"; ""; "\($path | short) is not a directory")
	elif $source.real != $path then
		violation("source-link"; ""; "\($path | short) leads to \($source.real | short)")
	else
		judge_touches($path; $source)
	end);

def judge_binds($name):
	[.[] | objects | select(role($name)) | .target] as $own
	| .[] | if is_bind | not then
		no_bind
	else
		(({bind: {}} + . | keys - ["type", "source", "target", "read_only"])[] as $key
		| unless($key == "bind" and (.bind | among([{}, {create_host_path: false}])))
		| violation("bind-options"; .target; "\($key) of \(.target | short): \(.[$key] | short)")),
		([role($name)][0] as $role | $f.sources[.source | tostring] as $source
		| if $role then judge_own_bind($role; $source) else judge_user_bind($name; $own; $source) end)
	end;

# A network namespace does not stop connections to a unix socket in a bind.
def judge_sources:
	($model.services | objects | keys[]) as $name
	| of($name; $model.services[$name] | objects | .volumes | given([])
		| if type == "array" then judge_binds($name) else violation("storage"; "volumes"; "volumes is not a list") end),
	of("agent"; ($f.home | hidden("home at "; empty)), ($f.project | hidden("project at "; empty)),
	($f.carried | keys[] | hidden("mount at "; empty)),
	(unless($f.sockets.allowed) | $f.sockets.listened_at[]
	| violation("source-socket"; ""; "a program listens at \(short), and the agent could talk to it: stop that program, or set project_sockets = yes")));

# The entry points; policy.c appends the name of one.  judge_own: the user has no
# overlays, so the reference is the model.  judge: any other model, or one overlay
# before the merge.  judge_again: the sources alone that drydock does not make, of
# a sealed plan that starts again.  table: the rules.
def judge_again: [$f.sources | to_entries[] | select(.value.role == null) | judge_touches(.key; .value)] | sort_by(.rule);
def judge_own: [judge_invariants, judge_sources] | sort_by(.rule);
def judge:
	if has("raw") then [.raw as $variables | .overlay | judge_raw($variables)]
	else [(judge_difference | . + {changed: true}), judge_invariants, judge_sources] end
	| sort_by(.rule);
