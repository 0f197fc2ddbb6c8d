/* SPDX-License-Identifier: MIT */
/*
 * trace: a command of which one system call fails, or is its last.
 *
 * It is for tests: what fails ends the program with words.
 */
#ifndef DRYDOCK_TESTS_TRACE_H
#define DRYDOCK_TESTS_TRACE_H

#include <stdbool.h>
#include <sys/types.h>

/* Of the calls after that many children were begun the nth of this number is
 * not made: it gives error, or for 0 the process is killed at it. */
struct injection {
	long children;
	long number;
	long n;
	int error;
};

/* In the child that becomes the command, before execve(). */
void trace_me(void);
/* Until the command ends.  Returns its status, as waitpid() has it; ret_hit:
 * whether it came to that call. */
int trace_child(pid_t pid, const struct injection *in, bool *ret_hit);

#endif /* DRYDOCK_TESTS_TRACE_H */
