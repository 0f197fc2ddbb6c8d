/* SPDX-License-Identifier: MIT */
/*
 * cleanup: variables whose contents are released at the end of their block.
 *
 * Initialise a tagged variable on its declaring line.  Hand its contents over
 * with steal_ptr() or steal_fd().  The cleanup does not run on exit() or exec.
 */
#ifndef DRYDOCK_CLEANUP_H
#define DRYDOCK_CLEANUP_H

#include <dirent.h>
#include <stdio.h>

/* Free *p; close *fd if it is not -1.  errno is preserved. */
void cleanup_free_fn(void *p);
void cleanup_close_fn(int *fd);
void cleanup_fclose_fn(FILE **fp);
void cleanup_closedir_fn(DIR **dir);

#define cleanup_free __attribute__((cleanup(cleanup_free_fn)))
#define cleanup_close __attribute__((cleanup(cleanup_close_fn)))
#define cleanup_fclose __attribute__((cleanup(cleanup_fclose_fn)))
#define cleanup_closedir __attribute__((cleanup(cleanup_closedir_fn)))

/* Returns *fd and sets *fd to -1. */
int steal_fd(int *fd);

/* Returns *pp and sets *pp to NULL.  steal_ptr() keeps the pointer's type. */
void *steal_ptr_fn(void *pp);
#define steal_ptr(pp) (0 ? *(pp) : steal_ptr_fn(pp))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif /* DRYDOCK_CLEANUP_H */
