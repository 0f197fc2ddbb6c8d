/* SPDX-License-Identifier: MIT */
/*
 * knownprojects: each directory that a session could ever write to.
 *
 * The file `projects` of the state directory has the real path of each project
 * and of each writable bind of an overlay, one a line; a launch adds them before
 * its containers start, and drydock never removes one that exists.  Versions
 * without that file left a conversations' directory for each project, whose name
 * has a digest of the project's path: those digests are taken over when the file
 * is made, and are looked at where it is not made yet.  The file also has each
 * directory's inode and the time it was made, by which it is known after it was
 * moved, where the file system keeps such a time.
 *
 * What lies below such a directory may be an agent's work: no program, no
 * configuration and no link to one is taken from there.
 */
#ifndef DRYDOCK_KNOWNPROJECTS_H
#define DRYDOCK_KNOWNPROJECTS_H

struct diag;
struct knownprojects;
struct paths;

/*
 * Reads them; *ret_known is the caller's.  Needs no open state directory, and
 * makes nothing; without one the list is empty.  A damaged file is DIAG_DATA.
 */
int knownprojects_load(const struct paths *paths,
    struct knownprojects **ret_known, struct diag *dg);

/*
 * Returned: the known directory that a real path is or lies in, or NULL.  It
 * is found by its path and, while it exists, by device and inode of the path's
 * parents, so that a bind mount of it does not hide it, nor that it was renamed.
 * The path itself need not exist.
 */
char *knownprojects_find(
    const struct knownprojects *known, const char *real_path);

/*
 * Makes the file where there is none, of what older versions left: due before a
 * launch makes a conversations' directory, since the launch may be refused.  The
 * state directory is open.
 */
int knownprojects_begin(const struct paths *paths, struct diag *dg);

/*
 * Adds a real path of a project or bind, unless the file has it; flushed when
 * it returns.  The state directory is open.
 */
int knownprojects_add(
    const struct paths *paths, const char *real_path, struct diag *dg);

void knownprojects_free(struct knownprojects *known);
void knownprojects_freep(struct knownprojects **known);

#define cleanup_knownprojects __attribute__((cleanup(knownprojects_freep)))

#endif /* DRYDOCK_KNOWNPROJECTS_H */
