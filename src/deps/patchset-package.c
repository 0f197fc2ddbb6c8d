/* SPDX-License-Identifier: MIT */
/* Finds the package that a user names in the lock files of a project. */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "deps/patchset.h"

/* The ecosystem whose manifest the project has, or the first one. */
static const struct ecosystem *
likely_ecosystem(const struct patchset *set)
{
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		if (set->files[i].manifest.exists)
			return ecosystems[i];
	return ecosystems[0];
}

int
patchset_choose_ecosystem(struct patchset *set, const char *name,
    const char *version, const struct ecosystem **eco, struct diag *dg)
{
	const struct ecosystem *found[ECOSYSTEM_NR];
	size_t nfound = 0;
	size_t nlocks = 0;

	if (*eco != NULL)
		return 0;
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		cleanup_strvec struct strvec versions = STRVEC_INIT;

		if (!set->files[i].lock.exists)
			continue;
		*eco = ecosystems[i];
		nlocks++;
		/* A lock file that cannot be read is told when it is chosen. */
		if ((*eco)->list_versions(&set->files[i].lock.text, name,
			version, &versions, dg) == 0 &&
		    (version == NULL ? versions.nr > 0
				     : strvec_has(&versions, version)))
			found[nfound++] = *eco;
		diag_clear(dg);
	}
	if (nlocks == 0)
		*eco = likely_ecosystem(set);
	if (nlocks <= 1)
		return 0;
	*eco = nfound == 1 ? found[0] : NULL;
	if (*eco != NULL)
		return 0;
	return diag_set(dg, nfound > 1 ? DIAG_USAGE : DIAG_CONFIG,
	    nfound > 1 ? "%s is a package of several lock files: say which one "
			 "by --ecosystem"
		       : "no lock file has %s from a registry",
	    name);
}

int
patchset_choose_version(struct patchset *set, const struct ecosystem *eco,
    const char *name, char **ret_version, struct diag *dg)
{
	const struct patchledger_entry *entry =
	    patchledger_find(&set->ledger, eco->name, name, NULL);
	cleanup_strvec struct strvec versions = STRVEC_INIT;
	cleanup_strbuf struct strbuf all = STRBUF_INIT;

	if (eco->list_versions(&patchset_files(set, eco)->lock.text, name,
		entry == NULL ? NULL : entry->version, &versions, dg) != 0)
		return -1;
	if (versions.nr == 1) {
		*ret_version = xstrdup(versions.v[0]);
		return 0;
	}
	if (versions.nr == 0)
		return diag_set(dg, DIAG_CONFIG, "%s has no %s from %s",
		    eco->lock, name, eco->origin);
	for (size_t i = 0; i < versions.nr; i++)
		strbuf_addf(&all, " %s@%s", name, versions.v[i]);
	return diag_set(dg, DIAG_USAGE,
	    "%s has several versions; name one of:%s", eco->lock, all.buf);
}
