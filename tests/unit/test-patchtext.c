/* SPDX-License-Identifier: MIT */
/* What is a patch, and what patch(1) shall never read. */
#include "check.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/patchtext.h"

#define T "\t2026-11-29 09:07:16.149720183 +0000\n"
#define EPOCH "\t1970-01-01 00:00:00.000000000 +0000\n"
#define COMMAND(name) "diff -ruN a/" name " b/" name "\n"
#define SIDES(name) "--- a/" name T "+++ b/" name T
#define HEAD(name) COMMAND(name) SIDES(name)
#define NEW(name) COMMAND(name) "--- a/" name EPOCH "+++ b/" name T
#define GONE(name) COMMAND(name) "--- a/" name T "+++ b/" name EPOCH
#define HUNK "@@ -1,2 +1,2 @@\n-old\n+new\n same\n"
#define FILE_OF(name) HEAD(name) HUNK
#define X FILE_OF("x")
#define NO_NEWLINE "\\ No newline at end of file\n"

/* The names, with blanks between them; NULL if the text is refused. */
static char *
judge(const char *text, size_t len, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (patchtext_judge(text, len, "x.patch", &names, dg) != 0) {
		CHECK_INT(names.nr, 0);
		return NULL;
	}
	return strvec_join(&names, " ");
}

