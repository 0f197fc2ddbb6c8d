/* SPDX-License-Identifier: MIT */
/* changes: compares two states of the watched files, and reports the result. */
#include "session/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "session/outcome.h"

/* In the session's directory. */
#define START_NAME "watched"
#define TOLD_NAME "watched-told"
#define END_NAME "watched-end"

enum {
	SHOWN_MAX = 5, /* changes in the notes */
	EXECUTE = 0111,
};

void
changes_release(struct changes *c)
{
	for (size_t i = 0; i < c->nr; i++) {
		watched_file_release(&c->v[i].before);
		watched_file_release(&c->v[i].now);
	}
	free(c->v);
	free(c->missed);
	watched_release(&c->start);
	*c = (struct changes)CHANGES_INIT;
}

const char *
change_word(const struct change *change)
{
	if (change->before.kind == WATCHED_ABSENT)
		return "new";
	return change->now.kind == WATCHED_ABSENT ? "removed" : "changed";
}

const struct watched_file *
change_file(const struct change *change)
{
	return change->now.kind == WATCHED_ABSENT ? &change->before
						  : &change->now;
}

/*
 * Appends the part of a file that counts: the members that the row names, or
 * the whole file if the row names none or the file is no JSON.
 */
static void
add_part(const struct watch_row *row, const struct watched_file *f,
    struct strbuf *out)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_json struct json *root = NULL;

	if (f->data == NULL)
		return;
	if (row->keys.nr == 0 ||
	    json_parse(f->data, f->len, f->path, &root, &ignored) != 0) {
		strbuf_add(out, f->data, f->len);
		return;
	}
	for (size_t i = 0; i < row->keys.nr; i++) {
		const struct json *n = json_get(root, row->keys.v[i]);

		if (n == NULL)
			continue;
		strbuf_addf(out, "%s:", row->keys.v[i]);
		strbuf_add(
		    out, f->data + json_start(n), json_end(n) - json_start(n));
	}
}

static bool
parts_are_equal(const struct watch_row *row, const struct watched_file *a,
    const struct watched_file *b)
{
	cleanup_strbuf struct strbuf x = STRBUF_INIT;
	cleanup_strbuf struct strbuf y = STRBUF_INIT;

	add_part(row, a, &x);
	add_part(row, b, &y);
	return x.len == y.len && memcmp(x.buf, y.buf, x.len) == 0;
}

static bool
is_plain_or_absent(const struct watched_file *f)
{
	return f->kind == WATCHED_ABSENT ||
	    (f->kind == WATCHED_REGULAR && f->data != NULL);
}

static bool
are_equal(const struct watch_row *row, const struct watched_file *a,
    const struct watched_file *b)
{
	/* A new package.json without scripts is no change. */
	if (row->keys.nr > 0 && is_plain_or_absent(a) && is_plain_or_absent(b))
		return parts_are_equal(row, a, b);
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case WATCHED_REGULAR:
		if ((a->mode & EXECUTE) != (b->mode & EXECUTE))
			return false;
		if (a->data == NULL || b->data == NULL)
			return strcmp(a->stamp, b->stamp) == 0;
		return parts_are_equal(row, a, b);
	case WATCHED_LINK:
		return a->data != NULL && b->data != NULL &&
		    strcmp(a->data, b->data) == 0;
	case WATCHED_ABSENT:
	case WATCHED_OTHER:
	case WATCHED_UNREADABLE:
		return true;
	}
	return false;
}

/* Adds both states (given) unless they are equal. */
static void
compare(struct changes *c, struct watched_file before, struct watched_file now)
{
	if (are_equal(&c->start.list.v[before.row], &before, &now)) {
		watched_file_release(&before);
		watched_file_release(&now);
		return;
	}
	c->v = xreallocarray(c->v, c->nr + 1, sizeof(*c->v));
	c->v[c->nr++] = (struct change){ before, now };
}

static struct watched_file
take(struct watched_file *file)
{
	struct watched_file taken = *file;

	*file = (struct watched_file){ .kind = WATCHED_ABSENT };
	return taken;
}

