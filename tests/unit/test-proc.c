/* SPDX-License-Identifier: MIT */
/* Children: what they get, and what comes back. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "proc-kit.h"

static void
output_is_apart_and_statuses_return(void)
{
	static const struct {
		const char *script;
		const char *out;
		const char *err;
		int status;
	} rows[] = {
		{ "exit 0", "", "", 0 },
		{ "echo a; echo b >&2; exit 42", "a\n", "b\n", 42 },
		{ "kill -9 $$", "", "", 137 },
		{ "kill -TERM $$", "", "", 143 },
		{ "cat", "", "", 0 },
		{ "pwd; env | grep -v ^PWD=", "/\n", "", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;

		proc_kit_script(rows[i].script, &r);
		CHECK_STR(r.out.buf, rows[i].out);
		CHECK_STR(r.err.buf, rows[i].err);
		CHECK_INT(r.status, rows[i].status);
		CHECK(!r.timed_out && !r.truncated);
	}
}

static void
the_environment_is_what_was_given(void)
{
	static const char *const argv[] = { "/usr/bin/env", NULL };
	static const char *const envp[] = { "A=1", "B=x y", NULL };
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;

	spec.argv = argv;
	spec.envp = envp;
	proc_kit_run(&spec, &r);
	CHECK_STR(r.out.buf, "A=1\nB=x y\n");
}

static void
input_arrives_whole(void)
{
	const char *const argv[] = { "/bin/cat", NULL };
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;
	size_t len = 3000000;
	cleanup_free char *big = xmalloc(len);

	for (size_t i = 0; i < len; i++)
		big[i] = (char)(i * 7 % 251);
	spec.argv = argv;
	spec.input = big;
	spec.input_len = len;
	spec.max_output = len;
	spec.timeout_ms = 20000;
	proc_kit_run(&spec, &r);
	CHECK_INT(r.out.len, len);
	CHECK(r.out.len == len && memcmp(r.out.buf, big, len) == 0);
	CHECK(!r.truncated);
	spec.input_len = 0;
	proc_kit_run(&spec, &r);
	CHECK_INT(r.out.len, 0);
}

static void
input_that_nobody_reads_is_no_failure(void)
{
	const char *const argv[] = SHELL("exec <&-; echo done");
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;
	cleanup_free char *big = xcalloc(1000000, 1);

	(void)signal(SIGPIPE, SIG_DFL);
	spec.argv = argv;
	spec.input = big;
	spec.input_len = 1000000;
	proc_kit_run(&spec, &r);
	CHECK_STR(r.out.buf, "done\n");
	CHECK_INT(r.status, 0);
}

/*
 * The numbers are chosen to collide: each source already stands where another
 * one is to go.
 */
static void
kept_descriptors_get_their_numbers(void)
{
	const char *const argv[] = SHELL("cat <&3; cat <&4; cat <&5; cat; "
					 "ls /proc/self/fd | wc -l; pwd");
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	static const char *const texts[] = { "c", "a", "b", "i" };
	int fds[4];
	cleanup_close int cwd = -1;
	int keep[3];

	CHECK_INT(fs_open_dir("/usr", &cwd, &dg), 0);
	for (size_t i = 0; i < 4; i++)
		CHECK_INT(fs_memfd("t", texts[i], 1, &fds[i], &dg), 0);
	keep[0] = fds[1];
	keep[1] = fds[2];
	keep[2] = fds[0];
	spec.argv = argv;
	spec.keep_fds = keep;
	spec.nkeep = 3;
	spec.stdin_fd = fds[3];
	spec.cwd_fd = cwd;
	proc_kit_run(&spec, &r);
	/* 0 to 5 and the one that ls reads with. */
	CHECK_STR(r.out.buf, "abci7\n/usr\n");
	CHECK_STR(r.err.buf, "");
	for (size_t i = 0; i < 4; i++)
		CHECK_INT(close(fds[i]), 0);
}

