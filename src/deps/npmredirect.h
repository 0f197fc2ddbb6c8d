/* SPDX-License-Identifier: MIT */
/*
 * npmredirect: leads npm to the patched copies of packages, in package.json and
 * package-lock.json.
 *
 * The copy is a tarball, .drydock/patched/npm/NAME-VERSION-HEX/package.tar.  In
 * package.json the object "overrides" gets the member "NAME@VERSION" whose
 * value is "file:PATH", and a direct dependency of the project gets the same
 * spec: npm refuses an override that differs from it.  In package-lock.json all
 * entries of NAME and VERSION get it as "resolved", with the copy's integrity.
 * npm rewrites both files and keeps these values.  All other bytes are the
 * user's, and taking the redirects back gives them back exactly.
 *
 * What makes npm (9 to 11) take the original with status 0 although both files have
 * the redirect: an override of the user's for the same package that stands
 * before ours or in a parent's (in "npm update"); a lock without our override
 * (in "npm update"); an .npmrc with dry-run, package-lock-only, global or
 * location=global, which leaves an old node_modules as it is.  npm ignores the
 * "overrides" of a workspace's member, "resolutions" and "pnpm".  It fails with
 * EOVERRIDE if a direct dependency has another spec than the override, and with
 * ENOENT in "npm update" if a member has the package itself: it looks for the
 * copy below the member.  npm drops "resolved" in the tree for npm 6, and
 * writes the redirect into "requires" there.
 *
 * Both files are hostile input.  What cannot be judged is DIAG_DATA if it is
 * malformed, and DIAG_CONFIG if it stands in the way, with the way out.
 */
#ifndef DRYDOCK_NPMREDIRECT_H
#define DRYDOCK_NPMREDIRECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strvec.h"
#include "deps/patchledger.h"

struct diag;
struct strbuf;

/* What every value of a redirect begins with. */
#define NPMREDIRECT_FRONT "file:" PATCHLEDGER_COPIES "/" PATCHLEDGER_NPM "/"
#define NPMREDIRECT_MANIFEST_MAX ((size_t)4 * 1024 * 1024)

struct npmredirect {
	const char *name; /* borrowed, like all of them; "@scope/name" */
	const char *version;
	const char *path; /* of package.tar, below the project */
	const struct digest *integrity; /* SHA-512 of it */
	const char *fragment; /* the original values, see npmfragment.h */
};

/* The redirects that a ledger's entries need, in its order. */
struct npmredirects {
	struct npmredirect *v; /* owned; borrows from the ledger */
	size_t nr;
	struct strvec paths; /* what v borrows besides */
};

#define NPMREDIRECTS_INIT            \
	{                            \
		NULL, 0, STRVEC_INIT \
	}

/* *ret is NPMREDIRECTS_INIT before.  All entries are npm's. */
void npmredirects_fill(
    struct npmredirects *ret, const struct patchledger *ledger);
void npmredirects_release(struct npmredirects *redirects);

#define cleanup_npmredirects __attribute__((cleanup(npmredirects_release)))

/*
 * Append the text with the redirects of want instead of those of had, which the
 * text may have all, some or none of; NULL is no redirect.  The same want gives
 * the same bytes, and an empty want the user's.
 */
int npmredirect_set_manifest(const struct strbuf *text,
    const struct npmredirects *had, const struct npmredirects *want,
    struct strbuf *out, struct diag *dg);
int npmredirect_set_lock(const struct strbuf *text,
    const struct npmredirects *had, const struct npmredirects *want,
    struct strbuf *out, struct diag *dg);

/* Returns true if the text has such a value somewhere, also if malformed. */
bool npmredirect_has_mark(const char *text, size_t len);

#endif /* DRYDOCK_NPMREDIRECT_H */
