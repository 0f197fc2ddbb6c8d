/* SPDX-License-Identifier: MIT */
/*
 * npmfragment: what package-lock.json and package.json had for a package before
 * it was patched.
 *
 *	{"resolved":"https://...","integrity":"sha512-...","dependencies":"^1"}
 *
 * The values are tokens of JSON, as in the files.  Behind the two of the lock
 * stand the project's own direct dependencies on the package, by section.
 */
#ifndef DRYDOCK_NPMFRAGMENT_H
#define DRYDOCK_NPMFRAGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "deps/npmmanifest.h"

struct diag;
struct strbuf;

#define NPMFRAGMENT_MAX_SIZE ((size_t)64 * 1024)

struct npmfragment {
	char *resolved; /* owned; tokens */
	char *integrity; /* owned */
	char *deprecated; /* owned; or NULL */
	char *specs[NPMMANIFEST_SECTIONS]; /* owned; or NULL */
	struct digest pristine; /* when it is parsed: of its integrity */
};

#define NPMFRAGMENT_INIT         \
	{                        \
		.resolved = NULL \
	}

/*
 * Appends the original values of a package that both texts have unpatched.
 * Refuses what npm would not lead to the copy in every case: overrides of the
 * user's for the same package, another version of it that a dependent could
 * have in VERSION's place, aliases, bundled packages, links, git and files.
 */
int npmfragment_make(const struct strbuf *manifest, const struct strbuf *lock,
    const char *name, const char *version, struct strbuf *out, struct diag *dg);

/* Parses and judges a fragment of this package: DIAG_DATA. */
int npmfragment_parse(struct npmfragment *ret, const char *text,
    const char *name, const char *version, struct diag *dg);
/* Fails with DIAG_DATA if the text is no fragment of the pristine package. */
int npmfragment_judge(const char *text, const char *name, const char *version,
    const struct digest *pristine, struct diag *dg);

/* Returns true if the project itself depends on the package. */
bool npmfragment_is_direct(const struct npmfragment *f);
void npmfragment_write(const struct npmfragment *f, struct strbuf *out);
void npmfragment_release(struct npmfragment *f);

#define cleanup_npmfragment __attribute__((cleanup(npmfragment_release)))

#endif /* DRYDOCK_NPMFRAGMENT_H */
