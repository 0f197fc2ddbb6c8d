/* SPDX-License-Identifier: MIT */
/*
 * limits: which limits of its container a command has met.
 *
 * The kernel counts processes that it killed for memory and processes that it
 * did not start, in the container's cgroup (memory.events, pids.events; of
 * cgroup v1 memory.oom_control, memory.failcnt, pids.events).  Of a tmpfs it
 * counts only what is free now.
 */
#ifndef DRYDOCK_LIMITS_H
#define DRYDOCK_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/wire.h"

#define LIMITS_CGROUP "/sys/fs/cgroup"
#define LIMITS_TMP "/tmp"

/*
 * Fills out with one line for each limit that was met, "NAME COUNT LIMIT", and
 * returns its length: memory (processes killed, bytes), pids (processes that
 * were not started, number), tmp (1 while it is full, bytes).  A limit of 0 is
 * not known.  killed: the command died of SIGKILL, which makes an older
 * kernel's count of failed allocations (memory.failcnt) one of kills.
 */
size_t limits_describe(const char *cgroup, const char *tmp, bool killed,
    char out[static WIRE_LIMITS_MAX]);

#endif /* DRYDOCK_LIMITS_H */
