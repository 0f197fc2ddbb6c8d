/* SPDX-License-Identifier: MIT */
/*
 * generation: locks snapshots, replaces them by one rename, and fills them with
 * hard links to the last one, copies, and filtered documents.
 */
#include "sync/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/agent-sync.h"
#include "host/paths.h"
#include "host/settings.h"
#include "sync/jsonfilter.h"
#include "sync/scan.h"
#include "sync/walk.h"

#define SNAPSHOT "snapshot"
#define PREFIX "gen-"
#define OPEN_TRIES 100
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
#define KEPT_MODE ((mode_t)0755)
#define DOCUMENT_TRIES 10
#define DOCUMENT_PAUSE_MS 60

static int
open_maybe(int dirfd, const char *path, int *ret_fd, struct diag *dg)
{
	*ret_fd = -1;
	return fs_open_nolinks(dirfd, path, OPEN_DIR, 0, ret_fd, dg) == 0
	    ? 0
	    : diag_ignore(dg, ENOENT);
}

static int
lock_dir(int fd, int how)
{
	int rc;

	do
		rc = flock(fd, how);
	while (rc < 0 && errno == EINTR);
	return rc;
}

int
generation_open_unlocked(int agent_fd, int *ret_fd, struct diag *dg)
{
	return open_maybe(agent_fd, SNAPSHOT, ret_fd, dg);
}

