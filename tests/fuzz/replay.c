/* SPDX-License-Identifier: MIT */
/*
 * Runs a target over the entries of its corpus, without libFuzzer; speaks TAP.
 * Their format is in tests/fuzz/entries.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "fuzz.h"

#define FILE_MAX ((size_t)16 << 20)

/* The bytes in memory of just that size, so that a sanitizer sees its end. */
static void
replay(const struct strbuf *text)
{
	cleanup_free uint8_t *data = xmalloc(text->len > 0 ? text->len : 1);

	memcpy(data, text->buf, text->len);
	(void)LLVMFuzzerTestOneInput(data, text->len);
}

static int
read_file(const char *path, struct strbuf *text)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd != -1 && fs_read_fd(fd, path, FILE_MAX, text, &dg) == 0)
		return 0;
	printf("Bail out! cannot read %s\n", path);
	return -1;
}

/* tests/fuzz/fuzz-NAME has its corpus in tests/fuzz/corpus/NAME. */
static char *
corpus_path(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash != NULL ? slash + 1 : program;
	const char *top = getenv("top_srcdir");
	/* A libtool or a debugger's wrapper may have put a prefix before it. */
	const char *start = strstr(name, "fuzz-");
	return xasprintf("%s/tests/fuzz/corpus/%s", top != NULL ? top : ".",
	    start != NULL ? start + strlen("fuzz-") : name);
}

/* The byte of "\c..." behind the backslash; *at is behind the escape then. */
static int
unescape(const char **at)
{
	static const char digits[] = "0123456789abcdef";
	static const char letters[] = "n\nt\tr\r\\\\\"\"";
	const char *high;
	const char *low;

	for (const char *l = letters; *l != '\0'; l += 2) {
		if (**at == *l) {
			*at += 1;
			return l[1];
		}
	}
	if (**at != 'x' || (*at)[1] == '\0' || (*at)[2] == '\0')
		return -1;
	high = strchr(digits, (*at)[1]);
	low = strchr(digits, (*at)[2]);
	*at += 3;
	if (high == NULL || low == NULL)
		return -1;
	return (int)((high - digits) * 16 + (low - digits));
}

/* Appends what a line of a tab and a quoted text stands for. */
static int
add_line(const char *line, struct strbuf *entry)
{
	const char *at = line + 2;

	if (line[0] != '\t' || line[1] != '"')
		return -1;
	while (*at != '"') {
		int c = (unsigned char)*at++;

		if (c == '\\')
			c = unescape(&at);
		if (c <= 0 && (c < 0 || at[-1] == '\0'))
			return -1;
		strbuf_addch(entry, (char)c);
	}
	return at[1] == '\0' ? 0 : -1;
}

/* Runs the entry that ends here, if there is one. */
static void
end_entry(const char *name, struct strbuf *entry, int *number)
{
	if (name == NULL)
		return;
	/* A target that ends the process leaves no plan behind. */
	printf("# %s\n", name);
	(void)fflush(stdout);
	replay(entry);
	printf("ok %d - %s\n", ++*number, name);
	strbuf_reset(entry);
}

static int
replay_corpus(char *text)
{
	cleanup_strbuf struct strbuf entry = STRBUF_INIT;
	const char *name = NULL;
	int number = 0;

	for (char *line; (line = strsep(&text, "\n")) != NULL;) {
		if (*line == '\0' || *line == '#')
			continue;
		if (*line != '\t') {
			end_entry(name, &entry, &number);
			name = line;
		} else if (name == NULL || add_line(line, &entry) != 0) {
			printf("Bail out! not an entry: %s\n", line);
			return 1;
		}
	}
	end_entry(name, &entry, &number);
	if (number == 0)
		printf("Bail out! the corpus is empty\n");
	else
		printf("1..%d\n", number);
	return number == 0;
}

/* With arguments: those files instead, to look at one that was found. */
int
main(int argc, char **argv)
{
	cleanup_free char *path = corpus_path(argv[0]);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (int i = 1; i < argc; i++) {
		strbuf_reset(&text);
		if (read_file(argv[i], &text) != 0)
			return 1;
		replay(&text);
	}
	if (argc > 1)
		return 0;
	if (read_file(path, &text) != 0)
		return 1;
	return replay_corpus(text.buf);
}
