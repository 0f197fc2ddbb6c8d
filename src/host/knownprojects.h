/* SPDX-License-Identifier: MIT */
/*
 * knownprojects: each directory that any session could ever write to.
 *
 * The file `projects` of the state directory lists the real path of each
 * project and of each writable bind of an overlay, one per line.  A launch adds
 * its paths before its containers start.  drydock never removes the path of a
 * directory that exists.
 *
 * The file also lists the inode and the birth time of each directory, where the
 * file system has birth times.  They identify the directory after it was moved.
 *
 * Versions without this file left a history directory for each project, whose
 * name starts with a digest of the project's path.  Those digests are copied
 * into the file when it is created, and are read from the directories until
 * then.
 *
 * Files below a listed directory may be written by an agent.  drydock takes no
 * program, no configuration and no symlink to one from there.
 */
#ifndef DRYDOCK_KNOWNPROJECTS_H
#define DRYDOCK_KNOWNPROJECTS_H

struct diag;
struct knownprojects;
struct paths;

/*
 * Loads the list.  The caller frees *ret_known.  The state directory need not
 * be open; nothing is created.  Without a state directory the list is empty.  A
 * damaged file is DIAG_DATA.
 */
int knownprojects_load(const struct paths *paths,
    struct knownprojects **ret_known, struct diag *dg);

/*
 * Returned: the listed directory that equals or contains real_path, or NULL.
 * real_path need not exist.  real_path and each of its parents are compared by
 * path, by inode and birth time, and by device and inode of the listed
 * directories that exist.  Neither a bind mount nor a rename therefore hides a
 * listed directory.
 */
char *knownprojects_find(
    const struct knownprojects *known, const char *real_path);

/*
 * Creates the file, if absent, with the digests that older versions left.  A
 * launch calls this before it creates a history directory, because the launch
 * may fail later.  The state directory is open.
 */
int knownprojects_begin(const struct paths *paths, struct diag *dg);

/*
 * Adds the real path of a project or bind unless the file lists it.  The file
 * is flushed on return.  The state directory is open.
 */
int knownprojects_add(
    const struct paths *paths, const char *real_path, struct diag *dg);

void knownprojects_freep(struct knownprojects **known);

#define cleanup_knownprojects __attribute__((cleanup(knownprojects_freep)))

#endif /* DRYDOCK_KNOWNPROJECTS_H */
