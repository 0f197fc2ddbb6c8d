/* SPDX-License-Identifier: MIT */
/*
 * values: what a request comes to, and the variables by which overlays get it.
 */
#ifndef DRYDOCK_PLAN_VALUES_H
#define DRYDOCK_PLAN_VALUES_H

#include "plan/plan.h"

struct diag;
struct strvec;

/* Returned: where the seccomp profile of the session is. */
char *plan_seccomp_path(const struct plan_request *request);

/*
 * The user of a service: the caller, but for the sidecar of a root caller
 * (BUILD_PROXY_ID).  Returned: "UID:GID".
 */
void plan_service_ids(const struct plan_request *request,
    enum service_role service, uid_t *ret_uid, gid_t *ret_gid);
char *plan_service_user(
    const struct plan_request *request, enum service_role service);

/* Returned: cpus as a decimal number, "1.5"; "0" is all of the host's. */
char *plan_cpus(const struct plan_request *request);

/*
 * Appends NAME=VALUE for each variable of the mode.  A value that is not UTF-8
 * or has a control character in it cannot stand in a model: DIAG_CONFIG.
 */
int plan_variables(
    const struct plan_request *request, struct strvec *vars, struct diag *dg);

#endif /* DRYDOCK_PLAN_VALUES_H */
