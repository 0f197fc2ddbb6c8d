/* SPDX-License-Identifier: MIT */
/* location: compares files by device and inode along their parents. */
#include "plan/location.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "host/protected.h"
#include "plan/mountinfo.h"

static void
add_link(struct location *l, const struct stat *st)
{
	l->chain = xreallocarray(l->chain, l->nchain + 1, sizeof(*l->chain));
	l->chain[l->nchain++] = *st;
}

/*
 * Adds the parents of path up to top.  They are looked up by name, because ".."
 * needs search permission on the directory.  A parent that the caller may not
 * look up is left out where only visible is set.
 */
static int
add_parents(struct location *l, const char *path, const char *top,
    bool only_visible, struct diag *dg)
{
	cleanup_free char *dir = xstrdup(path);
	struct stat st;

	while (strcmp(dir, top) != 0) {
		char *slash = strrchr(dir, '/');

		slash[slash == dir ? 1 : 0] = '\0';
		if (lstat(dir, &st) == 0)
			add_link(l, &st);
		else if (!only_visible || errno != EACCES)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "look at %s", dir);
	}
	return 0;
}

/* Returned: dir, with the part of path that follows base. */
static char *
moved(const char *path, const char *base, const char *dir)
{
	const char *part = path + (base[1] == '\0' ? 0 : strlen(base));

	if (part[0] == '\0' || part[1] == '\0')
		return xstrdup(dir);
	return xasprintf("%s%s", dir[1] == '\0' ? "" : dir, part);
}

/*
 * Adds the directories that are parents only by another name: own shows a part
 * of its file system, and another mount a larger part.
 */
static int
add_parents_elsewhere(const struct mountinfo *mounts,
    const struct mountinfo_row *own, struct location *l, struct diag *dg)
{
	cleanup_free char *inside = moved(l->real, own->target, own->root);

	for (size_t i = 0; i < mounts->nr; i++) {
		const struct mountinfo_row *m = &mounts->v[i];
		cleanup_free char *name = NULL;
		struct stat st;

		if (strcmp(m->device, own->device) != 0 ||
		    strcmp(m->root, own->root) == 0 ||
		    !protected_is_below(own->root, m->root))
			continue;
		name = moved(inside, m->root, m->target);
		/* Another mount may hide the name. */
		if (lstat(name, &st) == 0 ? !fs_same(&st, &l->chain[0])
					  : errno != EACCES)
			continue;
		if (add_parents(l, name, m->target, true, dg) != 0)
			return -1;
	}
	return 0;
}

/* Sets *ret_own to the mount that shows path. */
static int
find_mount(const struct mountinfo *mounts, const char *path,
    const struct mountinfo_row **ret_own, struct diag *dg)
{
	*ret_own = NULL;
	/* The last of several mounts with one target hides the others. */
	for (size_t i = 0; i < mounts->nr; i++)
		if (protected_is_below(path, mounts->v[i].target) &&
		    (*ret_own == NULL ||
			strlen(mounts->v[i].target) >=
			    strlen((*ret_own)->target)))
			*ret_own = &mounts->v[i];
	return *ret_own != NULL
	    ? 0
	    : diag_set(dg, DIAG_IO, "no mount is known for %s", path);
}

/* Fills l, of which only real is set, but for the parents by that name. */
static int
start_chain(struct location *l, const struct stat *st,
    const struct mountinfo *mounts, struct diag *dg)
{
	const struct mountinfo_row *own;

	add_link(l, st);
	if (find_mount(mounts, l->real, &own, dg) != 0)
		return -1;
	return add_parents_elsewhere(mounts, own, l, dg);
}

int
location_find(int fd, const struct mountinfo *mounts,
    struct location *ret_location, struct diag *dg)
{
	cleanup_location struct location l = LOCATION_INIT;
	struct stat st;
	struct stat again;

	if (fs_real_path(fd, &l.real) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "its real path");
	if (fstat(fd, &st) != 0 || lstat(l.real, &again) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "look at %s", l.real);
	/* The parents belong to the path, and not to the descriptor. */
	if (!fs_same(&st, &again))
		return diag_set(dg, DIAG_POLICY,
		    "%s was replaced during the check", l.real);
	if (start_chain(&l, &st, mounts, dg) != 0 ||
	    add_parents(&l, l.real, "/", false, dg) != 0)
		return -1;
	*ret_location = l;
	l = (struct location)LOCATION_INIT;
	return 0;
}

int
location_find_in(const struct location *parent, const char *name,
    const struct stat *st, const struct mountinfo *mounts,
    struct location *ret_location, struct diag *dg)
{
	cleanup_location struct location l = LOCATION_INIT;

	l.real = xasprintf(
	    "%s/%s", strcmp(parent->real, "/") == 0 ? "" : parent->real, name);
	if (start_chain(&l, st, mounts, dg) != 0)
		return -1;
	for (size_t i = 0; i < parent->nchain; i++)
		add_link(&l, &parent->chain[i]);
	*ret_location = l;
	l = (struct location)LOCATION_INIT;
	return 0;
}

int
location_find_below(
    struct location *location, const struct mountinfo *mounts, struct diag *dg)
{
	for (size_t i = 0; i < mounts->nr; i++) {
		const struct mountinfo_row *m = &mounts->v[i];
		struct location *l;
		struct stat st;

		if (strcmp(m->target, location->real) == 0 ||
		    !protected_is_below(m->target, location->real))
			continue;
		/* A session has the caller's permissions, or fewer. */
		if (lstat(m->target, &st) != 0) {
			if (errno == EACCES || errno == ENOENT)
				continue;
			return diag_set_errno(
			    dg, DIAG_IO, errno, "look at %s", m->target);
		}
		location->below = xreallocarray(location->below,
		    location->nbelow + 1, sizeof(*location->below));
		l = &location->below[location->nbelow++];
		*l = (struct location)LOCATION_INIT;
		l->real = xstrdup(m->target);
		if (start_chain(l, &st, mounts, dg) != 0)
			return -1;
	}
	return 0;
}

void
location_release(struct location *location)
{
	for (size_t i = 0; i < location->nbelow; i++)
		location_release(&location->below[i]);
	free(location->below);
	free(location->chain);
	free(location->real);
	*location = (struct location)LOCATION_INIT;
}

bool
location_is(const struct location *a, const struct location *b)
{
	return fs_same(&a->chain[0], &b->chain[0]);
}

/* Returns true if a is b or one of the directories that b lies in. */
static bool
is_or_holds(const struct location *a, const struct location *b)
{
	for (size_t i = 0; i < b->nchain; i++)
		if (fs_same(&a->chain[0], &b->chain[i]))
			return true;
	return false;
}

bool
location_holds(const struct location *a, const struct location *b)
{
	bool holds = is_or_holds(a, b);

	for (size_t i = 0; i < a->nbelow && !holds; i++)
		holds = is_or_holds(&a->below[i], b);
	return holds && !location_is(a, b);
}

bool
location_has_part(const struct location *a, const struct location *b)
{
	bool has = is_or_holds(a, b);

	for (size_t i = 0; i < b->nbelow && !has; i++)
		has = is_or_holds(a, &b->below[i]);
	return has && !location_is(a, b);
}
