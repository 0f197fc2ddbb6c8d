/* SPDX-License-Identifier: MIT */
/* diff: shows and undoes changes to files that can run programs on the host. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "cmd/sessions.h"
#include "host/program.h"
#include "session/changes.h"
#include "session/outcome.h"
#include "session/restore.h"
#include "terminal/prompt.h"

enum {
	DIFF_MS = 5000,
	DIFF_MAX = 1 << 20, /* bytes that diff may print of a file */
};

struct diff_options {
	bool json;
	bool restore;
	bool yes;
};

/* The changes to show. */
struct shown {
	char id[SESSION_ID_SIZE];
	bool ended;
	struct changes changes;
};

#define SHOWN_INIT                       \
	{                                \
		.changes = CHANGES_INIT, \
	}

static void
shown_release(struct shown *shown)
{
	changes_release(&shown->changes);
}

#define cleanup_shown __attribute__((cleanup(shown_release)))

/*
 * Finds the session that word names, which may have ended.  Status 1 says that
 * files differ, so no session is DIAG_USAGE.
 */
static int
choose(
    struct context *ctx, const char *word, struct shown *shown, struct diag *dg)
{
	cleanup_outcomes struct outcomes all = OUTCOMES_INIT;
	const struct outcome *ended = NULL;

	if (sessions_choose(ctx, word, SESSIONS_OF_ANY, shown->id, dg) == 0)
		return 0;
	if (dg->errnum == ENOENT && word != NULL)
		ended = sessions_find_ended(ctx, word, &all);
	if (ended == NULL) {
		if (dg->class == DIAG_NO)
			dg->class = DIAG_USAGE;
		return -1;
	}
	diag_clear(dg);
	memcpy(shown->id, ended->id, SESSION_ID_SIZE);
	shown->ended = true;
	return 0;
}

static int
find_changes(struct context *ctx, struct shown *shown, struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	int rc = -1;

	changes_release(&shown->changes);
	if (shown->ended)
		rc = changes_find_ended(
		    ctx->paths, shown->id, &shown->changes, dg);
	else if (session_open(ctx->paths, shown->id, &session, dg) == 0)
		rc = changes_find(
		    session.dir_fd, WATCHED_DIFF_MS, &shown->changes, dg);
	if (rc == 0 || dg->errnum != ENOENT)
		return rc;
	diag_clear(dg);
	return diag_set(dg, DIAG_DATA,
	    "session %s has no stored state of its project's files: %s",
	    shown->id,
	    shown->ended ? "its end could not store it, or an older version "
			   "of drydock ran it"
			 : "an older version of drydock started it, or it "
			   "did not start");
}

/* Keeps the changes whose paths the operands name, or that lie below them. */
static int
keep_named(const struct context *ctx, struct changes *c, struct diag *dg)
{
	cleanup_free bool *wanted = xcalloc(c->nr + 1, sizeof(*wanted));
	size_t kept = 0;

	if (ctx->argc < 2)
		return 0;
	for (int n = 1; n < ctx->argc; n++) {
		const char *name = ctx->argv[n];
		size_t len = strlen(name);
		bool any = false;

		while (len > 0 && name[len - 1] == '/')
			len--;
		for (size_t i = 0; i < c->nr; i++) {
			cleanup_strbuf struct strbuf path = STRBUF_INIT;

			watched_describe(
			    &c->start, change_file(&c->v[i]), &path);
			if (len == 0 || strncmp(path.buf, name, len) != 0 ||
			    (path.buf[len] != '\0' && path.buf[len] != '/'))
				continue;
			any = wanted[i] = true;
		}
		if (!any)
			return diag_set(dg, DIAG_USAGE,
			    "%s is not one of the changed files", name);
	}
	for (size_t i = 0; i < c->nr; i++) {
		struct change one = c->v[i];

		if (!wanted[i])
			continue;
		c->v[i] = c->v[kept];
		c->v[kept++] = one;
	}
	for (size_t i = kept; i < c->nr; i++) {
		watched_file_release(&c->v[i].before);
		watched_file_release(&c->v[i].now);
	}
	c->nr = kept;
	return 0;
}

static bool
is_text(const struct watched_file *f)
{
	switch (f->kind) {
	case WATCHED_ABSENT:
	case WATCHED_LINK:
		return true;
	case WATCHED_REGULAR:
		return f->data != NULL && memchr(f->data, '\0', f->len) == NULL;
	case WATCHED_OTHER:
	case WATCHED_UNREADABLE:
		return false;
	}
	return false;
}

