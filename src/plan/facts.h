/* SPDX-License-Identifier: MIT */
/*
 * facts: collects the facts that the policy needs and the model does not have.
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
 * Opens the source of each mount; the last component is not followed if it is a
 * symlink.  Fills fd and st.  For an absent source fd stays -1.  Any other
 * failure to open the source is DIAG_IO.
 */
int facts_open_mounts(struct plan *plan, struct diag *dg);

/*
 * Appends {"reference", "model", "facts"}, the policy's input.  reference is
 * NULL without user overlays; then that key and facts.reserved_env are left
 * out.  HACKING.md documents the format.
 */
int facts_write(const struct plan_request *request,
    const struct assembly *assembly, const struct json *reference,
    const struct plan *plan, struct strbuf *out, struct diag *dg);

/* Appends {"facts"} with home and sources only. */
int facts_write_sources(const struct plan_request *request,
    const struct plan *plan, struct strbuf *out, struct diag *dg);

#endif /* DRYDOCK_PLAN_FACTS_H */
