/* SPDX-License-Identifier: MIT */
/*
 * trace: stops a command at one of its calls.
 *
 * strace's --inject stops the process at each call before and after that one,
 * which takes longer than most of what is traced, and leaves open what close()
 * was called for.
 */
#include "trace.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "die.h"

#ifdef __x86_64__
#	define CALL_NUMBER offsetof(struct user_regs_struct, orig_rax)
#	define CALL_RESULT offsetof(struct user_regs_struct, rax)
#	define CALL_ARGUMENT offsetof(struct user_regs_struct, rdi)
#else
#	error \
	    "not known: where this processor has a call's number, argument and result"
#endif

void
trace_me(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 ||
	    kill(getpid(), SIGSTOP) != 0)
		_exit(DIE_STATUS);
}

static void
poke(pid_t pid, size_t where, long value)
{
	if (ptrace(PTRACE_POKEUSER, pid, where, value) != 0)
		die("change a register");
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

/*
 * Until its first SIGSTOP.  A signal that comes before, as one of its terminal
 * may, goes on; were SIGSTOP to do so, too, it would stop when it is let go.
 */
static bool
wait_for_stop(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		if (WSTOPSIG(status) == SIGSTOP)
			return true;
		if (ptrace(PTRACE_CONT, pid, NULL, (long)WSTOPSIG(status)) != 0)
			return false;
	}
	return false;
}

/* The child of a traced process is traced, too: it need not be. */
static void
let_go_of_child(pid_t pid)
{
	unsigned long child;

	if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child) != 0 ||
	    !wait_for_stop((pid_t)child) ||
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

/*
 * The call is not made, but for two: a descriptor is closed whatever close()
 * says of its file; and brk() has no errno, but gives the break that it could
 * not move, as it does for 0.  Returns the argument.
 */
static long
prevent(pid_t pid, long number)
{
	long argument = ptrace(PTRACE_PEEKUSER, pid, CALL_ARGUMENT, NULL);

	if (number == SYS_brk)
		poke(pid, CALL_ARGUMENT, 0);
	else if (number != SYS_close)
		poke(pid, CALL_NUMBER, -1);
	return argument;
}

/* Lets it go up to the call, and fails that.  Returns the process's status when
 * it ended before, else -1. */
static int
trace(pid_t pid, const struct injection *in, bool *ret_hit)
{
	long children = 0;
	bool inside = false;
	bool done = false;
	long argument = 0;
	int execs = 0;
	long n = 0;
	int status;
	int sig = 0;

	while (go_on(pid, children == in->children, sig, &status)) {
		sig = WSTOPSIG(status);
		if (status >> 16 != 0) {
			sig = 0;
			/* The first is drydock; what takes its place is not. */
			if (status >> 16 == PTRACE_EVENT_EXEC && ++execs == 2)
				return -1;
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
			if (in->number == SYS_brk)
				poke(pid, CALL_ARGUMENT, argument);
			else
				poke(pid, CALL_RESULT, -(long)in->error);
			return -1;
		}
		if (!inside || !is_due(pid, in, &n))
			continue;
		*ret_hit = true;
		if (in->error == 0) {
			(void)kill(pid, SIGKILL);
			return -1;
		}
		argument = prevent(pid, in->number);
		done = true;
	}
	return status;
}

int
trace_child(pid_t pid, const struct injection *in, bool *ret_hit)
{
	int status;

	*ret_hit = false;
	if (!wait_for_stop(pid))
		die("start");
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL,
		PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
		    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		    PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) != 0)
		die("trace");
	status = trace(pid, in, ret_hit);
	if (status == -1) {
		/* What follows goes at its own pace. */
		(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
		if (waitpid(pid, &status, 0) != pid)
			die("wait");
	}
	return status;
}
