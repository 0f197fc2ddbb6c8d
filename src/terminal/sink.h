/* SPDX-License-Identifier: MIT */
/*
 * sink: filters output for a terminal, and writes to a descriptor without
 * blocking on its reader.
 */
#ifndef DRYDOCK_SINK_H
#define DRYDOCK_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

struct termfilter;

struct sink {
	int fd; /* borrowed, blocking */
	int own_fd; /* owned; the same file, non-blocking; or -1 */
	bool is_tty; /* stays true when the terminal is gone */
	struct termfilter *filter; /* borrowed, set by the caller, or NULL */
	struct strbuf pending; /* filtered bytes to write */
	size_t at; /* bytes of pending that are written */
};

/* fd is borrowed until sink_release().  The sink has no filter. */
void sink_init(struct sink *ret_sink, int fd);
void sink_release(struct sink *sink);

/* Appends output to the pending bytes, through the filter if there is one. */
void sink_add(struct sink *sink, const char *data, size_t len);

/*
 * Writes the pending bytes once, as many as fit; call it when fd polls as
 * writable.  Returns -1 with the errno of write(2) on failure.  A reader that
 * takes nothing now (EAGAIN) is no failure.
 */
int sink_flush(struct sink *sink);

/* Returns the descriptor to write to; it may be non-blocking. */
int sink_write_fd(const struct sink *sink);

/*
 * Writes to a terminal at once: ends a partly written control sequence.  With
 * modes, also undoes the modes that the output set, which needs a filter.
 */
void sink_undo_modes(const struct sink *sink, bool modes);

#endif /* DRYDOCK_SINK_H */
