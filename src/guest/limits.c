/* SPDX-License-Identifier: MIT */
/* The kernel's counters of cgroup v2 and v1, read below /sys. */
#include "guest/limits.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Reads a small file and terminates it; false if it cannot be read. */
static bool
read_small(const char *dir, const char *name, char *buf, size_t size)
{
	char path[512];
	cleanup_close int fd = -1;
	ssize_t n;
	int len = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	n = fd == -1 ? -1 : read(fd, buf, size - 1);
	if (n < 0)
		return false;
	buf[n] = '\0';
	return true;
}

/*
 * Finds the number after "KEY " at the start of a line; for the key "", the
 * number at the start of the file.
 */
static bool
find_count(
    const char *dir, const char *name, const char *key, unsigned long long *ret)
{
	char text[4096];
	size_t len = strlen(key);
	if (!read_small(dir, name, text, sizeof(text)))
		return false;
	for (const char *at = text; at != NULL;) {
		const char *number = len == 0 ? at : at + len + 1;
		if (strncmp(at, key, len) == 0 &&
		    (len == 0 || at[len] == ' ') && *number >= '0' &&
		    *number <= '9') {
			*ret = strtoull(number, NULL, 10);
			return true;
		}
		at = strchr(at, '\n');
		if (at != NULL)
			at++;
	}
	return false;
}

static void
add_line(char *out, size_t *len, const char *name, unsigned long long count,
    unsigned long long limit)
{
	int n;
	if (count == 0)
		return;
	n = snprintf(out + *len, WIRE_LIMITS_MAX - *len, "%s %llu %llu\n", name,
	    count, limit);
	if (n > 0 && (size_t)n < WIRE_LIMITS_MAX - *len)
		*len += (size_t)n;
}

static unsigned long long
count_memory(const char *cgroup, bool killed, unsigned long long *ret_limit)
{
	unsigned long long n = 0;
	*ret_limit = 0;
	if (find_count(cgroup, "memory.events", "oom_kill", &n)) {
		(void)find_count(cgroup, "memory.max", "", ret_limit);
		return n;
	}
	(void)find_count(cgroup, "memory/memory.limit_in_bytes", "", ret_limit);
	if (find_count(cgroup, "memory/memory.oom_control", "oom_kill", &n))
		return n;
	/* Linux before 4.13 does not count kills. */
	return killed && find_count(cgroup, "memory/memory.failcnt", "", &n)
	    ? n
	    : 0;
}

static unsigned long long
count_pids(const char *cgroup, unsigned long long *ret_limit)
{
	unsigned long long n = 0;
	*ret_limit = 0;
	if (find_count(cgroup, "pids.events", "max", &n))
		(void)find_count(cgroup, "pids.max", "", ret_limit);
	else if (find_count(cgroup, "pids/pids.events", "max", &n))
		(void)find_count(cgroup, "pids/pids.max", "", ret_limit);
	return n;
}

size_t
limits_describe(const char *cgroup, const char *tmp, bool killed,
    char out[static WIRE_LIMITS_MAX])
{
	unsigned long long limit;
	unsigned long long n = count_memory(cgroup, killed, &limit);
	struct statvfs fs;
	size_t len = 0;
	out[0] = '\0';
	add_line(out, &len, "memory", n, limit);
	n = count_pids(cgroup, &limit);
	add_line(out, &len, "pids", n, limit);
	if (statvfs(tmp, &fs) == 0 && fs.f_blocks > 0)
		add_line(out, &len, "tmp",
		    fs.f_bfree == 0 || (fs.f_files > 0 && fs.f_ffree == 0),
		    (unsigned long long)fs.f_blocks * fs.f_frsize);
	return len;
}
