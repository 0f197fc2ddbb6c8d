/* SPDX-License-Identifier: MIT */
/* Leads npm to patched packages. */
#include "deps/ecosystem.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "deps/npmcheck.h"
#include "deps/npmfragment.h"
#include "deps/npmlock.h"
#include "deps/npmpackage.h"
#include "deps/npmredirect.h"
#include "deps/npmroot.h"
#include "deps/patchledger.h"

#define LOCK "package-lock.json"
#define MAX_VERSIONS 100 /* to list; each is searched for in the lock */

static int
find(const struct strbuf *lock, const char *name, const char *version,
    enum ecosystem_locked *ret_locked, struct digest *ret_pristine,
    struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	struct npmlock_found f;

	if (npmlock_parse_json(lock->buf, lock->len, LOCK, &root, dg) != 0)
		return -1;
	npmlock_find(json_get(root, "packages"), name, version, &f);
	*ret_locked = f.locked;
	*ret_pristine = f.integrity;
	return 0;
}

static int
list_versions(const struct strbuf *text, const char *name,
    const struct patchledger *patched, struct strvec *ret_versions,
    struct diag *dg)
{
	cleanup_npmlock struct npmlock lock = NPMLOCK_INIT;
	cleanup_json struct json *root = NULL;
	cleanup_strvec struct strvec seen = STRVEC_INIT;

	if (npmlock_parse(&lock, text->buf, text->len, LOCK, dg) != 0 ||
	    npmlock_parse_json(text->buf, text->len, LOCK, &root, dg) != 0)
		return -1;
	for (size_t i = 0; i < lock.nr; i++) {
		const struct npmlock_package *p = &lock.v[i];
		struct npmlock_found f;
		bool is_patched;

		if (strcmp(p->name, name) != 0 || p->version == NULL ||
		    strvec_has(&seen, p->version))
			continue;
		is_patched =
		    patchledger_find(patched, NULL, name, p->version) != NULL;
		if (seen.nr >= MAX_VERSIONS && !is_patched)
			continue;
		strvec_push(&seen, p->version);
		npmlock_find(json_get(root, "packages"), name, p->version, &f);
		if (f.locked == ECOSYSTEM_ORIGINAL ||
		    (f.locked == ECOSYSTEM_REDIRECTED && is_patched))
			strvec_push(ret_versions, p->version);
	}
	return 0;
}

/*
 * The fragments are read from the texts without any redirect: a person may have
 * changed a direct dependency since.
 */
static int
read_fragments(const struct strbuf *manifest, const struct strbuf *lock,
    const struct patchledger *want, struct diag *dg)
{
	for (size_t i = 0; i < want->nr; i++) {
		struct patchledger_entry *e = &want->v[i];
		cleanup_strbuf struct strbuf fragment = STRBUF_INIT;
		enum ecosystem_locked locked;
		struct digest integrity;

		if (find(lock, e->name, e->version, &locked, &integrity, dg) !=
		    0)
			return -1;
		/* The lock has lost it while another patch is removed. */
		if (locked == ECOSYSTEM_ABSENT && e->fragment != NULL)
			continue;
		if (npmfragment_make(manifest, lock, e->name, e->version,
			&fragment, dg) != 0)
			return -1;
		free(e->fragment);
		e->fragment = strbuf_detach(&fragment, NULL);
	}
	return 0;
}

/*
 * npm 9 and 10 fail to install two patched versions of which the project has
 * one itself, and their npm update moves the other redirect.
 */
static int
check_versions(const struct patchledger *want, struct diag *dg)
{
	for (size_t i = 1; i < want->nr; i++) {
		const char *name = want->v[i].name;

		if (strcmp(want->v[i - 1].name, name) != 0)
			continue;
		for (size_t k = i - 1; k <= i; k++) {
			cleanup_npmfragment struct npmfragment f =
			    NPMFRAGMENT_INIT;

			if (npmfragment_parse(&f, want->v[k].fragment, name,
				want->v[k].version, dg) != 0)
				return -1;
			if (npmfragment_is_direct(&f))
				return diag_set(dg, DIAG_CONFIG,
				    "%s: two versions cannot be patched while "
				    "the project depends on one of them itself",
				    name);
		}
	}
	return 0;
}

static int
redirect(const struct ecosystem_texts *now, const struct patchledger *had,
    const struct patchledger *want, struct strbuf *ret_manifest,
    struct strbuf *ret_lock, struct diag *dg)
{
	cleanup_npmredirects struct npmredirects old = NPMREDIRECTS_INIT;
	cleanup_npmredirects struct npmredirects new = NPMREDIRECTS_INIT;
	cleanup_strbuf struct strbuf manifest = STRBUF_INIT;
	cleanup_strbuf struct strbuf lock = STRBUF_INIT;

	npmredirects_fill(&old, had);
	if ((now->manifest != NULL &&
		npmredirect_set_manifest(
		    now->manifest, &old, NULL, &manifest, dg) != 0) ||
	    (now->lock != NULL &&
		npmredirect_set_lock(now->lock, &old, NULL, &lock, dg) != 0) ||
	    read_fragments(&manifest, &lock, want, dg) != 0 ||
	    check_versions(want, dg) != 0)
		return -1;
	npmredirects_fill(&new, want);
	if ((now->manifest != NULL &&
		npmredirect_set_manifest(
		    &manifest, NULL, &new, ret_manifest, dg) != 0) ||
	    (now->lock != NULL &&
		npmredirect_set_lock(&lock, NULL, &new, ret_lock, dg) != 0))
		return -1;
	return 0;
}

const struct ecosystem npmpatch = {
	.name = PATCHLEDGER_NPM,
	.manifest = "package.json",
	.lock = LOCK,
	.manifest_max = NPMREDIRECT_MANIFEST_MAX,
	.lock_max = NPMLOCK_MAX_SIZE,
	.origin = "a registry",
	.make_lock = "npm install --package-lock-only",
	.output = "node_modules",
	.pristine = DIGEST_SHA512,
	.check_root = npmroot_check,
	.list_versions = list_versions,
	.find = find,
	.judge = npmfragment_judge,
	.redirect = redirect,
	.has_mark = npmredirect_has_mark,
	.check = npmcheck_run,
	.read = npmpackage_find,
	.unpack = npmpackage_unpack,
	.judge_names = npmpackage_judge_names,
	.compare = npmpackage_compare,
	.pack = npmpackage_pack,
};
