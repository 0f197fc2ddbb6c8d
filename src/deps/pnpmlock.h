/* SPDX-License-Identifier: MIT */
/*
 * pnpmlock: the patches that a pnpm-lock.yaml has.
 *
 * Versions 6 and 9 of the format are read: pnpm 8 and later.  pnpm 11 and later
 * may write a document for itself before the project's.  What is no YAML
 * (yamlread.h), a document without lockfileVersion, a patch that occurs twice
 * or has no hash, and more than PNPMLOCK_MAX_PATCHES patches are DIAG_DATA;
 * another version of the format is DIAG_CONFIG.
 */
#ifndef DRYDOCK_PNPMLOCK_H
#define DRYDOCK_PNPMLOCK_H

#include <stdbool.h>
#include <stddef.h>

struct diag;

#define PNPMLOCK_MAX_SIZE ((size_t)32 * 1024 * 1024)
#define PNPMLOCK_MAX_PATCHES 1000
#define PNPMLOCK_MAX_KEY ((size_t)512)

struct pnpmlock_patch {
	char *key; /* owned; "NAME", "NAME@VERSION" or "NAME@RANGE" */
	/* owned; 64 hex digits, or 26 of base32 (pnpm 9 and older) */
	char *hash;
	char *path; /* owned; of the patch file; NULL: pnpm 11 and later */
	bool used; /* a package of the lock has it */
};

struct pnpmlock {
	struct pnpmlock_patch *v; /* owned; in the file's order */
	size_t nr;
};

#define PNPMLOCK_INIT   \
	{               \
		NULL, 0 \
	}

/*
 * Parses a text of at most PNPMLOCK_MAX_SIZE bytes.  what is the file's name in
 * messages.  ret_lock is PNPMLOCK_INIT before, and stays so on failure.
 */
int pnpmlock_parse(struct pnpmlock *ret_lock, const char *text, size_t len,
    const char *what, struct diag *dg);
void pnpmlock_release(struct pnpmlock *lock);

/* Returns NULL if the lock has no patch of that key. */
const struct pnpmlock_patch *pnpmlock_find(
    const struct pnpmlock *lock, const char *key);

/* The length of the package's name, at the front of a key. */
size_t pnpmlock_name_len(const char *key);

#define cleanup_pnpmlock __attribute__((cleanup(pnpmlock_release)))

#endif /* DRYDOCK_PNPMLOCK_H */
