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

#include "base/diag.h"

/* A function, and the offset of its pointer in the caller's table. */
struct library_function {
	const char *name;
	size_t offset;
};

struct library {
	const char *name; /* for messages */
	const char *const *files; /* names for dlopen(3), until NULL */
	const char *packages; /* that have it: "a (Debian 12) or b" */
	const char *newer; /* what to install if a function is missing */
	enum diag_class failure; /* of a library that cannot be used */
	const struct library_function *functions;
	size_t nfunctions;
};

/*
 * Loads the first of the files that is installed, and sets the pointers in
 * table.  A library is never unloaded; it is loaded once, however often this is
 * called.  Returns 0, or -1 and a diag that names the library or the function.
 */
int library_load(const struct library *library, void *table, struct diag *dg);

#endif /* DRYDOCK_LIBRARY_H */
