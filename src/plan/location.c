/* SPDX-License-Identifier: MIT */
/*
 * location: compares files by inode along the parents, and by path within a
 * file system.
 */
#include "plan/location.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "host/protected.h"
#include "plan/procfacts.h"

static void
add_link(struct location *l, const struct stat *st)
{
	l->chain = xreallocarray(l->chain, l->nchain + 1, sizeof(*l->chain));
	l->chain[l->nchain++] = *st;
}

/*
 * Looks up the parents by name, because ".." needs search permission on the
 * directory.  If the path has become another file, its inode differs from the
 * descriptor's.
 */
static int
find_chain(int fd, struct location *l, struct diag *dg)
{
	cleanup_free char *path = xstrdup(l->real);
	struct stat st;
	struct stat again;

	if (fstat(fd, &st) != 0 || lstat(path, &again) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "look at %s", path);
	if (!fs_same(&st, &again))
		return diag_set(dg, DIAG_POLICY,
		    "%s is another file than a moment ago", path);
	add_link(l, &st);
	while (strcmp(path, "/") != 0) {
		char *slash = strrchr(path, '/');

		slash[slash == path ? 1 : 0] = '\0';
		if (lstat(path, &st) != 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "look at %s", path);
		add_link(l, &st);
	}
	return 0;
}

static void
add_on(struct location *l, const struct proc_mount *m, const char *below)
{
	const char *root = strcmp(m->root, "/") == 0 ? "" : m->root;

	l->on = xreallocarray(l->on, l->non + 1, sizeof(*l->on));
	l->on[l->non++] = (struct fs_path){
		xstrdup(m->device),
		*root == '\0' && *below == '\0'
		    ? xstrdup("/")
		    : xasprintf("%s%s", root, below),
	};
}

/* Returns the part of path after dir: "/x" or "". */
static const char *
below(const char *path, const char *dir)
{
	return strcmp(dir, "/") == 0 ? (path[1] == '\0' ? "" : path)
				     : path + strlen(dir);
}

static int
find_on(const struct proc_mounts *mounts, struct location *l, struct diag *dg)
{
	const struct proc_mount *own = NULL;

	assert(l->real != NULL);
	for (size_t i = 0; i < mounts->nr; i++) {
		const struct proc_mount *m = &mounts->v[i];

		/*
		 * If several mounts have the same target, the last one hides
		 * the others.
		 */
		if (protected_is_below(l->real, m->target) &&
		    (own == NULL || strlen(m->target) >= strlen(own->target)))
			own = m;
	}
	if (own == NULL)
		return diag_set(
		    dg, DIAG_IO, "no mount is known for %s", l->real);
	add_on(l, own, below(l->real, own->target));
	for (size_t i = 0; i < mounts->nr; i++)
		if (&mounts->v[i] != own &&
		    protected_is_below(mounts->v[i].target, l->real))
			add_on(l, &mounts->v[i], "");
	return 0;
}

int
location_find(int fd, const struct proc_mounts *mounts,
    struct location *ret_location, struct diag *dg)
{
	cleanup_location struct location l = LOCATION_INIT;

	if (fs_real_path(fd, &l.real) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "its real path");
	if (find_chain(fd, &l, dg) != 0 || find_on(mounts, &l, dg) != 0)
		return -1;
	*ret_location = l;
	l = (struct location)LOCATION_INIT;
	return 0;
}

int
location_find_in(const struct location *parent, const char *name,
    const struct stat *st, const struct proc_mounts *mounts,
    struct location *ret_location, struct diag *dg)
{
	cleanup_location struct location l = LOCATION_INIT;

	l.real = xasprintf(
	    "%s/%s", strcmp(parent->real, "/") == 0 ? "" : parent->real, name);
	add_link(&l, st);
	for (size_t i = 0; i < parent->nchain; i++)
		add_link(&l, &parent->chain[i]);
	if (find_on(mounts, &l, dg) != 0)
		return -1;
	*ret_location = l;
	l = (struct location)LOCATION_INIT;
	return 0;
}

void
location_release(struct location *location)
{
	for (size_t i = 0; i < location->non; i++) {
		free(location->on[i].device);
		free(location->on[i].path);
	}
	free(location->on);
	free(location->chain);
	free(location->real);
	*location = (struct location)LOCATION_INIT;
}

bool
location_is(const struct location *a, const struct location *b)
{
	return fs_same(&a->chain[0], &b->chain[0]) ||
	    (strcmp(a->on[0].device, b->on[0].device) == 0 &&
		strcmp(a->on[0].path, b->on[0].path) == 0);
}

static bool
chain_has(const struct location *l, const struct stat *st)
{
	for (size_t i = 1; i < l->nchain; i++)
		if (fs_same(&l->chain[i], st))
			return true;
	return false;
}

/*
 * Returns true if one of a's mounts shows the given path or a parent of the
 * path.
 */
static bool
mounts_hold(const struct location *a, const struct fs_path *path)
{
	for (size_t i = 0; i < a->non; i++)
		if (strcmp(a->on[i].device, path->device) == 0 &&
		    protected_is_below(path->path, a->on[i].path))
			return true;
	return false;
}

/* A bind includes all mounts below its source. */
bool
location_holds(const struct location *a, const struct location *b)
{
	if (location_is(a, b))
		return false;
	return chain_has(b, &a->chain[0]) || mounts_hold(a, &b->on[0]);
}

/*
 * Only a's own file system counts.  A mount below a, for example a disk below
 * /run, is a place of its own.
 */
bool
location_shares(const struct location *a, const struct location *b)
{
	if (location_is(a, b))
		return false;
	if (chain_has(b, &a->chain[0]))
		return true;
	for (size_t i = 0; i < b->non; i++)
		if (strcmp(a->on[0].device, b->on[i].device) == 0 &&
		    protected_is_below(b->on[i].path, a->on[0].path))
			return true;
	return false;
}
