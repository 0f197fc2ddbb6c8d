/* SPDX-License-Identifier: MIT */
/*
 * context: what an image is built from, packed as one tar.
 *
 * images/KIND/ of what is installed at the top, images/lib/ below lib/, the
 * holder, and for the agent policy.sha256, the manifest of policy/.  Entries
 * are sorted and have modes of ours, whatever the installed files' are: 0555
 * for directories and for what is run, 0444 for the rest.
 */
#ifndef DRYDOCK_CONTEXT_H
#define DRYDOCK_CONTEXT_H

struct diag;
struct paths;
struct strbuf;

/*
 * Appends the tar to out.  A file that is missing, not readable, or neither
 * a regular file nor a directory is DIAG_IO and named; one over 64 MiB, more
 * than 256 files or directories deeper than 8 are DIAG_DATA.
 */
int context_pack(const char *kind, const struct paths *paths,
    struct strbuf *out, struct diag *dg);

#endif /* DRYDOCK_CONTEXT_H */
