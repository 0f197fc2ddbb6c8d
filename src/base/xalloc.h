/* SPDX-License-Identifier: MIT */
/*
 * xalloc: allocation that aborts when memory runs out.
 *
 * Each reader bounds the size of its input, so that running out of memory is
 * not an error path: these functions print one line and abort().
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
