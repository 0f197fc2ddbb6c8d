/* SPDX-License-Identifier: MIT */
/*
 * inject: runs a command of which one system call fails, or is its last.
 *
 * usage: inject HIT CHILDREN NUMBER N ERRNO COMMAND [ARGUMENT]...
 *
 * Of the calls after that many CHILDREN were begun the Nth of this NUMBER is
 * not made: it gives ERRNO, or for 0 the process is killed at it.  The file HIT
 * is there afterwards when it came to that.  strace's --inject stops the process
 * at each call before and after that one, which takes longer than most of what
 * is traced, and leaves open what close() was called for.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define BROKEN 99

#ifdef __x86_64__
#	define CALL_NUMBER offsetof(struct user_regs_struct, orig_rax)
#	define CALL_RESULT offsetof(struct user_regs_struct, rax)
#else
#	error \
	    "not known: where this processor has a call's number and its result"
#endif

struct injection {
	const char *hit;
	long children;
	long number;
	long n;
	long error;
};

static void
die(const char *what)
{
	(void)fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(BROKEN);
}

static long
read_number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0')
		die(text);
	return n;
}

static pid_t
start(char **argv)
{
	pid_t pid = fork();

	if (pid == -1)
		die("fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 ||
		    kill(getpid(), SIGSTOP) != 0)
			_exit(BROKEN);
		(void)execv(argv[0], argv);
		_exit(BROKEN);
	}
	return pid;
}

static void
poke(pid_t pid, size_t where, long value)
{
	if (ptrace(PTRACE_POKEUSER, pid, where, value) != 0)
		die("change a register");
}

static void
note(const struct injection *in)
{
	int fd = open(in->hit, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1 || close(fd) != 0)
		die(in->hit);
}

/* Until the process stops again or ends: false at its end. */
static bool
go_on(pid_t pid, bool at_calls, int sig, int *ret_status)
{
	if (ptrace(at_calls ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL,
		(long)sig) != 0 &&
	    errno != ESRCH)
		die("go on");
	if (waitpid(pid, ret_status, 0) != pid)
		die("wait");
	return WIFSTOPPED(*ret_status);
}

/* The child of a traced process is traced, too: it need not be. */
static void
let_go_of_child(pid_t pid)
{
	unsigned long child;
	int status;

	if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child) != 0 ||
	    waitpid((pid_t)child, &status, __WALL) != (pid_t)child ||
	    ptrace(PTRACE_DETACH, (pid_t)child, NULL, NULL) != 0)
		die("a child");
}

/* Whether it stopped with a child begun. */
static bool
has_begun_child(int status)
{
	switch (status >> 16) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		return true;
	default:
		return false;
	}
}

/* At a call's beginning: whether it is the one. */
static bool
is_due(pid_t pid, const struct injection *in, long *n)
{
	return ptrace(PTRACE_PEEKUSER, pid, CALL_NUMBER, NULL) == in->number &&
	    ++*n == in->n;
}

/* Lets it go up to the call, and fails that.  Returns the process's status when
 * it ended before, else -1. */
static int
trace(pid_t pid, const struct injection *in)
{
	long children = 0;
	bool inside = false;
	bool done = false;
	long n = 0;
	int status;
	int sig = 0;

	while (go_on(pid, children == in->children, sig, &status)) {
		sig = WSTOPSIG(status);
		if (status >> 16 != 0) {
			sig = 0;
			if (has_begun_child(status)) {
				let_go_of_child(pid);
				/* The call that made it ends now. */
				inside = ++children == in->children;
			}
		}
		if (sig != (SIGTRAP | 0x80))
			continue;
		sig = 0;
		inside = !inside;
		if (done) {
			poke(pid, CALL_RESULT, -in->error);
			return -1;
		}
		if (!inside || !is_due(pid, in, &n))
			continue;
		note(in);
		if (in->error == 0) {
			(void)kill(pid, SIGKILL);
			return -1;
		}
		/* A descriptor is closed whatever close() says of its file. */
		if (in->number != SYS_close)
			poke(pid, CALL_NUMBER, -1);
		done = true;
	}
	return status;
}

int
main(int argc, char **argv)
{
	const struct rlimit no_core = { 0, 0 };
	struct injection in;
	pid_t pid;
	int status;

	if (argc < 7)
		die("usage: HIT CHILDREN NUMBER N ERRNO COMMAND...");
	in = (struct injection){ argv[1], read_number(argv[2]),
		read_number(argv[3]), read_number(argv[4]),
		read_number(argv[5]) };
	pid = start(argv + 6);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		die("start");
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL,
		PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
		    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		    PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) != 0)
		die("trace");
	status = trace(pid, &in);
	if (status == -1) {
		/* What follows goes at its own pace. */
		(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
		if (waitpid(pid, &status, 0) != pid)
			die("wait");
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)signal(WTERMSIG(status), SIG_DFL);
	(void)raise(WTERMSIG(status));
	return BROKEN;
}
