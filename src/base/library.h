/* SPDX-License-Identifier: MIT */
/*
 * library: a shared library that is loaded when a command needs it.
 *
 * For a library that few commands need and that needs many others: most of the
 * time that drydock takes to start is the dynamic linker's.
 */
#ifndef DRYDOCK_LIBRARY_H
#define DRYDOCK_LIBRARY_H

#include <stddef.h>

/* A function, and the offset of its pointer in the caller's table. */
struct library_function {
	const char *name;
	size_t offset;
};

/*
 * Loads the first of the named libraries that is installed (names ends with
 * NULL), and sets the pointers in table.  A library is never unloaded; it is
 * loaded once, however often this is called.  Returns 0, or -1: then
 * *ret_missing is the function that the library lacks (borrowed from
 * functions), or NULL if no library could be loaded; dlerror(3) says why.
 */
int library_load(const char *const *names,
    const struct library_function *functions, size_t nr, void *table,
    const char **ret_missing);

#endif /* DRYDOCK_LIBRARY_H */
