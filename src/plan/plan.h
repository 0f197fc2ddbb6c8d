/* SPDX-License-Identifier: MIT */
/*
 * plan: from a request to a judged, sealed Compose model.
 *
 *	assemble	the ordered overlays, each read once
 *	resolve		Compose's merged model
 *	judge		policy.jq over model and facts
 *	prepare		bind sources and mount points
 *	seal		plan.json
 *	verify		the waiting processes against the plan
 */
#ifndef DRYDOCK_PLAN_H
#define DRYDOCK_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/digest.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "host/mode.h"
#include "plan/access.h"

struct container;
struct diag;
struct engine;
struct further;
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
	const char *agent_image; /* sha256:... */
	const char *egress_image; /* contained only */
	const char *const *agent_image_env; /* what the image sets */
	const char *const *egress_image_env;
};

struct overlay {
	char *name; /* owned; "base", "contained", ... */
	char *why; /* owned; "always", "mode contained (--mode)" */
	int fd; /* sealed memfd with the bytes that Compose reads */
	struct strbuf text;
	struct strbuf tree; /* a user's as JSON, tags left out; else empty */
};

/* The -f list, in order. */
struct assembly {
	struct overlay *v; /* owned */
	size_t nr;
	struct strvec vars; /* interpolation variables, NAME=VALUE */
	struct access access; /* to the project */
	struct further *further; /* owned; what the user's add */
	size_t nfurther;
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

enum bind_kind {
	BIND_DIRECTORY,
	BIND_SOCKET,
	BIND_FILE
};

/* One bind of the judged model and what is known of its source. */
struct bind {
	char *service; /* owned */
	char *source; /* owned; as the model has it, dollars single */
	char *target; /* owned; normalised */
	bool read_only;
	enum bind_kind kind;
	mode_t mode; /* declared, if prepare may make it; 0: it must be there */
	uid_t uid; /* declared owner of what prepare makes */
	gid_t gid;
	int fd; /* O_PATH, from judge on; -1 while the source is absent */
	struct stat st; /* of fd */
};

struct violation {
	char *rule;
	char *service; /* "" when of the whole model */
	char *what;
	char *overlay; /* "" when not known */
};

struct plan {
	char *model; /* owned; the merged JSON, dollars single */
	struct bind *binds; /* owned */
	size_t nbinds;
	struct violation *violations; /* owned */
	size_t nviolations; /* 0: may run */
	struct strbuf seccomp; /* the profile that was judged */
	/* Contained: what is listened at below the binds (plan/sockets.h). */
	struct strvec sockets;
	bool sockets_whole;
};

/*
 * Appends the environment, NAME=VALUE, that the judged model sets for a
 * service: what the container gets beyond its image's own, and where the
 * agent's proxy variables stand.
 */
int plan_environment(const struct plan *plan, const char *service,
    struct strvec *env, struct diag *dg);

/*
 * Appends the names of the services that are not drydock's own, and the ids of
 * their images, in the same order.
 */
int plan_further(const struct plan *plan, struct strvec *names,
    struct strvec *images, struct diag *dg);

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
 * another bind, walked without following links; fills fd and st.
 */
int plan_prepare(
    const struct plan_request *request, struct plan *plan, struct diag *dg);

/* The bind of the same service in which b's mount point lies, or NULL. */
const struct bind *plan_outer_bind(
    const struct plan *plan, const struct bind *b);

/*
 * Walks, and where missing makes, each mount point below another bind of its
 * service, in that bind's source.  A link or a file on the way is DIAG_POLICY
 * that names it.  Part of plan_prepare(); due before every later start too.
 */
int plan_walk_mount_points(const struct plan *plan, struct diag *dg);

/* The sealed plan, and the profile that it names, in a session's directory. */
#define PLAN_FILE "plan.json"
#define PLAN_SECCOMP_FILE "seccomp.json"
#define PLAN_SECCOMP_MAX (256UL * 1024)

/*
 * Writes the profile, then the plan, each atomically, into session_fd: the
 * judged model as Compose reads it, with what Compose does not print spelled
 * out (create_host_path false, a command that is none).  *ret_fd is the plan,
 * opened for reading.
 */
int plan_seal(const struct plan *plan, int session_fd,
    char ret_digest[DIGEST_HEX_SIZE], int *ret_fd, struct diag *dg);

/*
 * Reads back what plan_seal() wrote, for a session that is started again: its
 * digest must be the recorded one (DIAG_DATA).  Bind sources are opened;
 * plan_prepare() is due, no verdict.
 */
int plan_unseal(const struct plan_request *request, int session_fd,
    const char *digest, struct plan *ret_plan, struct diag *dg);

/*
 * Compares one waiting container with the plan: kernel facts first, then
 * inspect for what the kernel does not show.  A difference is DIAG_POLICY that
 * says what was expected and what is; facts that cannot be read likewise.
 */
int plan_verify(const struct plan_request *request, const struct plan *plan,
    const char *service, const struct container *container, struct diag *dg);

/*
 * What was asked for alone, by inspect: also of a container that has ended, and
 * perhaps for just that.
 */
int plan_verify_asked(const struct plan_request *request,
    const struct plan *plan, const char *service,
    const struct container *container, struct diag *dg);

void plan_release(struct plan *plan);

#define PLAN_INIT                                                       \
	{                                                               \
		NULL, NULL, 0, NULL, 0, STRBUF_INIT, STRVEC_INIT, false \
	}
#define cleanup_assembly __attribute__((cleanup(assembly_release)))
#define cleanup_plan __attribute__((cleanup(plan_release)))

#endif /* DRYDOCK_PLAN_H */
