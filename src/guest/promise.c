/* SPDX-License-Identifier: MIT */
/* promise: the names and words of the table. */
#include "guest/promise.h"

const struct promise promises[PROMISES] = {
	[PROMISE_PROCESS] = { "process",
	    "the session's processes are in their container's control group" },
	[PROMISE_IDENTITY] = { "identity",
	    "the caller's ids, no capability, no new privileges, seccomp" },
	[PROMISE_NAMESPACES] = { "namespaces",
	    "every namespace but the user's is the session's own" },
	[PROMISE_DEVICES] = { "devices",
	    "the session has the network devices of its mode" },
	[PROMISE_LIMITS] = { "limits",
	    "memory, processes and processors are limited as planned" },
	[PROMISE_MOUNTS] = { "mounts",
	    "nothing is mounted that the plan does not have" },
	[PROMISE_SOURCES] = { "sources",
	    "what is mounted is the file or directory that was judged" },
	[PROMISE_CONFIGURATION] = { "configuration",
	    "the engine's configuration of the container is the plan's" },
	[PROMISE_EVERY_PROCESS] = { "every-process",
	    "no process of the session has gained a capability or an id" },
	[PROMISE_PROXY_ANSWERS] = { "proxy-answers",
	    "the session's own proxy refuses a name that is not listed" },
	[PROMISE_LEASE] = { "lease",
	    "the session's own proxy ends with the session's agent" },
	[PROMISE_SAME_PLAN] = { "same-plan",
	    "a fresh container of the plan is what the plan says" },
	[PROMISE_LOOPBACK] = { "loopback", "no interface but loopback is up" },
	[PROMISE_GATEWAY] = { "gateway", "no route leads out" },
	[PROMISE_METADATA] = { "metadata",
	    "a cloud's metadata address is not reachable" },
	[PROMISE_DNS_UDP] = { "dns-udp", "no name server answers over UDP" },
	[PROMISE_DNS_TCP] = { "dns-tcp", "no name server answers over TCP" },
	[PROMISE_IPV6] = { "ipv6", "no address of IPv6 is reachable" },
	[PROMISE_RAW] = { "raw-sockets", "raw and packet sockets are refused" },
	[PROMISE_FAMILIES] = { "socket-families",
	    "only unix, IP and netlink sockets can be made" },
	[PROMISE_VSOCK] = { "vsock",
	    "no socket to the hypervisor can be made" },
	[PROMISE_USERNS] = { "user-namespaces",
	    "no user namespace can be made" },
	[PROMISE_NEW_MOUNTS] = { "new-mounts", "nothing can be mounted" },
	[PROMISE_SETUID] = { "setuid",
	    "no other id and no set-id bit can be had" },
	[PROMISE_DEVICE_NODES] = { "device-nodes",
	    "no device can be made, and none is there but the standard ones" },
	[PROMISE_ENGINE] = { "engine-socket", "no engine's socket is there" },
	[PROMISE_GUARDRAILS] = { "guardrails",
	    "the guardrails and the root file system cannot be written" },
	[PROMISE_LINKS] = { "links",
	    "no symlink or hard link leads out of the project" },
	[PROMISE_KERNEL] = { "kernel-files",
	    "the kernel's settings in /proc and /sys cannot be written" },
	[PROMISE_KEYRINGS] = { "keyrings", "kernel keyrings are refused" },
	[PROMISE_SIGNALS] = { "signals",
	    "a process of the host cannot be signalled" },
	[PROMISE_MEMORY] = { "memory", "no more memory than the plan allows" },
	[PROMISE_PIDS] = { "pids", "no more processes than the plan allows" },
	[PROMISE_TMP] = { "tmp", "/tmp takes no more than the plan allows" },
	[PROMISE_PROXY] = { "proxy",
	    "the proxy refuses names and addresses that are not listed" },
	[PROMISE_OTHER_PROXY] = { "other-proxy",
	    "another session's proxy cannot be reached" },
};

const char *const prove_fact_names[PROVE_FACTS] = {
	[PROVE_PROJECT] = "project",
	[PROVE_ELSEWHERE] = "elsewhere",
	[PROVE_ENGINE] = "engine",
	[PROVE_HOST_PID] = "host-pid",
	[PROVE_MEMORY] = "memory",
	[PROVE_PIDS] = "pids",
	[PROVE_TMP] = "tmp",
};

bool
promise_is_inside(enum promise_id id)
{
	return id >= PROMISE_LOOPBACK;
}

const char *
verdict_name(enum verdict verdict)
{
	return verdict == VERDICT_HELD  ? "held"
	    : verdict == VERDICT_BROKEN ? "BROKEN"
					: "unknown";
}
