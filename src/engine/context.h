/* SPDX-License-Identifier: MIT */
/*
 * context: what the images are built from, packed as one tar for each.
 *
 * images/KIND/ of what is installed at the top, images/lib/ below lib/, the
 * holder, and for the agent policy/, the guardrails of its file (host/agent.h),
 * with policy.sha256, their manifest as guest/policy.h reads it.  Entries
 * are sorted and have modes of ours, whatever the installed files' are: 0555
 * for directories and for what is run, 0444 for the rest.
 */
#ifndef DRYDOCK_CONTEXT_H
#define DRYDOCK_CONTEXT_H

struct agent;
struct context_files;
struct diag;
struct paths;
struct strbuf;

/*
 * Reads what is installed, for all images.  A file that is missing, not
 * readable, or neither a regular file nor a directory is DIAG_IO and named;
 * one over 64 MiB, more than 256 files or directories deeper than 8 are
 * DIAG_DATA.
 */
int context_read(const struct paths *paths, struct context_files **ret_files,
    struct diag *dg);
void context_files_freep(struct context_files **filesp);

/* Appends an image's tar to out.  agent is NULL for an image without one. */
int context_pack(const struct context_files *files, const char *kind,
    const struct agent *agent, struct strbuf *out, struct diag *dg);

/*
 * Appends a line "MODE DIGEST PATH" for each of the tar's entries, with "-" for
 * the digest of a directory.
 */
int context_list(const struct context_files *files, const char *kind,
    const struct agent *agent, struct strbuf *out, struct diag *dg);

#define cleanup_context_files __attribute__((cleanup(context_files_freep)))

#endif /* DRYDOCK_CONTEXT_H */
