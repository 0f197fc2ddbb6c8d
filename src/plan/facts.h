/* SPDX-License-Identifier: MIT */
/*
 * facts: what the policy must know and the model does not show.
 */
#ifndef DRYDOCK_PLAN_FACTS_H
#define DRYDOCK_PLAN_FACTS_H

struct assembly;
struct diag;
struct json;
struct plan;
struct plan_request;
struct strbuf;

/*
 * Opens the source of each mount, without following a link at its last
 * component: fills fd and st, or leaves fd -1 for one that is absent.  One that
 * cannot be looked at is DIAG_IO.
 */
int facts_open_mounts(struct plan *plan, struct diag *dg);

/*
 * Appends {"reference", "model", "facts"}, the policy's input; the reference may
 * be NULL.  HACKING.md says what stands in it.
 */
int facts_write(const struct plan_request *request,
    const struct assembly *assembly, const struct json *reference,
    const struct plan *plan, struct strbuf *out, struct diag *dg);

#endif /* DRYDOCK_PLAN_FACTS_H */
