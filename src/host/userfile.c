/* SPDX-License-Identifier: MIT */
/* userfile: locks, reads and replaces a file of the user's. */

#include "host/userfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/trusted.h"

enum {
	LOCK_MS = 5000,
	RETRY_MS = 5,
	MAX_TRIES = 100 /* while others replace the file */
};

/* Splits path at its last slash, in place.  Returns the last component. */
static char *
split(char *path)
{
	char *slash = strrchr(path, '/');

	*slash = '\0';
	return slash + 1;
}

/*
 * Locks the directory itself: no other file appears in the user's directory.
 */
static int
lock(const struct userfile *file, struct diag *dg)
{
	int64_t deadline = monotime_ms() + LOCK_MS;

	while (flock(file->dir_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "lock %s", file->path);
		if (monotime_left_ms(deadline) == 0)
			return diag_set(dg, DIAG_BUSY,
			    "another process is changing %s: try again",
			    file->path);
		(void)poll(NULL, 0, RETRY_MS);
	}
	return 0;
}

/*
 * Opens the directory of the file that fd is.  *ret_found is false if the file
 * has been replaced since it was opened: its path is then another's.
 */
static int
open_real(struct userfile *file, int fd, bool *ret_found, struct diag *dg)
{
	cleanup_free char *real = NULL;
	cleanup_close int dir_fd = -1;
	struct stat is;
	struct stat st;
	const char *name;

	if (fs_real_path(fd, &real) != 0 || fstat(fd, &is) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "%s", file->path);
	name = split(real);
	if (fs_open_dir(*real == '\0' ? "/" : real, &dir_fd, dg) != 0)
		return -1;
	*ret_found = fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fs_same(&st, &is);
	if (*ret_found) {
		free(file->name);
		file->name = xstrdup(name);
		file->dir_fd = steal_fd(&dir_fd);
	}
	return 0;
}

/*
 * Finds the directory of name, or of the file that the symlink name leads to.
 */
static int
open_directory(struct userfile *file, const struct paths *paths,
    const char *name, struct diag *dg)
{
	cleanup_free char *dir = xstrdup(file->path);
	cleanup_close int made_fd = -1;

	file->name = xstrdup(split(dir));
	if (fs_make_path(dir, 0700, &made_fd, dg) != 0)
		return -1;
	for (int i = 0; i < MAX_TRIES; i++) {
		cleanup_close int fd = -1;
		bool found = false;

		if (paths_open_config(paths, name, 0, &fd, dg) != 0)
			return -1;
		if (fd < 0) {
			file->dir_fd = steal_fd(&made_fd);
			return 0;
		}
		if (open_real(file, fd, &found, dg) != 0 || found)
			return found ? 0 : -1;
	}
	return diag_set(dg, DIAG_BUSY,
	    "another process is changing %s: try again", file->path);
}

int
userfile_open(struct userfile *file, const struct paths *paths,
    const char *name, size_t max, struct diag *dg)
{
	cleanup_close int fd = -1;
	struct stat st;

	file->path = xasprintf("%s/%s", paths->config_dir, name);
	file->mode = 0644;
	if (open_directory(file, paths, name, dg) != 0 || lock(file, dg) != 0 ||
	    paths_open_config(paths, name, 0, &fd, dg) != 0)
		return -1;
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "%s", file->path);
	file->mode = st.st_mode & 0777;
	file->seen = st;
	return trusted_read(fd, file->path, max, &file->text, dg);
}

/* Editors take no lock: their change must not be lost. */
static int
check_unchanged(const struct userfile *file, struct diag *dg)
{
	const struct stat *seen = &file->seen;
	struct stat st = { .st_ino = 0 };

	if (fstatat(file->dir_fd, file->name, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
	    errno != ENOENT)
		return diag_set_errno(dg, DIAG_IO, errno, "%s", file->path);
	if (st.st_dev == seen->st_dev && st.st_ino == seen->st_ino &&
	    st.st_size == seen->st_size &&
	    st.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == seen->st_mtim.tv_nsec)
		return 0;
	return diag_set(dg, DIAG_BUSY,
	    "%s was changed meanwhile: run the command again", file->path);
}

int
userfile_write(struct userfile *file, struct diag *dg)
{
	if (check_unchanged(file, dg) != 0)
		return -1;
	if (fs_replace_file(file->dir_fd, file->name, file->text.buf,
		file->text.len, file->mode, dg) != 0)
		return diag_wrap(dg, "%s", file->path);
	return 0;
}

void
userfile_release(struct userfile *file)
{
	strbuf_release(&file->text);
	free(file->path);
	free(file->name);
	cleanup_close_fn(&file->dir_fd);
	*file = (struct userfile)USERFILE_INIT;
}
