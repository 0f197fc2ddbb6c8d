/* SPDX-License-Identifier: MIT */
/* Hashes a slot's packages again, and removes those that the locks refute. */
#include "deps/cacheseed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/xalloc.h"
#include "deps/below.h"
#include "deps/packages.h"

static int
remove_below(int dirfd, const char *dir, const char *path, struct diag *dg)
{
	cleanup_free char *whole = xasprintf("%s/%s", dir, path);
	char *name = strrchr(whole, '/');
	cleanup_close int fd = -1;

	*name++ = '\0';
	fd = cachedir_open_beneath(dirfd, whole, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return errno == ENOENT
		    ? 0
		    : diag_set_errno(dg, DIAG_IO, errno, "open %s", whole);
	return fs_remove_tree(fd, name, dg);
}

/* Removes a bad package, and what its manager made of it. */
static int
remove_package(int root_fd, const struct cachedir *dir,
    const struct package_file *p, struct diag *dg)
{
	cleanup_free char *ziphash = xasprintf("%shash", p->path);

	if (remove_below(root_fd, dir->into, p->path, dg) != 0)
		return -1;
	if (p->proof == PACKAGE_GO_ZIP &&
	    remove_below(root_fd, dir->into, ziphash, dg) != 0)
		return -1;
	if (p->unpacked == NULL || dir->unpacked_in == NULL)
		return 0;
	return remove_below(root_fd, dir->unpacked_in, p->unpacked, dg);
}

static int
verify_package(int root_fd, const struct cachedir *dir,
    const struct package_file *p, struct cacheseed_report *report,
    struct diag *dg)
{
	cleanup_diag struct diag proof = DIAG_INIT;
	cleanup_close int fd = -1;
	const char *why;
	struct stat st;

	fd = cachedir_open(dir->fd, p->path, &st, &why);
	if (fd < 0 && why == NULL)
		return errno == ENOENT
		    ? 0
		    : diag_set_errno(dg, DIAG_IO, errno, "open %s", p->path);
	if (fd >= 0) {
		report->files++;
		report->bytes += st.st_size;
		if (st.st_size > PACKAGE_MAX_SIZE)
			(void)diag_set(&proof, DIAG_DATA, "it is too large");
		else if (package_prove(p, fd, st.st_size, &proof) == 0)
			return 0;
		/* Bytes that cannot be read refute nothing. */
		if (proof.class == DIAG_IO)
			return diag_move(dg, &proof);
		why = proof.message;
	}
	cacheseed_report_add(report, p->path, dir->label, why);
	return remove_package(root_fd, dir, p, dg);
}

static int
verify_manager(const struct cacheseed_spec *spec,
    const struct package_manager *pm, const struct strvec *locks,
    int64_t deadline, struct cacheseed_report *report, struct diag *dg)
{
	cleanup_packages struct packages packages = PACKAGES_INIT;
	cleanup_cachedirs struct cachedirs dirs = CACHEDIRS_INIT;
	cleanup_diag struct diag reading = DIAG_INIT;
	cleanup_close int root_fd = -1;

	/* The lock files that can be read count all the same. */
	(void)packages_read(&packages, pm, spec->project_fd, locks, &reading);
	root_fd = cachedir_open_beneath(
	    spec->data_fd, pm->slot_dir, O_RDONLY | O_DIRECTORY);
	if (root_fd >= 0)
		pm->open(&dirs, root_fd, pm->slot_dir, false);
	for (size_t i = 0; dirs.nr > 0 && i < packages.nr; i++) {
		if (monotime_ms() >= deadline) {
			report->stopped_by = CACHESEED_BY_TIME;
			break;
		}
		for (size_t j = 0; j < dirs.nr; j++)
			if (package_belongs(&packages.v[i], &dirs.v[j]) &&
			    verify_package(root_fd, &dirs.v[j], &packages.v[i],
				report, dg) != 0)
				return -1;
	}
	return reading.class == DIAG_NONE ? 0 : diag_move(dg, &reading);
}

int
cacheseed_verify(const struct cacheseed_spec *spec,
    struct cacheseed_report *ret_report, struct diag *dg)
{
	int64_t ms = spec->limits.ms;
	int64_t deadline = ms == 0 ? INT64_MAX : monotime_ms() + ms;
	cleanup_diag struct diag first = DIAG_INIT;
	cleanup_below_locks struct below_locks locks;

	fs_temp_clean(spec->data_fd, CACHESEED_TEMP);
	(void)below_find_locks(
	    &locks, spec->project_fd, spec->toolchains, deadline, &first);
	for (size_t i = 0; i < PACKAGE_MANAGER_NR; i++) {
		cleanup_diag struct diag one = DIAG_INIT;

		if (locks.paths[i].nr > 0 &&
		    verify_manager(spec, &package_managers[i], &locks.paths[i],
			deadline, ret_report, &one) != 0 &&
		    first.class == DIAG_NONE)
			diag_move(&first, &one);
	}
	if (!locks.whole && ret_report->stopped_by == NULL)
		ret_report->stopped_by = CACHESEED_BY_SEARCH;
	return first.class == DIAG_NONE ? 0 : diag_move(dg, &first);
}
