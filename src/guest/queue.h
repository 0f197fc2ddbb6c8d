/* SPDX-License-Identifier: MIT */
/*
 * queue: bytes on their way to a descriptor that takes them when it can.
 *
 * It grows with what is added: bounding that is the caller's, who stops
 * reading the source.  An empty queue holds no memory.
 */
#ifndef DRYDOCK_QUEUE_H
#define DRYDOCK_QUEUE_H

#include <stddef.h>

struct queue {
	char *buf; /* owned */
	size_t start, len, alloc;
};

#define QUEUE_INIT            \
	{                     \
		NULL, 0, 0, 0 \
	}

void queue_add(struct queue *q, const void *data, size_t len);

/*
 * Writes what fd, non-blocking, takes now.  Returns the number of bytes, or -1
 * with errno when fd can never take more.
 */
long queue_flush(struct queue *q, int fd);

/* Overwrites and frees; usable again. */
void queue_release(struct queue *q);

#endif /* DRYDOCK_QUEUE_H */
