/* SPDX-License-Identifier: MIT */
/*
 * walk: walks the host's files by descriptor; follows a symlink only after a
 * check.
 */
#include "sync/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/resolve.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/protected.h"
#include "host/settings.h"

/* Returns true if real is, contains or is in a place that is never copied. */
static bool
is_protected(const struct paths *paths, const char *real)
{
	return protected_has(paths->home, real) ||
	    protected_is_below(real, paths->state_dir) ||
	    protected_is_below(paths->state_dir, real) ||
	    protected_is_below(real, paths->config_dir) ||
	    protected_is_below(paths->config_dir, real);
}

struct scan_entry *
walk_add(struct walk *w, enum scan_kind kind, const struct stat *st)
{
	struct scan_entry *e;

	if ((int64_t)w->scan->nr >= w->settings->sync_max_files) {
		(void)diag_set(w->at.dg, DIAG_CONFIG,
		    "%s: more than %lld files, directories and links (setting "
		    "sync_max_files)",
		    w->home_name, (long long)w->settings->sync_max_files);
		return NULL;
	}
	e = scan_add(w->scan, kind, w->at.path.buf);
	e->mode = st->st_mode & 07777;
	if (kind == SCAN_DIR)
		return e;
	e->size = st->st_size;
	e->mtime = st->st_mtim;
	e->ctime = st->st_ctim;
	e->ino = st->st_ino;
	e->dev = st->st_dev;
	if (kind != SCAN_FILE)
		return e;
	w->scan->bytes += st->st_size;
	if (w->scan->bytes > w->settings->sync_max_size) {
		(void)diag_set(w->at.dg, DIAG_CONFIG,
		    "%s: larger than %lld bytes (setting sync_max_size)",
		    w->home_name, (long long)w->settings->sync_max_size);
		return NULL;
	}
	return e;
}

int
walk_skip(struct walk *w, const struct stat *st, enum scan_why why)
{
	struct scan_entry *e = walk_add(w, SCAN_SKIPPED, st);

	if (e == NULL)
		return -1;
	e->why = why;
	if (why == SCAN_SPECIAL) {
		/*
		 * Writes to a FIFO change its size and times, but are no change
		 * for a sync.
		 */
		e->size = 0;
		e->mtime = (struct timespec){ 0, 0 };
		e->ctime = e->mtime;
	}
	return 0;
}

bool
walk_is_denied(int errnum)
{
	return errnum == EACCES || errnum == EPERM || errnum == EIO ||
	    errnum == ESTALE || errnum == ENOTCONN;
}

/* Skips a symlink that cannot be opened.  An unexpected errno is a failure. */
static int
skip_closed(struct walk *w, const struct stat *st)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
		return walk_skip(w, st, SCAN_DANGLING);
	default:
		if (walk_is_denied(errno))
			return walk_skip(w, st, SCAN_UNREADABLE);
		return fs_walk_fail(&w->at, "follow");
	}
}

static bool
is_foreign(const struct walk *w, const struct stat *st)
{
	return st->st_uid != w->paths->uid && st->st_uid != 0;
}

static bool
is_in_project(const struct walk *w, const char *real)
{
	cleanup_free char *project = knownprojects_find(w->known, real);

	return project != NULL;
}

enum scan_why
walk_distrust(const struct walk *w, const struct stat *st, const char *real)
{
	if (is_protected(w->paths, real))
		return SCAN_TO_PROTECTED;
	if (is_in_project(w, real))
		return SCAN_IN_PROJECT;
	return is_foreign(w, st) ? SCAN_FOREIGN : SCAN_FINE;
}

/*
 * A symlink is trusted if its owner is the user or root and no agent can write
 * to its directory.  Every symlink of a chain, and in the path of a target, is
 * checked before it is followed.
 */
