/* SPDX-License-Identifier: MIT */
/*
 * sink: writes output to a descriptor without blocking on its reader.
 */
#ifndef DRYDOCK_SINK_H
#define DRYDOCK_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

struct sink {
	int fd; /* borrowed, blocking */
	int own_fd; /* owned; the same file, non-blocking; or -1 */
	bool is_tty; /* stays true when the terminal is gone */
	struct strbuf pending; /* bytes to write, added by the caller */
	size_t at; /* bytes of pending that are written */
};

/* fd is borrowed until sink_release(). */
void sink_init(struct sink *ret_sink, int fd);
void sink_release(struct sink *sink);

/*
 * Writes the pending bytes once, as many as fit; call it when fd polls as
 * writable.  Returns -1 with the errno of write(2) on failure.  A reader that
 * takes nothing now (EAGAIN) is no failure.
 */
int sink_flush(struct sink *sink);

#endif /* DRYDOCK_SINK_H */
