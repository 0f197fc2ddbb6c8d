/* SPDX-License-Identifier: MIT */
/*
 * verify: the comparisons that plan_verify() makes for one service.
 *
 * They do no I/O except the stat of mount targets, so that tests can pass their
 * own facts.  A difference is DIAG_POLICY; the message has the expected and the
 * actual value.
 */
#ifndef DRYDOCK_VERIFY_H
#define DRYDOCK_VERIFY_H

#include <sys/types.h>

#include "plan/plan.h"

struct container;
struct diag;

/*
 * Compares ids, capabilities, no_new_privs and seccomp, of the init and of its
 * child.
 */
int verify_status(const struct plan_service *service,
    const struct proc_facts *facts, struct diag *dg);

/*
 * If the plan has the host's network, the namespace must be drydock's own or
 * host_net.  host_net is an inode number; 0 if unknown.
 */
int verify_namespaces(const struct plan_service *service,
    const struct proc_facts *facts, ino_t host_net, struct diag *dg);
int verify_devices(const struct plan_service *service,
    const struct proc_facts *facts, struct diag *dg);
int verify_limits(const struct plan_service *service,
    const struct proc_facts *facts, struct diag *dg);

/*
 * Every mount must be in the plan or in the runtime's standard set, and its
 * target must have only this mount.  A mount of the plan must be exactly as
 * writable as the plan says.  A standard mount may be writable only if the set
 * allows it.  Every mount of the plan must exist.
 */
int verify_mounts(const struct plan_service *service,
    const struct mountinfo *mounts, struct diag *dg);

/*
 * Compares the inode at each bind's target with the judged source.  root_fd is
 * the container's root directory.
 */
int verify_sources(
    const struct plan_service *service, int root_fd, struct diag *dg);

/*
 * Compares image, environment, labels, command and the other values that only
 * the engine's inspect shows.  The expected environment is image_env (NULL for
 * none), overridden by the plan's.  seccomp is the profile as JSON; NULL: not
 * compared.
 */
int verify_inspect(const struct plan_service *service,
    const char *const *image_env, const char *seccomp,
    const struct container *container, struct diag *dg);

#endif /* DRYDOCK_VERIFY_H */
