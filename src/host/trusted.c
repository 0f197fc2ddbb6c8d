/* SPDX-License-Identifier: MIT */
/* trusted: checks each component of the path to a file. */
#include "host/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/resolve.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/protected.h"

enum {
	FD_NAME_SIZE = 32,
	REFUSED = 1 /* returned by judge(); *dg is set */
};

/* A directory that was resolved and checked once, for all searches in it. */
struct trusted_base {
	char *base; /* owned */
	int fd; /* owned; O_PATH */
};

/* One call of trusted_open(). */
struct search {
	const struct paths *paths;
	const char *label; /* full path, for messages */
	unsigned flags;
	struct diag *dg;
};

/* Returns true if the group is the caller's own. */
static bool
is_own_group(const struct paths *paths, gid_t gid)
{
	const struct group *group;

	if (gid != paths->gid || paths->user == NULL)
		return false;
	group = getgrgid(gid);
	if (group == NULL || strcmp(group->gr_name, paths->user) != 0)
		return false;
	for (char *const *member = group->gr_mem; *member != NULL; member++)
		if (strcmp(*member, paths->user) != 0)
			return false;
	return true;
}

/* Returns true if name has an access list.  An error counts as one. */
static bool
has_access_list(int dirfd, const char *name)
{
	cleanup_free char *path = xasprintf("/proc/self/fd/%d/%s", dirfd, name);

	return lgetxattr(path, "system.posix_acl_access", NULL, 0) >= 0 ||
	    (errno != ENODATA && errno != ENOTSUP);
}

bool
trusted_group_is_own(const struct paths *paths, int dirfd, const char *name,
    const struct stat *st)
{
	return is_own_group(paths, st->st_gid) && !has_access_list(dirfd, name);
}

/* Returned: the real path for a message, or "?". */
static char *
real_path(int fd)
{
	char *path = NULL;

	return fs_real_path(fd, &path) == 0 ? path : xstrdup("?");
}

static int
check_owner(const struct search *s, const struct stat *st, const char *path)
{
	if (st->st_uid == s->paths->uid || st->st_uid == 0)
		return 0;
	return diag_set(s->dg, DIAG_CONFIG,
	    "%s belongs to uid %lu: it must be yours", path,
	    (unsigned long)st->st_uid);
}

/* Checks a directory on the path. */
static int
check_parent(const struct search *s, int dirfd)
{
	cleanup_free char *path = NULL;
	mode_t writers;
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return diag_set_errno(
		    s->dg, DIAG_CONFIG, errno, "%s", s->label);
	writers = st.st_mode & (S_IWGRP | S_IWOTH);
	/*
	 * With the sticky bit (/tmp), users can add entries but cannot replace
	 * those of others.
	 */
	if ((st.st_uid == s->paths->uid || st.st_uid == 0) &&
	    (writers == 0 || (st.st_mode & S_ISVTX) != 0 ||
		(writers == S_IWGRP &&
		    trusted_group_is_own(s->paths, dirfd, ".", &st))))
		return 0;
	path = real_path(dirfd);
	if (check_owner(s, &st, path) < 0)
		return -1;
	return diag_set(s->dg, DIAG_CONFIG,
	    "%s can be written by others: chmod go-w it, or %s is not safe "
	    "there",
	    path, s->label);
}

/* Checks the target.  Unlike a parent, only its owner may have write access. */
static int
check_end(const struct search *s, int fd, const struct stat *st, int links)
{
	cleanup_free char *real = links > 0 ? real_path(fd) : NULL;
	cleanup_free char *where = real == NULL
	    ? xstrdup(s->label)
	    : xasprintf("%s (%s)", s->label, real);

	if (check_owner(s, st, where) < 0)
		return -1;
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return diag_set(s->dg, DIAG_CONFIG,
		    "%s can be written by others: chmod go-w it", where);
	/*
	 * A second hard link is a path by which the file can be changed.
	 * Behind a symlink only the caller's own files are checked: a system
	 * store (nix) links its files several times.
	 */
	if ((s->flags & TRUSTED_ONE_NAME) != 0 &&
	    (links == 0 || st->st_uid == s->paths->uid) &&
	    S_ISREG(st->st_mode) && st->st_nlink > 1)
		return diag_set(s->dg, DIAG_CONFIG,
		    "%s has a second hard link, through which it can be "
		    "changed: replace it with a copy",
		    where);
	return 0;
}

struct decisive *
decisive_new(void)
{
	struct decisive *decisive = xcalloc(1, sizeof(*decisive));

	strvec_init(&decisive->found);
	strvec_init(&decisive->links);
	return decisive;
}

void
decisive_free(struct decisive *decisive)
{
	if (decisive == NULL)
		return;
	for (size_t i = 0; i < decisive->nbases; i++) {
		free(decisive->bases[i].base);
		cleanup_close_fn(&decisive->bases[i].fd);
	}
	free(decisive->bases);
	strvec_release(&decisive->found);
	strvec_release(&decisive->links);
	free(decisive);
}