static int
judge_link(void *arg, int dirfd, const char *name, const struct stat *st)
{
	const struct walk *w = arg;
	cleanup_free char *real = NULL;

	(void)name;
	if (!S_ISLNK(st->st_mode))
		return SCAN_FINE;
	if (is_foreign(w, st))
		return SCAN_FOREIGN;
	if (fs_real_path(dirfd, &real) < 0)
		return SCAN_DANGLING;
	return is_in_project(w, real) ? SCAN_IN_PROJECT : SCAN_FINE;
}

int
walk_resolve(struct walk *w, int dirfd, const char *path,
    const struct stat *link, int *ret_fd, int *ret_links)
{
	struct resolve resolve = { .judge = judge_link, .arg = w };
	int rc = resolve_open(&resolve, dirfd, path, ret_fd);

	*ret_links = resolve.links;
	if (rc == 0)
		return 0;
	*ret_fd = -1;
	return rc > 0 ? walk_skip(w, link, (enum scan_why)rc)
		      : skip_closed(w, link);
}

/* A directory of another user or in a project is not copied. */
static enum scan_why
distrust_directory(const struct walk *w, int fd, const struct stat *st)
{
	cleanup_free char *real = NULL;

	if (!w->place.followed)
		return SCAN_FINE;
	if (fs_real_path(fd, &real) < 0)
		return SCAN_UNREADABLE;
	return walk_distrust(w, st, real);
}

int
walk_enter(struct walk *w, int dirfd, const char *name, const struct stat *st)
{
	cleanup_close int fd = fs_walk_open(dirfd, name);
	enum scan_why why;

	if (fd < 0 && walk_is_denied(errno))
		return walk_skip(w, st, SCAN_UNREADABLE);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0; /* disappeared: the next scan detects it */
	if (fd < 0)
		return fs_walk_fail(&w->at, "open");
	why = distrust_directory(w, fd, st);
	if (why != SCAN_FINE)
		return walk_skip(w, st, why);
	if (walk_add(w, SCAN_DIR, st) == NULL)
		return -1;
	return fs_walk_read(&w->at, steal_fd(&fd));
}

int
walk_follow(struct walk *w, int fd, const struct stat *link, char **ret_real)
{
	*ret_real = NULL;
	if (fs_real_path(fd, ret_real) < 0)
		return errno == ENOENT ? walk_skip(w, link, SCAN_TO_SPECIAL)
				       : fs_walk_fail(&w->at, "follow");
	if (agent_sync_is_credential(
		&w->agent->sync, strrchr(*ret_real, '/') + 1)) {
		cleanup_free_fn(ret_real);
		return walk_skip(w, link, SCAN_TO_CREDENTIAL);
	}
	return 0;
}

/*
 * Returns true if a target has the same meaning in the session: the text of the
 * target, resolved from the current entry, never leaves the root of this walk.
 */
static bool
stays_inside(const struct walk *w, const char *target)
{
	size_t len = strlen(w->home_name);
	int level = 0;

	if (*target == '/') {
		if (w->place.elsewhere ||
		    !protected_is_below(target, w->home_name))
			return false;
		target += len;
	} else {
		for (const char *p = w->at.path.buf + w->place.root; *p != '\0';
		     p++)
			level += *p == '/';
	}
	while (*target != '\0') {
		size_t n = strcspn(target, "/");

		if (n == 2 && target[0] == '.' && target[1] == '.')
			level--;
		else if (n > 0 && !(n == 1 && target[0] == '.'))
			level++;
		if (level < 0)
			return false;
		target += n + (target[n] == '/');
	}
	return true;
}

/* Copies the directory that a symlink leads to, as a separate tree. */
static int
enter_elsewhere(struct walk *w, int fd, const char *real, const struct stat *st)
{
	const struct walk_place outer = w->place;
	int rc;

	if (protected_is_below(outer.real, real) ||
	    protected_is_below(real, outer.real))
		return walk_skip(w, st, SCAN_BACK);
	w->place = (struct walk_place){
		.real = real,
		.root = w->at.path.len + 1,
		.elsewhere = true,
		.followed = true,
	};
	/* fd is O_PATH: "." of it is opened for reading. */
	rc = walk_enter(w, fd, ".", st);
	w->place = outer;
	return rc;
}

