/* SPDX-License-Identifier: MIT */
/*
 * proc: children with a deadline and bounded output.
 *
 * A child gets an absolute program, an explicit environment, its own process
 * group, default signals, fds 0 to 2 and those it is meant to keep, nothing
 * else.  No shell is ever between.
 */
#ifndef DRYDOCK_PROC_H
#define DRYDOCK_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/strbuf.h"

struct diag;

/*
 * Somebody may lose patience with a child: when fd can be read, leave() is
 * called, which reads it.  When it says true the child is left to itself.
 */
struct proc_interrupt {
	int fd;
	bool (*leave)(void *arg);
	void *arg;
};

struct proc_spec {
	const char *const *argv; /* borrowed; argv[0] is an absolute path */
	const char *const *envp; /* borrowed; NULL is the empty environment */
	int cwd_fd; /* -1: "/" */
	int stdin_fd; /* -1: /dev/null, unless input is set */
	const void *input; /* borrowed; written to the child's stdin */
	size_t input_len;
	const int *keep_fds; /* borrowed; become 3, 4, ... in the child */
	size_t nkeep;
	int timeout_ms; /* 0: none */
	size_t max_output; /* bytes for each of stdout and stderr; 0: 1 MiB */
	/* When set, called with each whole line of stderr as it comes. */
	void (*on_stderr_line)(void *arg, const char *line, size_t len);
	void *on_stderr_arg;
	const struct proc_interrupt *interrupt; /* stays to the end; or NULL */
	/* When set, becomes true once there is a child, whatever fails then. */
	bool *ret_began;
};

#define PROC_SPEC_INIT                       \
	{                                    \
		.cwd_fd = -1, .stdin_fd = -1 \
	}

struct proc_result {
	int status; /* exit status, or 128 + signal */
	bool timed_out; /* the deadline passed; the group was killed */
	bool truncated; /* more than max_output came; the group was killed */
	bool left; /* it goes on, without a reader; status says nothing */
	struct strbuf out;
	struct strbuf err;
};

#define PROC_RESULT_INIT                                         \
	{                                                        \
		0, false, false, false, STRBUF_INIT, STRBUF_INIT \
	}

/* A child under way.  Contents belong to proc.c. */
struct proc;

/*
 * Starts; spec and what it points at may go afterwards, input may not.  A
 * program that cannot be executed is DIAG_IO ("run PROGRAM: ...").  SIGCHLD
 * may not be ignored: the status would be lost.
 */
int proc_start(
    const struct proc_spec *spec, struct proc **ret_proc, struct diag *dg);

/*
 * Reads to the end, waits, frees proc (given, also on failure).  A deadline
 * that passed or output that was cut is no failure of this function: callers
 * look at *ret; status is 137 unless it had ended before.  When the child is
 * gone, grandchildren that still hold its pipes have one second, then the
 * group is killed.  What *ret held before is released; it is releasable after
 * a failure too.
 */
int proc_finish(struct proc *proc, struct proc_result *ret, struct diag *dg);

/* Start and finish. */
int proc_run(
    const struct proc_spec *spec, struct proc_result *ret, struct diag *dg);

/*
 * Starts a program that outlives us, in a session of its own, with /dev/null at
 * 0 to 2.  Of spec argv, envp, cwd_fd and keep_fds count.  Nobody waits for it:
 * when it ends first, its exit status stays with the kernel until we end.
 */
int proc_detach(const struct proc_spec *spec, struct diag *dg);

/* Kills the group, reaps, frees.  NULL is accepted. */
void proc_cancel(struct proc *proc);

void proc_result_release(struct proc_result *r);

/* Where a system has its programs. */
#define PROC_SYSTEM_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#define cleanup_proc_result __attribute__((cleanup(proc_result_release)))

#endif /* DRYDOCK_PROC_H */
