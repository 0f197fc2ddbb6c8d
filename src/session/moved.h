/* SPDX-License-Identifier: MIT */
/*
 * moved: detects that a session's project directory was moved, removed or
 * replaced.
 */
#ifndef DRYDOCK_MOVED_H
#define DRYDOCK_MOVED_H

struct record;

/* Returned: device and inode in the record's format; NULL if fstat() fails. */
char *moved_identity(int project_fd);

/*
 * Returned: a description of what became of the project; NULL if it is still at
 * its recorded path, or if the record has no identity.  The description is not
 * escaped: the code that prints it must escape it.  The new path is read from
 * the mounts of the agent's process, so it is available only while that process
 * runs.
 */
char *moved_describe(const struct record *record);

/* Warns of it.  The agent keeps its directory, wherever that was moved. */
void moved_warn(const struct record *record);

#endif /* DRYDOCK_MOVED_H */
