/* SPDX-License-Identifier: MIT */
/* sync: copies the host's configuration of the agent into the snapshot. */
#include "sync/sync.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "cmd/cmd.h"
#include "host/agent.h"
#include "host/statedir.h"

struct sync_options {
	bool check;
	bool if_stale;
	bool force;
	bool quiet;
	bool json;
};

/* The output of --check: lines on standard output, or a JSON list. */
struct listing {
	const struct sync_options *options;
	struct jsonw *w; /* NULL: lines */
};

static void
list_difference(void *arg, const char *what, const char *path)
{
	struct listing *l = arg;
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	/* A file name may contain any bytes; JSON and terminals need text. */
	strbuf_add_escaped(&line, path, strlen(path));
	if (l->w != NULL) {
		jsonw_open_object(l->w);
		jsonw_key_str(l->w, "what", what);
		jsonw_key_str(l->w, "path", line.buf);
		jsonw_close_object(l->w);
	} else if (!l->options->quiet) {
		(void)printf("%s\t%s\n", what, line.buf);
	}
}

static int
check(struct context *ctx, const struct sync_request *request,
    const struct sync_options *o, struct diag *dg)
{
	struct listing l = { .options = o };
	size_t drift = 0;
	int there;
	int rc;

	if (statedir_open_readonly(ctx->paths, &there, dg) != 0)
		return -1;
	if (o->json) {
		l.w = jsonw_new(true);
		jsonw_open_object(l.w);
		jsonw_key_array(l.w, "drift");
	}
	rc = sync_check(request, &drift, list_difference, &l, dg);
	if (l.w != NULL && rc == 0) {
		jsonw_close_array(l.w);
		jsonw_key_bool(l.w, "fresh", drift == 0);
		jsonw_close_object(l.w);
		rc = jsonw_print(l.w, dg);
	} else {
		jsonw_free(l.w);
	}
	if (rc < 0)
		return -1;
	ctx->status = drift == 0 ? 0 : 1;
	return 0;
}

static int
print_json(const struct sync_outcome *outcome, struct diag *dg)
{
	const struct scan *scan = &outcome->manifest.scan;
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_bool(w, "synced", outcome->done);
	jsonw_key_int(w, "entries", (int64_t)scan->nr);
	jsonw_key_array(w, "skipped");
	for (size_t i = 0; i < scan->nr; i++) {
		const struct scan_entry *e = &scan->v[i];
		cleanup_strbuf struct strbuf path = STRBUF_INIT;

		if (e->why == SCAN_FINE)
			continue;
		strbuf_add_escaped(&path, e->path, strlen(e->path));
		jsonw_open_object(w);
		jsonw_key_str(w, "path", path.buf);
		jsonw_key_str(w, "why",
		    e->detail != NULL ? e->detail : scan_why_text(e->why));
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	jsonw_close_object(w);
	return jsonw_print(w, dg);
}

static int
report(struct context *ctx, const struct agent *agent,
    const struct sync_options *o, const struct sync_outcome *outcome,
    struct diag *dg)
{
	size_t failures = 0;
	bool told = !o->quiet && (outcome->done || !o->if_stale);

	if (told || !o->if_stale)
		failures = sync_warn_skipped(
		    outcome, o->quiet ? SYNC_TELL_FAILURES : SYNC_TELL_ALL);
	if (o->json && print_json(outcome, dg) != 0)
		return -1;
	if (told && !o->json)
		(void)printf("%s: %s, %zu entries\n", agent->name,
		    outcome->done ? "synced" : "nothing changed",
		    outcome->manifest.scan.nr);
	/*
	 * With --if-stale, a hook takes a non-zero status as a failed sync;
	 * skipped files do not count as one.
	 */
	ctx->status = failures > 0 && !o->if_stale ? 1 : 0;
	return 0;
}

static int
sync_cmd_run(struct context *ctx, struct diag *dg)
{
	const struct sync_options *o = ctx->options;
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_sync_outcome struct sync_outcome outcome = SYNC_OUTCOME_INIT;
	struct sync_request request = {
		.paths = ctx->paths,
		.settings = ctx->settings,
		.agent = &agent,
		.force = o->force,
		.quiet = o->quiet,
		.wait_ms = SYNC_WAIT_MS,
	};

	if (o->check + o->if_stale + o->force > 1)
		return diag_set(dg, DIAG_USAGE,
		    "sync: --check, --if-stale and --force exclude each other");
	if (agent_load(&agent, ctx->settings->agent, ctx->paths, dg) != 0)
		return -1;
	if (o->check)
		return check(ctx, &request, o, dg);
	if (statedir_open(ctx->paths, dg) != 0 ||
	    sync_run(&request, &outcome, dg) != 0)
		return -1;
	return report(ctx, &agent, o, &outcome, dg);
}

static const struct optdef sync_optdefs[] = {
	{ "check", 0, OPT_FLAG, offsetof(struct sync_options, check), NULL,
	    "list the differences and write nothing; status 1 if there are any" },
	{ "if-stale", 0, OPT_FLAG, offsetof(struct sync_options, if_stale),
	    NULL, "say nothing and succeed when nothing changed" },
	{ "force", 0, OPT_FLAG, offsetof(struct sync_options, force), NULL,
	    "copy everything again, even if nothing changed" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct sync_options, quiet), NULL,
	    "print only failures" },
	{ "json", 'j', OPT_FLAG, offsetof(struct sync_options, json), NULL,
	    "print JSON" },
	{ "agent", 0, OPT_SETTING, 0, "NAME", "the agent" },
	{ .name = NULL },
};

const struct cmd cmd_sync = {
	.name = "sync",
	.summary = "copy the agent's configuration for new sessions",
	.description =
	    "Copies the agent's configuration on the host into the snapshot "
	    "that sessions start from, without credentials, account data, "
	    "conversations and caches. run and shell do the same when "
	    "something changed. The snapshot is replaced as a whole or not at "
	    "all; a document that is not valid JSON keeps its last copy.",
	.needs = CMD_NEED_SETTINGS,
	.options = sync_optdefs,
	.options_size = sizeof(struct sync_options),
	.run = sync_cmd_run,
};
