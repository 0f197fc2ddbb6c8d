/* SPDX-License-Identifier: MIT */
/* gc: runs the collection that every launch runs first, with output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "cmd/sessions.h"
#include "host/statedir.h"
#include "session/collect.h"
#include "session/image-use.h"
#include "session/look.h"
#include "session/outcome.h"
#include "session/record.h"
#include "session/session.h"
#include "session/usage.h"
#include "terminal/prompt.h"

struct gc_options {
	bool adopt;
	bool images;
	bool dry_run;
	bool json;
};

static void
note_removed(void *arg, const char *id)
{
	strvec_push(arg, id);
}

/* Output of gc --images. */
struct image_log {
	const struct gc_options *options;
	struct strvec *removed; /* ids */
};

static void
note_image(void *arg, const struct image_use *use, const char *why)
{
	struct image_log *log = arg;
	cleanup_strbuf struct strbuf what = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	image_use_describe(use, &what);
	if (why != NULL) {
		diag_warn("image %.12s (%s) stays: %s",
		    use->image.id + strlen("sha256:"), what.buf, why);
		return;
	}
	strvec_push(log->removed, use->image.id);
	if (log->options->json)
		return;
	strbuf_add_escaped(&text, what.buf, what.len);
	(void)printf("image %.12s (%s) %s\n", use->image.id + strlen("sha256:"),
	    text.buf, log->options->dry_run ? "would be removed" : "removed");
}

static int
print_json(const struct gc_options *o, const struct strvec *removed,
    const struct collect_outcome *outcome, const struct strvec *images,
    struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_bool(w, "dry_run", o->dry_run);
	jsonw_key_strvec(w, "removed", removed);
	jsonw_key_int(w, "kept", (int64_t)outcome->kept);
	jsonw_key_int(w, "failed", (int64_t)outcome->failed);
	if (o->images)
		jsonw_key_strvec(w, "images", images);
	jsonw_close_object(w);
	return jsonw_print(w, dg);
}

static void
replace(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value);
}

/*
 * Only the record changes.  The next command that queries the engine finds out
 * the session's state.
 */
static int
adopt_one(const struct context *ctx, const struct engine *engine,
    const char *id, struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_record struct record record = RECORD_INIT;
	enum lock_answer answer;

	if (session_take(ctx->paths, id, &answer, &session, dg) != 0)
		return -1;
	if (answer == LOCK_GONE)
		return 0;
	if (record_read(session.dir_fd, &record, dg) != 0)
		return -1;
	replace(&record.engine_id, engine->id);
	replace(&record.engine_data_root, engine->data_root);
	replace(&record.engine_socket, engine->socket);
	if (record_write(session.dir_fd, &record, dg) != 0)
		return diag_wrap(dg,
		    "session %s is not adopted; when that is mended, run "
		    "\"drydock gc --adopt\" again",
		    id);
	return 0;
}

static int
ask_to_adopt(
    const struct listing *listing, const struct engine *engine, struct diag *dg)
{
	cleanup_strbuf struct strbuf lines = STRBUF_INIT;
	cleanup_free char *question = NULL;
	size_t n = 0;

	for (size_t i = 0; i < listing->nr; i++) {
		if (listing->v[i].state != SESSION_FOREIGN)
			continue;
		n++;
		listed_describe(&listing->v[i], &lines);
		strbuf_addch(&lines, '\n');
	}
	if (n == 0)
		return diag_set(
		    dg, DIAG_NO, "there is no session of another engine");
	if (!prompt_possible()) {
		(void)diag_set(dg, DIAG_USAGE,
		    "--adopt asks for confirmation, which "
		    "needs a terminal");
		return diag_add_detail(dg, lines.buf, lines.len);
	}
	(void)fputs(lines.buf, stderr);
	question = xasprintf("%zu sessions belong to an engine that is "
			     "gone.  Assign them to the engine at %s? [y/N]",
	    n, engine->socket);
	return prompt_yes(question, dg);
}

static int
adopt(struct context *ctx, const struct engine *engine, struct diag *dg)
{
	cleanup_listing struct listing listing = LISTING_INIT;

	if (listing_read(ctx->paths, engine, &listing, dg) != 0 ||
	    ask_to_adopt(&listing, engine, dg) != 0)
		return -1;
	for (size_t i = 0; i < listing.nr; i++) {
		if (listing.v[i].state != SESSION_FOREIGN)
			continue;
		if (adopt_one(ctx, engine, listing.v[i].id, dg) != 0)
			return -1;
		(void)printf("%s adopted\n", listing.v[i].id);
	}
	return 0;
}