/*
 * Adds the real path of fd to list, one of the lists of paths->decisive.  Paths
 * in the configuration directory and in the data directory are left out.
 */
static int
keep(const struct search *s, int fd, struct strvec *list)
{
	cleanup_free char *path = NULL;
	const char *const own[] = { s->paths->config_dir, s->paths->data_dir };

	if (fs_real_path(fd, &path) != 0)
		return diag_set_errno(
		    s->dg, DIAG_IO, errno, "real path of %s", s->label);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (own[i] != NULL && protected_is_below(path, own[i]))
			return 0;
	if (!strvec_has(list, path))
		strvec_push(list, path);
	return 0;
}

static int
judge(void *arg, int dirfd, const char *name, const struct stat *st)
{
	const struct search *s = arg;

	(void)name;
	if (check_parent(s, dirfd) < 0)
		return REFUSED;
	if (!S_ISLNK(st->st_mode))
		return 0;
	if ((s->flags & TRUSTED_NO_LINK) != 0) {
		(void)diag_set_errno(s->dg, DIAG_CONFIG, ELOOP,
		    "%s is or lies behind a link", s->label);
		return REFUSED;
	}
	if (check_owner(s, st, s->label) < 0)
		return REFUSED;
	if (s->paths->decisive != NULL &&
	    keep(s, dirfd, &s->paths->decisive->links) < 0)
		return REFUSED;
	return 0;
}

/*
 * Returns true if name fails to resolve at a symlink whose target does not
 * exist.  An absent component behind a symlink that resolves is no error.
 */
static bool
is_dangling(int base_fd, const char *name)
{
	cleanup_free char *path = xstrdup(name);
	struct stat st;

	for (char *p = path;; p++) {
		char end = *p;

		if (end != '/' && end != '\0')
			continue;
		*p = '\0';
		if (fstatat(base_fd, path, &st, 0) < 0 && errno == ENOENT)
			return fstatat(base_fd, path, &st,
				   AT_SYMLINK_NOFOLLOW) == 0;
		if (end == '\0')
			return false;
		*p = end;
	}
}

/* *ret_fd is an O_PATH descriptor, or unchanged when base does not exist. */
static int
open_base(const struct search *of, const char *base, int *ret_fd)
{
	struct search s = *of;
	struct resolve walk = { .judge = judge, .arg = &s };
	struct decisive *d = s.paths->decisive;
	cleanup_close int fd = -1;
	struct stat st;
	int rc;

	for (size_t i = 0; d != NULL && i < d->nbases; i++)
		if (strcmp(d->bases[i].base, base) == 0)
			fd = fcntl(d->bases[i].fd, F_DUPFD_CLOEXEC, 3);
	if (fd >= 0) {
		*ret_fd = steal_fd(&fd);
		return 0;
	}
	s.label = base;
	s.flags = 0;
	rc = resolve_open(&walk, AT_FDCWD, base, &fd);
	if (rc < 0 && errno == ENOENT)
		return 0;
	if (rc > 0)
		return -1;
	if (rc < 0 || fstat(fd, &st) < 0)
		return diag_set_errno(s.dg, DIAG_CONFIG, errno, "%s", base);
	if (!S_ISDIR(st.st_mode))
		return diag_set_errno(s.dg, DIAG_CONFIG, ENOTDIR, "%s", base);
	if (check_end(&s, fd, &st, 0) < 0)
		return -1;
	if (d != NULL) {
		d->bases =
		    xreallocarray(d->bases, d->nbases + 1, sizeof(*d->bases));
		d->bases[d->nbases++] = (struct trusted_base){ xstrdup(base),
			fcntl(fd, F_DUPFD_CLOEXEC, 3) };
	}
	*ret_fd = steal_fd(&fd);
	return 0;
}

/*
 * Reopens the descriptor, so that the file that was checked is the one that is
 * read.
 */
