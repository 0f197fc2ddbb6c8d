/* SPDX-License-Identifier: MIT */
/*
 * npmcheck: the part of a check (patchcheck.h) that is npm's: package.json,
 * package-lock.json and npm's configuration.
 *
 * Notes name what npm would have to do again: a node_modules that was installed
 * before the patch, and lock files of projects below.  drydock runs no npm.
 */
#ifndef DRYDOCK_NPMCHECK_H
#define DRYDOCK_NPMCHECK_H

struct diag;
struct patchcheck;
struct patchledger;

/*
 * Adds what differs from the ledger, which has npm's entries alone; none is an
 * empty ledger.  Fails as patchcheck_run() does.
 *
 * Not judged: what npmroot.h leaves out, and the files in node_modules.
 */
int npmcheck_run(int project_fd, const struct patchledger *ledger,
    struct patchcheck *check, struct diag *dg);

#endif /* DRYDOCK_NPMCHECK_H */