/* Adds the target of a symlink that leaves the tree. */
static int
add_target(struct walk *w, int fd, const char *real, const struct stat *link)
{
	struct scan_entry *e;
	enum scan_why why;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fs_walk_fail(&w->at, "stat");
	why = walk_distrust(w, &st, real);
	if (why != SCAN_FINE)
		return walk_skip(w, link, why);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return walk_skip(w, link, SCAN_TO_SPECIAL);
	if (walk_add(w, SCAN_THROUGH, link) == NULL)
		return -1;
	if (S_ISDIR(st.st_mode))
		return enter_elsewhere(w, fd, real, &st);
	e = walk_add(w, SCAN_FILE, &st);
	if (e == NULL)
		return -1;
	e->source = xstrdup(real + 1);
	return 0;
}

/* An agent or another user may have put this symlink there. */
static enum scan_why
leaves(const struct walk *w, int fd, const char *target)
{
	cleanup_free char *real = NULL;

	if (fs_real_path(fd, &real) < 0 ||
	    !protected_is_below(real, w->place.real) ||
	    !stays_inside(w, target))
		return SCAN_LEAVES;
	return SCAN_FINE;
}

static int
walk_link(struct walk *w, int dirfd, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	cleanup_free char *real = NULL;
	cleanup_close int fd = -1;
	struct scan_entry *e;
	enum scan_why why;
	int links = 0;
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);

	if (n < 0)
		return errno == ENOENT || errno == EINVAL
		    ? 0
		    : fs_walk_fail(&w->at, "read");
	target[n] = '\0';
	if (walk_resolve(w, dirfd, name, st, &fd, &links) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (w->place.followed) {
		why = leaves(w, fd, target);
		if (why != SCAN_FINE)
			return walk_skip(w, st, why);
	}
	if (walk_follow(w, fd, st, &real) < 0)
		return -1;
	if (real == NULL)
		return 0;
	if (agent_sync_is_document(&w->agent->sync, strrchr(real, '/') + 1))
		return walk_skip(w, st, SCAN_ACCOUNT);
	if (!protected_is_below(real, w->place.real) ||
	    !stays_inside(w, target))
		return add_target(w, fd, real, st);
	e = walk_add(w, SCAN_LINK, st);
	if (e == NULL)
		return -1;
	e->source = xstrdup(target);
	return 0;
}

/*
 * The source path is built from the real root: a tree elsewhere has no path
 * below the tree in the home.
 */
static int
walk_file(struct walk *w, const char *name, const struct stat *st)
{
	struct scan_entry *e;

	if (w->place.followed && is_foreign(w, st))
		return walk_skip(w, st, SCAN_FOREIGN);
	if (agent_sync_is_document(&w->agent->sync, name))
		return walk_skip(w, st, SCAN_ACCOUNT);
	e = walk_add(w, SCAN_FILE, st);
	if (e == NULL)
		return -1;
	e->source = xasprintf(
	    "%s/%s", w->place.real + 1, w->at.path.buf + w->place.root);
	return 0;
}

int
walk_entry(struct fs_walk *at, int dirfd, const char *name)
{
	struct walk *w = at->arg;
	struct stat st = { 0 };

	if (agent_sync_is_credential(&w->agent->sync, name)) {
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			inodes_add(&w->credentials, &st);
		return 0;
	}
	if (agent_source_excludes(w->tree, w->at.path.buf + w->prefix))
		return 0;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (walk_is_denied(errno))
			return walk_skip(w, &st, SCAN_UNREADABLE);
		return errno == ENOENT ? 0 : fs_walk_fail(&w->at, "stat");
	}
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return walk_enter(w, dirfd, name, &st);
	case S_IFREG:
		return walk_file(w, name, &st);
	case S_IFLNK:
		return walk_link(w, dirfd, name, &st);
	default:
		return walk_skip(w, &st, SCAN_SPECIAL);
	}
}
