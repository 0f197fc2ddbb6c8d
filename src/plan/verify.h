/* SPDX-License-Identifier: MIT */
/*
 * verify: what plan_verify() expects of one service, and the comparisons.
 *
 * The comparisons do no I/O but for the stat of mount targets, so that tests
 * hand in facts of their own.  Each fails with DIAG_POLICY, saying what is
 * expected and what is.
 */
#ifndef DRYDOCK_VERIFY_H
#define DRYDOCK_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strvec.h"
#include "plan/procfacts.h"

struct bind;
struct container;
struct diag;
struct json;

enum expect_net {
	EXPECT_NET_NONE,
	EXPECT_NET_BRIDGE,
	EXPECT_NET_HOST
};

/* A tmpfs of the plan. */
struct expect_tmpfs {
	char *target; /* owned */
	int64_t size; /* bytes; -1 not said */
	bool noexec;
};

/* What the judged model says of one service. */
struct expectation {
	uid_t uid;
	gid_t gid;
	gid_t groups[PROC_MAX_GROUPS]; /* group_add */
	size_t ngroups;
	enum expect_net net;
	bool read_only;
	bool init; /* an init process is asked for */
	struct proc_limits limits; /* -1: none planned */
	struct expect_tmpfs *tmpfs; /* owned */
	size_t ntmpfs;
	struct strvec env; /* the image's, then the plan's over it */
	struct strvec labels; /* NAME=VALUE */
	struct strvec command; /* entrypoint, then command */
	struct strvec log_options; /* NAME=VALUE */
	struct strvec ulimits; /* NAME=VALUE, soft and hard */
	char *user; /* owned */
	char *network_mode; /* owned */
	char *log_driver; /* owned; "" not said */
	char *restart; /* owned; "" not said */
	char *ipc; /* owned; "" not said */
	char *cgroup; /* owned; "" not said */
	char *working_dir; /* owned; "" not said */
	char *image_id; /* owned */
	const char *seccomp; /* borrowed; the profile's JSON, NULL: none */
	ino_t host_net; /* for EXPECT_NET_HOST: also good; 0 not known */
};

#define EXPECTATION_INIT                                            \
	{                                                           \
		.env = STRVEC_INIT, .labels = STRVEC_INIT,          \
		.command = STRVEC_INIT, .log_options = STRVEC_INIT, \
		.ulimits = STRVEC_INIT                              \
	}

/*
 * Reads the service of a model; what is not understood is DIAG_POLICY.  With a
 * NULL image_id its image is the one that the model names.
 */
int expectation_read(const struct json *model, const char *service,
    const char *const *image_env, const char *image_id,
    struct expectation *ret_expect, struct diag *dg);
void expectation_release(struct expectation *expect);

/* Ids, capabilities, no_new_privs and seccomp, of init and holder. */
int verify_status(const struct expectation *expect,
    const struct proc_facts *facts, struct diag *dg);

/* Namespaces, network devices, limits. */
int verify_process(const struct expectation *expect,
    const struct proc_facts *facts, struct diag *dg);

/*
 * Every mount is one that the plan or the runtime's standard set has, once and
 * as writable as that says; and each of the plan's is there.
 */
int verify_mounts(const struct expectation *expect, const struct bind *binds,
    size_t nbinds, const char *service, const struct proc_mounts *mounts,
    struct diag *dg);

/* What stands at each bind's target is the inode that the judge saw. */
int verify_sources(const struct bind *binds, size_t nbinds, const char *service,
    int root_fd, struct diag *dg);

/* Image, environment, labels, command and what else only inspect shows. */
int verify_inspect(const struct expectation *expect,
    const struct container *container, struct diag *dg);

#define cleanup_expectation __attribute__((cleanup(expectation_release)))

#endif /* DRYDOCK_VERIFY_H */
