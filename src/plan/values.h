/* SPDX-License-Identifier: MIT */
/*
 * values: what a request comes to: the bind sources by role, and the variables
 * that overlays may interpolate.
 */
#ifndef DRYDOCK_PLAN_VALUES_H
#define DRYDOCK_PLAN_VALUES_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct plan_request;
struct strvec;

/* Whether a service is drydock's own, with the holder in it. */
bool plan_is_own_service(const char *service);

/* The i-th role ("home", "project", ...) of the request's mode, or NULL. */
const char *plan_role_at(const struct plan_request *request, size_t i);

/* Returned: the path of a role's bind source on the host. */
char *plan_role_path(const struct plan_request *request, const char *name);

/* Returned: where the seccomp profile of the session is. */
char *plan_seccomp_path(const struct plan_request *request);

/*
 * Returned: "UID:GID" of a service: the caller's, but for the sidecar of a root
 * caller (BUILD_PROXY_ID).
 */
char *plan_service_user(
    const struct plan_request *request, const char *service);

/* Returned: cpus as a decimal number, "1.5"; "0" is all of the host's. */
char *plan_cpus(const struct plan_request *request);

/*
 * Appends NAME=VALUE for each variable of the mode.  A value that is not UTF-8
 * or has a control character in it cannot stand in a model: DIAG_CONFIG.
 */
int plan_variables(
    const struct plan_request *request, struct strvec *vars, struct diag *dg);

#endif /* DRYDOCK_PLAN_VALUES_H */
