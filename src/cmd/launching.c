/* SPDX-License-Identifier: MIT */
/*
 * launching: builds a launch request from the operands of run, new and shell.
 */
#include "cmd/launching.h"

#include <stddef.h>

#include "base/diag.h"
#include "cmd/build-images.h"

const struct optdef launching_optdefs[] = {
	{ "mode", 'm', OPT_STRING, offsetof(struct launching_options, mode),
	    "MODE",
	    "contained (no network but a proxy) or dood (root on the host)" },
	{ "contained-history", 0, OPT_FLAG,
	    offsetof(struct launching_options, contained_history), NULL,
	    "in dood mode, use the conversations of contained sessions; asks "
	    "first" },
	{ "no-banner", 0, OPT_FLAG,
	    offsetof(struct launching_options, no_banner), NULL,
	    "do not print what the session may do" },
	{ .name = NULL },
};

static int
build_both(const struct engine *engine, const struct build_recipe *recipe,
    const struct paths *paths, const char *const *environ_, struct diag *dg)
{
	cleanup_built_images struct built_images built = BUILT_IMAGES_INIT;
	const struct build_options options = { .environ_ = environ_ };

	return build_images(engine, recipe, paths, &options, &built, dg);
}

int
launching_run(struct context *ctx, enum launch_kind kind, struct diag *dg)
{
	const struct launching_options *options = ctx->options;
	const struct launch_request request = {
		.kind = kind,
		.dir = ctx->dashdash > 0 ? ctx->argv[0] : NULL,
		.mode = options->mode,
		.contained_history = options->contained_history,
		.no_banner = options->no_banner,
		.args = ctx->argv + ctx->dashdash,
		.nargs = ctx->argc - ctx->dashdash,
		.build = build_both,
		.engine = ctx->engine,
	};

	if (ctx->dashdash > 1)
		return diag_set(dg, DIAG_USAGE,
		    "\"%s\" is a second directory; put %s after --",
		    ctx->argv[1],
		    kind == LAUNCH_RUN ? "the agent's arguments"
				       : "a command and its arguments");
	return launch_session(&request, ctx->paths, ctx->settings,
	    ctx->environ_, &ctx->status, dg);
}
