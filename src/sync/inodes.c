/* SPDX-License-Identifier: MIT */
/* A sorted list of device and number. */
#include "sync/inodes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/protected.h"

#define MAX_DEPTH 200

void
inodes_add(struct inodes *set, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return;
	if (set->nr == set->alloc) {
		set->alloc = set->alloc > 0 ? set->alloc * 2 : 64;
		set->v = xreallocarray(set->v, set->alloc, sizeof(*set->v));
	}
	set->v[set->nr++] = (struct inode){ st->st_dev, st->st_ino };
}

static bool
is_closed(int errnum)
{
	return errnum == EACCES || errnum == EPERM || errnum == ENOENT ||
	    errnum == ENOTDIR || errnum == ELOOP;
}

static int
visit(struct fs_walk *walk, int dirfd, const char *name)
{
	cleanup_close int fd = -1;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return is_closed(errno) ? 0 : fs_walk_fail(walk, "stat");
	if (!S_ISDIR(st.st_mode)) {
		inodes_add(walk->arg, &st);
		return 0;
	}
	fd = fs_walk_open(dirfd, name);
	if (fd < 0)
		return is_closed(errno) ? 0 : fs_walk_fail(walk, "open");
	return fs_walk_read(walk, steal_fd(&fd));
}

/* A place may be a link to where it is kept. */
static int
add_place(struct inodes *set, const char *place, struct diag *dg)
{
	cleanup_fs_walk struct fs_walk walk = {
		.visit = visit,
		.arg = set,
		.dg = dg,
		.label = "",
		.path = STRBUF_INIT,
		.max_depth = MAX_DEPTH,
		.too_deep = DIAG_CONFIG,
	};
	cleanup_close int fd = -1;
	struct stat st;

	strbuf_addstr(&walk.path, place);
	if (stat(place, &st) < 0)
		return is_closed(errno) ? 0 : fs_walk_fail(&walk, "stat");
	if (!S_ISDIR(st.st_mode)) {
		inodes_add(set, &st);
		return 0;
	}
	fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return is_closed(errno) ? 0 : fs_walk_fail(&walk, "open");
	return fs_walk_read(&walk, steal_fd(&fd));
}

int
inodes_add_protected(
    struct inodes *set, const struct paths *paths, struct diag *dg)
{
	const char *const *places = protected_places();
	cleanup_free char *tokens = xasprintf("%s/tokens", paths->state_dir);

	for (; *places != NULL; places++) {
		cleanup_free char *place =
		    xasprintf("%s/%s", paths->home, *places);

		if (protected_is_credential(*places) &&
		    add_place(set, place, dg) < 0)
			return -1;
	}
	return add_place(set, tokens, dg);
}

static int
compare(const void *a, const void *b)
{
	const struct inode *x = a;
	const struct inode *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return (x->ino > y->ino) - (x->ino < y->ino);
}

void
inodes_sort(struct inodes *set)
{
	if (set->nr > 0)
		qsort(set->v, set->nr, sizeof(*set->v), compare);
}

bool
inodes_has(const struct inodes *set, dev_t dev, ino_t ino)
{
	const struct inode key = { dev, ino };

	return set->nr > 0 &&
	    bsearch(&key, set->v, set->nr, sizeof(*set->v), compare) != NULL;
}

void
inodes_release(struct inodes *set)
{
	free(set->v);
	*set = (struct inodes)INODES_INIT;
}