/* Opens the text of a file; the target of a symlink is a line. */
static int
open_text(const struct watched_file *f, int *ret_fd, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (f->data != NULL)
		strbuf_add(&text, f->data, f->len);
	if (f->kind == WATCHED_LINK)
		strbuf_addstr(&text, "\n");
	return fs_memfd("drydock-diff", text.buf, text.len, ret_fd, dg);
}

static void
add_label(struct strbuf *out, const char *side, const struct watched_file *f)
{
	if (f->kind == WATCHED_ABSENT) {
		strbuf_addstr(out, "/dev/null");
		return;
	}
	strbuf_addf(out, "%s/", side);
	strbuf_add_escaped(out, f->path, strlen(f->path));
	if (f->kind == WATCHED_LINK)
		strbuf_addstr(out, " (symlink)");
}

/* Runs diff(1) on both texts.  Appends what it printed to out. */
static int
run_diff(const struct change *change, struct strbuf *out, struct diag *dg)
{
	static const char *const envp[] = { "LC_ALL=C", "PATH=/usr/bin:/bin",
		NULL };
	cleanup_free char *program = program_find_system("diff");
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_strbuf struct strbuf a = STRBUF_INIT;
	cleanup_strbuf struct strbuf b = STRBUF_INIT;
	cleanup_close int before = -1;
	cleanup_close int now = -1;
	struct proc_spec spec = PROC_SPEC_INIT;

	if (program == NULL)
		return diag_set(dg, DIAG_IO, "there is no program \"diff\"");
	if (open_text(&change->before, &before, dg) != 0 ||
	    open_text(&change->now, &now, dg) != 0)
		return -1;
	add_label(&a, "start", &change->before);
	add_label(&b, "now", &change->now);
	{
		const char *const argv[] = { program, "-u", "-L", a.buf, "-L",
			b.buf, "/proc/self/fd/3", "/proc/self/fd/4", NULL };
		const int fds[] = { before, now };

		spec.argv = argv;
		spec.envp = envp;
		spec.keep_fds = fds;
		spec.nkeep = ARRAY_SIZE(fds);
		spec.timeout_ms = DIFF_MS;
		spec.max_output = DIFF_MAX;
		if (proc_run(&spec, &result, dg) != 0)
			return -1;
	}
	if (result.timed_out || (result.status > 1 && !result.truncated)) {
		(void)diag_set(dg, DIAG_IO, "diff %s",
		    result.timed_out ? "did not end in time" : "failed");
		return diag_add_detail(dg, result.err.buf, result.err.len);
	}
	strbuf_add(out, result.out.buf, result.out.len);
	if (result.truncated)
		strbuf_addstr(out, "\n(the rest is not shown)\n");
	return 0;
}

/* Appends the lines of text escaped; tabs stay. */
static void
add_lines(struct strbuf *out, const struct strbuf *text)
{
	const char *end = text->buf + text->len;

	for (const char *at = text->buf; at < end;) {
		const char *stop = at;

		while (stop < end && *stop != '\n' && *stop != '\t')
			stop++;
		strbuf_add_escaped(out, at, (size_t)(stop - at));
		if (stop < end)
			strbuf_addch(out, *stop);
		at = stop + (stop < end ? 1 : 0);
	}
}

static void
add_summary(struct strbuf *out, const struct watched_file *f)
{
	char hex[DIGEST_HEX_SIZE];

	strbuf_addstr(out, watched_kind_name(f->kind));
	if (f->kind == WATCHED_REGULAR && f->data != NULL) {
		digest_bytes(f->data, f->len, hex);
		strbuf_addf(out, ", %zu bytes, sha256 %s", f->len, hex);
	} else if (f->kind == WATCHED_REGULAR) {
		strbuf_addf(
		    out, ", %.*s bytes", (int)strcspn(f->stamp, "."), f->stamp);
	}
}

