/* SPDX-License-Identifier: MIT */
/*
 * queue: bytes on their way to a descriptor that takes them when it can.
 *
 * It grows with what is added: bounding that is the caller's, who stops
 * reading the source.  An empty queue holds no memory.
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
 * Makes room for len more bytes, which queue_add() then takes without fail.
 * False without memory, and the queue is as it was.
 */
bool queue_reserve(struct queue *q, size_t len);

/* False without memory: nothing was added. */
bool queue_add(struct queue *q, const void *data, size_t len);

/*
 * Writes what fd, non-blocking, takes now; a kernel that is short of memory
 * takes nothing for now.  Returns the number of bytes, or -1
 * with errno when fd can never take more.
 */
long queue_flush(struct queue *q, int fd);

/* Overwrites and frees; usable again. */
void queue_release(struct queue *q);

#endif /* DRYDOCK_QUEUE_H */
