/* SPDX-License-Identifier: MIT */
/*
 * cargomanifest: the managed block of a root Cargo.toml, which leads cargo to
 * the patched copies of crates.
 *
 * The block stands at the end of the text, between two comment lines of its
 * own.  All bytes outside of it are the user's.  Removing the block gives these
 * bytes back exactly, also without a newline at their end.  The block uses the
 * line ends of the text (LF or CRLF).
 *
 * Cargo.toml is hostile input.  A text that cannot be judged is refused:
 * DIAG_DATA if it is malformed or the block is not as it was written,
 * DIAG_CONFIG if the user's own [patch] conflicts.
 */
#ifndef DRYDOCK_CARGOMANIFEST_H
#define DRYDOCK_CARGOMANIFEST_H

#include <stddef.h>

struct diag;
struct strbuf;

#define CARGOMANIFEST_MAX_SIZE ((size_t)4 * 1024 * 1024)

struct cargomanifest_patch {
	const char *name; /* borrowed; of the crate */
	const char *path; /* borrowed; of its copy, below the project */
};

/*
 * Appends to out the text with a block for these patches instead of the block
 * that it has; without a block if nr is 0.  The same patches in the same order
 * give the same bytes.  Each name occurs once, and names and paths consist of
 * letters, digits and "-_+./".
 */
int cargomanifest_set(const char *text, size_t len,
    const struct cargomanifest_patch *patches, size_t nr, struct strbuf *out,
    struct diag *dg);

#endif /* DRYDOCK_CARGOMANIFEST_H */
