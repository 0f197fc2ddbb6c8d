/* SPDX-License-Identifier: MIT */
/*
 * cratemanifest: judges how a patch changes the Cargo.toml of its crate.
 *
 * The project's lock was resolved with the original, so a patch may not change
 * what cargo resolves: name, version, links, features, and dependencies of any
 * kind or target.  These parts cannot change that, and are free:
 *
 *	[lib] [[bin]] [[example]] [[test]] [[bench]] [lints] [badges] [profile]
 *	of [package]: authors autobenches autobins autoexamples autolib
 *	    autotests build categories default-run description documentation
 *	    exclude homepage include keywords license license-file metadata
 *	    publish readme repository
 *
 * All other statements must be the same in the same order; comments and blanks
 * outside of strings do not count.  edition is not free: it decides how cargo
 * reads the keys of dependencies.
 */
#ifndef DRYDOCK_CRATEMANIFEST_H
#define DRYDOCK_CRATEMANIFEST_H

#include <stddef.h>

struct diag;

/*
 * Compares two texts.  A change that is not permitted is DIAG_CONFIG; the
 * message names the crate (what, "foo 1.0.0") and the first such key or
 * section.  A text that cannot be judged is DIAG_DATA.
 */
int cratemanifest_compare(const char *before, size_t before_len,
    const char *after, size_t after_len, const char *what, struct diag *dg);

#endif /* DRYDOCK_CRATEMANIFEST_H */