/* Returns true if the snapshot is still the directory open as fd. */
static bool
is_current(int agent_fd, int fd)
{
	struct stat there;
	struct stat here;

	return fstat(fd, &here) == 0 &&
	    fstatat(agent_fd, SNAPSHOT, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fs_same(&here, &there);
}

int
generation_open(
    const struct paths *paths, const char *agent, int *ret_fd, struct diag *dg)
{
	cleanup_free char *path = xasprintf("agents/%s", agent);
	cleanup_close int agent_fd = -1;

	*ret_fd = -1;
	if (open_maybe(paths->state_fd, path, &agent_fd, dg) != 0)
		return -1;
	if (agent_fd < 0)
		return 0;
	for (int i = 0; i < OPEN_TRIES; i++) {
		cleanup_close int fd = -1;

		if (generation_open_unlocked(agent_fd, &fd, dg) != 0)
			return -1;
		if (fd < 0)
			return 0;
		if (lock_dir(fd, LOCK_SH) < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "lock the snapshot");
		/*
		 * A snapshot that was replaced before the lock was taken may be
		 * removed.
		 */
		if (is_current(agent_fd, fd)) {
			*ret_fd = steal_fd(&fd);
			return 0;
		}
	}
	return diag_set(dg, DIAG_BUSY,
	    "the snapshot was replaced %d times while it was opened",
	    OPEN_TRIES);
}

int
generation_make(int agent_fd, char ret_name[GENERATION_NAME_SIZE], int *ret_fd,
    struct diag *dg)
{
	cleanup_close int fd = -1;
	char random[9];

	fs_random_name(random, sizeof(random));
	(void)snprintf(ret_name, GENERATION_NAME_SIZE, PREFIX "%s", random);
	if (fs_make_dir(agent_fd, ret_name, 0700, &fd, dg) != 0)
		return -1;
	/*
	 * A shared lock like a reader's: it protects against a second writer if
	 * the writers' lock was lost.
	 */
	if (lock_dir(fd, LOCK_SH | LOCK_NB) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "lock %s", ret_name);
	*ret_fd = steal_fd(&fd);
	return 0;
}

int
generation_swap(int agent_fd, const char *name, struct diag *dg)
{
	if (syncfs(agent_fd) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "flush the snapshot");
	if (renameat2(agent_fd, name, agent_fd, SNAPSHOT, RENAME_EXCHANGE) <
		0 &&
	    (errno != ENOENT ||
		renameat2(
		    agent_fd, name, agent_fd, SNAPSHOT, RENAME_NOREPLACE) < 0))
		return diag_set_errno(dg, DIAG_IO, errno,
		    "put the snapshot in its place%s",
		    errno == EINVAL
			? ": the file system does not exchange directories "
			  "(RENAME_EXCHANGE)"
			: "");
	if (fsync(agent_fd) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "flush the snapshot's directory");
	return 0;
}

/* Removes a generation unless a reader holds its lock. */
static int
remove_unread(int agent_fd, const char *name, struct diag *dg)
{
	cleanup_close int fd = -1;

	/* A name that is not a directory has no reader. */
	if (open_maybe(agent_fd, name, &fd, dg) != 0 &&
	    diag_ignore(dg, ENOTDIR) != 0 && diag_ignore(dg, ELOOP) != 0)
		return -1;
	if (fd >= 0 && lock_dir(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return 0;
		return diag_set_errno(dg, DIAG_IO, errno, "lock %s", name);
	}
	return fs_remove_tree(agent_fd, name, dg);
}

/* Lists the generations beside the snapshot. */
static int
list_old(int agent_fd, struct strvec *old, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (fs_list_names(agent_fd, "the snapshots", &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		if (strncmp(names.v[i], PREFIX, strlen(PREFIX)) == 0)
			strvec_push(old, names.v[i]);
	return 0;
}

int
generation_clean(int agent_fd, struct diag *dg)
{
	cleanup_strvec struct strvec old = STRVEC_INIT;
	int rc = 0;

	if (list_old(agent_fd, &old, dg) != 0)
		return -1;
	for (size_t i = 0; i < old.nr; i++) {
		cleanup_diag struct diag mine = DIAG_INIT;

		if (remove_unread(agent_fd, old.v[i], &mine) == 0)
			continue;
		if (rc == 0)
			diag_move(dg, &mine);
		rc = -1;
	}
	return rc;
}

bool
generation_has_old(int agent_fd)
{
	cleanup_strvec struct strvec old = STRVEC_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	return list_old(agent_fd, &old, &ignored) == 0 && old.nr > 0;
}

struct filler {
	const struct generation_spec *spec;
	int slash_fd; /* "/": sources are relative to it */
	int64_t bytes; /* copied so far */
	struct diag *dg;
};

static int
fail(struct filler *f, const char *doing, const struct scan_entry *e)
{
	return diag_set_errno(f->dg, DIAG_IO, errno, "%s %s", doing, e->path);
}

static bool
is_as_seen(const struct scan_entry *e, const struct stat *st)
{
	return e->ino == st->st_ino && e->size == st->st_size &&
	    scan_same_time(&e->mtime, &st->st_mtim) &&
	    scan_same_time(&e->ctime, &st->st_ctim);
}

/*
 * Marks an entry whose file is not the one that the scan saw.  The file may be
 * restored later.  No file has this ctime, so that the next scan sees a change.
 */
static void
mark_changed(struct scan_entry *e)
{
	e->ctime.tv_nsec = -1;
}

/*
 * Opens the source of an entry without following symlinks.  *ret_fd is -1 if
 * the file is unreadable (marked in the entry), or has disappeared or changed
 * its type.
 */
static int
open_source(
    struct filler *f, struct scan_entry *e, int *ret_fd, struct stat *ret_st)
{
	cleanup_close int fd = -1;

	*ret_fd = -1;
	e->why = SCAN_FINE;
	if (fs_open_nolinks(f->slash_fd, e->source,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, f->dg) != 0) {
		int errnum = f->dg->errnum;

		if (errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP ||
		    errnum == ENXIO)
			mark_changed(e);
		else if (walk_is_denied(errnum))
			e->why = SCAN_UNREADABLE;
		else
			return -1;
		diag_clear(f->dg);
		return 0;
	}
	if (fstat(fd, ret_st) < 0)
		return fail(f, "stat", e);
	if (!is_as_seen(e, ret_st))
		mark_changed(e);
	if (S_ISREG(ret_st->st_mode))
		*ret_fd = steal_fd(&fd);
	return 0;
}

static int
create(struct filler *f, const struct scan_entry *e, int *ret_fd)
{
	*ret_fd = openat(f->spec->fd, e->path,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return *ret_fd < 0 ? fail(f, "create", e) : 0;
}

static int
set_mode(struct filler *f, const struct scan_entry *e, int fd)
{
	if ((e->mode & KEPT_MODE) == 0600)
		return 0;
	return fchmod(fd, e->mode & KEPT_MODE) < 0 ? fail(f, "chmod", e) : 0;
}

static int
copy_file(struct filler *f, struct scan_entry *e)
{
	cleanup_close int in = -1;
	cleanup_close int out = -1;
	struct stat st;

	if (open_source(f, e, &in, &st) < 0)
		return -1;
	if (in < 0)
		return 0;
	f->bytes += st.st_size;
	if (f->bytes > f->spec->settings->sync_max_size)
		return diag_set(f->dg, DIAG_CONFIG,
		    "%s: more than %lld bytes with it (setting sync_max_size)",
		    e->path, (long long)f->spec->settings->sync_max_size);
	if (create(f, e, &out) < 0 ||
	    fs_copy_bytes(in, out, st.st_size, e->path, f->dg) != 0)
		return -1;
	return set_mode(f, e, out);
}

/*
 * Rejects a document that changed while it was read: a partly written file may
 * be valid JSON.
 */
static int
check_still(
    int fd, const struct stat *before, const char *what, struct diag *dg)
{
	struct stat now;

	if (fstat(fd, &now) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "stat %s", what);
	if (now.st_size != before->st_size ||
	    !scan_same_time(&now.st_mtim, &before->st_mtim))
		return diag_set(
		    dg, DIAG_DATA, "%s: changed while it was read", what);
	return 0;
}

/*
 * Reads and filters a document once.  *ret_there is false if it is not
 * readable.
 */
static int
read_document(struct filler *f, struct scan_entry *e, struct jsonfilter *filter,
    struct strbuf *out, bool *ret_there, struct diag *dg)
{
	cleanup_free char *what =
	    xasprintf("%s/%s", f->spec->paths->home, e->document->from);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int in = -1;
	struct stat st;

	*ret_there = false;
	if (open_source(f, e, &in, &st) < 0)
		return diag_move(dg, f->dg);
	if (in < 0)
		return 0;
	if (fs_read_fd(in, what, (size_t)f->spec->settings->sync_max_json,
		&text, dg) != 0)
		return dg->errnum == EFBIG
		    ? diag_wrap(dg, "setting sync_max_json")
		    : -1;
	if (check_still(in, &st, what, dg) != 0)
		return -1;
	*ret_there = true;
	return jsonfilter_run(filter, text.buf, text.len, what, out, dg);
}

/* Retries a malformed document: another process may be writing it. */
static int
read_settled(struct filler *f, struct scan_entry *e, struct jsonfilter *filter,
    struct strbuf *out, bool *ret_there, struct diag *dg)
{
	for (int i = 1; read_document(f, e, filter, out, ret_there, dg) != 0;
	     i++) {
		if (dg->class != DIAG_DATA || i == DOCUMENT_TRIES)
			return -1;
		diag_clear(dg);
		(void)poll(NULL, 0, DOCUMENT_PAUSE_MS);
	}
	return 0;
}

/* Makes the parent directories of a path that is not in a tree. */
static int
make_parents(struct filler *f, const char *path)
{
	cleanup_free char *part = xstrdup(path);

	for (char *slash = strchr(part, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(f->spec->fd, part, 0700) < 0 && errno != EEXIST)
			return diag_set_errno(
			    f->dg, DIAG_IO, errno, "make %s", part);
		*slash = '/';
	}
	return 0;
}

/* A document that cannot be filtered does not stop the sync. */
static int
keep_last_copy(struct filler *f, struct scan_entry *e, struct diag *why)
{
	bool kept;

	if (make_parents(f, e->path) < 0)
		return -1;
	kept = f->spec->kept_fd >= 0 &&
	    linkat(f->spec->kept_fd, e->path, f->spec->fd, e->path, 0) == 0;
	e->why = SCAN_BAD;
	e->detail = xasprintf("%s; sessions %s", why->message,
	    kept ? "keep the copy of the last sync" : "start without it");
	mark_changed(e);
	return 0;
}

static int
filter_document(struct filler *f, struct scan_entry *e)
{
	cleanup_jsonfilter struct jsonfilter *filter = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag why = DIAG_INIT;
	cleanup_close int out = -1;
	bool there = false;

	if (jsonfilter_new(&e->document->drop, f->spec->paths->home, NULL,
		&filter, f->dg) != 0)
		return -1;
	if (read_settled(f, e, filter, &text, &there, &why) != 0) {
		if (why.class == DIAG_DATA || why.errnum == EFBIG)
			return keep_last_copy(f, e, &why);
		return diag_move(f->dg, &why);
	}
	if (!there)
		return 0;
	if (make_parents(f, e->path) < 0 || create(f, e, &out) < 0 ||
	    fs_write_all(out, text.buf, text.len, e->path, f->dg) != 0)
		return -1;
	return set_mode(f, e, out);
}

/* Links an unchanged file to the old one; *ret_done is false if that fails. */
static int
share(struct filler *f, const struct scan_entry *e, bool *ret_done)
{
	*ret_done = false;
	if (!e->same || f->spec->old_fd < 0)
		return 0;
	if (e->kind == SCAN_DOCUMENT && make_parents(f, e->path) < 0)
		return -1;
	*ret_done =
	    linkat(f->spec->old_fd, e->path, f->spec->fd, e->path, 0) == 0;
	/* EMLINK, or the old file is missing: the caller copies it. */
	return 0;
}

static int
make_dir(struct filler *f, const struct scan_entry *e)
{
	if (make_parents(f, e->path) < 0)
		return -1;
	/* A document may have made the directory already. */
	if (mkdirat(f->spec->fd, e->path, 0700) < 0 && errno != EEXIST)
		return fail(f, "make", e);
	return 0;
}

static int
fill_entry(struct filler *f, struct scan_entry *e)
{
	bool done;

	switch (e->kind) {
	case SCAN_DIR:
		return make_dir(f, e);
	case SCAN_LINK:
		if (symlinkat(e->source, f->spec->fd, e->path) < 0)
			return fail(f, "link", e);
		return 0;
	case SCAN_FILE:
	case SCAN_DOCUMENT:
		if (share(f, e, &done) < 0)
			return -1;
		if (done)
			return 0;
		return e->kind == SCAN_FILE ? copy_file(f, e)
					    : filter_document(f, e);
	case SCAN_THROUGH:
	case SCAN_SKIPPED:
		break;
	}
	return 0;
}

/*
 * Sets directory modes last and from the inside out: a directory without write
 * permission could not be filled.
 */
static int
set_dir_modes(struct filler *f, const struct scan *scan)
{
	for (size_t i = scan->nr; i > 0; i--) {
		const struct scan_entry *e = &scan->v[i - 1];
		mode_t mode = e->mode & KEPT_MODE;

		if (e->kind == SCAN_DIR && mode != 0700 &&
		    fchmodat(f->spec->fd, e->path, mode, 0) < 0)
			return fail(f, "chmod", e);
	}
	return 0;
}

static bool
can_be_read(int slash_fd, const struct scan_entry *e)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;

	return fs_open_nolinks(slash_fd, e->source,
		   O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, &ignored) == 0;
}

size_t
generation_retry(struct scan *scan,
    void (*report)(void *arg, const char *what, const char *path), void *arg)
{
	cleanup_close int slash_fd =
	    open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t n = 0;

	for (size_t i = 0; slash_fd >= 0 && i < scan->nr; i++) {
		struct scan_entry *e = &scan->v[i];

		if (!e->same || e->why != SCAN_UNREADABLE ||
		    (e->kind != SCAN_FILE && e->kind != SCAN_DOCUMENT) ||
		    !can_be_read(slash_fd, e))
			continue;
		e->same = false;
		n++;
		if (report != NULL)
			report(arg, "changed", e->path);
	}
	return n;
}

int
generation_fill(
    const struct generation_spec *spec, struct scan *scan, struct diag *dg)
{
	cleanup_close int slash_fd =
	    open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct filler f = { .spec = spec, .slash_fd = slash_fd, .dg = dg };

	if (slash_fd < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open /");
	for (size_t i = 0; i < scan->nr; i++) {
		if (fill_entry(&f, &scan->v[i]) < 0)
			return -1;
	}
	return set_dir_modes(&f, scan);
}
