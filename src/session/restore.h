/* SPDX-License-Identifier: MIT */
/*
 * restore: puts a changed file back as it was at a session's start.
 *
 * The agent may run meanwhile and change the same files.  Each file is replaced
 * atomically, below the opened root and without following a symlink.  What was
 * in its place is kept: it is taken out of the project first and copied
 * afterwards, so that no change is lost in between.
 */
#ifndef DRYDOCK_RESTORE_H
#define DRYDOCK_RESTORE_H

struct change;
struct changes;
struct diag;
struct paths;

/*
 * Puts one file back, or removes it if it was absent at the start.  *ret_kept
 * (returned) is where the replaced version is now, or NULL if there was none.
 * That is ended/ID.kept/ of the state directory; a directory or a file of more
 * than RESTORE_KEPT_MAX bytes stays in its own directory under another name.
 *
 * DIAG_DATA if the contents at the start were not stored.  After a failure the
 * file is as it was.  If the agent wrote it again meanwhile, both versions are
 * there, and the message has the name of the one beside the file.
 */
#define RESTORE_KEPT_MAX (64 << 20)
int restore_change(const struct paths *paths, const char *id,
    const struct changes *changes, const struct change *change, char **ret_kept,
    struct diag *dg);

#endif /* DRYDOCK_RESTORE_H */
