/* SPDX-License-Identifier: MIT */
/*
 * patchfiles: compares the patches and copies of a project with the ledger.
 */
#ifndef DRYDOCK_PATCHFILES_H
#define DRYDOCK_PATCHFILES_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct patchcheck;
struct patchledger;
struct strbuf;

#define PATCHFILES_PATCHES ".drydock/patches"
#define PATCHFILES_COPIES ".drydock/patched"

/*
 * Adds a finding for each patch and copy that is not as the ledger has it, that
 * cannot be read, or that the ledger does not have.  Names with a '.' in front
 * are of files in work, and are ignored.
 */
void patchfiles_check(
    int project_fd, const struct patchledger *ledger, struct patchcheck *check);

/*
 * Appends a regular file of at most max bytes, below the project and without
 * links.  A file that is not there fails with patchfiles_is_absent().
 */
int patchfiles_read(int project_fd, const char *path, size_t max,
    struct strbuf *out, struct diag *dg);
bool patchfiles_is_absent(const struct diag *dg);

/* Returns true unless there is certainly no such entry.  Links are not followed. */
bool patchfiles_may_exist(int project_fd, const char *path);

#endif /* DRYDOCK_PATCHFILES_H */
