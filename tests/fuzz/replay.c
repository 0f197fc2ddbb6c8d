/* SPDX-License-Identifier: MIT */
/* Runs a target over the files of its corpus, without libFuzzer; speaks TAP. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "fuzz.h"

/* The bytes in memory of just that size, so that a sanitizer sees its end. */
static int
replay_file(const char *path)
{
	int fd cleanup_close = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd == -1 || fstat(fd, &st) == -1)
		return -1;
	size_t size = (size_t)st.st_size;
	uint8_t *data cleanup_free = xmalloc(size > 0 ? size : 1);
	if (read(fd, data, size) != (ssize_t)size)
		return -1;
	(void)LLVMFuzzerTestOneInput(data, size);
	return 0;
}

static int
is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* tests/fuzz/fuzz-NAME has its corpus in tests/fuzz/corpus/NAME. */
static char *
corpus_dir(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash != NULL ? slash + 1 : program;
	const char *top = getenv("top_srcdir");
	/* A libtool or a debugger's wrapper may have put a prefix before it. */
	const char *start = strstr(name, "fuzz-");
	return xasprintf("%s/tests/fuzz/corpus/%s", top != NULL ? top : ".",
	    start != NULL ? start + strlen("fuzz-") : name);
}

/* With arguments: those files instead, to look at one that was found. */
int
main(int argc, char **argv)
{
	char *dir cleanup_free = corpus_dir(argv[0]);
	struct dirent **entries = NULL;
	int failed = 0;
	for (int i = 1; i < argc; i++)
		failed |= replay_file(argv[i]);
	if (argc > 1)
		return failed != 0;

	int n = scandir(dir, &entries, is_file, alphasort);
	if (n <= 0) {
		printf("Bail out! no corpus in %s\n", dir);
		return 1;
	}
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		char *path cleanup_free =
		    xasprintf("%s/%s", dir, entries[i]->d_name);
		/* A target that ends the process is told by the plan. */
		(void)fflush(stdout);
		int rc = replay_file(path);
		failed |= rc;
		printf("%sok %d - %s\n", rc == 0 ? "" : "not ", i + 1,
		    entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return failed != 0;
}
