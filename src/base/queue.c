/* SPDX-License-Identifier: MIT */
/* queue: a byte queue for a non-blocking descriptor. */
#include "base/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Writes are small, so that a slow reader's progress is visible: a unix socket
 * frees space only when a whole write was read.
 */
#define WRITE_MAX ((size_t)16384)

bool
queue_reserve(struct queue *q, size_t len)
{
	/*
	 * Moves the data only if half of the buffer is free: each byte moves at
	 * most twice.
	 */
	if (q->start > 0 && q->start >= q->alloc / 2 &&
	    q->start + q->len + len > q->alloc) {
		memmove(q->buf, q->buf + q->start, q->len);
		q->start = 0;
	}
	if (q->start + q->len + len > q->alloc) {
		size_t wanted = q->start + q->len + len;
		size_t alloc = q->alloc * 2 > wanted ? q->alloc * 2 : wanted;
		char *buf = realloc(q->buf, alloc);
		if (buf == NULL)
			return false;
		q->buf = buf;
		q->alloc = alloc;
	}
	return true;
}

bool
queue_add(struct queue *q, const void *data, size_t len)
{
	if (len == 0)
		return true;
	if (!queue_reserve(q, len))
		return false;
	memcpy(q->buf + q->start + q->len, data, len);
	q->len += len;
	return true;
}

long
queue_flush(struct queue *q, int fd)
{
	long written = 0;
	while (q->len > 0) {
		size_t some = q->len < WRITE_MAX ? q->len : WRITE_MAX;
		ssize_t n = write(fd, q->buf + q->start, some);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 &&
		    (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS))
			break;
		if (n == -1)
			return -1;
		q->start += (size_t)n;
		q->len -= (size_t)n;
		written += n;
	}
	if (q->len == 0)
		queue_release(q);
	return written;
}

void
queue_release(struct queue *q)
{
	if (q->buf != NULL)
		explicit_bzero(q->buf, q->alloc);
	free(q->buf);
	*q = (struct queue)QUEUE_INIT;
}
