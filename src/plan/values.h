/* SPDX-License-Identifier: MIT */
/*
 * values: computes values from a request, and the variables that pass them to
 * overlays.
 */
#ifndef DRYDOCK_PLAN_VALUES_H
#define DRYDOCK_PLAN_VALUES_H

#include "plan/plan.h"

struct diag;
struct strvec;

/* Returned: the path of the session's seccomp profile. */
char *plan_seccomp_path(const struct plan_request *request);

/*
 * The ids of a service: the caller's.  Exception: if the caller is root, the
 * sidecar has BUILD_PROXY_ID.  plan_service_user() returns them as "UID:GID";
 * the caller frees the text.
 */
void plan_service_ids(const struct plan_request *request,
    enum service_role service, uid_t *ret_uid, gid_t *ret_gid);
char *plan_service_user(
    const struct plan_request *request, enum service_role service);

/* Returned: the CPU limit as a decimal number, "1.5"; "0" means no limit. */
char *plan_cpus(const struct plan_request *request);

/*
 * Returns true if the setting binds lists path.  *ret_read_only tells whether
 * it is listed as read-only; false if it is not listed.
 */
bool plan_lists_bind(
    const struct plan_request *request, const char *path, bool *ret_read_only);

/*
 * Appends NAME=VALUE for each variable of the mode.  A value that is not UTF-8
 * or contains a control character is DIAG_CONFIG: a model cannot have it.
 */
int plan_variables(
    const struct plan_request *request, struct strvec *vars, struct diag *dg);

/*
 * Computes the session's access from the project's mount and modes.  A session
 * has the caller's uid and gid, no capabilities and, if the project needs it,
 * the project's group.  Fails with DIAG_POLICY, and says what to do, if a
 * session could not read the project.
 */
int plan_access(
    const struct plan_request *request, struct access *ret, struct diag *dg);

#endif /* DRYDOCK_PLAN_VALUES_H */
