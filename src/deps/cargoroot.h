/* SPDX-License-Identifier: MIT */
/*
 * cargoroot: decides whether a project is the root of its cargo workspace.
 *
 * Cargo reads [patch] and Cargo.lock from the root alone.  The root is the
 * package itself, or the first directory above it whose Cargo.toml has
 * [workspace], or the one that package.workspace names.
 */
#ifndef DRYDOCK_CARGOROOT_H
#define DRYDOCK_CARGOROOT_H

struct diag;
struct strbuf;

/*
 * Fails with DIAG_CONFIG, and names the root, if it is another directory.
 * manifest is the text of the project's Cargo.toml; one that cannot be read is
 * DIAG_DATA.  A manifest above the project that cannot be judged counts as a
 * root.
 */
int cargoroot_check(
    const char *project_path, const struct strbuf *manifest, struct diag *dg);

/* The same, and does not judge package.workspace of the project itself. */
int cargoroot_check_above(
    const char *project_path, const struct strbuf *manifest, struct diag *dg);

#endif /* DRYDOCK_CARGOROOT_H */
