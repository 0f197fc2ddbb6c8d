/* SPDX-License-Identifier: MIT */
/*
 * cargocheck: the part of a check (patchcheck.h) that is cargo's: Cargo.toml,
 * Cargo.lock and cargo's configuration.
 */
#ifndef DRYDOCK_CARGOCHECK_H
#define DRYDOCK_CARGOCHECK_H

struct diag;
struct patchcheck;
struct patchledger;

/*
 * Adds what differs from the ledger, which has cargo's entries alone; none is
 * an empty ledger.  Fails as patchcheck_run() does.
 */
int cargocheck_run(int project_fd, const struct patchledger *ledger,
    struct patchcheck *check, struct diag *dg);

#endif /* DRYDOCK_CARGOCHECK_H */
