/* SPDX-License-Identifier: MIT */
/*
 * Patches: outside of hunks, an accepted text has lines of four forms alone,
 * and names the files that were told; its reverse is accepted, too.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/patchtext.h"
#include "fuzz.h"

/* Reads an accepted text, and writes its reverse. */
struct walk {
	const char *at;
	size_t file;
	unsigned int left[2]; /* lines of the hunk: before, after */
	bool changed;
	struct strbuf out;
	struct strbuf old; /* behind "--- a/" */
};

static void
check_name(const char *name)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "/%s/", name);
	FUZZ_CHECK(strstr(path.buf, "//") == NULL);
	FUZZ_CHECK(strstr(path.buf, "/./") == NULL);
	FUZZ_CHECK(strstr(path.buf, "/../") == NULL);
	for (const char *c = name; *c != '\0'; c++)
		FUZZ_CHECK(*c > ' ' && *c < 0x7f && *c != '"' && *c != '\\');
}

static bool
starts(const char *line, const char *front)
{
	return strncmp(line, front, strlen(front)) == 0;
}

/* Reads "@@ -1,2 +3,4 @@"; a range without a count has one line. */
static void
take_hunk_header(struct walk *w, const char *line)
{
	char old[32];
	char new[32];
	char *const ranges[2] = { old, new };
	unsigned int start;
	int end = 0;

	FUZZ_CHECK(
	    sscanf(line, "@@ -%31[0-9,] +%31[0-9,] @@%n", old, new, &end) == 2);
	FUZZ_CHECK(end > 0 && line[end] == '\0');
	for (size_t i = 0; i < 2; i++)
		if (sscanf(ranges[i], "%u,%u", &start, &w->left[i]) == 1)
			w->left[i] = 1;
	FUZZ_CHECK(w->left[0] + w->left[1] > 0);
	w->changed = false;
	strbuf_addf(&w->out, "@@ -%s +%s @@\n", new, old);
}

static void
take_hunk_line(struct walk *w, const char *line)
{
	static const char signs[] = "-+";

	for (size_t i = 0; i < 2; i++) {
		if (line[0] != signs[i] && line[0] != ' ')
			continue;
		FUZZ_CHECK(w->left[i] > 0);
		w->left[i]--;
	}
	FUZZ_CHECK(line[0] != '\0' && strchr("-+ \\", line[0]) != NULL);
	w->changed = w->changed || line[0] == '-' || line[0] == '+';
	if (line[0] == '\\')
		FUZZ_CHECK(strcmp(line, "\\ No newline at end of file") == 0);
	strbuf_addf(&w->out, "%c%s\n",
	    line[0] == '-'       ? '+'
		: line[0] == '+' ? '-'
				 : line[0],
	    line + 1);
	if (w->left[0] + w->left[1] == 0)
		FUZZ_CHECK(w->changed);
}

static void
take_other_line(struct walk *w, const char *line, const struct strvec *names)
{
	const char *name = names->v[w->file];

	if (starts(line, "@@")) {
		FUZZ_CHECK(w->file > 0);
		take_hunk_header(w, line);
	} else if (line[0] == '\\') {
		/* It belongs to the hunk's last line. */
		FUZZ_CHECK(strcmp(line, "\\ No newline at end of file") == 0);
		strbuf_addf(&w->out, "%s\n", line);
	} else if (starts(line, "diff ")) {
		FUZZ_CHECK(
		    starts(line, "diff -") && !starts(line, "diff --git"));
		FUZZ_CHECK(name != NULL && strstr(line, name) != NULL);
	} else if (starts(line, "--- a/")) {
		strbuf_reset(&w->old);
		strbuf_addstr(&w->old, line + 6);
	} else {
		FUZZ_CHECK(starts(line, "+++ b/") && w->old.len > 0);
		FUZZ_CHECK(name != NULL && starts(line + 6, name));
		FUZZ_CHECK(line[6 + strlen(name)] == '\t');
		FUZZ_CHECK(starts(w->old.buf, name));
		FUZZ_CHECK(w->old.buf[strlen(name)] == '\t');
		strbuf_addf(
		    &w->out, "--- a/%s\n+++ b/%s\n", line + 6, w->old.buf);
		strbuf_reset(&w->old);
		w->file++;
	}
}

static void
check_reverse(const char *text, size_t len, const struct strvec *names)
{
	cleanup_strvec struct strvec again = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct walk w = { .at = text, .out = STRBUF_INIT, .old = STRBUF_INIT };

	while (w.at < text + len) {
		const char *end =
		    memchr(w.at, '\n', len - (size_t)(w.at - text));
		cleanup_free char *line = NULL;

		FUZZ_CHECK(end != NULL);
		line = xstrndup(w.at, (size_t)(end - w.at));
		if (w.left[0] + w.left[1] > 0)
			take_hunk_line(&w, line);
		else
			take_other_line(&w, line, names);
		w.at = end + 1;
	}
	FUZZ_CHECK(w.left[0] + w.left[1] == 0 && w.file == names->nr);
	FUZZ_CHECK(
	    patchtext_judge(w.out.buf, w.out.len, "reverse", &again, &dg) == 0);
	FUZZ_CHECK(again.nr == names->nr);
	for (size_t i = 0; i < again.nr; i++)
		FUZZ_CHECK(strcmp(again.v[i], names->v[i]) == 0);
	strbuf_release(&w.out);
	strbuf_release(&w.old);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_strvec struct strvec sorted = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = patchtext_judge(text, size, "the patch", &names, &dg);

	FUZZ_CHECK(rc == 0 || (dg.class == DIAG_DATA && names.nr == 0));
	fuzz_outcome(rc, &dg);
	if (rc != 0)
		return 0;
	FUZZ_CHECK(names.nr > 0 && memchr(text, '\0', size) == NULL);
	for (size_t i = 0; i < names.nr; i++) {
		check_name(names.v[i]);
		strvec_push(&sorted, names.v[i]);
	}
	strvec_sort(&sorted);
	for (size_t i = 1; i < sorted.nr; i++)
		FUZZ_CHECK(strcmp(sorted.v[i - 1], sorted.v[i]) != 0);
	check_reverse(text, size, &names);
	return 0;
}
