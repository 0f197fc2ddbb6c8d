/* SPDX-License-Identifier: MIT */
/* Walks through a project for .cargo and Cargo.lock. */
#include "deps/cargobelow.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"

struct search {
	void (*found)(void *arg, const char *path);
	void *arg;
	int entries;
	bool whole;
};

/* Nobody works there, and they are large. */
static bool
is_skipped(const char *name)
{
	static const char *const names[] = { "target", "node_modules", ".git",
		".drydock" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int
visit(struct fs_walk *walk, int dirfd, const char *name)
{
	struct search *s = walk->arg;
	int fd;

	if (s->entries >= CARGOBELOW_MAX) {
		s->whole = false;
		return 0;
	}
	s->entries++;
	if (strcmp(name, ".cargo") == 0 || strcmp(name, "Cargo.lock") == 0) {
		if (walk->depth > 1)
			s->found(s->arg, walk->path.buf);
		return 0;
	}
	if (is_skipped(name))
		return 0;
	/* Most entries are files, and links are not followed. */
	fd = fs_walk_open(dirfd, name);
	if (fd < 0 && errno != ENOTDIR && errno != ELOOP && errno != ENOENT)
		s->whole = false;
	if (fd >= 0 && walk->depth >= CARGOBELOW_DEPTH) {
		s->whole = false;
		(void)close(fd);
		return 0;
	}
	return fd < 0 ? 0 : fs_walk_read(walk, fd);
}

int
cargobelow_find(int project_fd, void (*found)(void *arg, const char *path),
    void *arg, bool *ret_whole, struct diag *dg)
{
	struct search s = { found, arg, 0, true };
	cleanup_fs_walk struct fs_walk walk = {
		.visit = visit,
		.arg = &s,
		.dg = dg,
		.label = "",
		.path = STRBUF_INIT,
		.max_depth = CARGOBELOW_DEPTH,
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
