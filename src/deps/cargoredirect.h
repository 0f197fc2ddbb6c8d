/* SPDX-License-Identifier: MIT */
/*
 * cargoredirect: the entry of a patched crate in a Cargo.lock.
 *
 * Cargo takes a crate from the path that [patch] names if the lock's entry has
 * neither source nor checksum, also with --locked.  The entry's original bytes
 * are the fragment, which the caller keeps to restore the entry.  cargopatch
 * (ecosystem.h) calls these functions.
 */
#ifndef DRYDOCK_CARGOREDIRECT_H
#define DRYDOCK_CARGOREDIRECT_H

#include <stddef.h>

struct diag;
struct strbuf;

/*
 * Appends to out the lock without source and checksum of the crate, and to
 * fragment the entry as it was.  A crate that the lock does not have from
 * crates.io with a checksum is DIAG_CONFIG; two sources of the same name and
 * version, and a malformed lock, are DIAG_DATA.
 */
int cargoredirect_add(const char *text, size_t len, const char *name,
    const char *version, struct strbuf *out, struct strbuf *fragment,
    struct diag *dg);

/*
 * Appends to out the lock with the fragment as the crate's entry.  If the entry
 * differs from the fragment in more than source and checksum, cargo resolved it
 * anew meanwhile: it keeps its other lines and gets these two.  An entry with a
 * source is DIAG_NO.  A fragment that is not the crate's entry is DIAG_DATA.
 */
int cargoredirect_remove(const char *text, size_t len, const char *name,
    const char *version, const char *fragment, struct strbuf *out,
    struct diag *dg);

#endif /* DRYDOCK_CARGOREDIRECT_H */
