/* SPDX-License-Identifier: MIT */
/* restore: replaces a file by an exchange of names, then keeps the old one. */
#include "session/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "session/changes.h"
#include "session/outcome.h"

enum {
	TRIES = 16, /* against a process that adds and removes the file */
	KEPT_NAMES = 10000,
};

/* The names in the file's directory during one replacement. */
struct place {
	int fd; /* of the directory */
	const char *name; /* of the file; borrowed */
	char temp[FS_TEMP_SIZE];
	struct stat made; /* of what make_before() made */
	bool exchanged; /* temp is what was at name */
};

/* Opens the directory of path, and makes what is missing on the way. */
static int
open_parent(int root_fd, const char *path, bool make, int *ret_fd,
    const char **ret_name, struct diag *dg)
{
	cleanup_free char *dirs = xstrdup(path);
	cleanup_close int at =
	    openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *name = dirs;

	if (at < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open %s", path);
	for (char *slash; (slash = strchr(name, '/')) != NULL;
	     name = slash + 1) {
		int next;

		*slash = '\0';
		if (make && mkdirat(at, name, 0777) != 0 && errno != EEXIST)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "make %s", dirs);
		next = openat(
		    at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "open %s", dirs);
		(void)close(at);
		at = next;
		*slash = '/';
	}
	*ret_fd = steal_fd(&at);
	*ret_name = path + (name - dirs);
	return 0;
}

/* Makes the file as it was, under the temporary name. */
static int
make_before(struct place *p, const struct watched_file *before, struct diag *dg)
{
	cleanup_close int fd = -1;
	char random[13];

	if (before->kind == WATCHED_REGULAR) {
		if (fs_temp_create(p->fd, p->name, p->temp, &fd, dg) != 0)
			return -1;
		if (fs_write_all(fd, before->data, before->len, p->name, dg) ==
			0 &&
		    (fchmod(fd, before->mode & 0777) != 0 || fsync(fd) != 0))
			(void)diag_set_errno(
			    dg, DIAG_IO, errno, "write %s", p->name);
		if (dg->class == DIAG_NONE)
			return 0;
		(void)unlinkat(p->fd, p->temp, 0);
		return -1;
	}
	fs_random_name(random, sizeof(random));
	(void)snprintf(p->temp, sizeof(p->temp), ".%.200s.%s", p->name, random);
	if (before->kind == WATCHED_LINK &&
	    symlinkat(before->data, p->fd, p->temp) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "make the link %s", p->name);
	return 0;
}

/*
 * Brings the temporary file to its name.  What was there, if anything, then has
 * the temporary name.
 */
