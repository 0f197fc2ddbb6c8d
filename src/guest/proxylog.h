/* SPDX-License-Identifier: MIT */
/*
 * proxylog: the newest lines of the proxy's access log.
 *
 * The proxy logs to a named pipe.  The lines are written to PROXYLOG_NEW beside
 * the pipe.  A full PROXYLOG_NEW is renamed to PROXYLOG_OLD.  The first line of
 * the new file counts the lines that were dropped.
 */
#ifndef DRYDOCK_PROXYLOG_H
#define DRYDOCK_PROXYLOG_H

#include <stddef.h>

#include "base/loop.h"

#define PROXYLOG_NEW "requests.log"
#define PROXYLOG_OLD "requests.log.1"
#define PROXYLOG_HALF ((size_t)2 << 20) /* bytes per file, plus one line */
/* Followed by a number and "\n". */
#define PROXYLOG_DROPPED "# earlier lines that were dropped: "

struct proxylog {
	struct loop *loop;
	struct watch pipe; /* fd owned; -1: none */
	int dir_fd; /* owned */
	int fd; /* owned; of PROXYLOG_NEW */
	size_t size; /* of PROXYLOG_NEW, in bytes */
	size_t lines; /* lines in PROXYLOG_NEW */
	size_t older; /* lines in PROXYLOG_OLD */
	size_t dropped; /* lines that are in neither file */
};

#define PROXYLOG_INIT                                        \
	{                                                    \
		.pipe = { .fd = -1 }, .dir_fd = -1, .fd = -1 \
	}

/*
 * Creates the pipe at path, in place of a file, and starts to read it.  On a
 * failure the proxy creates a regular file there, whose size is only bounded.
 */
void proxylog_open(struct proxylog *log, struct loop *loop, const char *path);

/* Reads the rest of the pipe, and closes it. */
void proxylog_release(struct proxylog *log);

#endif /* DRYDOCK_PROXYLOG_H */