static int
open_found(const struct search *s, int fd, int links, int *ret_fd)
{
	bool directory = (s->flags & TRUSTED_DIRECTORY) != 0;
	char name[FD_NAME_SIZE];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return diag_set_errno(
		    s->dg, DIAG_CONFIG, errno, "%s", s->label);
	if (directory && !S_ISDIR(st.st_mode))
		return diag_set_errno(
		    s->dg, DIAG_CONFIG, ENOTDIR, "%s", s->label);
	if (!directory && !S_ISREG(st.st_mode))
		return diag_set(
		    s->dg, DIAG_CONFIG, "%s is not a regular file", s->label);
	if (check_end(s, fd, &st, links) < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	*ret_fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return *ret_fd < 0
	    ? diag_set_errno(s->dg, DIAG_CONFIG, errno, "%s", s->label)
	    : 0;
}

int
trusted_open(const struct paths *paths, const char *base, const char *name,
    unsigned flags, int *ret_fd, struct diag *dg)
{
	cleanup_free char *full =
	    *name == '\0' ? xstrdup(base) : xasprintf("%s/%s", base, name);
	struct search s = { paths, full, flags, dg };
	struct resolve walk = { .judge = judge, .arg = &s };
	cleanup_close int base_fd = -1;
	cleanup_close int fd = -1;
	int rc;

	*ret_fd = -1;
	if (open_base(&s, base, &base_fd) < 0)
		return -1;
	if (base_fd < 0)
		return 0;
	rc = resolve_open(&walk, base_fd, *name == '\0' ? "." : name, &fd);
	if (rc > 0)
		return -1;
	if (rc < 0 && errno == ENOENT) {
		if (walk.links == 0 || !is_dangling(base_fd, name))
			return 0;
		return diag_set_errno(dg, DIAG_CONFIG, ENOENT,
		    "%s is a link that leads nowhere", full);
	}
	if (rc < 0)
		return diag_set_errno(dg, DIAG_CONFIG, errno, "%s", full);
	if (paths->decisive != NULL &&
	    keep(&s, fd, &paths->decisive->found) < 0)
		return -1;
	return open_found(&s, fd, walk.links, ret_fd);
}

int
trusted_read(
    int fd, const char *label, size_t max, struct strbuf *out, struct diag *dg)
{
	if (fs_read_fd(fd, label, max, out, dg) == 0)
		return 0;
	/*
	 * fs_read_fd() fails with DIAG_DATA for a file that is too large.  A
	 * user wrote this file.
	 */
	if (dg->class == DIAG_DATA)
		dg->class = DIAG_CONFIG;
	return -1;
}

int
trusted_read_data(const struct paths *paths, const char *name, size_t max,
    struct strbuf *out, struct diag *dg)
{
	cleanup_free char *below = xasprintf("compose/%s", name);
	cleanup_close int fd = -1;

	/* A failure without an errno: the file exists and is not trusted. */
	if (trusted_open(
		paths, paths->data_dir, below, TRUSTED_NO_LINK, &fd, dg) != 0)
		return dg->errnum == 0 ? diag_reclass(dg, DIAG_POLICY) : -1;
	if (fd == -1)
		return diag_set_errno(dg, DIAG_CONFIG, ENOENT, "open %s/%s",
		    paths->data_dir, below);
	return fs_read_fd(fd, below, max, out, dg);
}

/*
 * Returned: the directory that contains path and that an agent can or could
 * write to, or NULL.
 */
static char *
find_writer(
    const struct knownprojects *known, const char *project, const char *path)
{
	if (path == NULL)
		return NULL;
	if (project != NULL && protected_is_below(path, project))
		return xstrdup(project);
	return knownprojects_find(known, path);
}

static int
check_list(const struct paths *paths, const struct knownprojects *known,
    const char *project, const struct strvec *list, const char *what,
    struct diag *dg)
{
	for (size_t i = 0; i < list->nr; i++) {
		cleanup_free char *in = find_writer(known, project, list->v[i]);

		if (in != NULL)
			return diag_set(dg, DIAG_POLICY,
			    "%s %s decides what a session may do and lies in "
			    "%s, which a session can or could write: in %s "
			    "replace the link with a copy",
			    what, list->v[i], in, paths->config_dir);
	}
	return 0;
}

/*
 * Checks the configuration directory and the installed files themselves;
 * paths->decisive has the targets of symlinks.
 */
static int
check_own(const struct paths *paths, const struct knownprojects *known,
    struct diag *dg)
{
	static const char elsewhere[] = "install drydock elsewhere";
	const struct {
		const char *path;
		const char *advice;
	} own[] = {
		{ paths->config_dir,
		    "move it, or set XDG_CONFIG_HOME to another directory" },
		{ paths->data_dir, elsewhere },
		{ paths->libexec_dir, elsewhere },
		{ paths->self, elsewhere },
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		cleanup_free char *in = find_writer(known, NULL, own[i].path);

		if (in != NULL)
			return diag_set(dg, DIAG_POLICY,
			    "%s decides what a session may do and lies in "
			    "%s, which a session can or could write: %s",
			    own[i].path, in, own[i].advice);
	}
	return 0;
}

int
trusted_check(const struct paths *paths, const char *project, struct diag *dg)
{
	cleanup_knownprojects struct knownprojects *known = NULL;

	if (knownprojects_load(paths, &known, dg) != 0 ||
	    check_own(paths, known, dg) != 0)
		return -1;
	if (paths->decisive == NULL)
		return 0;
	if (check_list(paths, known, project, &paths->decisive->found, "file",
		dg) != 0)
		return -1;
	return check_list(
	    paths, known, project, &paths->decisive->links, "a link in", dg);
}
