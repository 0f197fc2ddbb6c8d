/* SPDX-License-Identifier: MIT */
/* proxylog: the newest lines are kept, and the others are counted. */
#include "guest/proxylog.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "check.h"

#define LINE 1001 /* bytes */

static void
add_lines(unsigned long nr)
{
	struct proxylog log;

	proxylog_open(&log, check_tmpdir());
	for (unsigned long i = 1; i <= nr; i++) {
		cleanup_free char *line = xasprintf("%0*lu\n", LINE - 1, i);

		proxylog_add(&log, line, LINE);
	}
	proxylog_release(&log);
}

/* Which lines a file has, and what its first says was dropped before. */
struct lines {
	unsigned long first, last, dropped;
	off_t size; /* -1: no file */
};

static struct lines
read_lines(const char *name)
{
	static const char head[] = PROXYLOG_DROPPED;
	cleanup_free char *path = xasprintf("%s/%s", check_tmpdir(), name);
	struct lines l = { 0, 0, 0, -1 };
	char line[2000];
	struct stat st;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return l;
	CHECK_INT(fstat(fileno(f), &st), 0);
	l.size = st.st_size;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, head, strlen(head)) == 0) {
			l.dropped = strtoul(line + strlen(head), NULL, 10);
			continue;
		}
		CHECK_INT(strlen(line), LINE);
		l.last = strtoul(line, NULL, 10);
		if (l.first == 0)
			l.first = l.last;
	}
	(void)fclose(f);
	return l;
}

/* Nothing between the two files is lost, and each line is counted once. */
static void
test_newest(void)
{
	static const unsigned long runs[] = { 100, 3000, 9000 };
	unsigned long written = 0;

	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		struct lines last, before;

		add_lines(runs[i]);
		written += runs[i];
		last = read_lines(PROXYLOG_NEW);
		before = read_lines(PROXYLOG_OLD);
		CHECK_INT(last.last, runs[i]);
		CHECK(last.size <= (off_t)PROXYLOG_HALF + LINE);
		if (i == 0) {
			CHECK_INT(before.size, -1);
			continue;
		}
		CHECK(before.size > (off_t)PROXYLOG_HALF - LINE);
		CHECK(before.size <= (off_t)PROXYLOG_HALF + LINE);
		CHECK_INT(before.last + 1, last.first);
		if (i == 2)
			CHECK_INT(last.dropped + before.last - before.first +
				1 + last.last - last.first + 1,
			    written);
	}
}

/* A line that does not fit is left out whole. */
static void
test_full(void)
{
	const struct rlimit little = { 10 * LINE - 1, RLIM_INFINITY };
	struct rlimit before;
	struct lines l;

	CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &little), 0);
	add_lines(20);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
	l = read_lines(PROXYLOG_NEW);
	CHECK_INT(l.last, 9);
	CHECK_INT(l.size, 9 * LINE);
}

static void
test_no_directory(void)
{
	struct proxylog log;
	cleanup_free char *path = xasprintf("%s/none", check_tmpdir());

	proxylog_open(&log, path);
	proxylog_add(&log, "x\n", 2);
	CHECK_INT(log.fd, -1);
	proxylog_release(&log);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "the newest lines are kept, the rest is counted",
		    test_newest },
		{ "a full disk loses whole lines", test_full },
		{ "without a directory nothing is logged", test_no_directory },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
