/* SPDX-License-Identifier: MIT */
/*
 * cargolock: the packages of a Cargo.lock, version 3 or 4.
 *
 * The reader accepts the subset of TOML that cargo writes, with LF or CRLF.
 * Everything else is DIAG_DATA; the message names the line.  Refused among
 * others: a name or version that is no file name's part, a duplicate key, a
 * package that occurs twice, a checksum that is not 64 hex digits, and more
 * than CARGOLOCK_MAX_PACKAGES packages.
 */
#ifndef DRYDOCK_CARGOLOCK_H
#define DRYDOCK_CARGOLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"

struct diag;

#define CARGOLOCK_MAX_SIZE ((size_t)16 * 1024 * 1024)
#define CARGOLOCK_MAX_PACKAGES 50000

struct cargolock_package {
	char *name; /* owned; letters, digits, '-', '_' and non-ASCII */
	char *version; /* owned; letters, digits, '.', '+' and '-' */
	char *source; /* owned; NULL: a path, of the project itself */
	struct digest checksum; /* SHA-256 of the .crate, or DIGEST_NONE */
	/* The entry in the text: from its "[[package]]" to its last line. */
	size_t start;
	size_t end;
};

struct cargolock {
	int version; /* 3 or 4 */
	struct cargolock_package *v; /* owned; in the file's order */
	size_t nr;
	/* owned; what [patch] names and the build does not use */
	struct cargolock_package *unused;
	size_t nunused;
};

#define CARGOLOCK_INIT              \
	{                           \
		0, NULL, 0, NULL, 0 \
	}

/*
 * Parses a text of at most CARGOLOCK_MAX_SIZE bytes.  what is the file's name
 * in messages.  ret_lock is CARGOLOCK_INIT before, and stays so on failure.
 */
int cargolock_parse(struct cargolock *ret_lock, const char *text, size_t len,
    const char *what, struct diag *dg);
void cargolock_release(struct cargolock *lock);

/*
 * Returns the last one of these packages that has the name and version, or
 * NULL.  *ret_found is how many have them.
 */
const struct cargolock_package *cargolock_find(
    const struct cargolock_package *v, size_t nr, const char *name,
    const char *version, size_t *ret_found);

/* Returns true if the package comes from crates.io. */
bool cargolock_is_crates_io(const struct cargolock_package *p);

#define cleanup_cargolock __attribute__((cleanup(cargolock_release)))

#endif /* DRYDOCK_CARGOLOCK_H */