static void
children_start_with_clean_signals(void)
{
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	sigset_t set;
	sigset_t old;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, &old);
	/* The 28 lowest: libc keeps two high ones for itself. */
	proc_kit_script("sed -nE 's/^Sig(Blk|Ign):.*(.{7})$/\\1 \\2/p' "
			"/proc/self/status",
	    &r);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	CHECK_STR(r.out.buf, "Blk 0000000\nIgn 0000000\n");
}

static void
keep_line(void *arg, const char *line, size_t len)
{
	cleanup_free char *copy = xstrndup(line, len);

	strvec_push(arg, copy);
}

static void
lines_of_stderr_come_whole(void)
{
	const char *const argv[] =
	    SHELL("printf 'a\\nbc' >&2; printf 'd\\n\\nlast' >&2; echo out");
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	cleanup_strvec struct strvec lines = STRVEC_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;

	spec.argv = argv;
	spec.on_stderr_line = keep_line;
	spec.on_stderr_arg = &lines;
	proc_kit_run(&spec, &r);
	if (CHECK_INT(lines.nr, 4)) {
		CHECK_STR(lines.v[0], "a");
		CHECK_STR(lines.v[1], "bcd");
		CHECK_STR(lines.v[2], "");
		CHECK_STR(lines.v[3], "last");
	}
	CHECK_STR(r.err.buf, "a\nbcd\n\nlast");
}

static void
what_does_not_start_is_an_error(void)
{
	static const struct {
		const char *program;
		enum diag_class class;
		const char *message;
	} rows[] = {
		{ "/nonexistent", DIAG_IO,
		    "run /nonexistent: No such file or directory" },
		{ "/etc/passwd", DIAG_IO,
		    "run /etc/passwd: Permission denied" },
		{ "sh", DIAG_BUG, "run sh: not an absolute path" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		const char *const argv[] = { rows[i].program, NULL };
		struct proc_spec spec = PROC_SPEC_INIT;
		bool began = false;

		spec.argv = argv;
		spec.ret_began = &began;
		CHECK_INT(proc_run(&spec, &r, &dg), -1);
		CHECK_INT(dg.class, rows[i].class);
		CHECK_STR(dg.message, rows[i].message);
		CHECK(!began);
	}
}

static void
what_starts_has_begun(void)
{
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	const char *const argv[] = { "/bin/false", NULL };
	struct proc_spec spec = PROC_SPEC_INIT;
	bool began = false;

	spec.argv = argv;
	spec.ret_began = &began;
	CHECK_INT(proc_run(&spec, &r, &dg), 0);
	CHECK_INT(r.status, 1);
	CHECK(began);
}

static int
count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
nothing_is_left_open(void)
{
	cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	const char *const argv[] = { "/nonexistent", NULL };
	struct proc_spec spec = PROC_SPEC_INIT;
	int bad[] = { 0, 9999 };
	int before = count_fds();

	proc_kit_script("echo x", &r);
	spec.argv = argv;
	spec.input = "x";
	spec.input_len = 1;
	CHECK_INT(proc_run(&spec, &r, &dg), -1);
	diag_clear(&dg);
	spec.keep_fds = bad;
	spec.nkeep = 2;
	CHECK_INT(proc_run(&spec, &r, &dg), -1);
	CHECK_INT(dg.errnum, EBADF);
	CHECK_INT(count_fds(), before);
}

static const struct check_test tests[] = {
	{ "output comes apart, statuses and signals return",
	    output_is_apart_and_statuses_return },
	{ "the environment is what was given",
	    the_environment_is_what_was_given },
	{ "input arrives whole", input_arrives_whole },
	{ "input that nobody reads is no failure and no SIGPIPE",
	    input_that_nobody_reads_is_no_failure },
	{ "kept descriptors get their numbers and no other is there",
	    kept_descriptors_get_their_numbers },
	{ "a child starts with default signals, none blocked",
	    children_start_with_clean_signals },
	{ "lines of stderr come whole, also the last",
	    lines_of_stderr_come_whole },
	{ "what does not start is an error that names it",
	    what_does_not_start_is_an_error },
	{ "what starts has begun, whatever its end", what_starts_has_begun },
	{ "no descriptor is left open, also by failures",
	    nothing_is_left_open },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
