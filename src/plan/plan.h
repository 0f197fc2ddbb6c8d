/* SPDX-License-Identifier: MIT */
/*
 * plan: turns a request into a judged, sealed Compose model.  The stages are:
 *
 *	assemble	builds the ordered list of overlays; reads each once
 *	resolve		runs Compose to merge the overlays into one model
 *	judge		reads the model into struct plan and runs policy.jq
 *			on the model and the facts
 *	prepare		opens or makes bind sources and mount points
 *	seal		writes the plan's tree to plan.json
 *	verify		compares the waiting processes with the plan
 */
#ifndef DRYDOCK_PLAN_H
#define DRYDOCK_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/digest.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "host/mode.h"
#include "plan/carried.h"
#include "plan/procfacts.h"

struct container;
struct diag;
struct engine;
struct extra_service;
struct image;
struct json;
struct mount_role;
struct paths;
struct project;
struct settings;

/* The session to launch.  All pointers are borrowed. */
struct plan_request {
	const struct paths *paths;
	const struct settings *settings;
	const struct engine *engine;
	const struct project *project;
	struct mode_choice mode;
	const char *session_id;
	const char *session_dir; /* absolute; has home/ run/ egress/ sidecar/ */
	const char *history_dir; /* absolute */
	const char *cache_dir; /* absolute; NULL: the session has no slot */
	const struct image *agent_image;
	const struct image *egress_image; /* mode contained only */
	bool lease; /* both images support it: see guest/lease.h */
};

struct overlay {
	char *name; /* owned; "base", "contained", ... */
	char *why; /* owned; the reason: "always", "mode contained (--mode)" */
	int fd; /* owned; sealed memfd with the bytes that Compose reads */
	struct strbuf text;
	struct strbuf tree; /* user overlay as JSON without tags; else empty */
	char digest[DIGEST_HEX_SIZE]; /* of a file of drydock's; else "" */
};

/* The session's access to its project. */
struct access {
	bool read_only; /* the project is on a read-only mount */
	bool has_group; /* the session needs the project's group */
	gid_t group;
};

/* The overlays in the order of Compose's -f options. */
struct assembly {
	struct overlay *v; /* owned */
	size_t nr;
	struct strvec vars; /* interpolation variables, NAME=VALUE */
	struct access access;
	struct carried carried;
	struct extra_service *extra_services; /* owned; of user overlays */
	size_t nextra_services;
};

#define ASSEMBLY_INIT               \
	{                           \
		.vars = STRVEC_INIT \
	}

/*
 * Inserts an empty overlay at index "at".  name and why are given.  The result
 * is borrowed and valid until the next insertion.
 */
struct overlay *assembly_insert(
    struct assembly *assembly, size_t at, char *name, char *why);

/*
 * Builds the list: base, the mode's overlay, hardening, the overlay with the
 * project's group if the session needs it, the one with the sidecar's lease, the
 * one of the dependency caches if the session has a slot, one overlay for each
 * mount below the project, then the user's overlays.  The list also has the
 * overlays that drydock generates for extra services.  On failure *ret_assembly
 * is untouched.  A failure in an overlay names that overlay.
 *
 * The user's are in CONFIG/compose.d, and in compose.d of the project's own
 * configuration; older ones of a project in CONFIG/compose.d/KEY.  Their names
 * end in .yml, .yaml or .json.  No symlink is followed: an agent could have
 * written the symlink's target.  Each directory is read in byte order.
 * DIAG_CONFIG: others may write a file, it is too large, or it is not in the
 * subset of YAML that drydock reads; or more than 32 are in one directory.
 * DIAG_POLICY: a file has an anchor, an alias, a merge key or a forbidden tag.
 */
int plan_assemble(const struct plan_request *request,
    struct assembly *ret_assembly, struct diag *dg);

/* The same without the user's overlays and what belongs to them. */
int plan_assemble_own(const struct plan_request *request,
    struct assembly *ret_assembly, struct diag *dg);
void assembly_release(struct assembly *assembly);

/* The kind of a service; its name decides it. */
enum service_role {
	SERVICE_AGENT,
	SERVICE_EGRESS,
	SERVICE_EXTRA /* added by a user overlay */
};

enum service_role service_role_of(const char *name);

/* One bind of a service, and the facts of its source. */
struct plan_mount {
	const struct mount_role *role; /* static; MOUNT_USER: a user's bind */
	char *source; /* owned; as in the model, with single dollars */
	char *target; /* owned; normalised */
	bool read_only;
	int fd; /* owned; O_PATH, set by judge; -1: source absent */
	struct stat st; /* of fd; valid when fd is not -1 */
};

struct plan_tmpfs {
	char *target; /* owned */
	int64_t size; /* bytes; -1: not set */
	bool noexec;
};

