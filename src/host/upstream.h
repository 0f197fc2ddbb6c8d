/* SPDX-License-Identifier: MIT */
/* upstream: the upstream proxy of contained sessions, as a setting has it. */
#ifndef DRYDOCK_UPSTREAM_H
#define DRYDOCK_UPSTREAM_H

#include <stdbool.h>

struct allow_entry;
struct diag;

/* For the table of settings: returns the error in the value, or NULL. */
const char *upstream_check(const char *value);

/*
 * Reads a value of the setting: a host or address, and its port.  Returns false
 * for the empty value.  *ret_entry is the caller's to release.
 */
bool upstream_read(const char *value, struct allow_entry *ret_entry);

#endif /* DRYDOCK_UPSTREAM_H */
