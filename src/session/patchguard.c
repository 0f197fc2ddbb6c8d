/* SPDX-License-Identifier: MIT */
/* Checks a project's patches before a start, at attach and at the end. */
#include "session/patchguard.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/packages.h"
#include "deps/patchcheck.h"
#include "deps/patches.h"
#include "host/paths.h"
#include "host/statedir.h"
#include "session/caches.h"

/* Returns true if all that is wrong are missing copies. */
static bool
only_copies_missing(const struct patchcheck *check)
{
	for (size_t i = 0; i < check->nr; i++)
		if (check->v[i].kind != PATCHCHECK_COPY_MISSING)
			return false;
	return check->nr > 0;
}

static int
make_copies(struct paths *paths, const char *project_path, int project_fd,
    const char *const *environ_, struct diag *dg)
{
	cleanup_cache_sources struct cache_sources slots = CACHE_SOURCES_INIT;
	cleanup_strvec struct strvec steps = STRVEC_INIT;
	struct package_sources sources = { paths->home, environ_, slots.fds,
		0 };
	const struct patches_project project = { project_fd, project_path,
		paths, &sources, &steps };

	if (paths->state_fd < 0 && statedir_open(paths, dg) != 0)
		return -1;
	/* All slots: a digest proves what is taken. */
	cache_sources_open(paths, project_path, true, &slots);
	sources.nslots = slots.nr;
	if (patches_apply(&project, dg) != 0)
		return -1;
	for (size_t i = 0; i < steps.nr; i++)
		diag_note("patched dependencies: %s", steps.v[i]);
	return 0;
}

static int
refuse(struct diag *dg)
{
	if (dg->class != DIAG_BUSY)
		dg->class = DIAG_POLICY;
	return diag_wrap(dg, "the patched dependencies are not in order");
}

/* The first finding that "apply" does not mend, which would fail at it. */
static const struct patchcheck_finding *
first_to_mend(const struct patchcheck *check)
{
	for (size_t i = 0; i < check->nr; i++) {
		cleanup_free char *mend = patchcheck_mend(&check->v[i]);

		if (strcmp(mend, PATCHCHECK_APPLY) != 0)
			return &check->v[i];
	}
	return &check->v[0];
}

int
patchguard_check(struct paths *paths, const char *project_path, int project_fd,
    const char *const *environ_, struct diag *dg)
{
	cleanup_patchcheck struct patchcheck first = PATCHCHECK_INIT;
	cleanup_patchcheck struct patchcheck second = PATCHCHECK_INIT;
	const struct patchcheck *check = &first;
	const struct patchcheck_finding *f;
	cleanup_free char *mend = NULL;
	cleanup_free char *more = NULL;

	if (!patchcheck_is_needed(project_fd))
		return 0;
	if (patchcheck_run(project_fd, &first, dg) != 0)
		return refuse(dg);
	if (only_copies_missing(&first)) {
		if (make_copies(
			paths, project_path, project_fd, environ_, dg) != 0 ||
		    patchcheck_run(project_fd, &second, dg) != 0)
			return refuse(dg);
		check = &second;
	}
	if (check->nr == 0)
		return 0;
	f = first_to_mend(check);
	mend = patchcheck_mend(f);
	more = check->nr == 1 ? xstrdup("")
			      : xasprintf(", and %zu more", check->nr - 1);
	(void)diag_set(
	    dg, DIAG_POLICY, "%s: %s%s; run: %s", f->path, f->text, more, mend);
	return refuse(dg);
}

void
patchguard_warn(const char *project_path)
{
	cleanup_patchcheck struct patchcheck check = PATCHCHECK_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	/* The project may be gone: that is told elsewhere. */
	if (fs_open_dir(project_path, &fd, &dg) != 0 ||
	    !patchcheck_is_needed(fd))
		return;
	if (patchcheck_run(fd, &check, &dg) != 0) {
		diag_warn("the patched dependencies cannot be checked: %s",
		    dg.message);
		return;
	}
	for (size_t i = 0; i < check.nr; i++)
		diag_warn("patched dependencies: %s: %s", check.v[i].path,
		    check.v[i].text);
	if (check.nr > 0)
		diag_note("the next session of %s does not start until "
			  "\"drydock patch check\" finds nothing",
		    project_path);
}
