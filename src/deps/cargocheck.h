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
struct strbuf;

/*
 * Adds what differs from the ledger, which has cargo's entries alone; none is
 * an empty ledger.  Fails as patchcheck_run() does.
 */
int cargocheck_run(int project_fd, const struct patchledger *ledger,
    struct patchcheck *check, struct diag *dg);

/*
 * Fails with DIAG_CONFIG, and names the root, if another directory is the root
 * of the project's cargo workspace: cargo reads [patch] and Cargo.lock from the
 * root alone.  The root is the package itself, or the first directory above it
 * whose Cargo.toml has [workspace], or the one that package.workspace names.
 * manifest is the text of the project's Cargo.toml; one that cannot be read is
 * DIAG_DATA.  A manifest above the project that cannot be judged counts as a
 * root.  project_fd is not used.
 */
int cargocheck_root(int project_fd, const char *project_path,
    const struct strbuf *manifest, struct diag *dg);

#endif /* DRYDOCK_CARGOCHECK_H */
