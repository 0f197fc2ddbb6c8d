/* SPDX-License-Identifier: MIT */
/*
 * modzip: the h1 of a Go module's zip, and of a go.mod.
 *
 * h1 is the SHA-256 of a list that has a line "DIGEST  NAME" for each file,
 * sorted by name (golang.org/x/mod/sumdb/dirhash).  The zip is read as Go reads
 * it: the central directory alone names files.  A zip that two readers could
 * read differently is refused: a comment, bytes that belong to no structure
 * before the directory's end, ZIP64, a name that occurs twice.
 */
#ifndef DRYDOCK_MODZIP_H
#define DRYDOCK_MODZIP_H

#include <stdint.h>
#include <sys/types.h>

struct diag;
struct digest;

#define MODZIP_MAX_SIZE ((off_t)512 * 1024 * 1024)
#define MODZIP_MAX_UNPACKED ((int64_t)512 * 1024 * 1024) /* Go: 500 MB */

/*
 * Computes the h1 of the zip in fd, which has size bytes.  A malformed zip, and
 * one that exceeds a limit, is DIAG_DATA.  The file's offset is not used.
 */
int modzip_h1(int fd, off_t size, struct digest *ret_h1, struct diag *dg);

/* The h1 of a file that is hashed alone under the name "go.mod". */
int modzip_mod_h1(int fd, off_t size, struct digest *ret_h1, struct diag *dg);

#endif /* DRYDOCK_MODZIP_H */
