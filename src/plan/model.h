/* SPDX-License-Identifier: MIT */
/* model: Compose's merged model, as text and as a struct plan. */
#ifndef DRYDOCK_PLAN_MODEL_H
#define DRYDOCK_PLAN_MODEL_H

#include <stddef.h>

struct diag;
struct plan;
struct plan_request;
struct strbuf;

/* In bytes.  A merged model is far smaller. */
#define MODEL_MAX_SIZE (1024UL * 1024)

/*
 * dollars_unescape() appends the text with single dollars.  Compose prints each
 * dollar twice, in keys and in values, so that the output can be input again.
 * A dollar that is not doubled is DIAG_ENGINE.  dollars_escape() is the
 * inverse.
 */
int dollars_unescape(
    const char *text, size_t len, struct strbuf *out, struct diag *dg);
void dollars_escape(const char *text, size_t len, struct strbuf *out);

/*
 * Reads a model with single dollars into plan->tree and plan->services.  "what"
 * names the model in messages.  A key of unexpected form is skipped;
 * unreadable_key of its service names it.  This is no failure yet: the policy
 * runs first, since its message is better.  A volume without source or target
 * is skipped.
 */
int model_read(const struct plan_request *request, const char *text, size_t len,
    const char *what, struct plan *plan, struct diag *dg);

/* Fails with DIAG_POLICY if a key of a service could not be read. */
int model_check_readable(const struct plan *plan, struct diag *dg);

#endif /* DRYDOCK_PLAN_MODEL_H */
