/* SPDX-License-Identifier: MIT */
/*
 * protected: what in the caller's home is nobody else's: neither a project, nor
 * a place that a link may bring into a session.
 */
#ifndef DRYDOCK_PROTECTED_H
#define DRYDOCK_PROTECTED_H

#include <stdbool.h>

/* Paths below the home, ended by NULL. */
const char *const *protected_places(void);

/* Whether path is dir or lies below it; both absolute, without a last slash. */
bool protected_is_below(const char *path, const char *dir);

/*
 * Whether the real path is, holds or lies in a protected place of home, or in
 * one of the kernel's own file systems.
 */
bool protected_has(const char *home, const char *path);

/* Whether a path below the home is, or lies in, what holds credentials. */
bool protected_is_credential(const char *path);

#endif /* DRYDOCK_PROTECTED_H */