/* Appends the difference of the contents, escaped.  It may be empty. */
static void
add_difference(const struct change *change, struct strbuf *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	const struct watched_file *a = &change->before;
	const struct watched_file *b = &change->now;

	if (is_text(a) && is_text(b) && run_diff(change, &text, &dg) == 0) {
		add_lines(out, &text);
	} else {
		if (dg.class != DIAG_NONE)
			diag_warn("%s: %s", a->path, dg.message);
		strbuf_addstr(out, "start: ");
		add_summary(out, a);
		strbuf_addstr(out, "\nnow: ");
		add_summary(out, b);
		strbuf_addch(out, '\n');
	}
	if (a->kind == WATCHED_REGULAR && b->kind == WATCHED_REGULAR &&
	    ((a->mode ^ b->mode) & 0111) != 0)
		strbuf_addf(out, "mode %04o, now %04o\n", (unsigned)a->mode,
		    (unsigned)b->mode);
}

static void
print_text(const struct changes *c)
{
	for (size_t i = 0; i < c->nr; i++) {
		const struct watched_file *f = change_file(&c->v[i]);
		const struct watch_row *row = &c->start.list.v[f->row];
		cleanup_strbuf struct strbuf path = STRBUF_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		watched_describe(&c->start, f, &path);
		strbuf_addf(&out, "%s ", change_word(&c->v[i]));
		strbuf_add_escaped(&out, path.buf, path.len);
		strbuf_addf(&out, ": %s (%s)\n", row->why, row->source);
		add_difference(&c->v[i], &out);
		(void)printf("%s%s", i > 0 ? "\n" : "", out.buf);
	}
}

static void
add_json_state(struct jsonw *w, const char *key, const struct watched_file *f)
{
	cleanup_strbuf struct strbuf target = STRBUF_INIT;
	char hex[DIGEST_HEX_SIZE];
	char mode[8];

	jsonw_key_object(w, key);
	jsonw_key_str(w, "kind", watched_kind_name(f->kind));
	if (f->kind == WATCHED_REGULAR) {
		(void)snprintf(
		    mode, sizeof(mode), "%04o", (unsigned)f->mode & 07777);
		jsonw_key_str(w, "mode", mode);
	}
	if (f->kind == WATCHED_LINK && f->data != NULL) {
		strbuf_add_escaped(&target, f->data, f->len);
		jsonw_key_str(w, "target", target.buf);
	}
	if (f->kind == WATCHED_REGULAR && f->data != NULL) {
		digest_bytes(f->data, f->len, hex);
		jsonw_key_int(w, "size", (int64_t)f->len);
		jsonw_key_str(w, "sha256", hex);
	}
	jsonw_close_object(w);
}

