/* SPDX-License-Identifier: MIT */
/*
 * model: Compose's merged model, as text and read into a struct plan.
 */
#ifndef DRYDOCK_PLAN_MODEL_H
#define DRYDOCK_PLAN_MODEL_H

#include <stddef.h>

struct diag;
struct plan;
struct plan_request;
struct strbuf;

/* A merged model is far below this. */
#define MODEL_MAX_SIZE (1024UL * 1024)

/*
 * Compose prints each dollar twice, in keys and values alike, so that what it
 * prints can be read again.  A dollar that stands alone is DIAG_ENGINE.
 */
int dollars_unescape(
    const char *text, size_t len, struct strbuf *out, struct diag *dg);
void model_double(const char *text, size_t len, struct strbuf *out);

/*
 * Reads a model with single dollars into plan->tree and the services; what
 * names it in messages.  A key that is not of the expected form is left out and
 * named in its service: the policy comes first, since it says more of it.  A
 * volume without source or target is left out.
 */
int model_read(const struct plan_request *request, const char *text, size_t len,
    const char *what, struct plan *plan, struct diag *dg);

/* DIAG_POLICY when a key of a service could not be read. */
int model_check_clear(const struct plan *plan, struct diag *dg);

#endif /* DRYDOCK_PLAN_MODEL_H */
