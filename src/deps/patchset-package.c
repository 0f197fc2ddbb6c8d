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

static int
list_versions(struct patchset *set, const struct ecosystem *eco,
    const char *name, struct strvec *ret_versions, struct diag *dg)
{
	const struct patchledger patched =
	    patchledger_part(&set->ledger, eco->name);

	if (patchset_check_readable(set, eco, dg) != 0)
		return -1;
	return eco->list_versions(&patchset_files(set, eco)->lock.text, name,
	    &patched, ret_versions, dg);
}

int
patchset_choose_ecosystem(struct patchset *set, const char *name,
    const char *version, const struct ecosystem **eco, struct diag *dg)
{
	const struct ecosystem *found[ECOSYSTEM_NR];
	cleanup_diag struct diag unreadable = DIAG_INIT;
	size_t nfound = 0;
	size_t nlocks = 0;

	if (*eco != NULL)
		return 0;
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		cleanup_strvec struct strvec versions = STRVEC_INIT;
		cleanup_diag struct diag failure = DIAG_INIT;

		if (!set->files[i].lock.exists &&
		    set->files[i].unreadable.class == DIAG_NONE)
			continue;
		*eco = ecosystems[i];
		nlocks++;
		if (list_versions(set, *eco, name, &versions, &failure) != 0) {
			if (unreadable.class == DIAG_NONE)
				diag_move(&unreadable, &failure);
			continue;
		}
		if (version == NULL ? versions.nr > 0
				    : strvec_has(&versions, version))
			found[nfound++] = *eco;
	}
	if (nlocks == 0)
		*eco = likely_ecosystem(set);
	if (nlocks <= 1)
		return 0;
	*eco = nfound == 1 ? found[0] : NULL;
	if (*eco != NULL)
		return 0;
	/* It may have the package. */
	if (nfound == 0 && unreadable.class != DIAG_NONE) {
		diag_move(dg, &unreadable);
		return -1;
	}
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
	cleanup_strvec struct strvec versions = STRVEC_INIT;
	cleanup_strbuf struct strbuf all = STRBUF_INIT;

	if (list_versions(set, eco, name, &versions, dg) != 0)
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
