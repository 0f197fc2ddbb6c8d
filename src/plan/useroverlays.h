/* SPDX-License-Identifier: MIT */
/*
 * useroverlays: the overlays that the user adds, from CONFIG/compose.d only.
 *
 * compose.d/NAME is for all projects, compose.d/KEY/NAME for the project with
 * that key.  NAME ends in .yml, .yaml or .json.  No symlink is followed: an
 * agent could have written the symlink's target.
 */
#ifndef DRYDOCK_PLAN_USEROVERLAYS_H
#define DRYDOCK_PLAN_USEROVERLAYS_H

struct assembly;
struct diag;
struct plan_request;

/*
 * Appends the overlays in byte order, those for all projects first.  Each file
 * is read once.  A failure names the file:
 *
 * - DIAG_CONFIG: others may write it, it is too large, or it is not in the
 *   subset of YAML that drydock reads
 * - DIAG_POLICY: it has an anchor, an alias, a merge key or a forbidden tag
 *
 * More than 32 overlays in one directory are DIAG_CONFIG.
 */
int useroverlays_add(const struct plan_request *request,
    struct assembly *assembly, struct diag *dg);

#endif /* DRYDOCK_PLAN_USEROVERLAYS_H */
