/* SPDX-License-Identifier: MIT */
/* Writes the agent's output to a pipe, a terminal or a file of the user's. */
#include "terminal/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "terminal/termfilter.h"
#include "terminal/tty.h"

/* A pipe that polls as writable takes this many bytes without blocking. */
#define WRITE_MAX ((size_t)PIPE_BUF)

/*
 * Opens a separate open file description of the same pipe or terminal.
 * O_NONBLOCK on fd would affect every process that shares its description.
 */
void
sink_init(struct sink *ret_sink, int fd)
{
	struct stat st;
	char path[32];
	*ret_sink = (struct sink){ fd, -1, isatty(fd), NULL, STRBUF_INIT, 0 };
	if (!ret_sink->is_tty &&
	    (fstat(fd, &st) == -1 || !S_ISFIFO(st.st_mode)))
		return;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret_sink->own_fd =
	    open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void
sink_release(struct sink *sink)
{
	cleanup_close_fn(&sink->own_fd);
	strbuf_release(&sink->pending);
}

void
sink_add(struct sink *sink, const char *data, size_t len)
{
	if (sink->filter != NULL)
		termfilter_add(sink->filter, data, len, &sink->pending);
	else
		strbuf_add(&sink->pending, data, len);
}

int
sink_write_fd(const struct sink *sink)
{
	return sink->own_fd != -1 ? sink->own_fd : sink->fd;
}

int
sink_flush(struct sink *sink)
{
	size_t len = sink->pending.len - sink->at;
	if (len == 0)
		return 0;
	if (sink->own_fd == -1 && len > WRITE_MAX)
		len = WRITE_MAX;
	ssize_t n =
	    write(sink_write_fd(sink), sink->pending.buf + sink->at, len);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	sink->at += (size_t)n;
	if (sink->at == sink->pending.len) {
		strbuf_reset(&sink->pending);
		sink->at = 0;
	}
	return 0;
}

void
sink_undo_modes(const struct sink *sink, bool modes)
{
	cleanup_strbuf struct strbuf undo = STRBUF_INIT;
	/* Part of a sequence may have been written: CAN and ST end it. */
	if (sink->at > 0)
		strbuf_addstr(&undo, "\030\033\\");
	if (modes)
		termmodes_undo(&sink->filter->modes, &undo);
	tty_write(sink_write_fd(sink), undo.buf, undo.len);
}
