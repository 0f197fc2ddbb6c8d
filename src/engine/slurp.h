/* SPDX-License-Identifier: MIT */
/*
 * slurp: a file of the host's that may be there or not.
 */
#ifndef DRYDOCK_SLURP_H
#define DRYDOCK_SLURP_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf;

/*
 * Appends the regular file at path, following links.  false, and nothing
 * appended, when it is absent, not readable, larger than max, or has a NUL
 * byte in it (text alone).
 */
bool slurp_text(const char *path, size_t max, struct strbuf *out);
bool slurp_bytes(const char *path, size_t max, struct strbuf *out);

#endif /* DRYDOCK_SLURP_H */