static void
test_accepted(void)
{
	static const struct {
		const char *text;
		const char *names;
	} rows[] = {
		{ X, "x" },
		{ SIDES("x") HUNK, "x" },
		{ FILE_OF("src/lib.rs") FILE_OF("Cargo.toml"),
		    "src/lib.rs Cargo.toml" },
		{ FILE_OF(".x") FILE_OF("..x") FILE_OF("...") FILE_OF("x/-y")
			FILE_OF("-x") FILE_OF("x..") FILE_OF("~+,@#%^:=[]"),
		    ".x ..x ... x/-y -x x.. ~+,@#%^:=[]" },
		{ "diff -ruN --text a/x b/x\n" SIDES("x") HUNK, "x" },
		{ NEW("x") "@@ -0,0 +1 @@\n+1\n", "x" },
		{ NEW("x") "@@ -0,0 +1,2 @@\n+1\n+2\n" NO_NEWLINE, "x" },
		{ GONE("x") "@@ -1,2 +0,0 @@\n-1\n-2\n", "x" },
		{ GONE("x") "@@ -1 +0,0 @@\n-1\n" NO_NEWLINE, "x" },
		/* From an empty file, and to one. */
		{ HEAD("x") "@@ -0,0 +1 @@\n+1\n", "x" },
		{ HEAD("x") "@@ -1 +0,0 @@\n-1\n", "x" },
		/* Of a newline at the end: removed, added, neither. */
		{ HEAD("x") "@@ -1 +1 @@\n-1\n+1\n" NO_NEWLINE, "x" },
		{ HEAD("x") "@@ -1 +1 @@\n-1\n" NO_NEWLINE "+1\n", "x" },
		{ HEAD("x") "@@ -1,2 +1 @@\n-0\n 1\n" NO_NEWLINE, "x" },
		{ HEAD("x") "@@ -1 +1,2 @@\n-1\n" NO_NEWLINE
			    "+1\n+2\n" NO_NEWLINE,
		    "x" },
		/* Contents are any bytes but NUL. */
		{ HEAD(
		      "x") "@@ -1,5 +1,5 @@\n-a\r\n+b\r\n \r\n \n-\n+\xff\x1b\n"
			   " \\ No newline at end of file\n",
		    "x" },
		/* Contents that look like lines of a patch. */
		{ HEAD("y") "@@ -1,3 +1,3 @@\n--- a/y\n+++ b/y\n @@ -1 +1 @@\n"
			    "-Index: z\n+diff --git a/z b/z\n" X,
		    "y x" },
		{ HEAD("x") "@@ -1,2 +1,3 @@\n a\n+b\n c\n"
			    "@@ -10,2 +11 @@\n-d\n e\n"
			    "@@ -999999999,1 +999999999,1 @@\n-f\n+g\n",
		    "x" },
		{ HEAD("x") "@@ -1 +1,2 @@\n+b\n c\n@@ -2 +3,2 @@\n d\n+e\n",
		    "x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *names =
		    judge(rows[i].text, strlen(rows[i].text), &dg);

		if (!CHECK_STR(names, rows[i].names))
			CHECK_STR(dg.message, rows[i].text);
	}
}

/* Each text is refused in line; why is a part of the message. */
static const struct refused {
	const char *text;
	size_t line;
	const char *why;
} refused_rows[] = {
	/* Other forms that patch(1) reads. */
	{ "1d\n.\nw\n", 1, "\"--- a/NAME\" is expected" },
	{ "1,2c\nx\n.\n", 1, "\"--- a/NAME\" is expected" },
	{ X "1d\n", 8, "\"--- a/NAME\" is expected" },
	{ "1c1\n< a\n---\n> b\n", 1, "\"--- a/NAME\" is expected" },
	{ "*** a/x" T "--- b/x" T "***************\n*** 1 ****\n", 1,
	    "\"--- a/NAME\" is expected" },
	{ "Index: x\n" X, 1, "\"--- a/NAME\" is expected" },
	{ "Prereq: 1\n" X, 1, "\"--- a/NAME\" is expected" },
	{ X "Prereq: 1\n" FILE_OF("y"), 8, "\"--- a/NAME\" is expected" },
	{ "diff -ruN a/x b/x\nIndex: y\n" SIDES("x") HUNK, 2,
	    "\"--- a/NAME\" is expected" },
	{ "diff --git a/x b/x\n" SIDES("x") HUNK, 1, "diff -ruN" },
	{ "diff --git a/x b/y\nrename from x\nrename to y\n", 1, "diff -ruN" },
	{ "diff --git a/x b/x\nnew file mode 120000\n", 1, "diff -ruN" },
	{ "diff -ruN a/x b/x\nnew file mode 120000\n" SIDES("x") HUNK, 2,
	    "\"--- a/NAME\" is expected" },
	{ "diff -ruN a/x b/x\nold mode 100644\nnew mode 100755\n" X, 2,
	    "\"--- a/NAME\" is expected" },
	{ "diff -ruN a/x b/x\nGIT binary patch\n", 2, "expected here" },
	{ "Binary files a/x and b/x differ\n", 1, "expected here" },
	{ "Only in a: x\n", 1, "expected here" },
	{ " " X, 1, "expected here" },
	{ "diff -ruN a/x b/x\n --- a/x" T, 2, "expected here" },
	{ "\n" X, 1, "expected here" },
	{ "a comment\n" X, 1, "expected here" },
	{ X "\n", 8, "expected here" },
	{ X "-- \n2.39\n", 8, "expected here" },
	{ "From: x\n" X, 1, "expected here" },
	/* The line "diff". */
	{ "diff a/x b/x\n" SIDES("x") HUNK, 1, "diff -ruN" },
	{ "diff -ruN x x\n" SIDES("x") HUNK, 1, "diff -ruN" },
	{ "diff -ruN\x1b[2J a/x b/x\n" SIDES("x") HUNK, 1, "diff -ruN" },
	{ "diff -ruN a/x b/x\r\n" SIDES("x") HUNK, 3, "the line \"diff\"" },
	{ COMMAND("y") SIDES("x") HUNK, 3, "the line \"diff\"" },
	{ "diff -ruN a/x b/y\n" SIDES("x") HUNK, 3, "the line \"diff\"" },
	{ COMMAND("x") COMMAND("x") SIDES("x") HUNK, 2, "expected here" },
	{ X COMMAND("y"), 9, "ends too early" },
	/* Names. */
	{ SIDES("../x") HUNK, 1, "a file name" },
	{ SIDES("x/../y") HUNK, 1, "a file name" },
	{ SIDES("x/..") HUNK, 1, "a file name" },
	{ SIDES("..") HUNK, 1, "a file name" },
	{ SIDES("./x") HUNK, 1, "a file name" },
	{ SIDES("x/.") HUNK, 1, "a file name" },
	{ SIDES("x//y") HUNK, 1, "a file name" },
	{ SIDES("/x") HUNK, 1, "a file name" },
	{ SIDES("x/") HUNK, 1, "a file name" },
	{ SIDES("") HUNK, 1, "a file name" },
	{ SIDES("x y") HUNK, 1, "a file name" },
	{ SIDES(" x") HUNK, 1, "a file name" },
	{ SIDES("x\ry") HUNK, 1, "a file name" },
	{ SIDES("x\x1by") HUNK, 1, "a file name" },
	{ SIDES("x\x7fy") HUNK, 1, "a file name" },
	{ SIDES("x\xc3\xa4") HUNK, 1, "a file name" },
	{ SIDES("x\\y") HUNK, 1, "a file name" },
	{ SIDES("x\"y") HUNK, 1, "a file name" },
	{ SIDES("x'y") HUNK, 1, "a file name" },
	{ "--- \"a/x y\"" T "+++ \"b/x y\"" T HUNK, 1, "expected here" },
	{ "diff -ruN \"a/x y\" \"b/x y\"\n", 1, "diff -ruN" },
	{ "--- a/x" T "+++ b/y" T HUNK, 2, "not the name of the line above" },
	{ "--- a/x" T "+++ b/xx" T HUNK, 2, "not the name of the line above" },
	{ "--- x" T "+++ x" T HUNK, 1, "expected here" },
	{ "--- /dev/null" EPOCH "+++ b/x" T HUNK, 1, "expected here" },
	{ "--- b/x" T "+++ a/x" T HUNK, 1, "expected here" },
	{ "+++ b/x" T "--- a/x" T HUNK, 1, "expected here" },
	{ X FILE_OF("y") X, 17, "x occurs twice" },
	/* Times. */
	{ "--- a/x\n+++ b/x\n" HUNK, 1, "no tab and time" },
	{ "--- a/x\t\n", 1, "not a time" },
	{ "--- a/x\t\tx\n", 1, "not a time" },
	{ "--- a/x\tSun Nov 29 09:07:16 2026\n", 1, "not a time" },
	{ "--- a/x\t2026-11-29 09:07:16\n", 1, "not a time" },
	{ "--- a/x\t2026-11-29 09:07:16 +0000\r\n", 1, "not a time" },
	{ "--- a/x\t2026-11-29 09:07:16 +0000 \n", 1, "not a time" },
	{ "--- a/x\t2026-11-29 09:07:16. +0000\n", 1, "not a time" },
	{ "--- a/x\t2026-11-29 09:07:16.0123456789 +0000\n", 1, "not a time" },
	{ "--- a/x\t2026-13-29 09:07:16 +0000\n", 1, "not a time" },
	{ "--- a/x\t2026-11-32 09:07:16 +0000\n", 1, "not a time" },
	{ "--- a/x\t2026-11-29 24:07:16 +0000\n", 1, "not a time" },
	{ "--- a/x\t2026-11-29 09:60:16 +0000\n", 1, "not a time" },
	{ "--- a/x\t2026/11/29 09:07:16 +0000\n", 1, "not a time" },
	{ "--- a/x\t2026-11-29T09:07:16 +0000\n", 1, "not a time" },
	{ "--- a/x\tx026-11-29 09:07:16 +0000\n", 1, "not a time" },
	{ "--- a/x\t2026-11-29 09:07:16 =0000\n", 1, "not a time" },
	{ "--- a/x\t2026-11-29 09:07:16 +0060\n", 1, "not a time" },
	{ "--- a/x\t1969-12-31 23:59:60 +0000\n", 1, "not a time" },
	{ "--- a/x\t1970-01-02 00:00:00 +2400\n", 1, "not a time" },
	{ "--- a/x\t2026-11-29 09:07:16 0000\n", 1, "not a time" },
	{ "--- a/x" EPOCH "+++ b/x" EPOCH HUNK, 2, "neither side" },
	{ "--- a/x" EPOCH "+++ b/x" T HUNK, 3, "does not exist" },
	{ "--- a/x\t1970-01-01 05:30:00 +0530\n+++ b/x" T HUNK, 3,
	    "does not exist" },
	{ "--- a/x\t1970-01-01 00:00:00.5 +0000\n+++ b/x" T HUNK, 3,
	    "does not exist" },
	{ "--- a/x" T "+++ b/x\t1969-12-31 22:30:00 -0130\n" HUNK, 3,
	    "does not exist" },
	/* Hunks. */
	{ HEAD("x"), 4, "ends too early" },
	{ HEAD("x") X, 4, "\"@@\" is expected" },
	{ "diff -ruN a/x b/x\n", 2, "ends too early" },
	{ "--- a/x" T, 2, "ends too early" },
	{ HEAD("x") "@@ -1,2 +1,2 @@\n-old\n+new\n", 7, "ends too early" },
	{ HEAD("x") "@@ -1,2 +1,2 @@\n-old\n+new\n same", 7,
	    "without a newline" },
	{ HEAD("x") "@@ -1,2 +1,2 @@ fn x()\n", 4, "malformed \"@@\"" },
	{ HEAD("x") "@@ -1,2 +1,2 @@\r\n", 4, "malformed \"@@\"" },
	{ HEAD("x") "@@ -1,2 +1,2\n", 4, "malformed \"@@\"" },
	{ HEAD("x") "@@ -1,2\n", 4, "malformed \"@@\"" },
	{ HEAD("x") "@@ \n", 4, "malformed \"@@\"" },
	{ HEAD("x") "@@@ -1 +1 @@\n", 4, "\"@@\" is expected" },
	{ HEAD("x") "@@ +1 -1 @@\n", 4, "malformed \"@@\"" },
	{ HEAD("x") "@@ -01 +1 @@\n", 4, "malformed \"@@\"" },
	{ HEAD("x") "@@ -1, +1 @@\n", 4, "malformed \"@@\"" },
	{ HEAD("x") "@@ -1,-2 +1 @@\n", 4, "malformed \"@@\"" },
	{ HEAD("x") "@@ -1,1000000000 +1 @@\n", 4, "malformed \"@@\"" },
	{ HEAD("x") "@@ -18446744073709551617 +1 @@\n", 4, "malformed" },
	{ HEAD("x") "@@ -0 +1 @@\n-1\n+2\n", 4, "malformed" },
	{ HEAD("x") "@@ -1,0 +1 @@\n+2\n", 4, "malformed" },
	{ HEAD("x") "@@ -0,0 +0,0 @@\n", 4, "changes nothing" },
	{ HEAD("x") "@@ -1 +1 @@\n same\n", 5, "changes nothing" },
	{ HEAD("x") "@@ -1,2 +1,2 @@\n-old\n+new\n+new\n same\n", 8,
	    "more lines" },
	{ HEAD("x") "@@ -1,1 +1,2 @@\n-old\n-old\n", 6, "more lines" },
	{ HEAD("x") "@@ -1,2 +1,3 @@\n-old\n+new\n same\n" X, 8,
	    "fewer lines" },
	{ HEAD("x") "@@ -1,2 +1,2 @@\n-old\n+new\n\n", 7, "fewer lines" },
	{ HEAD("x") "@@ -1,2 +1,2 @@\n-old\n+new\n\tsame\n", 7, "fewer lines" },
	{ HEAD("x") "@@ -1,2 +1,2 @@\n!old\n!new\n same\n", 5, "fewer lines" },
	{ X " more\n", 8, "expected here" },
	{ X "+more\n", 8, "expected here" },
	/* Where hunks are. */
	{ HEAD("x") "@@ -1 +2 @@\n-1\n+2\n", 4, "do not agree" },
	{ HEAD("x") "@@ -5 +4 @@\n-1\n+2\n", 4, "do not agree" },
	{ HEAD("x") "@@ -1,2 +1 @@\n-1\n 2\n@@ -9 +9 @@\n-1\n+2\n", 7,
	    "do not agree" },
	{ HEAD("x") "@@ -9 +9 @@\n-1\n+2\n@@ -1 +1 @@\n-1\n+2\n", 7,
	    "not behind the one above" },
	{ HEAD("x") "@@ -9,2 +9,2 @@\n-1\n+2\n a\n@@ -10 +10 @@\n-1\n+2\n", 8,
	    "not behind the one above" },
	{ HEAD("x") "@@ -0,0 +2 @@\n+1\n", 4, "no such line" },
	{ HEAD("x") "@@ -2 +0,0 @@\n-1\n", 4, "no such line" },
	{ NEW("x") "@@ -0,0 +1 @@\n+1\n@@ -0,0 +2 @@\n+1\n", 6,
	    "behind the end" },
	{ HEAD("x") "@@ -1 +0,0 @@\n-1\n@@ -2 +1 @@\n-1\n+2\n", 6,
	    "behind the end" },
	{ NEW("x") "@@ -0,0 +1 @@\n+1\n@@ -1 +3 @@\n-1\n+2\n", 6,
	    "behind the end" },
	{ HEAD("x") "@@ -1,2 +1 @@\n-1\n 2\n@@ -3 +0,0 @@\n-1\n", 7,
	    "a second hunk" },
	/* The end of the file. */
	{ HEAD("x") "@@ -1,2 +1,2 @@\n-old\n" NO_NEWLINE "+new\n same\n", 8,
	    "behind the end" },
	{ HEAD("x") "@@ -1,2 +1,2 @@\n-old\n+new\n" NO_NEWLINE " same\n", 8,
	    "behind the end" },
	{ HEAD("x") "@@ -1,2 +1,2 @@\n-1\n+2\n a\n" NO_NEWLINE
		    "@@ -9 +9 @@\n-1\n+2\n",
	    9, "behind the end" },
	{ HEAD("x") "@@ -1 +1 @@\n-1\n+2\n\\ Kein Zeilenumbruch\n", 7,
	    "not \"\\\\ No newline" },
	{ HEAD("x") "@@ -1 +1 @@\n-1\n+2\n" NO_NEWLINE NO_NEWLINE, 8,
	    "expected here" },
	{ HEAD("x") "@@ -1 +1 @@\n" NO_NEWLINE "-1\n+2\n", 5, "fewer lines" },
};

static void
test_refused(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused_rows); i++) {
		const struct refused *row = &refused_rows[i];
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *names =
		    judge(row->text, strlen(row->text), &dg);
		cleanup_free char *where =
		    xasprintf("x.patch: line %zu: ", row->line);

		if (!CHECK_STR(names, NULL) || dg.message == NULL)
			CHECK_STR("accepted", row->text);
		else if (!CHECK(
			     strncmp(dg.message, where, strlen(where)) == 0) ||
		    !CHECK(strstr(dg.message, row->why) != NULL))
			CHECK_STR(dg.message, row->why);
		CHECK_INT(dg.class, DIAG_DATA);
	}
}

