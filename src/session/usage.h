/* SPDX-License-Identifier: MIT */
/*
 * usage: the disk space that a session's home and project use.
 *
 * No quota limits it.  The user gets a note above the settings disk_warn and
 * files_warn.
 */
#ifndef DRYDOCK_USAGE_H
#define DRYDOCK_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct settings;

struct usage {
	int64_t bytes; /* allocated; a hard link counts each time */
	int64_t files; /* entries of any kind */
	bool whole; /* false: timed out, or a part is unreadable */
};

/* Time limits in ms of a measurement: at an attach, and for gc. */
#define USAGE_ATTACH_MS 100
#define USAGE_GC_MS 5000
/* Time limit in ms while the containers of a launch start. */
#define USAGE_LAUNCH_MS 200

/*
 * Measures the tree below dir_fd (borrowed) for at most timeout_ms.  Stays on
 * its file system and does not follow symlinks.
 */
void usage_measure(int dir_fd, int timeout_ms, struct usage *ret_usage);

/* Prints a note if the home of session id exceeds the settings. */
void usage_tell(const struct settings *settings, const char *id, int home_fd,
    int timeout_ms);

/*
 * The same for a project.  drydock never removes a project, so the note names
 * no command that does.
 */
void usage_tell_project(
    const struct settings *settings, const char *project, int timeout_ms);

#endif /* DRYDOCK_USAGE_H */
