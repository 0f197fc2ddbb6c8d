/* SPDX-License-Identifier: MIT */
/* reseal: records the digest of a session's plan again. */
#include "session/reseal.h"

#include <stddef.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/json.h"
#include "cmd/sessions.h"

struct reseal_options {
	bool dry_run;
	bool json;
};

static const char *
result_of(const struct resealed *r, const struct diag *why, bool dry_run)
{
	if (why->class != DIAG_NONE)
		return "broken";
	if (!r->changed)
		return "intact";
	return dry_run ? "would be sealed" : "sealed";
}

static int
print_json(const char *id, const struct resealed *r, const struct diag *why,
    bool dry_run, struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_str(w, "session", id);
	jsonw_key_str(w, "result", result_of(r, why, dry_run));
	jsonw_key_str(
	    w, "plan_digest", r->digest[0] != '\0' ? r->digest : NULL);
	jsonw_key_str(w, "recorded_digest", r->recorded);
	jsonw_key_str(w, "reason", why->message);
	jsonw_close_object(w);
	return jsonw_print(w, dg);
}

static void
print_text(const char *id, const struct resealed *r, bool dry_run)
{
	if (!r->changed)
		(void)printf("%s: its plan is the one on record\n", id);
	else
		(void)printf("%s: the plan is as launched; its record %s\n", id,
		    dry_run ? "would be written again" : "is written again");
}

static int
reseal_run(struct context *ctx, struct diag *dg)
{
	const struct reseal_options *o = ctx->options;
	const struct join_spec spec = { ctx->paths, ctx->settings,
		ctx->environ_, ctx->engine };
	cleanup_resealed struct resealed resealed = RESEALED_INIT;
	cleanup_diag struct diag why = DIAG_INIT;
	char id[SESSION_ID_SIZE];

	if (ctx->argc != 1 || ctx->dashdash < ctx->argc)
		return diag_set(dg, DIAG_USAGE, "reseal takes one session");
	if (sessions_choose(ctx, ctx->argv[0], SESSIONS_OF_ANY, id, dg) != 0 ||
	    sessions_find_compose(ctx, dg) != 0)
		return -1;
	if (reseal_session(&spec, id, o->dry_run, &resealed, &why) != 0 &&
	    why.class != DIAG_NO)
		return diag_move(dg, &why);
	if (o->json) {
		if (print_json(id, &resealed, &why, o->dry_run, dg) != 0)
			return -1;
	} else if (why.class == DIAG_NONE) {
		print_text(id, &resealed, o->dry_run);
	}
	if (why.class == DIAG_NONE)
		return 0;
	return diag_move(dg, &why);
}

static const struct optdef reseal_optdefs[] = {
	{ "dry-run", 'n', OPT_FLAG, offsetof(struct reseal_options, dry_run),
	    NULL, "check only, and write nothing" },
	{ "json", 'j', OPT_FLAG, offsetof(struct reseal_options, json), NULL,
	    "print JSON" },
	{ .name = NULL },
};

const struct cmd cmd_reseal = {
	.name = "reseal",
	.args = "SESSION",
	.summary = "record a session's plan again after damage",
	.description =
	    "Records the digest of SESSION's plan, and its containers, again "
	    "after plan.json was restored from a backup or session.json was "
	    "damaged. Does so only if the plan is one that drydock wrote, "
	    "breaks no rule, and is what the session's containers were made "
	    "from. Starts nothing and changes nothing else. The status is 0 "
	    "when the session is whole, else 1.",
	.needs = CMD_NEED_SETTINGS,
	.options = reseal_optdefs,
	.options_size = sizeof(struct reseal_options),
	.run = reseal_run,
};
