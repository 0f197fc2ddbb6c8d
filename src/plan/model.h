/* SPDX-License-Identifier: MIT */
/*
 * model: Compose's merged model, as text and as what drydock asks of it.
 */
#ifndef DRYDOCK_PLAN_MODEL_H
#define DRYDOCK_PLAN_MODEL_H

#include <stddef.h>

struct diag;
struct json;
struct plan;
struct paths;
struct strbuf;

/* A merged model is far below this. */
#define MODEL_MAX_SIZE (1024UL * 1024)

/*
 * Compose prints each dollar twice, in keys and values alike, so that what it
 * prints can be read again.  A dollar that stands alone is DIAG_ENGINE.
 */
int model_undouble(
    const char *text, size_t len, struct strbuf *out, struct diag *dg);
void model_double(const char *text, size_t len, struct strbuf *out);

/*
 * Fills plan->binds from the volumes of all services that have a source and a
 * target, with what the model's x-drydock-ROLE declares of the source.  What
 * is declared in no known words counts as must be there.
 */
void model_binds(
    const struct json *model, const struct paths *paths, struct plan *plan);

#endif /* DRYDOCK_PLAN_MODEL_H */
