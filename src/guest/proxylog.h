/* SPDX-License-Identifier: MIT */
/*
 * proxylog: the proxy's access log, of which the newest lines are kept.
 *
 * The proxy writes to a named pipe where its log would be.  What comes out goes
 * to PROXYLOG_NEW beside it; once that is full it becomes PROXYLOG_OLD.  The
 * lines that so are lost are counted in the new file's first line.
 */
#ifndef DRYDOCK_PROXYLOG_H
#define DRYDOCK_PROXYLOG_H

#include <stddef.h>

#include "guest/loop.h"

#define PROXYLOG_NEW "requests.log"
#define PROXYLOG_OLD "requests.log.1"
#define PROXYLOG_HALF ((size_t)2 << 20) /* bytes in each, and one line */
/* Followed by a number and "\n". */
#define PROXYLOG_DROPPED "# earlier lines that were dropped: "

struct proxylog {
	struct loop *loop;
	struct watch pipe; /* fd owned; -1: none */
	int dir_fd; /* owned */
	int fd; /* owned; of PROXYLOG_NEW */
	size_t size; /* bytes in it */
	size_t lines; /* in it */
	size_t older; /* lines in PROXYLOG_OLD */
	size_t dropped; /* lines that are in neither */
};

#define PROXYLOG_INIT                                        \
	{                                                    \
		.pipe = { .fd = -1 }, .dir_fd = -1, .fd = -1 \
	}

/*
 * Puts the pipe at path, in place of a file, and reads it from now on.  Where
 * that fails the proxy makes a file of its own there, which is only bounded.
 */
void proxylog_open(struct proxylog *log, struct loop *loop, const char *path);

/* Reads what is left in the pipe, and closes. */
void proxylog_release(struct proxylog *log);

#endif /* DRYDOCK_PROXYLOG_H */