/* Cut anywhere, a text is whole files, or refused. */
static void
test_cut(void)
{
	static const char text[] =
	    X FILE_OF("y") NEW("z") "@@ -0,0 +1 @@\n+1\n";

	for (size_t len = 0; len <= strlen(text); len++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *cut = xmalloc(len + 1);
		cleanup_free char *names = NULL;
		const char *want = NULL;

		/* Behind the copy there is no terminator. */
		memcpy(cut + 1, text, len);
		if (len == strlen(X))
			want = "x";
		if (len == strlen(X FILE_OF("y")))
			want = "x y";
		if (len == strlen(text))
			want = "x y z";
		names = judge(cut + 1, len, &dg);
		CHECK_STR(names, want);
	}
}

static void
test_whole_text(void)
{
	static const char nul[] = HEAD("x") "@@ -1 +1 @@\n-\0\n+2\n";
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf large = STRBUF_INIT;
	cleanup_free char *names = NULL;
	cleanup_free char *line = NULL;

	CHECK(judge("", 0, &dg) == NULL);
	CHECK_STR(dg.message, "x.patch: it changes no file");
	diag_clear(&dg);
	CHECK(judge(nul, sizeof(nul) - 1, &dg) == NULL);
	CHECK_STR(dg.message, "x.patch: a NUL character");
	diag_clear(&dg);
	strbuf_addstr(&large, HEAD("x") "@@ -1 +1 @@\n-1\n+");
	line = xcalloc(1, PATCHTEXT_MAX_SIZE);
	memset(line, 'x', PATCHTEXT_MAX_SIZE - 1 - large.len);
	strbuf_addstr(&large, line);
	strbuf_addch(&large, '\n');
	names = judge(large.buf, large.len, &dg);
	CHECK_STR(names, "x");
	strbuf_addch(&large, '\n');
	CHECK(judge(large.buf, large.len, &dg) == NULL);
	CHECK_STR(dg.message, "x.patch: more than 16777216 bytes");
}

/* A name has at most 1024 bytes, and names are added behind others. */
static void
test_names(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char name[1026];

	memset(name, 'x', sizeof(name));
	name[1024] = '\0';
	strbuf_addf(&text, "--- a/%s" T "+++ b/%s" T HUNK, name, name);
	strvec_push(&names, "first");
	CHECK_INT(patchtext_judge(text.buf, text.len, "x", &names, &dg), 0);
	if (CHECK_INT(names.nr, 2)) {
		CHECK_STR(names.v[0], "first");
		CHECK_STR(names.v[1], name);
	}
	strbuf_reset(&text);
	name[1024] = 'x';
	name[1025] = '\0';
	strbuf_addf(&text, "--- a/%s" T "+++ b/%s" T HUNK, name, name);
	CHECK_INT(patchtext_judge(text.buf, text.len, "x", &names, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK_INT(names.nr, 2);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "what diff writes is accepted", test_accepted },
		{ "any other line is refused", test_refused },
		{ "a text that is cut is refused", test_cut },
		{ "an empty text, a NUL and 16 MiB", test_whole_text },
		{ "names are appended in order", test_names },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
