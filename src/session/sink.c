/* SPDX-License-Identifier: MIT */
/* Writes the agent's output to a pipe, a terminal or a file of the user's. */
#include "session/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

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
	*ret_sink = (struct sink){ fd, -1, isatty(fd), STRBUF_INIT, 0 };
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

int
sink_flush(struct sink *sink)
{
	bool own = sink->own_fd != -1;
	size_t len = sink->pending.len - sink->at;
	if (len == 0)
		return 0;
	if (!own && len > WRITE_MAX)
		len = WRITE_MAX;
	ssize_t n = write(
	    own ? sink->own_fd : sink->fd, sink->pending.buf + sink->at, len);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	sink->at += (size_t)n;
	if (sink->at == sink->pending.len) {
		strbuf_reset(&sink->pending);
		sink->at = 0;
	}
	return 0;
}
