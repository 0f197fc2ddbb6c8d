/* SPDX-License-Identifier: MIT */
/* cache: lists, verifies and collects the slots of dependency caches. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "cmd/cmd.h"
#include "deps/cacheseed.h"
#include "host/settings.h"
#include "host/statedir.h"
#include "session/caches.h"
#include "session/listing.h"
#include "session/slotseed.h"

#define MIB (INT64_C(1024) * 1024)

enum {
	MEASURE_MS = 10000, /* of all slots */
	LOCK_MS = 10000,
};

struct cache_options {
	bool dry_run;
	bool json;
};

/* Returned: when a session last had the slot; NULL if that is unknown. */
static char *
used_at(const struct slot_facts *f)
{
	return f->used_at == 0 ? NULL : moment_text(f->used_at);
}

static char *
slot_path(const struct context *ctx, const struct cached *c)
{
	return xasprintf("%s/" SLOT_CACHES "/%s/%s", ctx->paths->state_dir,
	    c->set, c->number);
}

static const char *
state_name(enum slot_state state)
{
	static const char *const names[] = { [SLOT_FREE] = "free",
		[SLOT_TAKEN] = "taken",
		[SLOT_UNKNOWN] = "unknown" };

	return names[state];
}

static void
write_slot(const struct context *ctx, struct jsonw *w, const struct cached *c)
{
	const struct slot_facts *f = &c->facts;
	cleanup_free char *path = slot_path(ctx, c);
	cleanup_free char *used = used_at(f);

	jsonw_open_object(w);
	jsonw_key_str(w, "path", path);
	jsonw_key_str(w, "project", c->project);
	jsonw_key_str(w, "mode", cached_mode(c));
	jsonw_key_str(w, "state", state_name(f->state));
	jsonw_key_str(w, "session", f->state == SLOT_TAKEN ? f->owner : NULL);
	jsonw_key_str(w, "used_at", used);
	if (f->bytes >= 0) {
		jsonw_key_int(w, "bytes", f->bytes);
		jsonw_key_int(w, "files", f->files);
		jsonw_key_bool(w, "whole", f->whole);
	}
	if (f->state == SLOT_UNKNOWN && f->why.message != NULL)
		jsonw_key_str(w, "note", f->why.message);
	jsonw_close_object(w);
}

static void
print_slot(const struct cached *c)
{
	const struct slot_facts *f = &c->facts;
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	cleanup_strbuf struct strbuf when = STRBUF_INIT;
	const char *project = c->project != NULL ? c->project : c->set;
	cleanup_free char *used = used_at(f);

	if (used != NULL)
		listed_add_when(&when, used, time(NULL));
	if (f->bytes >= 0 && !f->whole)
		strbuf_addf(&line, ">%6" PRId64 " MiB", f->bytes / MIB);
	else if (f->bytes >= 0)
		strbuf_addf(
		    &line, "%7" PRId64 " MiB", (f->bytes + MIB / 2) / MIB);
	else
		strbuf_addf(&line, "%11s", "-");
	strbuf_addf(&line, "  %-12s %-10s %-10s %4s  ",
	    when.len > 0 ? when.buf : "never",
	    f->state == SLOT_TAKEN ? f->owner : state_name(f->state),
	    cached_mode(c), c->number);
	strbuf_add_escaped(&line, project, strlen(project));
	(void)printf("%s\n", line.buf);
}

static int
status(struct context *ctx, const struct cache_options *o, struct diag *dg)
{
	cleanup_caches struct caches caches = CACHES_INIT;
	struct jsonw *w;

	if (caches_list(ctx->paths, MEASURE_MS, &caches, dg) != 0)
		return -1;
	if (caches_warn_unknown(ctx->paths, &caches) > 0)
		ctx->status = 1;
	if (o->json) {
		w = jsonw_new(true);
		jsonw_open_array(w);
		for (size_t i = 0; i < caches.nr; i++)
			write_slot(ctx, w, &caches.v[i]);
		jsonw_close_array(w);
		return jsonw_print(w, dg);
	}
	if (caches.nr > 0 && isatty(STDOUT_FILENO))
		(void)printf("%11s  %-12s %-10s %-10s %4s  %s\n", "SIZE",
		    "LAST USE", "SESSION", "MODE", "SLOT", "PROJECT");
	for (size_t i = 0; i < caches.nr; i++)
		print_slot(&caches.v[i]);
	return 0;
}

/* Output of gc. */
struct gc_log {
	const struct context *ctx;
	const struct cache_options *options;
	struct jsonw *w; /* NULL: text */
};

static void
log_removed(void *arg, const struct cached *c, const char *why)
{
	const struct gc_log *log = arg;
	cleanup_free char *path = slot_path(log->ctx, c);
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	if (log->w != NULL) {
		jsonw_open_object(log->w);
		jsonw_key_str(log->w, "path", path);
		jsonw_key_str(log->w, "project", c->project);
		if (c->facts.bytes >= 0)
			jsonw_key_int(log->w, "bytes", c->facts.bytes);
		jsonw_key_str(log->w, "why", why);
		jsonw_close_object(log->w);
		return;
	}
	strbuf_add_escaped(&line, path, strlen(path));
	(void)printf("%s (%" PRId64 " MiB) %s\n", line.buf,
	    c->facts.bytes > 0 ? (c->facts.bytes + MIB / 2) / MIB : 0,
	    log->options->dry_run ? "would be removed" : "removed");
}

