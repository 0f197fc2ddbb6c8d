/* SPDX-License-Identifier: MIT */
/*
 * cleanup: owners that let go at the end of their block.
 *
 * Initialise on the declaring line; hand over with steal_ptr()/steal_fd().
 * Tagged variables do not run on exit() or exec.
 */
#ifndef DRYDOCK_CLEANUP_H
#define DRYDOCK_CLEANUP_H

#include <dirent.h>
#include <stdio.h>

/* Free what *p points at; close *fd when it is not -1.  errno is kept. */
void cleanup_free_fn(void *p);
void cleanup_close_fn(int *fd);
void cleanup_fclose_fn(FILE **fp);
void cleanup_closedir_fn(DIR **dir);

#define cleanup_free __attribute__((cleanup(cleanup_free_fn)))
#define cleanup_close __attribute__((cleanup(cleanup_close_fn)))
#define cleanup_fclose __attribute__((cleanup(cleanup_fclose_fn)))
#define cleanup_closedir __attribute__((cleanup(cleanup_closedir_fn)))

/* Returns *fd and leaves -1 behind. */
int steal_fd(int *fd);

/* Returns *pp and leaves NULL behind; steal_ptr() keeps the type. */
void *steal_ptr_fn(void *pp);
#define steal_ptr(pp) (0 ? *(pp) : steal_ptr_fn(pp))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif /* DRYDOCK_CLEANUP_H */
