/* SPDX-License-Identifier: MIT */
/*
 * The files of a control group, and which one a process is in: no limit is
 * read that is not written there.  The parsers are private to their files.
 */
#include "plan/cgroup.c"
#include "plan/procfacts.c"

#include <unistd.h>

#include "fuzz.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
check_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	int64_t value = number_of(text);
	cleanup_free char *again = xasprintf("%" PRId64, value);
	size_t zeros = strspn(text, "0");

	FUZZ_CHECK(value >= -1);
	if (value == -1)
		return;
	/* A number, and behind it nothing or a blank. */
	FUZZ_CHECK(digits > 0);
	FUZZ_CHECK(strchr(" \n", text[digits]) != NULL);
	zeros -= zeros == digits;
	FUZZ_CHECK(strlen(again) == digits - zeros);
	FUZZ_CHECK(memcmp(again, text + zeros, digits - zeros) == 0);
}

/* Both controllers' groups name the container. */
static void
check_group(const char *text)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = cgroup_check(text, ID, &dg);

	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_POLICY);
	else
		FUZZ_CHECK(strstr(text, ID) != NULL);
	fuzz_outcome(rc, &dg);
	for (const char *line = text; rc == 0 && line != NULL;
	     line = strchr(line, '\n')) {
		line += *line == '\n';
		const char *colon = strchr(line, ':');
		if (colon == NULL)
			break;
		if (strncmp(colon, ":memory:", 8) == 0) {
			/* The first such line, which is the one that counts. */
			const char *id = strstr(colon, ID);
			const char *end = colon + strcspn(colon, "\n");
			FUZZ_CHECK(id != NULL && id < end);
			return;
		}
	}
}

static void
check_blanks(const char *text)
{
	cleanup_free char *folded = fold_blanks(text);
	cleanup_free char *twice = fold_blanks(folded);

	FUZZ_CHECK(strcmp(folded, twice) == 0);
	FUZZ_CHECK(folded[0] != ' ' && strstr(folded, "  ") == NULL);
	FUZZ_CHECK(strpbrk(folded, "\t\n\v\f\r") == NULL);
}

/* One group of the unified hierarchy, with one file. */
static void
check_files(const uint8_t *data, size_t size, const char *text)
{
	static const char *const names[] = { "cpu.max", "memory.max",
		"pids.max" };
	const char *tmp = getenv("TMPDIR");
	cleanup_free char *path =
	    xasprintf("%s/fuzz-limits.XXXXXX", tmp != NULL ? tmp : "/tmp");
	static char root[] = "/", type[] = "cgroup2", none[] = "";
	struct mountinfo_row mount = { 0, none, root, path, none, type, none };
	const struct mountinfo own = { &mount, 1 };
	struct cgroup_limits limits;

	FUZZ_CHECK(mkdtemp(path) != NULL);
	cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_close int file =
		    openat(fd, names[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		FUZZ_CHECK(write(file, data, size) == (ssize_t)size);
	}
	cgroup_read_limits("0::/\n", &own, &limits);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlinkat(fd, names[i], 0);
	FUZZ_CHECK(rmdir(path) == 0);
	/* Over its bound, or with a NUL, a file says nothing. */
	FUZZ_CHECK(limits.memory == -1 || limits.memory == number_of(text));
	FUZZ_CHECK(limits.pids == limits.memory);
	FUZZ_CHECK(limits.cpu_milli >= -1);
	if (strncmp(text, "max", 3) == 0)
		FUZZ_CHECK(limits.cpu_milli == -1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned int kind = fuzz_take(&in);
	cleanup_free char *text = fuzz_text(in.data, in.size);

	if (kind == 'g')
		check_group(text);
	else if (kind == 'b')
		check_blanks(text);
	else if (kind == 'f')
		check_files(in.data, in.size, text);
	else
		check_number(text);
	return 0;
}
