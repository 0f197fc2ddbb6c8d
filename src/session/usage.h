/* SPDX-License-Identifier: MIT */
/*
 * usage: how much of the host's disk a session's home and project take.
 *
 * No quota bounds it.  The settings disk_warn and files_warn say from when on
 * the user is told.
 */
#ifndef DRYDOCK_USAGE_H
#define DRYDOCK_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct settings;

struct usage {
	int64_t bytes; /* as allocated; a hard link counts each time */
	int64_t files; /* entries of any kind */
	bool whole; /* false: time ran out, or a part cannot be read */
};

/* How long a measurement may take: with somebody at a terminal, and for gc. */
#define USAGE_ATTACH_MS 100
#define USAGE_GC_MS 5000
/* While the containers of a launch come up. */
#define USAGE_LAUNCH_MS 200

/* The tree below dir_fd (borrowed), on its file system, without links. */
struct usage usage_measure(int dir_fd, int timeout_ms);

/* A note when the home of session id has more than the settings say. */
void usage_tell(const struct settings *settings, const char *id, int home_fd,
    int timeout_ms);

/* The same for a project, which stays with its user whatever becomes of it. */
void usage_tell_project(
    const struct settings *settings, const char *project, int timeout_ms);

#endif /* DRYDOCK_USAGE_H */
