/* SPDX-License-Identifier: MIT */
/* Finds the lock files of a project. */
#include "deps/lockfiles.h"

#include <stdlib.h>
#include <string.h>

#include "deps/below.h"

static void
found(void *arg, const char *path)
{
	struct lockfiles *locks = arg;
	const char *name = strrchr(path, '/');

	/* That of the project itself is read in any case. */
	if (name == NULL)
		return;
	if (locks->nbelow == LOCKFILES_MAX) {
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
compare(const void *a, const void *b)
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
lockfiles_find(struct lockfiles *ret_locks, int project_fd,
    const struct toolchains *toolchains, int64_t deadline, struct diag *dg)
{
	const char *names[PACKAGE_MANAGER_NR + 1] = { NULL };
	const struct below_spec below = {
		.project_fd = project_fd,
		.names = names,
		.skipped = "vendor",
		.deadline = deadline,
		.found = found,
		.arg = ret_locks,
	};
	bool whole = true;
	size_t nr = 0;
	int rc = 0;

	*ret_locks = (struct lockfiles){ .whole = true };
	for (size_t i = 0; i < PACKAGE_MANAGER_NR; i++) {
		const struct package_manager *pm = &package_managers[i];

		strvec_init(&ret_locks->paths[i]);
		if (!package_manager_is_used(pm, toolchains))
			continue;
		strvec_push(&ret_locks->paths[i], pm->lock);
		names[nr++] = pm->lock;
	}
	if (nr > 0)
		rc = below_search(&below, &whole, dg);
	ret_locks->whole = ret_locks->whole && whole;
	for (size_t i = 0; i < PACKAGE_MANAGER_NR; i++)
		if (ret_locks->paths[i].nr > 1)
			qsort(ret_locks->paths[i].v, ret_locks->paths[i].nr,
			    sizeof(char *), compare);
	return rc;
}

void
lockfiles_release(struct lockfiles *locks)
{
	for (size_t i = 0; i < PACKAGE_MANAGER_NR; i++)
		strvec_release(&locks->paths[i]);
}
