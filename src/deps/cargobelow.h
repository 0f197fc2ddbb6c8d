/* SPDX-License-Identifier: MIT */
/*
 * cargobelow: finds what cargo takes from the directories below a project.
 *
 * Cargo reads .cargo/config.toml in the directory that it is run in and in
 * those above it: a file below the project counts for who works there.  A
 * directory with a Cargo.lock is a project of its own.
 */
#ifndef DRYDOCK_CARGOBELOW_H
#define DRYDOCK_CARGOBELOW_H

#include <stdbool.h>

struct diag;

/* Of entries, and of directories in each other, that are looked at. */
#define CARGOBELOW_MAX 200000
#define CARGOBELOW_DEPTH 32

/*
 * Calls found() with the path of each ".cargo" and each "Cargo.lock" below a
 * directory of the project.  Links are not followed, and what is called target,
 * node_modules, .git or .drydock is not looked at.  *ret_whole is false if the
 * limits left something out, or a directory could not be opened.
 */
int cargobelow_find(int project_fd, void (*found)(void *arg, const char *path),
    void *arg, bool *ret_whole, struct diag *dg);

#endif /* DRYDOCK_CARGOBELOW_H */
