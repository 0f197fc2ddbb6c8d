/* SPDX-License-Identifier: MIT */
/*
 * packagetar: a package's files as a gzip'ed tar, which is hostile input.
 */
#ifndef DRYDOCK_PACKAGETAR_H
#define DRYDOCK_PACKAGETAR_H

#include <stdbool.h>
#include <stddef.h>

struct diag;

#define PACKAGETAR_MAX_SIZE ((size_t)64 * 1024 * 1024)
#define PACKAGETAR_MAX_UNPACKED ((size_t)512 * 1024 * 1024)
#define PACKAGETAR_MAX_FILES 20000

struct packagetar_spec {
	const char *file; /* borrowed; the package file in messages */
	/* borrowed; the directory of all entries; NULL: any, also several */
	const char *top;
	bool has_programs; /* an executable file becomes 0755 */
};

/*
 * Unpacks the files into dir_fd (an empty directory that nobody else writes),
 * without the first component of their names.  Files are 0644, directories
 * 0755, the times now; directories without files are left out.  Links, devices,
 * names that leave the directory, a name that occurs twice, a damaged archive,
 * and more than the limits above are DIAG_DATA.
 */
int packagetar_unpack(const struct packagetar_spec *spec, const char *bytes,
    size_t len, int dir_fd, struct diag *dg);

#endif /* DRYDOCK_PACKAGETAR_H */
