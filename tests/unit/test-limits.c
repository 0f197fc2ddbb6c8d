/* SPDX-License-Identifier: MIT */
/*
 * The holder at limits that other processes of its user, or the container's
 * own, use up: they cost one client, and never the command or its end.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "session/endnote.h"

#include <fcntl.h>

#include "check.h"
#include "holder-kit.h"

#define INSIDE_VIEWERS 17
#define STILL_VIEWERS 12
#define LINES 60000 /* of a hundred bytes each: more than a viewer's buffer */
#define MEMORY ((rlim_t)24 << 20)

/* From now on the calls, a list that ends with -1, fail with errnum. */
static bool
deny(const long *calls, int errnum)
{
	struct sock_filter code[2 + 2 * 8 + 1];
	unsigned short n = 0;
	code[n++] = (struct sock_filter)BPF_STMT(
	    BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (; *calls != -1; calls++) {
		code[n++] = (struct sock_filter)BPF_JUMP(
		    BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)*calls, 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(
		    BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)errnum);
	}
	code[n++] =
	    (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog prog = { n, code };
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0;
}

static bool
deny_watches(const struct kit *kit)
{
	static const long calls[] = { SYS_epoll_create1, SYS_epoll_ctl,
		SYS_inotify_init1, SYS_timerfd_create, -1 };
	(void)kit;
	return deny(calls, ENOSPC);
}

static bool
deny_processes(const struct kit *kit)
{
	static const long calls[] = { SYS_clone, SYS_clone3, -1 };
	(void)kit;
	return deny(calls, EAGAIN);
}

static bool
deny_memory(const struct kit *kit)
{
	const struct rlimit limit = { MEMORY, MEMORY };
	(void)kit;
	return setrlimit(RLIMIT_AS, &limit) == 0;
}

/* The holder as the first process of a pid namespace: we are outside of it. */
static bool
enter_namespace(const struct kit *kit)
{
	int status;
	(void)kit;
	if (unshare(CLONE_NEWPID) == -1)
		return false;
	pid_t pid = fork();
	if (pid == 0)
		return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
	(void)close(STDERR_FILENO);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
	}
	_exit(
	    WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* The connection of who gave the command, or -1. */
static int
start(struct kit *kit, bool (*in_child)(const struct kit *kit),
    const char *const *argv)
{
	const struct kit_go go = { .tty = true, .argv = argv };
	if (!kit_make(kit))
		return -1;
	const char *const args[] = { "hold", "--build", "--run", kit->run,
		"--policy", kit->policy, "--manifest", kit->manifest, NULL };
	kit->in_child = in_child;
	if (!kit_spawn(kit, args))
		return -1;
	int fd = kit_greet(kit, NULL);
	if (fd != -1)
		(void)kit_go(fd, &go);
	return fd;
}

/* -1: no end is noted. */
static int
noted(const struct kit *kit)
{
	char path[300];
	cleanup_diag struct diag dg = DIAG_INIT;
	bool is = false;
	int status = -1;
	(void)snprintf(path, sizeof(path), "%s/..", kit->run);
	cleanup_close int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(endnote_read(dir, &is, &status, &dg), 0);
	return is ? status : -1;
}

static int
view(struct kit *kit)
{
	cleanup_strbuf struct strbuf frame = STRBUF_INIT;
	int fd = kit_greet(kit, NULL);
	wire_add_size(&frame, WIRE_VIEW, (struct wire_size){ 30, 100 });
	CHECK(kit_send(fd, &frame));
	return fd;
}

static void
no_watch_is_needed(void)
{
	static const char *const argv[] = { "sh", "-c",
		"stty -echo; echo ready; read x; echo seen $x; exit 5", NULL };
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	struct kit_output other = KIT_OUTPUT_INIT;
	int fd = start(&kit, deny_watches, argv);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "ready"));
	int second = view(&kit);
	CHECK(kit_read_until(second, &other, "ready"));
	CHECK(kit_send_frame(second, WIRE_INPUT, "go\r", 3));
	kit_collect(fd, &o);
	kit_collect(second, &other);
	CHECK(strstr(o.out.buf, "seen go") != NULL);
	CHECK_INT(o.status, 5);
	CHECK_INT(other.status, 5);
	CHECK_INT(kit_wait(&kit), 5);
	CHECK_INT(noted(&kit), 5);
	kit_output_release(&o);
	kit_output_release(&other);
}

