/* SPDX-License-Identifier: MIT */
/* Walks through a project for entries with certain names. */
#include "deps/below.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"

struct search {
	const char *const *names;
	void (*found)(void *arg, const char *path);
	void *arg;
	int entries;
	bool whole;
};

/* Nobody works there, and they are large. */
static const char *const skipped[] = { "target", "node_modules", ".git",
	".drydock", NULL };

static bool
has_name(const char *const *names, const char *name)
{
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static int
visit(struct fs_walk *walk, int dirfd, const char *name)
{
	struct search *s = walk->arg;
	int fd;

	if (s->entries >= BELOW_MAX) {
		s->whole = false;
		return 0;
	}
	s->entries++;
	if (has_name(s->names, name)) {
		s->found(s->arg, walk->path.buf);
		return 0;
	}
	if (has_name(skipped, name))
		return 0;
	/* Most entries are files, and links are not followed. */
	fd = fs_walk_open(dirfd, name);
	if (fd < 0 && errno != ENOTDIR && errno != ELOOP && errno != ENOENT)
		s->whole = false;
	if (fd >= 0 && walk->depth >= BELOW_DEPTH) {
		s->whole = false;
		(void)close(fd);
		return 0;
	}
	return fd < 0 ? 0 : fs_walk_read(walk, fd);
}

int
below_find(int project_fd, const char *const *names,
    void (*found)(void *arg, const char *path), void *arg, bool *ret_whole,
    struct diag *dg)
{
	struct search s = { names, found, arg, 0, true };
	cleanup_fs_walk struct fs_walk walk = {
		.visit = visit,
		.arg = &s,
		.dg = dg,
		.label = "",
		.path = STRBUF_INIT,
		.max_depth = BELOW_DEPTH,
		.too_deep = DIAG_DATA,
	};
	int fd = fs_walk_open(project_fd, ".");

	if (fd < 0)
		return fs_walk_fail(&walk, "open");
	if (fs_walk_read(&walk, fd) != 0)
		return -1;
	*ret_whole = s.whole;
	return 0;
}
