/* SPDX-License-Identifier: MIT */
/*
 * proxylog: the newest lines of the proxy's request log.
 *
 * The lines are written to PROXYLOG_NEW.  A full PROXYLOG_NEW is renamed to
 * PROXYLOG_OLD.  The first line of the new file counts the lines that were
 * dropped.
 *
 * A line is "TIME STATUS METHOD TARGET RESULT REASON".  STATUS is what the
 * proxy answered, or 200 for a connection that it made.  RESULT is
 * REFUSAL_RESULT, NONE or CONNECTED; REASON is a word of guest/refusal.h or -.
 */
#ifndef DRYDOCK_PROXYLOG_H
#define DRYDOCK_PROXYLOG_H

#include <stddef.h>

#define PROXYLOG_NEW "requests.log"
#define PROXYLOG_OLD "requests.log.1"
#define PROXYLOG_HALF ((size_t)2 << 20) /* bytes per file, plus one line */
/* Followed by a number and "\n". */
#define PROXYLOG_DROPPED "# earlier lines that were dropped: "

struct proxylog {
	int dir_fd; /* owned; -1: nothing is logged */
	int fd; /* owned; of PROXYLOG_NEW */
	size_t size; /* of PROXYLOG_NEW, in bytes */
	size_t lines; /* lines in PROXYLOG_NEW */
	size_t older; /* lines in PROXYLOG_OLD */
	size_t dropped; /* lines that are in neither file */
};

#define PROXYLOG_INIT                  \
	{                              \
		.dir_fd = -1, .fd = -1 \
	}

/* Opens the files in a directory.  After a failure nothing is logged. */
void proxylog_open(struct proxylog *log, const char *dir);
void proxylog_release(struct proxylog *log);

/* Adds one line, which ends with "\n" and has no other. */
void proxylog_add(struct proxylog *log, const char *line, size_t len);

#endif /* DRYDOCK_PROXYLOG_H */
