/* SPDX-License-Identifier: MIT */
/*
 * Attempts to use more memory, processes and /tmp than the plan allows.
 *
 * Each stops soon after the planned limit, so that it does no harm where there
 * is no limit.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/monotime.h"
#include "base/xalloc.h"
#include "guest/limits.h"
#include "guest/prove.h"

enum {
	FORKS_MAX = 8192, /* a higher limit is only read */
	CHUNK = 16 << 20,
	PAGE = 4096, /* the smallest; a page holds memory once written */
	FILL_MS = 90000,
};

/*
 * Takes memory in chunks until it has max bytes, and counts them in *taken.
 * Returns 0, or the error that stopped it.
 */
typedef int fill_fn(int64_t max, volatile int64_t *taken);

static int
fill_memory(int64_t max, volatile int64_t *taken)
{
	const int64_t deadline = monotime_ms() + FILL_MS;

	while (*taken < max) {
		char *at = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (at == MAP_FAILED)
			return errno;
		if (monotime_left_ms(deadline) == 0)
			return ETIME;
		for (size_t i = 0; i < CHUNK; i += PAGE)
			at[i] = 1;
		*taken += CHUNK;
	}
	return 0;
}

static int
fill_tmp(int64_t max, volatile int64_t *taken)
{
	const int64_t deadline = monotime_ms() + FILL_MS;
	cleanup_close int fd =
	    open(PROBE_SCRATCH, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	while (*taken < max) {
		if (fd == -1 || fallocate(fd, 0, *taken, CHUNK) != 0)
			return errno;
		if (monotime_left_ms(deadline) == 0)
			return ETIME;
		*taken += CHUNK;
	}
	return 0;
}

/* Asks the kernel to kill the caller first, and not another process. */
static void
offer_to_be_killed(void)
{
	cleanup_close int fd =
	    open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd != -1)
		(void)!write(fd, "1000", 4);
}

/* Returns how many processes of the container were killed for memory. */
static long long
count_kills(void)
{
	char text[WIRE_LIMITS_MAX];
	const char *at;

	(void)limits_describe(LIMITS_CGROUP, LIMITS_TMP, true, text);
	at = strstr(text, "memory ");
	return at == NULL ? 0 : strtoll(at + strlen("memory "), NULL, 10);
}

/* Returns the status of a child that fills, as waitpid() gives it, or -1. */
static int
fill_in_child(fill_fn *fill, int64_t max, volatile int64_t *taken)
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		offer_to_be_killed();
		_exit(fill(max, taken));
	}
	return pid != -1 && waitpid(pid, &status, 0) == pid ? status : -1;
}

