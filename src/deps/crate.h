/* SPDX-License-Identifier: MIT */
/*
 * crate: the package file of a crate, NAME-VERSION.crate.
 *
 * A crate is a gzip'ed tar whose entries lie below NAME-VERSION/.  Sources are
 * the host user's own cache and slots that sessions wrote: all are hostile
 * input.  The bytes are read once; the checksum is computed from the bytes that
 * are unpacked.
 */
#ifndef DRYDOCK_CRATE_H
#define DRYDOCK_CRATE_H

#include <stddef.h>

#include "base/digest.h"

struct diag;
struct package_sources;
struct strbuf;

/*
 * Reads the crate that has this checksum and appends its bytes.  A file of that
 * name with other bytes is a warning, and the next source is tried.  If no
 * source has the crate, the failure is DIAG_NO; the message says how to get it
 * in a session.
 */
int crate_find(const struct package_sources *sources, const char *name,
    const char *version, const struct digest *checksum, struct strbuf *out,
    struct diag *dg);

/*
 * Unpacks a crate's files, all below NAME-VERSION/, into dir_fd as
 * packagetar_unpack() does.
 */
int crate_unpack(const char *bytes, size_t len, const char *name,
    const char *version, int dir_fd, struct diag *dg);

/*
 * Judges how a patch changes the Cargo.toml of its crate.
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
 *
 * A change that is not permitted is DIAG_CONFIG; the message names the crate
 * (what, "foo 1.0.0") and the first such key or section.  A text that cannot be
 * judged is DIAG_DATA.
 */
int crate_compare(const char *before, size_t before_len, const char *after,
    size_t after_len, const char *what, struct diag *dg);

#endif /* DRYDOCK_CRATE_H */
