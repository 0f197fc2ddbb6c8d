/* SPDX-License-Identifier: MIT */
/* check: runs a table of tests and prints TAP. */
#include "check.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static struct {
	bool failed;
	const char *skipped;
	char tmpdir[PATH_MAX];
} running;

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	/* A directory without permissions comes before its contents fail. */
	if (type == FTW_DNR)
		(void)chmod(path, 0700);
	return remove(path);
}

static int
open_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	if (type == FTW_DNR || (type == FTW_D && (st->st_mode & 0700) != 0700))
		(void)chmod(path, 0700);
	return 0;
}

static void
remove_tmpdir(void)
{
	if (running.tmpdir[0] == '\0')
		return;
	(void)nftw(running.tmpdir, open_one, 16, FTW_PHYS);
	(void)nftw(running.tmpdir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	running.tmpdir[0] = '\0';
}

const char *
check_tmpdir(void)
{
	if (running.tmpdir[0] != '\0')
		return running.tmpdir;
	const char *parent = getenv("TMPDIR");
	if (parent == NULL || parent[0] != '/')
		parent = "/tmp";
	int n = snprintf(running.tmpdir, sizeof(running.tmpdir),
	    "%s/drydock-test.XXXXXX", parent);
	if (n < 0 || (size_t)n >= sizeof(running.tmpdir) ||
	    mkdtemp(running.tmpdir) == NULL) {
		printf("Bail out! no directory in %s\n", parent);
		(void)fflush(stdout);
		_exit(99);
	}
	return running.tmpdir;
}

bool
check_all_cases(void)
{
	const char *cases = getenv("DRYDOCK_TEST_CASES");

	return cases != NULL && strcmp(cases, "all") == 0;
}

void
check_processor_limit(unsigned int seconds)
{
	struct itimerval limit = { .it_value.tv_sec = seconds };

	(void)setitimer(ITIMER_PROF, &limit, NULL);
}

char *
check_stderr(void (*print)(void *arg), void *arg)
{
	FILE *file = tmpfile();
	int old = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	char buf[4096];
	ssize_t n = -1;

	if (CHECK(file != NULL && old >= 0)) {
		(void)fflush(stderr);
		(void)dup2(fileno(file), STDERR_FILENO);
		print(arg);
		(void)fflush(stderr);
		(void)dup2(old, STDERR_FILENO);
		n = pread(fileno(file), buf, sizeof(buf), 0);
	}
	if (file != NULL)
		(void)fclose(file);
	if (old >= 0)
		(void)close(old);
	return strndup(buf, n > 0 ? (size_t)n : 0);
}

bool
check_true(const char *file, int line, const char *what, bool got)
{
	if (got)
		return true;
	running.failed = true;
	printf("# %s:%d: %s: false\n", file, line, what);
	return false;
}

bool
check_int(
    const char *file, int line, const char *what, intmax_t got, intmax_t want)
{
	if (got == want)
		return true;
	running.failed = true;
	printf("# %s:%d: %s: got %jd, want %jd\n", file, line, what, got, want);
	return false;
}

/* Keeps a TAP comment on one line whatever the string holds. */
static void
print_string(const char *s)
{
	if (s == NULL) {
		(void)fputs("NULL", stdout);
		return;
	}
	(void)putchar('"');
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			printf("\\x%02x", c);
		else
			(void)putchar(c);
	}
	(void)putchar('"');
}

static bool
fail_string(const char *file, int line, const char *what, const char *got,
    const char *wanted, const char *want)
{
	running.failed = true;
	printf("# %s:%d: %s: got ", file, line, what);
	print_string(got);
	printf(", %s ", wanted);
	print_string(want);
	(void)putchar('\n');
	return false;
}

bool
check_str(const char *file, int line, const char *what, const char *got,
    const char *want)
{
	if (got == want ||
	    (got != NULL && want != NULL && strcmp(got, want) == 0))
		return true;
	return fail_string(file, line, what, got, "want", want);
}

bool
check_has(const char *file, int line, const char *what, const char *got,
    const char *part)
{
	if (got != NULL && strstr(got, part) != NULL)
		return true;
	return fail_string(file, line, what, got, "want in it", part);
}

void
check_skip(const char *reason)
{
	running.skipped = reason;
}

int
check_run(const struct check_test *tests, size_t n)
{
	int failures = 0;
	printf("1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		/* A test that crashes must not take the plan with it. */
		(void)fflush(stdout);
		running.failed = false;
		running.skipped = NULL;
		tests[i].run();
		check_processor_limit(0);
		remove_tmpdir();
		printf("%sok %zu - %s", running.failed ? "not " : "", i + 1,
		    tests[i].name);
		if (running.skipped != NULL && !running.failed)
			printf(" # SKIP %s", running.skipped);
		(void)putchar('\n');
		if (running.failed)
			failures++;
	}
	return fflush(stdout) != 0 || failures > 0 ? 1 : 0;
}
