/* SPDX-License-Identifier: MIT */
/*
 * verify: the comparisons that plan_verify() makes of one service.
 *
 * They do no I/O but for the stat of mount targets, so that tests hand in facts
 * of their own.  Each fails with DIAG_POLICY, saying what is expected and what
 * is.
 */
#ifndef DRYDOCK_VERIFY_H
#define DRYDOCK_VERIFY_H

#include <sys/types.h>

#include "plan/plan.h"

struct container;
struct diag;

/* Ids, capabilities, no_new_privs and seccomp, of init and holder. */
int verify_status(const struct plan_service *service,
    const struct proc_facts *facts, struct diag *dg);

/*
 * Namespaces, network devices, limits.  host_net is good for the host's network
 * beside drydock's own namespace; 0 when it is not known.
 */
int verify_process(const struct plan_service *service,
    const struct proc_facts *facts, ino_t host_net, struct diag *dg);

/*
 * Every mount is one that the plan or the runtime's standard set has, once and
 * as writable as that says; and each of the plan's is there.
 */
int verify_mounts(const struct plan_service *service,
    const struct proc_mounts *mounts, struct diag *dg);

/* What stands at each bind's target is the inode that the judge saw. */
int verify_sources(
    const struct plan_service *service, int root_fd, struct diag *dg);

/*
 * Image, environment (the image's own, image_env, NULL for none, and the
 * plan's over it), labels, command and what else only inspect shows; seccomp is
 * the profile's JSON, NULL for none.
 */
int verify_inspect(const struct plan_service *service,
    const char *const *image_env, const char *seccomp,
    const struct container *container, struct diag *dg);

#endif /* DRYDOCK_VERIFY_H */
