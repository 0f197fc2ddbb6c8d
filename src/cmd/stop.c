/* SPDX-License-Identifier: MIT */
/* stop: ends sessions. */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/strvec.h"
#include "cmd/sessions.h"
#include "host/statedir.h"
#include "session/collect.h"
#include "session/outcome.h"

struct stop_options {
	bool all;
	bool force;
};

/* Adds every session that was launched, shells included. */
static int
add_all(struct context *ctx, struct strvec *ids, struct diag *dg)
{
	cleanup_listing struct listing listing = LISTING_INIT;

	if (listing_records(ctx->paths, &listing, dg) != 0)
		return -1;
	for (size_t i = 0; i < listing.nr; i++) {
		if (listing.v[i].recorded &&
		    listing.v[i].record.launched_at != NULL)
			strvec_push(ids, listing.v[i].id);
	}
	return 0;
}

/* Resolves all operands before the first session is ended. */
static int
find_ids(struct context *ctx, struct strvec *ids, struct diag *dg)
{
	char id[SESSION_ID_SIZE];
	int i = 0;

	/* Without an operand, argv[0] is NULL: the default. */
	do {
		if (sessions_choose(
			ctx, ctx->argv[i], SESSIONS_OF_PROJECT, id, dg) != 0)
			return -1;
		if (!strvec_has(ids, id))
			strvec_push(ids, id);
	} while (++i < ctx->argc);
	return 0;
}

/*
 * Ends all sessions.  A failure does not stop the loop.  The first failure is
 * returned; later ones are warnings.
 */
static int
end_all(const struct context *ctx, const struct strvec *ids, bool force,
    struct diag *dg)
{
	cleanup_diag struct diag first = DIAG_INIT;

	for (size_t i = 0; i < ids->nr; i++) {
		cleanup_diag struct diag one = DIAG_INIT;

		if (collect_end(
			ctx->paths, ctx->engine, ids->v[i], force, &one) == 0) {
			(void)printf("%s ended\n", ids->v[i]);
			(void)fflush(stdout);
		} else if (first.class == DIAG_NONE) {
			diag_move(&first, &one);
		} else {
			diag_warn("%s", one.message);
		}
	}
	if (first.class == DIAG_NONE)
		return 0;
	return diag_move(dg, &first);
}

static int
stop_run(struct context *ctx, struct diag *dg)
{
	const struct stop_options *o = ctx->options;
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	int rc;

	if (o->all && ctx->argc > 0)
		return diag_set(
		    dg, DIAG_USAGE, "stop takes sessions or --all, not both");
	if (statedir_open(ctx->paths, dg) != 0 ||
	    (o->all ? add_all(ctx, &ids, dg) : find_ids(ctx, &ids, dg)) != 0)
		return -1;
	if (ids.nr == 0)
		return diag_set(dg, DIAG_NO, "there is no session");
	if (sessions_find_engine(ctx, NULL, dg) != 0)
		return -1;
	rc = end_all(ctx, &ids, o->force, dg);
	(void)outcomes_prune(ctx->paths, ctx->settings);
	return rc;
}

static const struct optdef stop_optdefs[] = {
	{ "all", 'a', OPT_FLAG, offsetof(struct stop_options, all), NULL,
	    "all sessions of all projects" },
	{ "force", 'f', OPT_FLAG, offsetof(struct stop_options, force), NULL,
	    "do not ask about stopped ones, and remove lost ones" },
	{ .name = NULL },
};

const struct cmd cmd_stop = {
	.name = "stop",
	.args = "[SESSION...]",
	.summary = "end sessions and remove what they leave",
	.description =
	    "Ends each SESSION (an id or the start of one; default: this "
	    "project's only one): its agent gets ten seconds, then containers "
	    "and home are removed; conversations stay. It asks before it removes "
	    "a stopped session that attach could start again. Nothing is "
	    "removed unless the engine answers.",
	.needs = CMD_NEED_SETTINGS,
	.options = stop_optdefs,
	.options_size = sizeof(struct stop_options),
	.run = stop_run,
};
