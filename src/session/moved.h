/* SPDX-License-Identifier: MIT */
/*
 * moved: whether a session's project is still where the session began with it.
 */
#ifndef DRYDOCK_MOVED_H
#define DRYDOCK_MOVED_H

struct record;

/* Returned: device and inode, as the record has them; NULL when not known. */
char *moved_identity(int project_fd);

/*
 * Returned: NULL when the project is in its place, or when the record has no
 * identity; else what became of it, escaped by whoever prints it.  Where it is
 * now the mounts of the agent's process tell, while that runs.
 */
char *moved_describe(const struct record *record);

#endif /* DRYDOCK_MOVED_H */
