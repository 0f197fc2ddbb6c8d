/* SPDX-License-Identifier: MIT */
/*
 * yarnpatch: the hash that yarn.lock has of patch files.
 *
 * yarn hashes what it reads from a patch, not its bytes: text outside of the
 * changes, and CRLF instead of LF, are the same hash.  yarn 3.2 hashes the
 * bytes.  The lock has the first 24 bits alone: a hash that is equal shows that
 * yarn accepts the file, and is no proof of its content.
 */
#ifndef DRYDOCK_YARNPATCH_H
#define DRYDOCK_YARNPATCH_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct strbuf;

struct yarnpatch_file {
	const struct strbuf *text; /* borrowed */
	bool optional; /* the flag before its path */
};

/*
 * Returns in *ret_same if hash (6 lower-case hex digits or more) is that of the
 * files, in their order.  A file that yarn does not read is DIAG_DATA, and one
 * that is for some versions of the package alone is DIAG_CONFIG.
 */
int yarnpatch_compare(const struct yarnpatch_file *files, size_t nr,
    const char *hash, bool *ret_same, struct diag *dg);

#endif /* DRYDOCK_YARNPATCH_H */
