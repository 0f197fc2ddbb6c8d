/* SPDX-License-Identifier: MIT */
/*
 * patchfinding: adds what patchcheck_run() finds.
 */
#ifndef DRYDOCK_PATCHFINDING_H
#define DRYDOCK_PATCHFINDING_H

#include "deps/patchcheck.h"

struct patchledger_entry;

/*
 * Adds a finding, unless it is there already or the list is full.  ecosystem is
 * NULL for what belongs to none.  e (its name and version) may be NULL.  path is
 * raw; the text must be safe for a terminal.
 */
void patchfinding_add(struct patchcheck *check, enum patchcheck_kind kind,
    const char *ecosystem, const struct patchledger_entry *e, const char *path,
    const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/*
 * Adds the note "PATH TEXT", with the same rules.  The first
 * PATCHCHECK_MAX_NOTES are kept.
 */
void patchfinding_note(struct patchcheck *check, const char *path,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Adds a patch that another program applies; version may be NULL. */
void patchfinding_add_other(struct patchcheck *check, const char *ecosystem,
    const char *name, const char *version, const char *path);

#endif /* DRYDOCK_PATCHFINDING_H */
