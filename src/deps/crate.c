/* SPDX-License-Identifier: MIT */
/* Finds the package file of a crate, and unpacks it. */
#include "deps/crate.h"

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "deps/packages.h"
#include "deps/packagesources.h"
#include "deps/packagetar.h"

int
crate_find(const struct package_sources *sources, const char *name,
    const char *version, const struct digest *checksum, struct strbuf *out,
    struct diag *dg)
{
	cleanup_cachedirs struct cachedirs dirs = CACHEDIRS_INIT;
	cleanup_free char *file = xasprintf("%s-%s.crate", name, version);

	cachedirs_open(&dirs, &package_managers[PACKAGE_MANAGER_CARGO],
	    sources->home, sources->envp, sources->slot_fds, sources->nslots);
	/* A mirror of crates.io has its own directory. */
	for (int crates_io = 1; crates_io >= 0; crates_io--)
		for (size_t i = 0; i < dirs.nr; i++)
			if (dirs.v[i].crates_io == (crates_io == 1) &&
			    cachedir_read(&dirs.v[i], file, file,
				PACKAGETAR_MAX_SIZE, checksum, out))
				return 0;
	/* cargo fetches nothing for a package that leads to a path. */
	return diag_set(dg, DIAG_NO,
	    "%s %s: no cache has the crate that the lock names; in a session "
	    "of a project without patches, add %s = \"=%s\" and run \"cargo "
	    "fetch\"",
	    name, version, name, version);
}

int
crate_unpack(const char *bytes, size_t len, const char *name,
    const char *version, int dir_fd, struct diag *dg)
{
	cleanup_free char *top = xasprintf("%s-%s", name, version);
	cleanup_free char *file = xasprintf("%s.crate", top);
	const struct packagetar_spec spec = { .file = file, .top = top };

	return packagetar_unpack(&spec, bytes, len, dir_fd, dg);
}
