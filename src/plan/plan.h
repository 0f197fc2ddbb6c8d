/* SPDX-License-Identifier: MIT */
/*
 * plan: from a request to a judged, sealed Compose model.
 *
 *	assemble	the ordered overlays, each read once
 *	resolve		Compose's merged model
 *	judge		the model read into struct plan; policy.jq over it and facts
 *	prepare		bind sources and mount points
 *	seal		the plan's tree as plan.json
 *	verify		the waiting processes against the plan
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
#include "plan/access.h"
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

/* What is to be launched; all borrowed. */
struct plan_request {
	const struct paths *paths;
	const struct settings *settings;
	const struct engine *engine;
	const struct project *project;
	struct mode_choice mode;
	const char *session_id;
	const char *session_dir; /* absolute; home/ run/ egress/ sidecar/ */
	const char *history_dir; /* absolute */
	const struct image *agent_image;
	const struct image *egress_image; /* contained only */
};

struct overlay {
	char *name; /* owned; "base", "contained", ... */
	char *why; /* owned; "always", "mode contained (--mode)" */
	int fd; /* sealed memfd with the bytes that Compose reads */
	struct strbuf text;
	struct strbuf tree; /* a user's as JSON, tags left out; else empty */
	char digest[DIGEST_HEX_SIZE]; /* of drydock's own file; else "" */
};

/* The -f list, in order. */
struct assembly {
	struct overlay *v; /* owned */
	size_t nr;
	struct strvec vars; /* interpolation variables, NAME=VALUE */
	struct access access; /* to the project */
	struct extra_service *extra; /* owned; what the user's add */
	size_t nextra;
};

#define ASSEMBLY_INIT               \
	{                           \
		.vars = STRVEC_INIT \
	}

/* An empty overlay at this place of the list; name and why are given. */
struct overlay *assembly_insert(
    struct assembly *assembly, size_t at, char *name, char *why);

/*
 * Base, mode, hardening, the project's group where a session needs it, then the
 * optional overlays, with what drydock says of
 * the services that they add.  No partial list leaves it: on failure
 * *ret_assembly is empty and the overlay is named.
 */
int plan_assemble(const struct plan_request *request,
    struct assembly *ret_assembly, struct diag *dg);
void assembly_release(struct assembly *assembly);

/* Whose a service is: its name says so. */
enum service_role {
	SERVICE_AGENT,
	SERVICE_EGRESS,
	SERVICE_EXTRA /* an overlay of the user's adds it */
};

enum service_role service_role_of(const char *name);

/* One bind of a service and what is known of its source. */
struct plan_mount {
	const struct mount_role *role; /* static; MOUNT_USER: the user's own */
	char *source; /* owned; as the model has it, dollars single */
	char *target; /* owned; normalised */
	bool read_only;
	int fd; /* O_PATH, from judge on; -1 while the source is absent */
	struct stat st; /* of fd */
};

struct plan_tmpfs {
	char *target; /* owned */
	int64_t size; /* bytes; -1 not said */
	bool noexec;
};

enum plan_net {
	PLAN_NET_NONE,
	PLAN_NET_BRIDGE,
	PLAN_NET_HOST
};

/* A service of the model.  Strings are owned, "" where the model has none. */
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
	bool init; /* an init process is asked for */
	struct proc_limits limits; /* -1: none planned */
	struct plan_tmpfs *tmpfs; /* owned */
	size_t ntmpfs;
	struct plan_mount *mounts; /* owned */
	size_t nmounts;
	struct strvec env; /* NAME=VALUE; what the plan sets over the image's */
	struct strvec labels; /* NAME=VALUE */
	struct strvec entrypoint;
	struct strvec command;
	struct strvec log_options; /* NAME=VALUE */
	struct strvec ulimits; /* NAME=VALUE, soft and hard */
	char *log_driver;
	char *restart;
	char *ipc;
	char *cgroup;
	char *working_dir;
	const char
	    *unclear; /* static; a key that was not understood, or NULL */
};

struct violation {
	char *rule;
	char *service; /* "" when of the whole model */
	char *what;
	char *overlay; /* "" when not known */
};

/* Compose's merged model, read once; every later stage takes it. */
struct plan {
	struct json *tree; /* owned; dollars single; NULL: nothing was merged */
	struct plan_service *services; /* owned; in the model's order */
	size_t nservices;
	struct violation *violations; /* owned */
	size_t nviolations; /* 0: may run */
	struct strbuf seccomp; /* the profile that was judged */
	/* Contained: what is listened at below the binds (plan/sockets.h). */
	struct strvec sockets;
	bool sockets_whole;
};

/* NULL: the plan has no such service. */
const struct plan_service *plan_find(const struct plan *plan, const char *name);

/*
 * Resolve and judge.  The policy compiles while Compose resolves.  Violations
 * are not a failure of this function: plan_check_verdict() turns them into
 * DIAG_POLICY with one line each as detail.  A policy that is absent or does
 * not compile, also one of policy.d, is a failure.
 */
int plan_judge(const struct plan_request *request,
    const struct assembly *assembly, struct plan *ret_plan, struct diag *dg);

/* Appends "rule: service: what (overlay x)": one line, not escaped. */
void violation_describe(const struct violation *v, struct strbuf *out);
int plan_check_verdict(const struct plan *plan, struct diag *dg);

/*
 * Opens or makes each bind source and each mount point that falls inside
 * another bind of its service, walked without following links; fills fd and
 * st.  A link or a file on the way to a mount point is DIAG_POLICY that names
 * it.  Due before every start: an agent can plant links for the next one.
 */
int plan_prepare(
    const struct plan_request *request, struct plan *plan, struct diag *dg);

/* The mount of the same service in which m's mount point lies, or NULL. */
const struct plan_mount *plan_outer_mount(
    const struct plan_service *service, const struct plan_mount *m);

/* The sealed plan, and the profile that it names, in a session's directory. */
#define PLAN_FILE "plan.json"
#define PLAN_SECCOMP_FILE "seccomp.json"
#define PLAN_SECCOMP_MAX (256UL * 1024)

/*
 * Writes the profile, then the plan, each atomically, into session_fd: the
 * plan's tree as Compose reads it, with what Compose does not print spelled
 * out (create_host_path false, a command that is none).  *ret_fd is the plan,
 * opened for reading.
 */
int plan_seal(const struct plan *plan, int session_fd,
    char ret_digest[DIGEST_HEX_SIZE], int *ret_fd, struct diag *dg);

/*
 * Appends the environment, NAME=VALUE, that the plan which plan_seal() wrote
 * sets for a service; its digest must be the recorded one (DIAG_DATA).
 */
int plan_sealed_environment(int session_fd, const char *digest,
    const char *service, struct strvec *env, struct diag *dg);

/*
 * Reads back what plan_seal() wrote, for a session that is started again: its
 * digest must be the recorded one, and every key that is compared understood
 * (DIAG_DATA).  Bind sources are opened; plan_prepare() is due, no verdict.
 */
int plan_unseal(const struct plan_request *request, int session_fd,
    const char *digest, struct plan *ret_plan, struct diag *dg);

/*
 * Compares one waiting container with its service: kernel facts first, then
 * inspect for what the kernel does not show.  A difference is DIAG_POLICY that
 * says what was expected and what is; facts that cannot be read likewise.
 */
int plan_verify(const struct plan_request *request, const struct plan *plan,
    const struct plan_service *service, const struct container *container,
    struct diag *dg);

/*
 * Compares the container's configuration alone, by inspect: also of a container
 * that has ended, and perhaps because of a difference.
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