/*
 * Moves the files of both states into the changes.  A search that was not
 * complete may have missed a file of the start, so read that file.
 */
static void
compare_all(struct changes *c, struct watched_files *now)
{
	struct watched_files *start = &c->start.files;
	size_t a = 0;
	size_t b = 0;

	while (a < start->nr || b < now->nr) {
		int rc = a == start->nr ? 1
		    : b == now->nr      ? -1
				   : watched_order(&start->v[a], &now->v[b]);
		struct watched_file before =
		    rc > 0 ? watched_absent(&now->v[b]) : take(&start->v[a++]);

		if (rc >= 0)
			compare(c, before, take(&now->v[b++]));
		else if (now->missed == NULL)
			compare(c, before, watched_absent(&before));
		else
			compare(
			    c, before, watched_read_one(&c->start, &before));
	}
}

int
changes_begin(const struct plan *plan, const char *list, size_t len,
    int session_fd, char **ret_missed, struct diag *dg)
{
	cleanup_watched struct watched w = WATCHED_INIT;

	if (watched_of_plan(plan, list, len, &w, dg) != 0 ||
	    watched_search(&w, WATCHED_LAUNCH_MS, &w.files, dg) != 0 ||
	    watched_write(&w, session_fd, START_NAME, dg) != 0)
		return diag_wrap(
		    dg, "store the state of files that can run programs");
	*ret_missed = steal_ptr(&w.files.missed);
	return 0;
}

int
changes_find(int session_fd, int timeout_ms, struct changes *ret_changes,
    struct diag *dg)
{
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_watched_files struct watched_files now = { .v = NULL };

	if (watched_read(session_fd, START_NAME, &c.start, dg) != 0 ||
	    watched_search(&c.start, timeout_ms, &now, dg) != 0)
		return -1;
	compare_all(&c, &now);
	c.missed = steal_ptr(&now.missed);
	*ret_changes = c;
	c = (struct changes)CHANGES_INIT;
	return 0;
}

int
changes_find_ended(const struct paths *paths, const char *id,
    struct changes *ret_changes, struct diag *dg)
{
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_free char *name = xasprintf("%s" ENDED_WATCHED, id);
	cleanup_close int fd = -1;

	if (fs_open_nolinks(paths->state_fd, ENDED_DIR, O_RDONLY | O_DIRECTORY,
		0, &fd, dg) != 0 ||
	    watched_read(fd, name, &c.start, dg) != 0 ||
	    watched_open_roots(&c.start, dg) != 0)
		return -1;
	for (size_t i = 0; i < c.start.files.nr; i++) {
		struct watched_file before = take(&c.start.files.v[i]);

		compare(&c, before, watched_read_one(&c.start, &before));
	}
	*ret_changes = c;
	c = (struct changes)CHANGES_INIT;
	return 0;
}

/* Identifies the changes, so that the same ones are reported once. */
static void
digest(const struct changes *c, char ret_hex[DIGEST_HEX_SIZE])
{
	cleanup_strbuf struct strbuf all = STRBUF_INIT;

	for (size_t i = 0; i < c->nr; i++) {
		const struct watched_file *f = &c->v[i].now;
		char hex[DIGEST_HEX_SIZE] = "";

		if (f->data != NULL)
			digest_bytes(f->data, f->len, hex);
		strbuf_addf(&all, "%zu %s\n%c %o %s\n", f->root, f->path,
		    (char)f->kind, (unsigned)(f->mode & EXECUTE),
		    f->data != NULL ? hex : f->stamp);
	}
	strbuf_addstr(&all, c->missed != NULL ? c->missed : "");
	digest_bytes(all.buf, all.len, ret_hex);
}

