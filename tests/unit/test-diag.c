/* SPDX-License-Identifier: MIT */
/* Failures as values: classes, escaping, context and what is printed. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

static void
classes_pick_the_status(void)
{
	static const struct {
		enum diag_class class;
		int status;
	} rows[] = {
		{ DIAG_NONE, 0 },
		{ DIAG_NO, 1 },
		{ DIAG_USAGE, 64 },
		{ DIAG_DATA, 65 },
		{ DIAG_ENGINE, 69 },
		{ DIAG_BUG, 70 },
		{ DIAG_IO, 74 },
		{ DIAG_BUSY, 75 },
		{ DIAG_POLICY, 77 },
		{ DIAG_CONFIG, 78 },
		{ DIAG_CANCELLED, 130 },
	};
	const struct diag_status *table = diag_status_table();

	CHECK_INT(ARRAY_SIZE(rows), DIAG_NCLASSES);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag dg = DIAG_INIT;

		dg.class = rows[i].class;
		CHECK_INT(diag_exit_status(&dg), rows[i].status);
		CHECK_INT(table[i].status, rows[i].status);
		CHECK(table[i].meaning != NULL);
	}
	CHECK_INT(table[DIAG_NCLASSES].status, DIAG_STATUS_ANY);
	CHECK(table[DIAG_NCLASSES + 1].meaning == NULL);
}

static void
setters_escape_and_return_failure(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(diag_set(&dg, DIAG_DATA, "open %s", "a\x1b[2J\nb\xff"), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK_INT(dg.errnum, 0);
	CHECK_STR(dg.message, "open a\\033[2J\\nb\\377");
	diag_clear(&dg);
	CHECK(dg.message == NULL);
	CHECK_INT(diag_set_errno(&dg, DIAG_IO, ENOENT, "open %s", "x\\y"), -1);
	CHECK_INT(dg.errnum, ENOENT);
	CHECK_STR(dg.message, "open x\\\\y: No such file or directory");
}

static void
the_first_failure_stays(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	(void)diag_set(&dg, DIAG_POLICY, "the cause");
	CHECK_INT(diag_set_errno(&dg, DIAG_IO, EIO, "later"), -1);
	CHECK_INT(dg.class, DIAG_POLICY);
	CHECK_INT(dg.errnum, 0);
	CHECK_STR(dg.message, "the cause");
}

static void
context_goes_in_front(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(diag_wrap(&dg, "nothing to wrap"), -1);
	CHECK(dg.message == NULL);
	(void)diag_set(&dg, DIAG_IO, "a\nb");
	CHECK_INT(diag_wrap(&dg, "step %d\n", 2), -1);
	CHECK_STR(dg.message, "step 2\\n: a\\nb");
}

static void
details_keep_their_end(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *big = xmalloc(20000);

	memset(big, 'x', 20000);
	memcpy(big + 20000 - 4, "end\n", 4);
	(void)diag_set(&dg, DIAG_ENGINE, "failed");
	CHECK_INT(diag_add_detail(&dg, "a\0b", 3), -1);
	CHECK_STR(dg.detail, "a b");
	(void)diag_add_detail(&dg, "c", 1);
	CHECK_STR(dg.detail, "a b\nc");
	(void)diag_add_detail(&dg, big, 20000);
	CHECK_INT(strlen(dg.detail), 8192);
	CHECK_STR(dg.detail + 8192 - 4, "end\n");
}

static void
moving_leaves_the_source_clear(void)
{
	cleanup_diag struct diag a = DIAG_INIT;
	cleanup_diag struct diag b = DIAG_INIT;

	(void)diag_set(&a, DIAG_BUSY, "held");
	diag_move(&b, &a);
	CHECK_INT(a.class, DIAG_NONE);
	CHECK(a.message == NULL);
	CHECK_INT(b.class, DIAG_BUSY);
	CHECK_STR(b.message, "held");
}

static void
print_all(void *arg)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	static const char words[] = "one\r\n\n\\\"a\\\n\x1b]52;c;eA==\x07\ntwo";

	(void)diag_set(&dg, DIAG_ENGINE, "compose failed");
	(void)diag_add_detail(&dg, words, sizeof(words) - 1);
	diag_print(&dg);
	diag_warn("skipped %s", "a\nb");
	diag_note("mode %s", "contained");
	(void)arg;
}

static void
printing_is_line_by_line(void)
{
	cleanup_free char *got = check_stderr(print_all, NULL);

	CHECK_STR(got,
	    "drydock: compose failed\n"
	    "  one\n"
	    "  \\\"a\\\n"
	    "  \\033]52;c;eA==\\007\n"
	    "  two\n"
	    "drydock: warning: skipped a\\nb\n"
	    "drydock: mode contained\n");
}

static const struct check_test tests[] = {
	{ "the class alone picks the exit status", classes_pick_the_status },
	{ "setters escape what they are given and return -1",
	    setters_escape_and_return_failure },
	{ "a diag that is set keeps its first words", the_first_failure_stays },
	{ "context goes in front and is escaped once", context_goes_in_front },
	{ "details are bounded and keep their end", details_keep_their_end },
	{ "moving leaves the source clear", moving_leaves_the_source_clear },
	{ "printing escapes each line of the detail",
	    printing_is_line_by_line },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
