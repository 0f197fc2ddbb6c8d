/* SPDX-License-Identifier: MIT */
/*
 * xalloc: memory that is there or the process ends.
 *
 * Sizes are bounded by whoever reads input, so running out is not an error
 * path: these print one line and abort().
 */
#ifndef DRYDOCK_XALLOC_H
#define DRYDOCK_XALLOC_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* DRYDOCK_XALLOC_H */