/* full is the error of a limit that refuses; a kill for memory also holds. */
static void
use_up(const struct prove *p, const char *call, fill_fn *fill, int64_t planned,
    int full)
{
	volatile int64_t *taken = mmap(NULL, sizeof(*taken),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long long kills = count_kills();
	enum verdict verdict = VERDICT_UNKNOWN;
	const char *how = "the attempt did not complete";
	int status;

	if (taken == MAP_FAILED) {
		probe_report(
		    p, VERDICT_UNKNOWN, "mmap", "-", "%s", strerror(errno));
		return;
	}
	status = fill_in_child(fill, planned + CHUNK, taken);
	if (status != -1 && WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGKILL && count_kills() > kills) {
		verdict = VERDICT_HELD;
		how = "killed for memory";
	} else if (status != -1 && WIFEXITED(status)) {
		verdict = WEXITSTATUS(status) == 0 ? VERDICT_BROKEN
		    : WEXITSTATUS(status) == full  ? VERDICT_HELD
						   : VERDICT_UNKNOWN;
		how = WEXITSTATUS(status) == 0 ? "succeeded"
					       : strerror(WEXITSTATUS(status));
	}
	probe_report(p, verdict, call, "more than planned",
	    "%s after %" PRId64 " of %" PRId64 " bytes", how, *taken, planned);
	(void)munmap((void *)(uintptr_t)taken, sizeof(*taken));
}

/*
 * Returns true if using up so much memory leaves the host as much again.  The
 * kernel gives the host's numbers in a container.
 */
static bool
host_has_room(int64_t planned)
{
	static const char key[] = "MemAvailable:";
	char text[PROBE_TEXT_MAX];
	const char *at;

	probe_read("/proc/meminfo", text);
	at = strstr(text, key);
	return at != NULL &&
	    strtoll(at + strlen(key), NULL, 10) / 2 >= planned / 1024;
}

/*
 * Compares the control group's limit with the planned one.  note says why the
 * limit is not used up; "" if it is.
 */
static void
compare_limit(const struct prove *p, int64_t planned, const char *v2_path,
    const char *v1_path, const char *note)
{
	const char *path = access(v2_path, F_OK) == 0 ? v2_path : v1_path;
	char text[PROBE_TEXT_MAX];
	long long limit;
	char *end;

	probe_read(path, text);
	text[strcspn(text, "\n")] = '\0';
	limit = strtoll(text, &end, 10);
	if (planned < 0)
		probe_report(p, VERDICT_BROKEN, "read", path,
		    "%s, and the plan has no limit", text);
	else if (text[0] == '\0')
		probe_report(
		    p, VERDICT_UNKNOWN, "read", path, "cannot be read");
	else
		probe_report(p,
		    end != text && limit <= planned ? VERDICT_HELD
						    : VERDICT_BROKEN,
		    "read", path, "%s, and the plan has %" PRId64 "%s", text,
		    planned, note);
}

void
probe_memory(struct prove *p)
{
	int64_t planned = probe_number(p, PROVE_MEMORY);
	bool room = host_has_room(planned);

	compare_limit(p, planned, "/sys/fs/cgroup/memory.max",
	    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
	    room ? "" : "; not used up: the host has too little free memory");
	if (planned >= 0 && room)
		use_up(p, "write to new pages", fill_memory, planned, 0);
}

/* Starts max processes, or as many as it can; ends them.  Returns how many. */
static size_t
fork_many(size_t max, int *ret_error)
{
	cleanup_free pid_t *pids = xmalloc(max * sizeof(*pids));
	size_t n;

	*ret_error = 0;
	(void)fflush(stdout);
	for (n = 0; n < max; n++) {
		pids[n] = fork();
		while (pids[n] == 0) /* the child, until it is killed */
			(void)pause();
		if (pids[n] == -1) {
			*ret_error = errno;
			break;
		}
	}
	for (size_t i = 0; i < n; i++)
		(void)kill(pids[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return n;
}

void
probe_pids(struct prove *p)
{
	int64_t planned = probe_number(p, PROVE_PIDS);
	size_t n;
	int error;

	compare_limit(p, planned, "/sys/fs/cgroup/pids.max",
	    "/sys/fs/cgroup/pids/pids.max",
	    planned > FORKS_MAX ? "; not used up: too many processes" : "");
	if (planned < 0 || planned > FORKS_MAX)
		return;
	n = fork_many((size_t)planned + 1, &error);
	probe_report(p,
	    error == EAGAIN  ? VERDICT_HELD
		: error == 0 ? VERDICT_BROKEN
			     : VERDICT_UNKNOWN,
	    "fork", "until it fails", "%s after %zu processes", strerror(error),
	    n);
}

/* tmpfs refuses a range over its size before it takes any of it. */
static void
ask_for_too_much(const struct prove *p, int64_t size)
{
	static const int full[] = { ENOSPC, 0 };
	cleanup_close int fd =
	    open(PROBE_SCRATCH, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	probe_must_fail(p, "fallocate", "/tmp, a page more than it has",
	    fd == -1 || fallocate(fd, 0, 0, size) == -1, full);
}

void
probe_tmp(struct prove *p)
{
	int64_t planned = probe_number(p, PROVE_TMP);
	struct statvfs st;
	int64_t size;

	if (statvfs("/tmp", &st) != 0) {
		probe_report(p, VERDICT_UNKNOWN, "statvfs", "/tmp", "%s",
		    strerror(errno));
		return;
	}
	size = (int64_t)st.f_blocks * (int64_t)st.f_frsize;
	probe_report(p,
	    planned < 0 || size > planned + (int64_t)st.f_frsize
		? VERDICT_BROKEN
		: VERDICT_HELD,
	    "statvfs", "/tmp", "%" PRId64 " bytes, and the plan has %" PRId64,
	    size, planned);
	if (planned >= 0 && host_has_room(planned))
		use_up(p, "fallocate in /tmp", fill_tmp, planned, ENOSPC);
	else if (planned >= 0)
		ask_for_too_much(p, size + (int64_t)st.f_frsize);
	(void)unlink(PROBE_SCRATCH);
}