static int
print_json(const struct shown *shown, struct diag *dg)
{
	const struct changes *c = &shown->changes;
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_str(w, "session", shown->id);
	jsonw_key_bool(w, "ended", shown->ended);
	jsonw_key_bool(
	    w, "complete", c->missed == NULL && c->start.files.missed == NULL);
	jsonw_key_array(w, "files");
	for (size_t i = 0; i < c->nr; i++) {
		const struct watched_file *f = change_file(&c->v[i]);
		const struct watch_row *row = &c->start.list.v[f->row];
		cleanup_strbuf struct strbuf name = STRBUF_INIT;
		cleanup_strbuf struct strbuf path = STRBUF_INIT;
		cleanup_strbuf struct strbuf difference = STRBUF_INIT;

		watched_describe(&c->start, f, &name);
		strbuf_add_escaped(&path, name.buf, name.len);
		add_difference(&c->v[i], &difference);
		jsonw_open_object(w);
		jsonw_key_str(w, "path", path.buf);
		jsonw_key_str(w, "change", change_word(&c->v[i]));
		jsonw_key_str(w, "why", row->why);
		jsonw_key_str(w, "source", row->source);
		add_json_state(w, "start", &c->v[i].before);
		add_json_state(w, "now", &c->v[i].now);
		jsonw_key_str(w, "difference", difference.buf);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	jsonw_close_object(w);
	return jsonw_print(w, dg);
}

/* Names what the comparison does not include. */
static void
tell_missed(const struct changes *c)
{
	const char *missed =
	    c->missed != NULL ? c->missed : c->start.files.missed;

	if (missed != NULL)
		diag_note("%s, and what comes after it, is too large or cannot "
			  "be read: new files there may be missing here",
		    missed);
}

static int
agree(const struct shown *shown, struct diag *dg)
{
	cleanup_free char *question = NULL;

	if (!prompt_possible())
		return diag_set(dg, DIAG_USAGE,
		    "without a terminal, --restore needs --yes");
	question = xasprintf("put these %zu files back as they were at the "
			     "start of session %s? [y/N]",
	    shown->changes.nr, shown->id);
	return prompt_yes(question, dg);
}

/* A failure does not stop the loop: each file counts. */
static size_t
restore_all(struct context *ctx, const struct shown *shown)
{
	const struct changes *c = &shown->changes;
	size_t failed = 0;

	for (size_t i = 0; i < c->nr; i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf path = STRBUF_INIT;
		cleanup_free char *kept = NULL;

		watched_describe(&c->start, change_file(&c->v[i]), &path);
		if (restore_change(
			ctx->paths, shown->id, c, &c->v[i], &kept, &dg) != 0) {
			diag_warn("not put back: %s", dg.message);
			failed++;
			continue;
		}
		diag_note("%s is as it was%s%s", path.buf,
		    kept != NULL ? "; the other version is in " : "",
		    kept != NULL ? kept : "");
	}
	return failed;
}

/* Tells which files differ again: a process may have changed them meanwhile. */
static int
check_restored(struct context *ctx, struct shown *shown, struct diag *dg)
{
	cleanup_diag struct diag none = DIAG_INIT;

	if (find_changes(ctx, shown, dg) != 0)
		return -1;
	/* Other paths may still differ. */
	if (keep_named(ctx, &shown->changes, &none) != 0)
		return 0;
	for (size_t i = 0; i < shown->changes.nr; i++) {
		cleanup_strbuf struct strbuf path = STRBUF_INIT;

		watched_describe(&shown->changes.start,
		    change_file(&shown->changes.v[i]), &path);
		diag_warn("%s still differs from the start", path.buf);
		ctx->status = 1;
	}
	return 0;
}

static int
restore(struct context *ctx, struct shown *shown, bool yes, struct diag *dg)
{
	if (shown->changes.nr == 0)
		return 0;
	print_text(&shown->changes);
	(void)fflush(stdout);
	if (!yes && agree(shown, dg) != 0)
		return -1;
	if (restore_all(ctx, shown) > 0)
		ctx->status = 1;
	if (!shown->ended)
		diag_note("the agent of session %s can change these files "
			  "again until the session ends",
		    shown->id);
	return check_restored(ctx, shown, dg);
}

static int
diff_run(struct context *ctx, struct diag *dg)
{
	const struct diff_options *o = ctx->options;
	cleanup_shown struct shown shown = SHOWN_INIT;

	if (o->json && o->restore)
		return diag_set(
		    dg, DIAG_USAGE, "diff takes --json or --restore");
	if (o->yes && !o->restore)
		return diag_set(dg, DIAG_USAGE, "--yes belongs to --restore");
	if (choose(ctx, ctx->argv[0], &shown, dg) != 0 ||
	    find_changes(ctx, &shown, dg) != 0 ||
	    keep_named(ctx, &shown.changes, dg) != 0)
		return -1;
	tell_missed(&shown.changes);
	if (o->restore)
		return restore(ctx, &shown, o->yes, dg);
	ctx->status = shown.changes.nr > 0 ? 1 : 0;
	if (o->json)
		return print_json(&shown, dg);
	print_text(&shown.changes);
	return 0;
}

static const struct optdef diff_optdefs[] = {
	{ "json", 'j', OPT_FLAG, offsetof(struct diff_options, json), NULL,
	    "print JSON" },
	{ "restore", 'r', OPT_FLAG, offsetof(struct diff_options, restore),
	    NULL, "put the files back, and keep the other versions" },
	{ "yes", 'y', OPT_FLAG, offsetof(struct diff_options, yes), NULL,
	    "do not ask before --restore" },
	{ .name = NULL },
};

const struct cmd cmd_diff = {
	.name = "diff",
	.args = "[SESSION|DIR] [PATH...]",
	.summary = "show changed files that can run programs on the host",
	.description =
	    "Compares the files of SESSION's project that git, editors, agents "
	    "and package managers run or obey on the host with the start of "
	    "the session: git's configuration and hooks, in nested "
	    "repositories too, .envrc, editor tasks, agent settings and "
	    "package scripts. Prints each file that differs and its "
	    "difference, and exits with 1 if there is one. Changes of yours "
	    "look the same as the agent's. SESSION may have ended.",
	.needs = CMD_NEED_SETTINGS,
	.options = diff_optdefs,
	.options_size = sizeof(struct diff_options),
	.run = diff_run,
};
