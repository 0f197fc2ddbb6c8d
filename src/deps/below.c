/* SPDX-License-Identifier: MIT */
/* Walks through a project for entries with certain names, and lock files. */
#include "deps/below.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/monotime.h"

struct search {
	const char *const *names; /* NULL behind the last one */
	const char *skipped; /* not searched, either; or NULL */
	int64_t deadline; /* of monotime_ms() */
	void (*found)(void *arg, const char *path);
	void *arg;
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

static int
visit(struct fs_walk *walk, int dirfd, const char *name)
{
	struct search *s = walk->arg;
	int fd;

	/* Ends the walk, without a failure. */
	if (s->entries >= BELOW_MAX || monotime_ms() >= s->deadline) {
		s->whole = false;
		s->ended = true;
		return -1;
	}
	s->entries++;
	if (has_name(s->names, name)) {
		s->found(s->arg, walk->path.buf);
		return 0;
	}
	if ((walk->type != DT_DIR && walk->type != DT_UNKNOWN) ||
	    has_name(skipped, name) ||
	    (s->skipped != NULL && strcmp(s->skipped, name) == 0))
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

static int
search(struct search *s, int project_fd, bool *ret_whole, struct diag *dg)
{
	cleanup_fs_walk struct fs_walk walk = {
		.visit = visit,
		.arg = s,
		.dg = dg,
		.label = "",
		.path = STRBUF_INIT,
		.max_depth = BELOW_DEPTH,
		.too_deep = DIAG_DATA,
	};
	int fd = fs_walk_open(project_fd, ".");

	s->whole = true;
	if (fd < 0)
		return fs_walk_fail(&walk, "open");
	if (fs_walk_read(&walk, fd) != 0 && !s->ended)
		return -1;
	*ret_whole = s->whole;
	return 0;
}

int
below_find(int project_fd, const char *const *names,
    void (*found)(void *arg, const char *path), void *arg, bool *ret_whole,
    struct diag *dg)
{
	struct search s = { .names = names,
		.deadline = INT64_MAX,
		.found = found,
		.arg = arg };

	return search(&s, project_fd, ret_whole, dg);
}

static void
found_lock(void *arg, const char *path)
{
	struct below_locks *locks = arg;
	const char *name = strrchr(path, '/');

	/* That of the project itself is read in any case. */
	if (name == NULL)
		return;
	if (locks->nbelow == BELOW_MAX_LOCKS) {
		locks->whole = false;
		return;
	}
	for (size_t i = 0; i < PACKAGE_MANAGER_NR; i++)
		if (strcmp(package_managers[i].lock, name + 1) == 0) {
			strvec_push(&locks->paths[i], path);
			locks->nbelow++;
		}
}

static int
compare_paths(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;
	int depth = 0;

	for (const char *p = *x; *p != '\0'; p++)
		depth += *p == '/';
	for (const char *p = *y; *p != '\0'; p++)
		depth -= *p == '/';
	return depth != 0 ? depth : strcmp(*x, *y);
}

int
below_find_locks(struct below_locks *ret_locks, int project_fd,
    const struct toolchains *toolchains, int64_t deadline, struct diag *dg)
{
	const char *names[PACKAGE_MANAGER_NR + 1] = { NULL };
	struct search s = { .names = names,
		.skipped = "vendor",
		.deadline = deadline,
		.found = found_lock,
		.arg = ret_locks };
	bool whole = true;
	size_t nr = 0;
	int rc = 0;

	*ret_locks = (struct below_locks){ .whole = true };
	for (size_t i = 0; i < PACKAGE_MANAGER_NR; i++) {
		const struct package_manager *pm = &package_managers[i];

		strvec_init(&ret_locks->paths[i]);
		if (!package_manager_is_used(pm, toolchains))
			continue;
		strvec_push(&ret_locks->paths[i], pm->lock);
		names[nr++] = pm->lock;
	}
	if (nr > 0)
		rc = search(&s, project_fd, &whole, dg);
	ret_locks->whole = ret_locks->whole && whole;
	for (size_t i = 0; i < PACKAGE_MANAGER_NR; i++)
		if (ret_locks->paths[i].nr > 1)
			qsort(ret_locks->paths[i].v, ret_locks->paths[i].nr,
			    sizeof(char *), compare_paths);
	return rc;
}

void
below_locks_release(struct below_locks *locks)
{
	for (size_t i = 0; i < PACKAGE_MANAGER_NR; i++)
		strvec_release(&locks->paths[i]);
}