static void
tell(const struct changes *c, const char *id)
{
	for (size_t i = 0; i < c->nr && i < SHOWN_MAX; i++) {
		const struct watched_file *f = change_file(&c->v[i]);
		const char *word = change_word(&c->v[i]);
		cleanup_strbuf struct strbuf path = STRBUF_INIT;

		watched_describe(&c->start, f, &path);
		diag_note("since the start of session %s, %s %s%s: %s", id,
		    path.buf, strcmp(word, "new") == 0 ? "is " : "was ", word,
		    c->start.list.v[f->row].why);
	}
	if (c->nr > SHOWN_MAX)
		diag_note("%zu more such files", c->nr - SHOWN_MAX);
	if (c->nr > 0)
		diag_note("such files can run programs on this host, outside "
			  "of any session: before you use git or an editor "
			  "here, type \"drydock diff %s\"",
		    id);
	if (c->missed != NULL)
		diag_note("%s, and what comes after it, was not searched for "
			  "changed files that can run programs on this host",
		    c->missed);
}

/* Tells the changes, unless the last notes were about the same ones. */
static void
tell_new(const struct changes *c, int session_fd, const char *id)
{
	cleanup_strbuf struct strbuf told = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	char hex[DIGEST_HEX_SIZE];

	if (c->nr == 0 && c->missed == NULL)
		return;
	digest(c, hex);
	if (fs_read_file(
		session_fd, TOLD_NAME, DIGEST_HEX_SIZE, &told, &ignored) == 0 &&
	    strcmp(told.buf, hex) == 0)
		return;
	tell(c, id);
	if (fs_replace_file(
		session_fd, TOLD_NAME, hex, strlen(hex), 0600, &dg) != 0)
		diag_warn(
		    "these changes will be reported again: %s", dg.message);
}

/* A session of an older version has no state. */
static void
warn_unknown(const char *id, const struct diag *dg)
{
	if (dg->errnum != ENOENT)
		diag_warn(
		    "it is not known whether files that can run programs on this "
		    "host changed since the start of session %s: %s",
		    id, dg->message);
}

void
changes_tell(int session_fd, const char *id, int timeout_ms)
{
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (changes_find(session_fd, timeout_ms, &c, &dg) == 0)
		tell_new(&c, session_fd, id);
	else
		warn_unknown(id, &dg);
}

void
changes_tell_ended(const struct paths *paths, const char *id)
{
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (changes_find_ended(paths, id, &c, &dg) == 0)
		tell(&c, id);
	else
		warn_unknown(id, &dg);
}

/* Moves the start's state of the changed files to ended/. */
static int
keep(struct changes *c, const struct paths *paths, int session_fd,
    const char *id, struct diag *dg)
{
	cleanup_free char *name = xasprintf("%s" ENDED_WATCHED, id);
	struct watched_files *kept = &c->start.files;
	cleanup_close int fd = -1;
	char *missed =
	    steal_ptr(c->missed != NULL ? &c->missed : &c->start.files.missed);

	watched_files_release(kept);
	kept->missed = missed;
	kept->v = xcalloc(c->nr + 1, sizeof(*kept->v));
	for (size_t i = 0; i < c->nr && i < WATCHED_FILES; i++)
		kept->v[kept->nr++] = take(&c->v[i].before);
	/*
	 * A killed drydock leaves a partial file only in the session's
	 * directory, which is removed.
	 */
	if (watched_write(&c->start, session_fd, END_NAME, dg) != 0 ||
	    fs_make_dir(paths->state_fd, ENDED_DIR, 0700, &fd, dg) != 0)
		return -1;
	if (renameat(session_fd, END_NAME, fd, name) != 0 || fsync(fd) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "make " ENDED_DIR "/%s", name);
	return 0;
}

void
changes_keep(const struct paths *paths, int session_fd, const char *id)
{
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (changes_find(session_fd, WATCHED_END_MS, &c, &dg) != 0) {
		warn_unknown(id, &dg);
		return;
	}
	tell_new(&c, session_fd, id);
	if (keep(&c, paths, session_fd, id, &dg) != 0)
		diag_warn(
		    "\"drydock diff %s\" will not work: %s", id, dg.message);
}