static int
put_in(struct place *p, struct diag *dg)
{
	for (int i = 0; i < TRIES; i++) {
		if (renameat2(
			p->fd, p->temp, p->fd, p->name, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			break;
		if (renameat2(
			p->fd, p->temp, p->fd, p->name, RENAME_EXCHANGE) == 0) {
			p->exchanged = true;
			return 0;
		}
		if (errno != ENOENT)
			break;
	}
	return diag_set_errno(dg, DIAG_IO, errno, "replace %s", p->name);
}

/* Gives a new file a temporary name. */
static int
take_out(struct place *p, struct diag *dg)
{
	if (renameat2(p->fd, p->name, p->fd, p->temp, RENAME_NOREPLACE) == 0) {
		p->exchanged = true;
		return 0;
	}
	if (errno == ENOENT)
		return 0;
	return diag_set_errno(dg, DIAG_IO, errno, "remove %s", p->name);
}

/* Copies the regular file that fd, opened with O_PATH, refers to. */
static int
keep_regular(int fd, const struct place *p, const struct stat *st, int kept_fd,
    const char *name, struct diag *dg)
{
	cleanup_close int in = -1;
	cleanup_close int out = -1;

	/* The agent may have removed the owner's permission to read. */
	if ((st->st_mode & S_IRUSR) == 0 && st->st_uid == geteuid())
		(void)fs_chmod_fd(fd, 0600);
	in = openat(p->fd, p->temp,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (in < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open %s", p->name);
	out = openat(kept_fd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "create %s", name);
	if (fs_copy_bytes(in, out, st->st_size, p->name, dg) != 0)
		return -1;
	if (fsync(out) != 0 || fsync(kept_fd) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "write %s", name);
	return 0;
}

static int
keep_link(const struct place *p, int kept_fd, const char *name, struct diag *dg)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(p->fd, p->temp, target, sizeof(target) - 1);

	if (n < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "read %s", p->name);
	target[n] = '\0';
	if (symlinkat(target, kept_fd, name) != 0 || fsync(kept_fd) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "create %s", name);
	return 0;
}

/* Returned: a name that kept_fd does not have, which shows the path. */
static char *
free_name(int kept_fd, const char *path)
{
	for (int i = 1; i < KEPT_NAMES; i++) {
		char *name = xasprintf("%d-%.200s", i, path);
		struct stat st;

		for (char *at = name; (at = strchr(at, '/')) != NULL;)
			*at = '%';
		if (fstatat(kept_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return name;
		free(name);
	}
	return xstrdup("full");
}

/*
 * Keeps what has the temporary name, and removes that name.  *ret_where stays
 * NULL for a file without contents, such as a fifo.
 */
static int
keep_old(const struct place *p, int kept_fd, const char *kept_dir,
    const struct watched_file *like, char **ret_where, struct diag *dg)
{
	cleanup_close int fd =
	    openat(p->fd, p->temp, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	cleanup_free char *name = free_name(kept_fd, like->path);
	struct stat st;
	bool copied = true;
	int rc = 0;

	if (fd < 0 || fstat(fd, &st) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open %s", p->name);
	if (S_ISDIR(st.st_mode) ||
	    (S_ISREG(st.st_mode) && st.st_size > RESTORE_KEPT_MAX)) {
		/* It stays in its directory.  An empty directory goes. */
		if (!S_ISDIR(st.st_mode) ||
		    unlinkat(p->fd, p->temp, AT_REMOVEDIR) != 0)
			*ret_where = xasprintf("%.*s%s",
			    (int)(strlen(like->path) - strlen(p->name)),
			    like->path, p->temp);
		return 0;
	}
	if (S_ISREG(st.st_mode))
		rc = keep_regular(fd, p, &st, kept_fd, name, dg);
	else if (S_ISLNK(st.st_mode))
		rc = keep_link(p, kept_fd, name, dg);
	else
		copied = false;
	if (rc != 0) {
		(void)unlinkat(kept_fd, name, 0);
		return -1;
	}
	if (unlinkat(p->fd, p->temp, 0) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "remove %s", p->temp);
	if (copied)
		*ret_where = xasprintf("%s/%s", kept_dir, name);
	return 0;
}

/*
 * Undoes put_in() or take_out() after what was there could not be kept.  The
 * agent may have written the file once more: neither version is removed.
 */
static int
undo(struct place *p, bool put, struct diag *dg)
{
	int rc = renameat2(p->fd, p->temp, p->fd, p->name,
	    put ? RENAME_EXCHANGE : RENAME_NOREPLACE);
	struct stat st;

	if (rc == 0 && !put)
		return -1;
	if (rc == 0 && fstatat(p->fd, p->temp, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fs_same(&st, &p->made)) {
		(void)unlinkat(p->fd, p->temp, 0);
		return -1;
	}
	return diag_wrap(
	    dg, "another version of the file is beside it, as %s", p->temp);
}

static int
replace(const struct paths *paths, const char *id,
    const struct watched_file *before, struct place *p, char **ret_kept,
    struct diag *dg)
{
	bool put = before->kind != WATCHED_ABSENT;
	cleanup_free char *kept = xasprintf(ENDED_DIR "/%s" ENDED_KEPT, id);
	cleanup_free char *kept_dir =
	    xasprintf("%s/%s", paths->state_dir, kept);
	cleanup_close int kept_fd = -1;

	if (fs_make_dirs(paths->state_fd, kept, 0700, &kept_fd, dg) != 0 ||
	    make_before(p, before, dg) != 0)
		return -1;
	if (put && fstatat(p->fd, p->temp, &p->made, AT_SYMLINK_NOFOLLOW) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "stat %s", p->temp);
	if ((put ? put_in(p, dg) : take_out(p, dg)) != 0) {
		if (put)
			(void)unlinkat(p->fd, p->temp, 0);
		return -1;
	}
	if (p->exchanged &&
	    keep_old(p, kept_fd, kept_dir, before, ret_kept, dg) != 0)
		return undo(p, put, dg);
	if (fsync(p->fd) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "write %s", p->name);
	return 0;
}

int
restore_change(const struct paths *paths, const char *id,
    const struct changes *changes, const struct change *change, char **ret_kept,
    struct diag *dg)
{
	const struct watched_file *before = &change->before;
	int root_fd = changes->start.roots[before->root].fd;
	cleanup_free char *kept = NULL;
	cleanup_close int fd = -1;
	struct place p = { .exchanged = false };

	if (before->kind != WATCHED_ABSENT && before->data == NULL)
		return diag_set(dg, DIAG_DATA,
		    "%s: its contents at the start are not stored, because "
		    "it was too large, unreadable or no regular file",
		    before->path);
	if (open_parent(root_fd, before->path, before->kind != WATCHED_ABSENT,
		&fd, &p.name, dg) != 0)
		return before->kind == WATCHED_ABSENT ? diag_ignore(dg, ENOENT)
						      : -1;
	p.fd = fd;
	if (replace(paths, id, before, &p, &kept, dg) != 0)
		return diag_wrap(dg, "%s", before->path);
	*ret_kept = steal_ptr(&kept);
	return 0;
}
