/* SPDX-License-Identifier: MIT */
/* The walk over the host's files: by descriptors, following only on purpose. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/protected.h"
#include "host/settings.h"
#include "sync/scan.h"

/* Credential files that have other names too. */
struct inodes {
	ino_t *v; /* owned */
	size_t nr;
};

/* One tree on its way; a link to a directory elsewhere starts one of its own.
 */
struct walk {
	struct scan *scan;
	const struct paths *paths;
	const struct settings *settings;
	const struct agent *agent;
	const struct agent_source *tree;
	struct diag *dg;
	const char *home_name; /* where people see it: HOME/.claude */
	char real[PATH_MAX]; /* where it is */
	struct strbuf path; /* of the entry at hand, below the home */
	size_t prefix; /* of path: the tree itself and a slash */
	size_t root; /* of path: this walk's own root and a slash */
	bool elsewhere; /* behind a link that left the tree */
	struct inodes *credentials;
};

static bool
is_excluded(const struct walk *w)
{
	const struct strvec *list = &w->tree->exclude;

	for (size_t i = 0; i < list->nr; i++) {
		if (fnmatch(
			list->v[i], w->path.buf + w->prefix, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

static bool
is_protected(const struct paths *paths, const char *real)
{
	return protected_has(paths->home, real) ||
	    protected_is_below(real, paths->state_dir) ||
	    protected_is_below(paths->state_dir, real) ||
	    protected_is_below(real, paths->config_dir) ||
	    protected_is_below(paths->config_dir, real);
}

/* Adds the entry at hand; NULL when there is no room for it. */
static struct scan_entry *
add(struct walk *w, enum scan_kind kind, const struct stat *st)
{
	struct scan_entry *e;

	if ((int64_t)w->scan->nr >= w->settings->sync_max_files) {
		(void)diag_set(w->dg, DIAG_CONFIG,
		    "%s: more than %lld files, directories and links (setting "
		    "sync_max_files)",
		    w->home_name, (long long)w->settings->sync_max_files);
		return NULL;
	}
	e = scan_add(w->scan, kind, w->path.buf);
	e->mode = st->st_mode & 07777;
	if (kind == SCAN_DIR)
		return e;
	e->size = st->st_size;
	e->mtime = st->st_mtim;
	e->ctime = st->st_ctim;
	e->ino = st->st_ino;
	if (kind != SCAN_FILE)
		return e;
	w->scan->bytes += st->st_size;
	if (w->scan->bytes > w->settings->sync_max_size) {
		(void)diag_set(w->dg, DIAG_CONFIG,
		    "%s: larger than %lld bytes (setting sync_max_size)",
		    w->home_name, (long long)w->settings->sync_max_size);
		return NULL;
	}
	return e;
}

static int
skip(struct walk *w, const struct stat *st, enum scan_why why)
{
	struct scan_entry *e = add(w, SCAN_SKIPPED, st);

	if (e == NULL)
		return -1;
	e->why = why;
	if (why == SCAN_SPECIAL) {
		/* Traffic through a fifo is no change. */
		e->size = 0;
		e->mtime = (struct timespec){ 0, 0 };
		e->ctime = e->mtime;
	}
	return 0;
}

static bool
is_denied(int errnum)
{
	return errnum == EACCES || errnum == EPERM;
}

static int
fail(struct walk *w, const char *doing)
{
	return diag_set_errno(
	    w->dg, DIAG_IO, errno, "%s %s", doing, w->path.buf);
}

static int walk_dir(struct walk *w, int fd, int depth);

/* Opens the directory at hand, adds it, and goes in. */
static int
enter(struct walk *w, int dirfd, const char *name, const struct stat *st,
    int depth)
{
	cleanup_close int fd = -1;

	if (depth == SCAN_MAX_DEPTH)
		return diag_set(w->dg, DIAG_CONFIG,
		    "%s: more than %d directories deep", w->path.buf,
		    SCAN_MAX_DEPTH);
	fd = openat(
	    dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && is_denied(errno))
		return skip(w, st, SCAN_UNREADABLE);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0; /* it has just gone: the next look sees that */
	if (fd < 0)
		return fail(w, "open");
	if (add(w, SCAN_DIR, st) == NULL)
		return -1;
	return walk_dir(w, steal_fd(&fd), depth + 1);
}

static int
real_path(int fd, char ret[PATH_MAX])
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret, PATH_MAX - 1);
	if (n < 0)
		return -1;
	ret[n] = '\0';
	return 0;
}

/*
 * Whether a target means the same in the session: followed from the entry at
 * hand, by its text alone, it never leaves this walk's root.
 */
static bool
stays_inside(const struct walk *w, const char *target)
{
	size_t len = strlen(w->home_name);
	int level = 0;

	if (*target == '/') {
		if (w->elsewhere || !protected_is_below(target, w->home_name))
			return false;
		target += len;
	} else {
		for (const char *p = w->path.buf + w->root; *p != '\0'; p++)
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

/* Copies the directory that a link leads to, as a tree of its own. */
static int
enter_elsewhere(
    struct walk *w, int fd, const char *real, const struct stat *st, int depth)
{
	struct walk inner = *w;
	int rc;

	if (w->elsewhere)
		return skip(w, st, SCAN_SECOND);
	if (protected_is_below(w->real, real) ||
	    protected_is_below(real, w->real))
		return skip(w, st, SCAN_BACK);
	inner.elsewhere = true;
	inner.root = w->path.len + 1;
	(void)snprintf(inner.real, sizeof(inner.real), "%s", real);
	/* The descriptor names no file: "." of it is opened for reading. */
	rc = enter(&inner, fd, ".", st, depth);
	w->path = inner.path;
	return rc;
}

/* What a link that leaves the tree leads to. */
static int
add_target(struct walk *w, int fd, const char *real, const struct stat *link,
    int depth)
{
	struct scan_entry *e;
	struct stat st;

	if (is_protected(w->paths, real))
		return skip(w, link, SCAN_TO_PROTECTED);
	if (fstat(fd, &st) < 0)
		return fail(w, "stat");
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return skip(w, link, SCAN_TO_SPECIAL);
	if (add(w, SCAN_THROUGH, link) == NULL)
		return -1;
	if (S_ISDIR(st.st_mode))
		return enter_elsewhere(w, fd, real, &st, depth);
	e = add(w, SCAN_FILE, &st);
	if (e == NULL)
		return -1;
	e->source = xstrdup(real + 1);
	return 0;
}

static int
walk_link(struct walk *w, int dirfd, const char *name, const struct stat *st,
    int depth)
{
	char target[PATH_MAX];
	char real[PATH_MAX];
	cleanup_close int fd = -1;
	struct scan_entry *e;
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);

	if (n < 0)
		return errno == ENOENT || errno == EINVAL ? 0 : fail(w, "read");
	target[n] = '\0';
	fd = openat(dirfd, name, O_PATH | O_CLOEXEC);
	if (fd < 0 && is_denied(errno))
		return skip(w, st, SCAN_UNREADABLE);
	if (fd < 0)
		return skip(w, st, SCAN_DANGLING);
	if (real_path(fd, real) < 0)
		return fail(w, "follow");
	if (agent_sync_is_credential(&w->agent->sync, strrchr(real, '/') + 1))
		return skip(w, st, SCAN_TO_CREDENTIAL);
	if (!protected_is_below(real, w->real) || !stays_inside(w, target))
		return add_target(w, fd, real, st, depth);
	e = add(w, SCAN_LINK, st);
	if (e == NULL)
		return -1;
	e->source = xstrdup(target);
	return 0;
}

/* A file of a tree elsewhere has no path below the home's tree. */
static int
walk_file(struct walk *w, const struct stat *st)
{
	struct scan_entry *e = add(w, SCAN_FILE, st);

	if (e == NULL)
		return -1;
	e->source = xasprintf("%s/%s", w->real + 1, w->path.buf + w->root);
	return 0;
}

static int
walk_credential(struct walk *w, int dirfd, const char *name)
{
	struct inodes *list = w->credentials;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_nlink > 1) {
		list->v =
		    xreallocarray(list->v, list->nr + 1, sizeof(*list->v));
		list->v[list->nr++] = st.st_ino;
	}
	return 0;
}

static int
walk_entry(struct walk *w, int dirfd, const char *name, int depth)
{
	struct stat st;

	if (agent_sync_is_credential(&w->agent->sync, name))
		return walk_credential(w, dirfd, name);
	if (is_excluded(w))
		return 0;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(w, "stat");
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return enter(w, dirfd, name, &st, depth);
	case S_IFREG:
		return walk_file(w, &st);
	case S_IFLNK:
		return walk_link(w, dirfd, name, &st, depth);
	default:
		return skip(w, &st, SCAN_SPECIAL);
	}
}

/* Takes fd (given). */
static int
walk_dir(struct walk *w, int fd, int depth)
{
	cleanup_closedir DIR *dir = fdopendir(fd);
	size_t base = w->path.len;

	if (dir == NULL) {
		(void)fail(w, "read");
		(void)close(fd);
		return -1;
	}
	for (;;) {
		const struct dirent *de;

		errno = 0;
		de = readdir(dir);
		if (de == NULL)
			return errno == 0 ? 0 : fail(w, "read");
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		strbuf_addch(&w->path, '/');
		strbuf_addstr(&w->path, de->d_name);
		if (walk_entry(w, fd, de->d_name, depth) < 0)
			return -1;
		strbuf_setlen(&w->path, base);
	}
}

/*
 * Opens HOME/from as people mean it, through a link too.  *ret_fd is -1 when
 * there is nothing to go on with; what a link is for is an entry then.
 */
static int
open_top(struct walk *w, int home_fd, int *ret_fd, struct stat *ret_st)
{
	const char *from = w->tree->from;
	cleanup_close int fd = -1;
	struct stat link;

	*ret_fd = -1;
	if (fstatat(home_fd, from, &link, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0
							   : fail(w, "stat");
	fd = openat(home_fd, from, O_PATH | O_CLOEXEC);
	if (fd < 0 && is_denied(errno))
		return skip(w, &link, SCAN_UNREADABLE);
	if (fd < 0)
		return skip(w, &link, SCAN_DANGLING);
	if (real_path(fd, w->real) < 0 || fstat(fd, ret_st) < 0)
		return fail(w, "follow");
	if (agent_sync_is_credential(
		&w->agent->sync, strrchr(w->real, '/') + 1))
		return skip(w, &link, SCAN_TO_CREDENTIAL);
	if (S_ISLNK(link.st_mode)) {
		if (is_protected(w->paths, w->real))
			return skip(w, &link, SCAN_TO_PROTECTED);
		if (add(w, SCAN_THROUGH, &link) == NULL)
			return -1;
	}
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int
scan_tree(struct walk *w, int home_fd)
{
	cleanup_close int fd = -1;
	struct stat st;

	w->prefix = w->path.len + 1;
	w->root = w->prefix;
	if (open_top(w, home_fd, &fd, &st) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (!S_ISDIR(st.st_mode))
		return skip(w, &st, SCAN_SPECIAL);
	return enter(w, fd, ".", &st, 0);
}

static int
scan_document(struct walk *w, int home_fd)
{
	cleanup_close int fd = -1;
	struct scan_entry *e;
	struct stat st;

	if (open_top(w, home_fd, &fd, &st) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (!S_ISREG(st.st_mode))
		return skip(w, &st, SCAN_SPECIAL);
	if (st.st_size > w->settings->sync_max_json)
		return diag_set(w->dg, DIAG_CONFIG,
		    "%s: larger than %lld bytes (setting sync_max_json)",
		    w->home_name, (long long)w->settings->sync_max_json);
	e = add(w, SCAN_DOCUMENT, &st);
	if (e == NULL)
		return -1;
	e->source = xstrdup(w->real + 1);
	e->document = w->tree;
	return 0;
}

static int
scan_sources(struct walk *w, const struct agent_sources *sources, int home_fd,
    int (*scan_one)(struct walk *w, int home_fd))
{
	for (size_t i = 0; i < sources->nr; i++) {
		cleanup_free char *name = NULL;
		int rc;

		w->tree = &sources->v[i];
		name = xasprintf("%s/%s", w->paths->home, w->tree->from);
		w->home_name = name;
		strbuf_reset(&w->path);
		strbuf_addstr(&w->path, w->tree->to);
		rc = scan_one(w, home_fd);
		w->home_name = NULL;
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* A second name of a credential file is found only when all are known. */
static void
drop_credentials(struct scan *scan, const struct inodes *credentials)
{
	for (size_t i = 0; i < scan->nr && credentials->nr > 0; i++) {
		struct scan_entry *e = &scan->v[i];

		if (e->kind != SCAN_FILE && e->kind != SCAN_DOCUMENT)
			continue;
		for (size_t n = 0; n < credentials->nr; n++) {
			if (credentials->v[n] != e->ino)
				continue;
			e->kind = SCAN_SKIPPED;
			e->why = SCAN_TO_CREDENTIAL;
		}
	}
}

int
scan_run(struct scan *ret, const struct paths *paths,
    const struct settings *settings, const struct agent *agent, struct diag *dg)
{
	struct inodes credentials = { NULL, 0 };
	struct walk w = {
		.credentials = &credentials,
		.scan = ret,
		.paths = paths,
		.settings = settings,
		.agent = agent,
		.dg = dg,
		.path = STRBUF_INIT,
	};
	cleanup_close int home_fd = -1;
	int rc;

	/* The clock that the kernel stamps files with. */
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &ret->start);
	if (fs_open_dir(paths->home, &home_fd, dg) < 0)
		return -1;
	rc = scan_sources(&w, &agent->sync.trees, home_fd, scan_tree);
	if (rc == 0)
		rc = scan_sources(
		    &w, &agent->sync.documents, home_fd, scan_document);
	drop_credentials(ret, &credentials);
	free(credentials.v);
	strbuf_release(&w.path);
	return rc;
}
