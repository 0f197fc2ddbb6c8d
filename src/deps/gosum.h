/* SPDX-License-Identifier: MIT */
/*
 * gosum: the modules of a go.sum.
 *
 * A line is "MODULE VERSION HASH" or "MODULE VERSION/go.mod HASH".  Only hashes
 * of the form h1 are read (golang.org/x/mod/sumdb/dirhash); others are skipped.
 * A line that occurs twice, as merges leave it, counts once.  A path that is no
 * module path (golang.org/x/mod/module), a bad version or hash, and two hashes
 * for the same thing are DIAG_DATA; the message names the line or the module.
 */
#ifndef DRYDOCK_GOSUM_H
#define DRYDOCK_GOSUM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"

struct diag;
struct strbuf;

#define GOSUM_MAX_SIZE ((size_t)16 * 1024 * 1024)
#define GOSUM_MAX_ENTRIES 100000

struct gosum_entry {
	char *module; /* owned; "golang.org/x/text" */
	char *version; /* owned; "v0.14.0" */
	bool is_mod; /* the hash is of the go.mod alone */
	struct digest h1; /* SHA-256 of the list of the files' digests */
};

struct gosum {
	struct gosum_entry *v; /* owned; sorted by module, version, is_mod */
	size_t nr;
};

#define GOSUM_INIT      \
	{               \
		NULL, 0 \
	}

/*
 * Parses a text of at most GOSUM_MAX_SIZE bytes.  what is the file's name in
 * messages.  ret_sum is GOSUM_INIT before, and stays so on failure.
 */
int gosum_parse(struct gosum *ret_sum, const char *text, size_t len,
    const char *what, struct diag *dg);
void gosum_release(struct gosum *sum);

/*
 * Appends a module path or version as file names have it: a capital letter is
 * '!' and the small letter.
 */
void gosum_add_escaped(struct strbuf *out, const char *text);

#define cleanup_gosum __attribute__((cleanup(gosum_release)))

#endif /* DRYDOCK_GOSUM_H */