enum plan_net {
	PLAN_NET_NONE,
	PLAN_NET_BRIDGE,
	PLAN_NET_HOST
};

/*
 * A service of the model.  Strings are owned; a string that the model lacks is
 * "".
 */
struct plan_service {
	enum service_role role;
	char *name;
	char *image; /* sha256:... */
	char *user; /* "UID:GID" */
	uid_t uid;
	gid_t gid;
	gid_t groups[PROC_MAX_GROUPS]; /* group_add */
	size_t ngroups;
	char *network_mode;
	enum plan_net net;
	bool read_only;
	bool init; /* the engine must run an init process */
	struct cgroup_limits limits; /* -1: no limit planned */
	struct plan_tmpfs *tmpfs; /* owned */
	size_t ntmpfs;
	struct plan_mount *mounts; /* owned */
	size_t nmounts;
	struct strvec env; /* NAME=VALUE; the plan's, over the image's */
	struct strvec labels; /* NAME=VALUE */
	struct strvec entrypoint;
	struct strvec command;
	struct strvec log_options; /* NAME=VALUE */
	struct strvec ulimits; /* NAME=VALUE; the soft and the hard limit */
	char *log_driver;
	char *restart;
	char *ipc;
	char *cgroup;
	char *working_dir;
	const char *unreadable_key; /* static; NULL: all keys were read */
};

/* One broken rule.  Strings are owned. */
struct violation {
	char *rule;
	char *service; /* "" for the whole model */
	char *what;
	char *overlay; /* "" if unknown */
};

/* Compose's merged model, read once.  Every later stage takes this struct. */
struct plan {
	struct json *tree; /* owned; single dollars; NULL: nothing merged */
	struct plan_service *services; /* owned; in the order of the model */
	size_t nservices;
	struct violation *violations; /* owned */
	size_t nviolations; /* 0: the plan may run */
	struct strbuf seccomp; /* the profile that was judged */
	/*
	 * Mode contained: the unix sockets with a listener in the project and
	 * in the user's binds.  See plan/sockets.h.
	 */
	struct strvec sockets;
	bool sockets_whole; /* false: the search was incomplete */
};

/* Returns NULL if the plan has no service of this name. */
const struct plan_service *plan_find(const struct plan *plan, const char *name);

/*
 * Resolves and judges the model.  Without user overlays the policy compiles
 * while Compose resolves.  A violation is not a failure of this function:
 * plan_check_verdict() turns violations into DIAG_POLICY, with one line each as
 * detail.  If policy.jq is absent or does not compile, that is a failure.  The
 * same holds for a file of policy.d that does not compile.
 */
int plan_judge(const struct plan_request *request,
    const struct assembly *assembly, struct plan *ret_plan, struct diag *dg);

/*
 * Judges a plan from plan_unseal() that starts again: other files may be
 * mounted by now at the sources that drydock does not make.  A mount that the
 * plan does not have, and a source in a protected place, is DIAG_POLICY.
 */
int plan_judge_again(
    const struct plan_request *request, struct plan *plan, struct diag *dg);

/*
 * Judges a whole plan from plan_read_again() by all rules but those that compare
 * overlays, and that for sockets in the project.  A broken rule is DIAG_POLICY.
 */
int plan_judge_sealed(
    const struct plan_request *request, struct plan *plan, struct diag *dg);

/* Appends "rule: service: what (overlay x)" as one line; nothing is escaped. */
void violation_describe(const struct violation *v, struct strbuf *out);
int plan_check_verdict(const struct plan *plan, struct diag *dg);

/*
 * Opens each bind source.  For a source of drydock's own: makes it if it is
 * missing, and sets owner and mode.  A source that was replaced after
 * plan_judge() is DIAG_POLICY.  Makes each mount point that lies inside another
 * bind of the same service.  The walk follows no symlink.  Fills fd and st of
 * each mount.  A symlink or a file in the path of a mount point is DIAG_POLICY,
 * and the message names it.  Call it before every start: an agent can plant
 * symlinks for the next start.
 */
int plan_prepare(
    const struct plan_request *request, struct plan *plan, struct diag *dg);

/*
 * Returns the innermost mount of the same service whose target holds m's
 * target, or NULL.
 */
const struct plan_mount *plan_outer_mount(
    const struct plan_service *service, const struct plan_mount *m);

/* The sealed plan and its seccomp profile, in the session directory. */
#define PLAN_FILE "plan.json"
#define PLAN_SECCOMP_FILE "seccomp.json"
#define PLAN_SECCOMP_MAX (256UL * 1024)

