/* SPDX-License-Identifier: MIT */
/* Children: how long they may take, how much they may say, and their end. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/monotime.h"
#include "base/proc.h"
#include "base/xalloc.h"
#include "proc-kit.h"

/* Reads of at least so many bytes fail. */
static size_t bad_from = SIZE_MAX;

__typeof__(read) __wrap_read;
__typeof__(read) __real_read;

ssize_t
__wrap_read(int fd, void *buf, size_t len)
{
	if (len >= bad_from) {
		errno = EIO;
		return -1;
	}
	return __real_read(fd, buf, len);
}

/* Whether the process that wrote its pid to text is gone or a zombie. */
static bool
is_dead(const char *text)
{
	cleanup_free char *path =
	    xasprintf("/proc/%.*s/stat", (int)strcspn(text, "\n"), text);
	char buf[256] = "";
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *p;

	if (fd < 0 || read(fd, buf, sizeof(buf) - 1) <= 0)
		return true;
	p = strrchr(buf, ')');
	return p != NULL && (p[2] == 'Z' || p[2] == 'X');
}

static bool
dies_soon(const char *text)
{
	for (int i = 0; i < PATIENCE / 10; i++) {
		if (is_dead(text))
			return true;
		(void)poll(NULL, 0, 10);
	}
	return false;
}

static void
a_deadline_kills_the_group(void)
{
	const char *const argv[] =
	    SHELL("sleep 1000 & echo $!; trap '' TERM; wait");
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;
	int64_t start = monotime_ms();

	spec.argv = argv;
	spec.timeout_ms = 3000;
	proc_kit_run(&spec, &r);
	CHECK(r.timed_out);
	CHECK_INT(r.status, 137);
	CHECK(monotime_ms() - start >= 3000);
	CHECK(monotime_ms() - start < PATIENCE);
	CHECK(r.out.len > 0 && dies_soon(r.out.buf));
}

static void
a_deadline_holds_against_output(void)
{
	const char *const argv[] = SHELL("while :; do echo x; done");
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;

	spec.argv = argv;
	spec.timeout_ms = 200;
	spec.max_output = 1 << 30;
	proc_kit_run(&spec, &r);
	CHECK(r.timed_out);
}

static void
output_is_bounded(void)
{
	const char *const argv[] = SHELL("while :; do echo 0123456789; done");
	const char *const exact[] = SHELL("printf 0123456789");
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;

	spec.argv = argv;
	spec.timeout_ms = PATIENCE;
	spec.max_output = 25;
	proc_kit_run(&spec, &r);
	CHECK(r.truncated && !r.timed_out);
	CHECK_STR(r.out.buf, "0123456789\n0123456789\n012");
	CHECK_INT(r.status, 137);
	spec.argv = exact;
	spec.max_output = 10;
	proc_kit_run(&spec, &r);
	CHECK(!r.truncated);
	CHECK_STR(r.out.buf, "0123456789");
	CHECK_INT(r.status, 0);
}

static void
grandchildren_do_not_hold_us(void)
{
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	int64_t start = monotime_ms();

	proc_kit_script("sleep 1000 & echo $!; exit 5", &r);
	CHECK(monotime_ms() - start < PATIENCE);
	CHECK_INT(r.status, 5);
	CHECK(!r.timed_out);
	CHECK(r.out.len > 0 && dies_soon(r.out.buf));
}

static void
cancelling_kills(void)
{
	const char *const argv[] = SHELL("echo $$; exec sleep 1000");
	struct proc_spec spec = PROC_SPEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct proc *p = NULL;
	int64_t start = monotime_ms();

	spec.argv = argv;
	CHECK_INT(proc_start(&spec, &p, &dg), 0);
	proc_cancel(p);
	proc_cancel(NULL);
	CHECK(monotime_ms() - start < PATIENCE);
}

/* Takes a byte; the second one is too much. */
static bool
lose_patience(void *arg)
{
	int *fd = arg;
	char byte;

	CHECK_INT(read(fd[0], &byte, 1), 1);
	return byte == '2';
}

static void
an_interrupt_leaves_the_child(void)
{
	const char *const argv[] =
	    SHELL("echo $$; printf 1 >&3; printf 2 >&3; exec sleep 1000");
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;
	int fds[2] = { -1, -1 };
	struct proc_interrupt interrupt = { -1, lose_patience, fds };

	CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
	interrupt.fd = fds[0];
	spec.argv = argv;
	spec.keep_fds = &fds[1];
	spec.nkeep = 1;
	spec.interrupt = &interrupt;
	spec.timeout_ms = PATIENCE;
	proc_kit_run(&spec, &r);
	CHECK(r.left && !r.timed_out);
	/* What it said before the first byte was read by then. */
	if (CHECK(r.out.len > 0)) {
		CHECK(!is_dead(r.out.buf));
		CHECK_INT(kill((pid_t)strtol(r.out.buf, NULL, 10), SIGKILL), 0);
	}
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* What could not be read is not the end of what was said. */
static void
an_error_is_no_end(void)
{
	const char *const argv[] = SHELL("echo one");
	struct proc_spec spec = PROC_SPEC_INIT;
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	spec.argv = argv;
	bad_from = 4096;
	CHECK_INT(proc_run(&spec, &r, &dg), -1);
	bad_from = SIZE_MAX;
	CHECK_INT(dg.class, DIAG_IO);
	CHECK_INT(dg.errnum, EIO);
}

static const struct check_test tests[] = {
	{ "a deadline kills the group, grandchildren too",
	    a_deadline_kills_the_group },
	{ "a deadline holds against endless output",
	    a_deadline_holds_against_output },
	{ "output over the bound is cut and flagged", output_is_bounded },
	{ "output that cannot be read is a failure", an_error_is_no_end },
	{ "grandchildren that hold the pipes do not hold us",
	    grandchildren_do_not_hold_us },
	{ "cancelling kills and reaps", cancelling_kills },
	{ "who loses patience leaves the child to itself",
	    an_interrupt_leaves_the_child },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