/* Nothing ran, so nothing has ended: what was there before may go on. */
static void
no_process_is_no_end(void)
{
	static const char *const argv[] = { "true", NULL };
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	int fd = start(&kit, deny_processes, argv);
	if (fd == -1)
		return;
	kit_collect(fd, &o);
	CHECK(!o.started);
	CHECK_STR(o.text, "fork: Resource temporarily unavailable");
	CHECK_INT(o.status, 126);
	CHECK_INT(kit_wait(&kit), 126);
	CHECK_INT(noted(&kit), -1);
	kit_output_release(&o);
}

/* Those who stand still would need 48 MiB. */
static void
memory_costs_a_viewer(void)
{
	cleanup_free char *script = xasprintf(
	    "stty -echo; echo ready; read x; seq -f %%098.0f 1 %d; exit 5",
	    LINES);
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	int still[STILL_VIEWERS];
	int fd = start(&kit, deny_memory, argv);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "ready"));
	for (size_t i = 0; i < STILL_VIEWERS; i++)
		still[i] = view(&kit);
	CHECK(kit_send_frame(fd, WIRE_INPUT, "go\r", 3));
	kit_collect(fd, &o);
	CHECK(o.out.len > (size_t)LINES * 100);
	CHECK_INT(o.status, 5);
	CHECK_INT(kit_wait(&kit), 5);
	CHECK_INT(noted(&kit), 5);
	for (size_t i = 0; i < STILL_VIEWERS; i++)
		(void)close(still[i]);
	kit_output_release(&o);
}

/* A process of the same user may take away what the holder has. */
static void
no_descriptor_is_needed(void)
{
	static const char *const argv[] = { "sh", "-c",
		"stty -echo; echo ready; read x; exit 5", NULL };
	const struct rlimit none = { 0, 0 };
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	int fd = start(&kit, NULL, argv);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "ready"));
	CHECK_INT(prlimit(kit.pid, RLIMIT_NOFILE, &none, NULL), 0);
	CHECK(kit_send_frame(fd, WIRE_INPUT, "go\r", 3));
	kit_collect(fd, &o);
	CHECK_INT(o.status, 5);
	CHECK_INT(kit_wait(&kit), 5);
	CHECK_INT(noted(&kit), 5);
	kit_output_release(&o);
}

/* What the command runs: viewers of its own, until it is told to end. */
static int
be_viewers(const char *run)
{
	struct kit kit = { .pid = -1 };
	struct wire_hello hello;
	char word[8];
	(void)snprintf(kit.run, sizeof(kit.run), "%s", run);
	for (int i = 0; i < INSIDE_VIEWERS; i++) {
		if (view(&kit) == -1)
			return 9;
	}
	if (kit_greet(&kit, &hello) == -1)
		return 8;
	(void)puts("viewers");
	(void)fflush(stdout);
	return fgets(word, sizeof(word), stdin) != NULL ? 5 : 7;
}

static void
viewers_inside_take_no_place(void)
{
	char self[300] = "";
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	struct kit_output other = KIT_OUTPUT_INIT;
	const char *argv[] = { self, "viewers", kit.run, NULL };
	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	int fd = start(&kit, enter_namespace, argv);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "viewers"));
	int second = view(&kit);
	CHECK(kit_read_until(second, &other, "viewers"));
	CHECK(kit_send_frame(fd, WIRE_INPUT, "go\r", 3));
	kit_collect(fd, &o);
	kit_collect(second, &other);
	CHECK_INT(o.status, 5);
	CHECK_INT(other.status, 5);
	CHECK_INT(kit_wait(&kit), 5);
	kit_output_release(&o);
	kit_output_release(&other);
}

static const struct check_test tests[] = {
	{ "no epoll watch, timer or inotify descriptor is needed",
	    no_watch_is_needed },
	{ "a command that no process is left for has not ended",
	    no_process_is_no_end },
	{ "memory that runs out costs a viewer", memory_costs_a_viewer },
	{ "no descriptor is needed while the command runs",
	    no_descriptor_is_needed },
	{ "seventeen viewers from inside leave the user's",
	    viewers_inside_take_no_place },
};

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "viewers") == 0)
		/* LeakSanitizer fails where /proc is of another namespace. */
		_exit(be_viewers(argv[2]));
	return check_run(tests, ARRAY_SIZE(tests));
}