/*
 * Writes the profile, then the plan, each atomically, into session_fd.  The
 * file is the plan's tree in the form that Compose reads.  Values that Compose
 * leaves out when it prints a model are explicit (create_host_path: false, an
 * empty command).  *ret_fd is the plan, open for reading; the caller closes it.
 */
int plan_seal(const struct plan *plan, int session_fd,
    char ret_digest[DIGEST_HEX_SIZE], int *ret_fd, struct diag *dg);

/*
 * Appends the environment of a service, as NAME=VALUE, from the plan that
 * plan_seal() wrote for session id.  A plan whose digest is not "digest" is
 * DIAG_DATA, and the message names the command that mends it.
 */
int plan_sealed_environment(int session_fd, const char *id, const char *digest,
    const char *service, struct strvec *env, struct diag *dg);

/*
 * Reads a sealed plan whose digest is not on record, as plan_unseal() does.  A
 * file that is not byte for byte what plan_seal() would write is DIAG_DATA.
 * *ret_digest is that of the file; it is set also if the file is refused.
 * *ret_fd has the bytes that were read, for Compose; the caller closes it.
 */
int plan_read_again(const struct plan_request *request, int session_fd,
    char ret_digest[DIGEST_HEX_SIZE], int *ret_fd, struct plan *ret_plan,
    struct diag *dg);

/*
 * Reads back what plan_seal() wrote, to start a session again.  Opens the bind
 * sources, but does not judge; the caller must call plan_prepare().  A plan
 * whose digest is not "digest" is DIAG_DATA; a key of a service that cannot be
 * read is DIAG_POLICY.
 */
int plan_unseal(const struct plan_request *request, int session_fd,
    const char *digest, struct plan *ret_plan, struct diag *dg);

/*
 * A copy of a sealed plan for a container without an agent.  Only the session
 * and the writable directories outside of it differ.
 */
struct plan_copy {
	const char *from_id; /* the session that sealed the plan */
	const char *scratch_dir; /* absolute; in the new session's directory */
	int scratch_fd; /* the same, open for reading */
};

/*
 * Reads the plan that another session sealed, as plan_unseal() does, and turns
 * it into a plan of request's session.  An empty directory of scratch_dir
 * replaces the source of each bind of a directory that is outside of the
 * session's own, and that is writable or the project.  Extra services are left
 * out.
 */
int plan_unseal_copy(const struct plan_request *request, int session_fd,
    const char *digest, const struct plan_copy *copy, struct plan *ret_plan,
    struct diag *dg);

/*
 * Compares one waiting container with its service: first the kernel's facts,
 * then the engine's inspect output for what the kernel does not show.  A
 * difference is DIAG_POLICY, and the message has the expected and the actual
 * value.  Facts that cannot be read are DIAG_POLICY too.
 */
int plan_verify(const struct plan_request *request, const struct plan *plan,
    const struct plan_service *service, const struct container *container,
    struct diag *dg);

/* The comparisons of plan_verify(), in their order. */
enum verify_part {
	VERIFY_PROCESS, /* runs, in the container's control group */
	VERIFY_IDENTITY, /* ids, capabilities, no_new_privs, seccomp */
	VERIFY_NAMESPACES,
	VERIFY_DEVICES,
	VERIFY_LIMITS,
	VERIFY_MOUNTS,
	VERIFY_SOURCES,
	VERIFY_CONFIGURATION, /* from inspect */
	VERIFY_PARTS
};

/* why is the difference, or NULL if there is none. */
typedef void verify_part_fn(
    void *arg, enum verify_part part, const struct diag *why);

/*
 * Makes every comparison of plan_verify() with a container whose command may
 * have been started, and calls fn with the result of each.
 */
void plan_verify_parts(const struct plan_request *request,
    const struct plan *plan, const struct plan_service *service,
    const struct container *container, verify_part_fn *fn, void *arg);

/*
 * Compares ids, capabilities, no_new_privs and seccomp of every process in the
 * container's control group.  *ret_nr is their number.
 */
int plan_verify_processes(const struct plan_service *service,
    const struct container *container, size_t *ret_nr, struct diag *dg);

/*
 * Compares only the container's configuration, from inspect.  This also works
 * for a container that has exited; a difference may be the cause of the exit.
 */
int plan_verify_config(const struct plan_request *request,
    const struct plan *plan, const struct plan_service *service,
    const struct container *container, struct diag *dg);

void plan_release(struct plan *plan);

#define PLAN_INIT                                              \
	{                                                      \
		.seccomp = STRBUF_INIT, .sockets = STRVEC_INIT \
	}
#define cleanup_assembly __attribute__((cleanup(assembly_release)))
#define cleanup_plan __attribute__((cleanup(plan_release)))

#endif /* DRYDOCK_PLAN_H */
