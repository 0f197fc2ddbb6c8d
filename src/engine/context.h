/* SPDX-License-Identifier: MIT */
/*
 * context: the build context of each image, packed as one tar.
 *
 * A tar has the installed images/KIND/ at its top, images/lib/ as lib/, and the
 * holder.  The tar of an agent image also has policy/, the guardrails from the
 * agent's file (host/agent.h), and policy.sha256, their manifest in the format
 * of guest/policy.h.
 *
 * Entries are sorted.  Modes do not depend on the installed files: 0555 for
 * directories and executables, 0444 for other files.
 */
#ifndef DRYDOCK_CONTEXT_H
#define DRYDOCK_CONTEXT_H

struct agent;
struct context_files;
struct diag;
struct paths;
struct strbuf;

/*
 * Reads the installed files for all images.  A file that is missing,
 * unreadable, or neither a regular file nor a directory is DIAG_IO; the message
 * names the file.  A file over 64 MiB, more than 256 files, or a depth over 8
 * is DIAG_DATA.
 */
int context_read(const struct paths *paths, struct context_files **ret_files,
    struct diag *dg);
void context_files_freep(struct context_files **filesp);

/*
 * Appends the tar of an image to out.  agent is NULL for an image without an
 * agent.
 */
int context_pack(const struct context_files *files, const char *kind,
    const struct agent *agent, struct strbuf *out, struct diag *dg);

/*
 * Appends one line "MODE DIGEST PATH" for each entry of the tar.  The digest of
 * a directory is "-".
 */
int context_list(const struct context_files *files, const char *kind,
    const struct agent *agent, struct strbuf *out, struct diag *dg);

#define cleanup_context_files __attribute__((cleanup(context_files_freep)))

#endif /* DRYDOCK_CONTEXT_H */
