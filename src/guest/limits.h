/* SPDX-License-Identifier: MIT */
/*
 * limits: the limits of its container that a command has reached.
 *
 * The container's cgroup counts processes that were killed for memory and
 * processes that could not be started (memory.events, pids.events; cgroup v1:
 * memory.oom_control, memory.failcnt, pids.events).  For a tmpfs the kernel
 * reports only the current free space.
 */
#ifndef DRYDOCK_LIMITS_H
#define DRYDOCK_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/wire.h"

#define LIMITS_CGROUP "/sys/fs/cgroup"
#define LIMITS_TMP "/tmp"

/*
 * Writes one line "NAME COUNT LIMIT" to out for each limit that was reached,
 * and returns the length: memory (killed processes, bytes), pids (processes
 * that could not be started, number), tmp (1 while it is full, bytes).  A limit
 * of 0 is unknown.  killed: the command was killed by SIGKILL.  An older
 * kernel's count of failed allocations (memory.failcnt) then counts as kills.
 */
size_t limits_describe(const char *cgroup, const char *tmp, bool killed,
    char out[static WIRE_LIMITS_MAX]);

#endif /* DRYDOCK_LIMITS_H */
