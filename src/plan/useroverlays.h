/* SPDX-License-Identifier: MIT */
/*
 * useroverlays: what the user adds to the model, from CONFIG/compose.d alone.
 *
 * compose.d/NAME is for all projects, compose.d/KEY/NAME for the project of
 * that key; NAME ends in .yml, .yaml or .json.  Nothing of them is reached
 * through a link: an agent could have placed where it leads.
 */
#ifndef DRYDOCK_PLAN_USEROVERLAYS_H
#define DRYDOCK_PLAN_USEROVERLAYS_H

struct assembly;
struct diag;
struct plan_request;

/*
 * Appends them in byte order, those for all projects first; each is read once.
 * One that others may write, that is too large or not in the part of YAML that
 * drydock reads is DIAG_CONFIG and names it; anchors and tags are DIAG_POLICY.
 */
int useroverlays_add(const struct plan_request *request,
    struct assembly *assembly, struct diag *dg);

#endif /* DRYDOCK_PLAN_USEROVERLAYS_H */
