/* SPDX-License-Identifier: MIT */
/*
 * sink: a descriptor that output goes to without ever waiting for its reader.
 */
#ifndef DRYDOCK_SINK_H
#define DRYDOCK_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

struct sink {
	int fd; /* borrowed, blocking */
	int own_fd; /* owned; the same file, non-blocking; or -1 */
	bool is_tty; /* also when it is gone meanwhile */
	struct strbuf pending; /* bytes that wait, filled by the caller */
	size_t at; /* of these are written */
};

/* fd is borrowed until sink_release(). */
void sink_init(struct sink *ret_sink, int fd);
void sink_release(struct sink *sink);

/*
 * Writes once what is pending, or the begin of it; to be called when fd polls
 * as writable.  -1 and errno of write(2) when it failed; a reader that takes
 * nothing now is no failure.
 */
int sink_flush(struct sink *sink);

#endif /* DRYDOCK_SINK_H */
