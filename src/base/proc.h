/* SPDX-License-Identifier: MIT */
/*
 * proc: child processes with a deadline and bounded output.
 *
 * A child gets an absolute program path, an explicit environment, its own
 * process group, default signal dispositions, descriptors 0 to 2 and those in
 * keep_fds.  All other descriptors are closed.  No shell is involved.
 */
#ifndef DRYDOCK_PROC_H
#define DRYDOCK_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/strbuf.h"

struct diag;

/*
 * Detaches from a running child on request.  When fd becomes readable, leave()
 * is called and must read from fd.  If leave() returns true, proc_finish()
 * returns while the child keeps running.
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
	/* If set, called for each whole line of stderr as it arrives. */
	void (*on_stderr_line)(void *arg, const char *line, size_t len);
	void *on_stderr_arg;
	const struct proc_interrupt *interrupt; /* borrowed; or NULL */
	/*
	 * If set, becomes true when the child exists, even on a later failure.
	 */
	bool *ret_began;
};

#define PROC_SPEC_INIT                       \
	{                                    \
		.cwd_fd = -1, .stdin_fd = -1 \
	}

struct proc_result {
	int status; /* exit status, or 128 + signal */
	bool timed_out; /* the deadline passed; the group was killed */
	bool truncated; /* over max_output; the group was killed */
	bool left; /* detached and still running; status is unset */
	struct strbuf out;
	struct strbuf err;
};

#define PROC_RESULT_INIT                                         \
	{                                                        \
		0, false, false, false, STRBUF_INIT, STRBUF_INIT \
	}

/* A running child.  The contents are private to proc.c. */
struct proc;

/*
 * Starts a child.  spec and the data it points at may be freed afterwards,
 * except input and interrupt.  A program that cannot be executed is DIAG_IO
 * ("run PROGRAM: ...").  SIGCHLD must not be ignored, or the exit status would
 * be lost.
 */
int proc_start(
    const struct proc_spec *spec, struct proc **ret_proc, struct diag *dg);

/*
 * Reads the output to its end, waits for the child and frees proc (given, also
 * on failure).  A missed deadline and truncated output are not failures:
 * callers check *ret.  A killed child has status 137.  After the child's exit,
 * grandchildren that still hold its pipes get one second; then the group is
 * killed.  The previous contents of *ret are released.  *ret is releasable
 * after a failure too.
 */
int proc_finish(struct proc *proc, struct proc_result *ret, struct diag *dg);

/* proc_start() and proc_finish(). */
int proc_run(
    const struct proc_spec *spec, struct proc_result *ret, struct diag *dg);

/*
 * Starts a program that outlives this process, in its own session, with
 * /dev/null as descriptors 0 to 2.  Only argv, envp, cwd_fd and keep_fds of
 * spec are used.  This process does not wait for the program: a program that
 * exits first stays a zombie until this process exits.
 */
int proc_detach(const struct proc_spec *spec, struct diag *dg);

/* Kills the group, reaps the child, frees proc.  NULL is accepted. */
void proc_cancel(struct proc *proc);

void proc_result_release(struct proc_result *r);

/* The system's default PATH. */
#define PROC_SYSTEM_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#define cleanup_proc_result __attribute__((cleanup(proc_result_release)))

#endif /* DRYDOCK_PROC_H */
