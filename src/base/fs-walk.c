/* SPDX-License-Identifier: MIT */
/* The only loop over a directory, or over a tree. */
#include "base/fs-walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strvec.h"

int
fs_walk_open(int dirfd, const char *name)
{
	return openat(
	    dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int
fs_walk_fail(struct fs_walk *walk, const char *doing)
{
	return diag_set_errno(walk->dg, DIAG_IO, errno, "%s %s%s", doing,
	    walk->label, walk->path.buf);
}

static int
visit_all(struct fs_walk *walk, DIR *dir)
{
	size_t base = walk->path.len;

	for (;;) {
		const struct dirent *de;
		int rc;

		errno = 0;
		de = readdir(dir);
		if (de == NULL)
			return errno == 0 ? 0 : fs_walk_fail(walk, "read");
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (base > 0)
			strbuf_addch(&walk->path, '/');
		strbuf_addstr(&walk->path, de->d_name);
		walk->type = de->d_type;
		rc = walk->visit(walk, dirfd(dir), de->d_name);
		strbuf_setlen(&walk->path, base);
		if (rc < 0)
			return -1;
	}
}

int
fs_walk_read(struct fs_walk *walk, int fd)
{
	cleanup_close int given = fd;
	cleanup_closedir DIR *dir = NULL;
	int rc;

	if (walk->depth > walk->max_depth)
		return diag_set(walk->dg, walk->too_deep,
		    "%s%s: more than %d directories deep", walk->label,
		    walk->path.buf, walk->max_depth);
	dir = fdopendir(given);
	if (dir == NULL)
		return fs_walk_fail(walk, "read");
	(void)steal_fd(&given);
	walk->depth++;
	rc = visit_all(walk, dir);
	walk->depth--;
	return rc;
}

void
fs_walk_release(struct fs_walk *walk)
{
	strbuf_release(&walk->path);
}

static int
add_name(struct fs_walk *walk, int dirfd, const char *name)
{
	struct strvec *names = walk->arg;

	(void)dirfd;
	if (names->nr == FS_LIST_MAX)
		return diag_set(walk->dg, DIAG_DATA, "%s: more than %d entries",
		    walk->label, FS_LIST_MAX);
	strvec_push(names, name);
	return 0;
}

int
fs_list_names(
    int dirfd, const char *what, struct strvec *ret_names, struct diag *dg)
{
	cleanup_strvec struct strvec found = STRVEC_INIT;
	cleanup_fs_walk struct fs_walk walk = {
		.visit = add_name,
		.arg = &found,
		.dg = dg,
		.label = what,
		.path = STRBUF_INIT,
	};
	/* A new open file description, since reading moves the offset. */
	int fd = fs_walk_open(dirfd, ".");

	if (fd < 0)
		return fs_walk_fail(&walk, "open");
	if (fs_walk_read(&walk, fd) < 0)
		return -1;
	strvec_sort(&found);
	*ret_names = found;
	strvec_init(&found);
	return 0;
}
