/* SPDX-License-Identifier: MIT */
/* companion: one a session, for as long as its process lives. */
#include "session/companion.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "guest/proxylist.h"

#include "check.h"

/* How many addresses the host has; each twice, as on two interfaces. */
static size_t naddresses = 1;

int
getifaddrs(struct ifaddrs **ret)
{
	struct ifaddrs *list = xcalloc(2 * naddresses, sizeof(*list));
	struct sockaddr_in *sin = xcalloc(naddresses, sizeof(*sin));

	for (size_t i = 0; i < 2 * naddresses; i++) {
		struct sockaddr_in *a = &sin[i % naddresses];

		a->sin_family = AF_INET;
		a->sin_addr.s_addr =
		    htonl((uint32_t)(0x66646464 + i % naddresses));
		list[i].ifa_addr = (struct sockaddr *)a;
		list[i].ifa_next = i + 1 < 2 * naddresses ? &list[i + 1] : NULL;
	}
	*ret = list;
	return 0;
}

void
freeifaddrs(struct ifaddrs *list)
{
	free(list->ifa_addr);
	free(list);
}

/* A process with a name that looks like the end of one. */
static pid_t
start_process(void)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_NAME, "a) R 1 (b");
		for (;;)
			(void)pause();
	}
	return pid;
}

static pid_t
start_companion(int dir, const char *process)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct diag dg = DIAG_INIT;

		_exit(companion_run(dir, process, &dg) == 0 ? 0 : 1);
	}
	return pid;
}

/* Its exit status; -1 when it does not end. */
static int
wait_end(pid_t pid)
{
	int status;

	for (int i = 0; i < 6000; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WEXITSTATUS(status);
		(void)poll(NULL, 0, 5);
	}
	return -1;
}

static bool
wait_file(int dir, const char *name)
{
	struct stat st;

	for (int i = 0; i < 6000; i++) {
		if (fstatat(dir, name, &st, 0) == 0)
			return true;
		(void)poll(NULL, 0, 5);
	}
	return false;
}

static int
make_session(void)
{
	int dir = open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK_INT(mkdirat(dir, "sidecar", 0700), 0);
	CHECK_INT(mkdirat(dir, "sidecar/conf", 0700), 0);
	return dir;
}

static void
test_life(void)
{
	cleanup_close int dir = make_session();
	pid_t agent = start_process();
	cleanup_free char *process = companion_process(agent);
	pid_t first;
	pid_t second;

	CHECK(process != NULL);
	CHECK(!companion_present(dir));
	first = start_companion(dir, process);
	CHECK(wait_file(dir, "sidecar/conf/" PROXYLIST_ADDRESSES));
	CHECK(companion_present(dir));
	/* It was killed once, and what it waits for is noticed again. */
	second = start_companion(dir, process);
	CHECK_INT(unlinkat(dir, "sidecar/conf/" PROXYLIST_ADDRESSES, 0), 0);
	CHECK_INT(kill(first, SIGKILL), 0);
	(void)wait_end(first);
	CHECK(wait_file(dir, "sidecar/conf/" PROXYLIST_ADDRESSES));
	CHECK(companion_present(dir));
	CHECK_INT(kill(agent, SIGKILL), 0);
	/* A zombie has ended, too. */
	CHECK_INT(wait_end(second), 0);
	CHECK(!companion_present(dir));
	(void)waitpid(agent, NULL, 0);
}

static void
test_only_one(void)
{
	cleanup_close int dir = make_session();
	pid_t agent = start_process();
	cleanup_free char *process = companion_process(agent);
	pid_t first = start_companion(dir, process);

	CHECK(wait_file(dir, "sidecar/conf/" PROXYLIST_ADDRESSES));
	CHECK_INT(wait_end(start_companion(dir, process)), 0);
	CHECK(companion_present(dir));
	CHECK_INT(kill(agent, SIGKILL), 0);
	CHECK_INT(wait_end(first), 0);
	(void)waitpid(agent, NULL, 0);
}

/* Its number may be another process's by now. */
static void
test_another_process(void)
{
	cleanup_close int dir = make_session();
	pid_t agent = start_process();
	cleanup_free char *process = companion_process(agent);
	cleanup_free char *other = xasprintf("%s9", process);
	struct stat st;

	CHECK_INT(wait_end(start_companion(dir, other)), 0);
	CHECK_INT(
	    fstatat(dir, "sidecar/conf/" PROXYLIST_ADDRESSES, &st, 0), -1);
	CHECK_INT(kill(agent, SIGKILL), 0);
	(void)waitpid(agent, NULL, 0);
	CHECK_INT(wait_end(start_companion(dir, process)), 0);
	CHECK_INT(wait_end(start_companion(dir, "no number")), 1);
	CHECK_STR(companion_process(agent), NULL);
	CHECK_STR(companion_process(-1), NULL);
}

/* A node of a cluster has an address for each of its services. */
static void
test_many_addresses(void)
{
	cleanup_close int dir = make_session();
	pid_t agent = start_process();
	cleanup_free char *process = companion_process(agent);
	struct stat st = { .st_size = 0 };
	pid_t companion;

	naddresses = 20000;
	companion = start_companion(dir, process);
	naddresses = 1;
	CHECK(wait_file(dir, "sidecar/conf/" PROXYLIST_ADDRESSES));
	CHECK_INT(fstatat(dir, "sidecar/conf/" PROXYLIST_ADDRESSES, &st, 0), 0);
	CHECK(st.st_size > 20000 * 10 && st.st_size < 20000 * 17);
	CHECK_INT(kill(agent, SIGKILL), 0);
	CHECK_INT(wait_end(companion), 0);
	(void)waitpid(agent, NULL, 0);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "it ends when the process does", test_life },
		{ "a session has one", test_only_one },
		{ "a list of many addresses is written whole",
		    test_many_addresses },
		{ "a number that is used again is another process",
		    test_another_process },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
