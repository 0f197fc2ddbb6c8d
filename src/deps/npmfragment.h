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

#include <stddef.h>

struct diag;
struct digest;
struct strbuf;

#define NPMFRAGMENT_SECTIONS 4
#define NPMFRAGMENT_MAX_SIZE ((size_t)64 * 1024)

/* dependencies, devDependencies, optionalDependencies, peerDependencies */
extern const char *const npmfragment_sections[NPMFRAGMENT_SECTIONS];

struct npmfragment {
	char *resolved; /* owned; tokens */
	char *integrity; /* owned */
	char *deprecated; /* owned; or NULL */
	char *specs[NPMFRAGMENT_SECTIONS]; /* owned; or NULL */
};

#define NPMFRAGMENT_INIT                 \
	{                                \
		NULL, NULL, NULL, { 0 }, \
	}

/*
 * Parses and judges a fragment of this package: DIAG_DATA.  *ret_pristine is
 * the SHA-512 of its integrity.
 */
int npmfragment_parse(struct npmfragment *ret, const char *text,
    const char *name, const char *version, struct digest *ret_pristine,
    struct diag *dg);
void npmfragment_write(const struct npmfragment *f, struct strbuf *out);
void npmfragment_release(struct npmfragment *f);

#define cleanup_npmfragment __attribute__((cleanup(npmfragment_release)))

#endif /* DRYDOCK_NPMFRAGMENT_H */
