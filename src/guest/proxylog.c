/* SPDX-License-Identifier: MIT */
/* Writes the proxy's lines to two alternating files. */
#include "guest/proxylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	FILE_FLAGS = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
};

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
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n' ? 1 : 0;
		at += n;
	}
	return lines;
}

/* A full disk loses whole lines, which are counted. */
static void
write_line(struct proxylog *log, const char *data, size_t len)
{
	size_t at = 0;
	while (at < len) {
		ssize_t n = write(log->fd, data + at, len - at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			log->dropped++;
			(void)!ftruncate(log->fd, (off_t)log->size);
			return;
		}
		at += (size_t)n;
	}
	log->size += len;
	log->lines++;
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
	write_line(log, head, strlen(head));
	log->lines = 0;
}

void
proxylog_add(struct proxylog *log, const char *line, size_t len)
{
	if (log->fd == -1)
		return;
	write_line(log, line, len);
	if (log->size >= PROXYLOG_HALF)
		turn(log);
}

static int
open_files(struct proxylog *log)
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
	return 0;
}

void
proxylog_open(struct proxylog *log, const char *dir)
{
	*log = (struct proxylog)PROXYLOG_INIT;
	log->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log->dir_fd == -1 || open_files(log) == -1)
		proxylog_release(log);
}

void
proxylog_release(struct proxylog *log)
{
	cleanup_close_fn(&log->fd);
	cleanup_close_fn(&log->dir_fd);
}