/* Warns of remaining sessions and projects that use much disk space. */
static void
tell_usage(const struct context *ctx)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	cleanup_strvec struct strvec projects = STRVEC_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	if (session_list_ids(ctx->paths, &ids, &ignored) != 0)
		return;
	for (size_t i = 0; i < ids.nr; i++) {
		cleanup_session struct session session = SESSION_INIT;
		cleanup_record struct record record = RECORD_INIT;
		cleanup_diag struct diag gone = DIAG_INIT;
		cleanup_close int home_fd = -1;

		if (session_open(ctx->paths, ids.v[i], &session, &gone) != 0 ||
		    session_open_mount(&session, MOUNT_HOME, &home_fd, &gone) !=
			0)
			continue;
		usage_tell(ctx->settings, ids.v[i], home_fd, USAGE_GC_MS);
		if (record_read(session.dir_fd, &record, &gone) == 0 &&
		    !strvec_has(&projects, record.project))
			strvec_push(&projects, record.project);
	}
	for (size_t i = 0; i < projects.nr; i++)
		usage_tell_project(ctx->settings, projects.v[i], USAGE_GC_MS);
}

static int
collect(struct context *ctx, const struct gc_options *o,
    const struct engine *engine, struct diag *dg)
{
	cleanup_strvec struct strvec removed = STRVEC_INIT;
	cleanup_strvec struct strvec images = STRVEC_INIT;
	struct image_log log = { o, &images };
	const struct image_uses_spec uses = { ctx->paths, ctx->settings,
		engine };
	const struct image_removal removal = { o->dry_run, note_image, &log };
	struct collect_outcome outcome = { 0, 0, 0 };
	int ret = 0;
	const struct collect_options options = { o->dry_run, note_removed,
		&removed };

	if (collect_sessions(ctx->paths, engine, &options, &outcome, dg) != 0)
		return diag_wrap(dg, "ended sessions are not removed");
	if (!o->dry_run)
		outcome.failed += outcomes_prune(ctx->paths, ctx->settings);
	ctx->status = outcome.failed > 0 ? 1 : 0;
	tell_usage(ctx);
	for (size_t i = 0; !o->json && i < removed.nr; i++)
		(void)printf("%s %s\n", removed.v[i],
		    o->dry_run ? "would be removed" : "removed");
	if (o->images)
		ret = image_uses_remove(&uses, &removal, dg);
	if (ret != 0)
		outcome.failed++;
	/* What was removed is printed even if the rest failed. */
	if (o->json) {
		cleanup_diag struct diag second = DIAG_INIT;

		if (print_json(o, &removed, &outcome, &images,
			ret != 0 ? &second : dg) != 0)
			return -1;
	}
	return ret;
}

static int
gc_run(struct context *ctx, struct diag *dg)
{
	const struct gc_options *o = ctx->options;

	if (o->adopt && (o->dry_run || o->json || o->images))
		return diag_set(
		    dg, DIAG_USAGE, "gc: --adopt excludes other options");
	if (statedir_open(ctx->paths, dg) != 0)
		return -1;
	if (sessions_find_engine(ctx, NULL, dg) != 0) {
		/* This part needs no answer of the engine. */
		if (!o->dry_run)
			(void)collect_leftovers(ctx->paths, true);
		return -1;
	}
	if (o->adopt)
		return adopt(ctx, ctx->engine, dg);
	return collect(ctx, o, ctx->engine, dg);
}

static const struct optdef gc_optdefs[] = {
	{ "adopt", 0, OPT_FLAG, offsetof(struct gc_options, adopt), NULL,
	    "after asking, take over the sessions of an engine that was "
	    "reinstalled" },
	{ "images", 0, OPT_FLAG, offsetof(struct gc_options, images), NULL,
	    "also remove the images that nothing needs any more" },
	{ "dry-run", 'n', OPT_FLAG, offsetof(struct gc_options, dry_run), NULL,
	    "only print what would be removed" },
	{ "json", 'j', OPT_FLAG, offsetof(struct gc_options, json), NULL,
	    "print JSON" },
	{ .name = NULL },
};

const struct cmd cmd_gc = {
	.name = "gc",
	.summary = "remove what ended sessions left",
	.description =
	    "Removes sessions that have ended, directories of launches that "
	    "failed before they had a container, proxies without an agent, "
	    "dangling symlinks, and outcomes older than the setting "
	    "keep_ended. Every launch does the same first. gc never removes a "
	    "stopped session, and removes nothing unless the engine gives a "
	    "complete answer.",
	.needs = CMD_NEED_SETTINGS,
	.options = gc_optdefs,
	.options_size = sizeof(struct gc_options),
	.run = gc_run,
};
