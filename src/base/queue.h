/* SPDX-License-Identifier: MIT */
/*
 * queue: bytes that wait for a non-blocking descriptor.
 *
 * The queue grows with what is added.  The caller bounds it by not reading the
 * source.  An empty queue holds no memory.
 */
#ifndef DRYDOCK_QUEUE_H
#define DRYDOCK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct queue {
	char *buf; /* owned */
	size_t start, len, alloc;
};

#define QUEUE_INIT            \
	{                     \
		NULL, 0, 0, 0 \
	}

/*
 * Makes room for len more bytes, so that queue_add() cannot fail for them.
 * Returns false without memory; the queue is then unchanged.
 */
bool queue_reserve(struct queue *q, size_t len);

/* Returns false without memory; the queue is then unchanged. */
bool queue_add(struct queue *q, const void *data, size_t len);

/*
 * Writes what fd, which is non-blocking, accepts now.  A kernel that is short
 * of memory accepts nothing for now.  Returns the number of bytes, or -1 with
 * errno if fd will never accept more.
 */
long queue_flush(struct queue *q, int fd);

/* Overwrites and frees the bytes; the queue is usable again. */
void queue_release(struct queue *q);

#endif /* DRYDOCK_QUEUE_H */
