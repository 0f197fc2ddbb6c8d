/* SPDX-License-Identifier: MIT */
/* Walks through a project for entries with certain names. */
#include "deps/below.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/monotime.h"

struct search {
	const struct below_spec *spec;
	int entries;
	bool whole;
	bool ended;
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

static bool
is_skipped(const struct search *s, const char *name)
{
	return has_name(skipped, name) ||
	    (s->spec->skipped != NULL && strcmp(s->spec->skipped, name) == 0);
}

static int
visit(struct fs_walk *walk, int dirfd, const char *name)
{
	struct search *s = walk->arg;
	int fd;

	/* Ends the walk, without a failure. */
	if (s->entries >= BELOW_MAX || monotime_ms() >= s->spec->deadline) {
		s->whole = false;
		s->ended = true;
		return -1;
	}
	s->entries++;
	if (has_name(s->spec->names, name)) {
		s->spec->found(s->spec->arg, walk->path.buf);
		return 0;
	}
	if ((walk->type != DT_DIR && walk->type != DT_UNKNOWN) ||
	    is_skipped(s, name))
		return 0;
	/* It may have become something else, and links are not followed. */
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
below_search(const struct below_spec *spec, bool *ret_whole, struct diag *dg)
{
	struct search s = { .spec = spec, .whole = true };
	cleanup_fs_walk struct fs_walk walk = {
		.visit = visit,
		.arg = &s,
		.dg = dg,
		.label = "",
		.path = STRBUF_INIT,
		.max_depth = BELOW_DEPTH,
		.too_deep = DIAG_DATA,
	};
	int fd = fs_walk_open(spec->project_fd, ".");

	if (fd < 0)
		return fs_walk_fail(&walk, "open");
	if (fs_walk_read(&walk, fd) != 0 && !s.ended)
		return -1;
	*ret_whole = s.whole;
	return 0;
}

int
below_find(int project_fd, const char *const *names,
    void (*found)(void *arg, const char *path), void *arg, bool *ret_whole,
    struct diag *dg)
{
	return below_search(
	    &(struct below_spec){
		.project_fd = project_fd,
		.names = names,
		.deadline = INT64_MAX,
		.found = found,
		.arg = arg,
	    },
	    ret_whole, dg);
}