static int
gc(struct context *ctx, const struct cache_options *o, struct diag *dg)
{
	struct gc_log log = { ctx, o, o->json ? jsonw_new(true) : NULL };
	const struct caches_removal spec = { .paths = ctx->paths,
		.settings = ctx->settings,
		.dry_run = o->dry_run,
		.wait_ms = LOCK_MS,
		.measure_ms = MEASURE_MS,
		.warns_unknown = true,
		.removed = log_removed,
		.arg = &log };
	size_t failed = 0;

	if (log.w != NULL) {
		jsonw_open_object(log.w);
		jsonw_key_bool(log.w, "dry_run", o->dry_run);
		jsonw_key_array(log.w, "removed");
	}
	if (caches_collect(&spec, &failed, dg) != 0) {
		jsonw_free(log.w);
		return -1;
	}
	ctx->status = failed > 0 ? 1 : 0;
	if (log.w == NULL)
		return 0;
	jsonw_close_array(log.w);
	jsonw_key_int(log.w, "failed", (int64_t)failed);
	jsonw_close_object(log.w);
	return jsonw_print(log.w, dg);
}

/* Verifies one slot, and adds what it had to the JSON or to the output. */
static void
verify_one(struct context *ctx, const struct cached *c, struct jsonw *w,
    int64_t *files)
{
	cleanup_free char *path = slot_path(ctx, c);
	cleanup_cacheseed_report struct cacheseed_report report =
	    CACHESEED_REPORT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	bool in_use = false;

	if (slotseed_verify(ctx->paths, c, &in_use, &report, &dg) != 0) {
		diag_warn(
		    "the cache slot %s is not verified: %s", path, dg.message);
		ctx->status = 1;
	}
	if (in_use)
		diag_note(
		    "the cache slot %s is not verified: it is in use", path);
	if (report.stopped_by != NULL)
		diag_note("not all packages in the cache slot %s are "
			  "verified: %s",
		    path, report.stopped_by);
	*files += report.files;
	if (report.nbad > 0)
		ctx->status = 1;
	for (size_t i = 0; i < report.bad.nr; i++) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;

		if (w != NULL) {
			jsonw_open_object(w);
			jsonw_key_str(w, "path", path);
			jsonw_key_str(w, "package", report.bad.v[i]);
			jsonw_close_object(w);
			continue;
		}
		strbuf_add_escaped(
		    &line, report.bad.v[i], strlen(report.bad.v[i]));
		(void)printf("removed: %s\n", line.buf);
	}
}

static int
verify(struct context *ctx, const struct cache_options *o, struct diag *dg)
{
	cleanup_caches struct caches caches = CACHES_INIT;
	struct jsonw *w = NULL;
	int64_t files = 0;

	if (caches_list(ctx->paths, 0, &caches, dg) != 0)
		return -1;
	if (o->json) {
		w = jsonw_new(true);
		jsonw_open_object(w);
		jsonw_key_array(w, "removed");
	}
	for (size_t i = 0; i < caches.nr; i++)
		verify_one(ctx, &caches.v[i], w, &files);
	if (w == NULL) {
		(void)printf("%" PRId64 " files verified\n", files);
		return 0;
	}
	jsonw_close_array(w);
	jsonw_key_int(w, "verified", files);
	jsonw_close_object(w);
	return jsonw_print(w, dg);
}

static int
cache_run(struct context *ctx, struct diag *dg)
{
	static const struct {
		const char *name;
		int (*run)(struct context *ctx, const struct cache_options *o,
		    struct diag *dg);
	} verbs[] = {
		{ "status", status },
		{ "verify", verify },
		{ "gc", gc },
	};
	const struct cache_options *o = ctx->options;

	for (size_t i = 0; ctx->argc == 1 && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, ctx->argv[0]) != 0)
			continue;
		if (o->dry_run && verbs[i].run != gc)
			return diag_set(
			    dg, DIAG_USAGE, "cache: --dry-run is for gc alone");
		return statedir_open(ctx->paths, dg) != 0
		    ? -1
		    : verbs[i].run(ctx, o, dg);
	}
	return diag_set(dg, DIAG_USAGE, "cache needs status, verify or gc");
}

static const struct optdef cache_optdefs[] = {
	{ "dry-run", 'n', OPT_FLAG, offsetof(struct cache_options, dry_run),
	    NULL, "gc: only print what would be removed" },
	{ "json", 'j', OPT_FLAG, offsetof(struct cache_options, json), NULL,
	    "print JSON" },
	{ .name = NULL },
};

const struct cmd cmd_cache = {
	.name = "cache",
	.args = "status|verify|gc",
	.summary = "list, verify and collect the caches of toolchains",
	.description =
	    "A session whose project has toolchains gets a directory for "
	    "their caches, a slot, which no other session has at the same "
	    "time; the next session of the project finds it warm. status "
	    "lists the slots: size, last use, the session that has it, and "
	    "the project. verify hashes the packages that the project's lock "
	    "files name and removes those that are something else. gc removes "
	    "slots that no session has: those unused for cache_days, then the "
	    "least recently used ones until all have at most cache_size. Every "
	    "launch does the same.",
	.needs = CMD_NEED_SETTINGS,
	.options = cache_optdefs,
	.options_size = sizeof(struct cache_options),
	.run = cache_run,
};
