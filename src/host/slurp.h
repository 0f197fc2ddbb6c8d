/* SPDX-License-Identifier: MIT */
/* slurp: reads a host file that may be absent. */
#ifndef DRYDOCK_SLURP_H
#define DRYDOCK_SLURP_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf;

/*
 * Both append the regular file at path; symlinks are followed.  They return
 * false and append nothing if the file is absent, unreadable or larger than max
 * bytes.  slurp_text() also rejects a file with a NUL byte.
 */
bool slurp_text(const char *path, size_t max, struct strbuf *out);
bool slurp_bytes(const char *path, size_t max, struct strbuf *out);

#endif /* DRYDOCK_SLURP_H */
