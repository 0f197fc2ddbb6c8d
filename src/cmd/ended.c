/* SPDX-License-Identifier: MIT */
/* ended: prints outcomes of ended sessions, escaped for the terminal. */
#include "cmd/ended.h"

#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "session/changes.h"
#include "session/outcome.h"

const struct outcome *
ended_find(struct context *ctx, const char *word, struct outcomes *ret_all)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	if (outcomes_read(ctx->paths, ret_all, &dg) != 0) {
		diag_warn("%s", dg.message);
		return NULL;
	}
	return outcomes_find(ret_all, word);
}

bool
ended_show(struct context *ctx, const char *word, int *ret_status)
{
	cleanup_outcomes struct outcomes all = OUTCOMES_INIT;
	cleanup_strbuf struct strbuf said = STRBUF_INIT;
	const struct outcome *o = ended_find(ctx, word, &all);

	if (o == NULL)
		return false;
	for (size_t i = 0; i < o->screen.nr; i++) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;

		strbuf_add_escaped(
		    &line, o->screen.v[i], strlen(o->screen.v[i]));
		(void)printf("%s\n", line.buf);
	}
	(void)fflush(stdout);
	outcome_describe(o, &said);
	diag_note("%s%s", said.buf,
	    o->screen.nr > 0 ? "; above is its last screen" : "");
	outcome_tell(o, ctx->paths);
	changes_tell_ended(ctx->paths, o->id);
	*ret_status = o->status >= 0 ? o->status : 1;
	return true;
}

bool
ended_is_shown(const struct outcomes *outcomes, size_t i, bool all)
{
	const struct outcome *o = &outcomes->v[i];

	if (all)
		return true;
	for (size_t n = 0; n < i; n++)
		if (!outcomes->v[n].ends_with_client &&
		    strcmp(outcomes->v[n].project, o->project) == 0)
			return false;
	return !o->ends_with_client;
}

void
ended_print(const struct outcomes *outcomes, bool all)
{
	for (size_t i = 0; i < outcomes->nr; i++) {
		const struct outcome *o = &outcomes->v[i];
		cleanup_strbuf struct strbuf line = STRBUF_INIT;

		if (!ended_is_shown(outcomes, i, all))
			continue;
		outcome_describe_row(o, &line);
		(void)printf("%s\n", line.buf);
	}
}
