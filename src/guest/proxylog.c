/* SPDX-License-Identifier: MIT */
/* Copies the proxy's pipe to two alternating files. */
#include "guest/proxylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/xalloc.h"

enum {
	CHUNK = 65536,
	FILE_FLAGS = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
};

static size_t
count_lines(const char *data, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += data[i] == '\n' ? 1 : 0;
	return n;
}

/*
 * Counts the lines that an earlier proxy of this session left.  The first line
 * may hold the number of dropped lines.
 */
static size_t
count_file(int fd, size_t *ret_dropped)
{
	static const char head[] = PROXYLOG_DROPPED;
	char buf[4096];
	size_t lines = 0;
	off_t at = 0;
	ssize_t n;
	while ((n = pread(fd, buf, sizeof(buf) - 1, at)) > 0) {
		buf[n] = '\0';
		if (at == 0 && strncmp(buf, head, strlen(head)) == 0) {
			*ret_dropped = strtoul(buf + strlen(head), NULL, 10);
			lines--; /* not a log line; counted below as +1 */
		}
		lines += count_lines(buf, (size_t)n);
		at += n;
	}
	return lines;
}

static void
write_all(struct proxylog *log, const char *data, size_t len)
{
	size_t at = 0;
	while (at < len) {
		ssize_t n = write(log->fd, data + at, len - at);
		if (n == -1 && errno == EINTR)
			continue;
		/* A full disk loses lines, which are counted. */
		if (n <= 0) {
			log->dropped += count_lines(data + at, len - at);
			break;
		}
		at += (size_t)n;
	}
	log->size += at;
	log->lines += count_lines(data, at);
}

static int
open_new(struct proxylog *log)
{
	struct stat st;
	log->fd = openat(log->dir_fd, PROXYLOG_NEW, FILE_FLAGS, 0600);
	if (log->fd == -1 || fstat(log->fd, &st) == -1)
		return -1;
	log->size = (size_t)st.st_size;
	return 0;
}

/*
 * If the next file cannot be opened, the current one is used up to its limit.
 */
static void
turn(struct proxylog *log)
{
	char head[sizeof(PROXYLOG_DROPPED) + 24];
	int old = log->fd;
	if (renameat(log->dir_fd, PROXYLOG_NEW, log->dir_fd, PROXYLOG_OLD) ==
		-1 ||
	    open_new(log) == -1) {
		log->fd = old;
		return;
	}
	(void)close(old);
	log->dropped += log->older;
	log->older = log->lines;
	log->lines = 0;
	if (log->dropped == 0)
		return;
	(void)snprintf(
	    head, sizeof(head), PROXYLOG_DROPPED "%zu\n", log->dropped);
	write_all(log, head, strlen(head));
	log->lines = 0;
}

/* Switches files only between two lines. */
static void
add(struct proxylog *log, const char *data, size_t len)
{
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t n = end == NULL ? len : (size_t)(end - data) + 1;
		if (log->size < PROXYLOG_HALF) {
			/* Write many lines at once, as long as they fit. */
			size_t room = PROXYLOG_HALF - log->size;
			const char *last =
			    memrchr(data, '\n', len < room ? len : room);
			if (last != NULL)
				n = (size_t)(last - data) + 1;
		}
		write_all(log, data, n);
		if (data[n - 1] == '\n' && log->size >= PROXYLOG_HALF)
			turn(log);
		data += n;
		len -= n;
	}
}

static void
read_pipe(struct proxylog *log)
{
	char buf[CHUNK];
	ssize_t n;
	while ((n = read(log->pipe.fd, buf, sizeof(buf))) > 0)
		add(log, buf, (size_t)n);
}

static void
on_pipe(void *arg, short events)
{
	(void)events;
	read_pipe(arg);
}

static int
open_files(struct proxylog *log, const char *name)
{
	int old;
	size_t ignored = 0;
	if (open_new(log) == -1)
		return -1;
	log->lines = count_file(log->fd, &log->dropped);
	old = openat(
	    log->dir_fd, PROXYLOG_OLD, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (old != -1) {
		log->older = count_file(old, &ignored);
		(void)close(old);
	}
	(void)unlinkat(log->dir_fd, name, 0);
	if (mkfifoat(log->dir_fd, name, 0600) == -1)
		return -1;
	/*
	 * Our write end prevents end of file while the proxy reopens the pipe.
	 */
	log->pipe = (struct watch){ openat(log->dir_fd, name,
					O_RDWR | O_NONBLOCK | O_CLOEXEC),
		0, on_pipe, log, 0 };
	return log->pipe.fd == -1 ? -1 : 0;
}

void
proxylog_open(struct proxylog *log, struct loop *loop, const char *path)
{
	cleanup_free char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	*log = (struct proxylog)PROXYLOG_INIT;
	log->loop = loop;
	if (slash == NULL)
		return;
	*slash = '\0';
	log->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log->dir_fd == -1 || open_files(log, slash + 1) == -1)
		proxylog_release(log);
	else
		loop_want(loop, &log->pipe, POLLIN);
}

void
proxylog_release(struct proxylog *log)
{
	if (log->pipe.fd != -1) {
		read_pipe(log);
		loop_want(log->loop, &log->pipe, 0);
	}
	cleanup_close_fn(&log->pipe.fd);
	cleanup_close_fn(&log->fd);
	cleanup_close_fn(&log->dir_fd);
}
