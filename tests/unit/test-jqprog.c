/* SPDX-License-Identifier: MIT */
/* jq programs: one output, and no way out of the sandbox. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/jqprog.h"
#include "base/strbuf.h"

/* Compiles and runs; returned: the output, or NULL with *dg set. */
static char *
run(const char *program, const char *input, struct diag *dg)
{
	cleanup_jqprog struct jqprog *prog = NULL;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (jqprog_compile("rules.jq", program, &prog, dg) < 0 ||
	    jqprog_run(prog, input, strlen(input), &out, dg) < 0)
		return NULL;
	return strbuf_detach(&out, NULL);
}

static void
one_output_is_compact(void)
{
	static const struct {
		const char *program;
		const char *input;
		const char *want;
	} rows[] = {
		{ ".", "{ \"b\" : 1, \"a\":[ ] }", "{\"b\":1,\"a\":[]}" },
		{ "[.[] | select(. > 1)]", "[1,2,3]", "[2,3]" },
		{ "def f: . + 1; f", "1", "2" },
		{ "# comment\n. as $x | $x", "\"\\u00fc\"", "\"\xc3\xbc\"" },
		{ "null", "1", "null" },
		{ "[$ENV, env]", "null", "[{},{}]" },
		{ "try input catch \"no\"", "null", "\"no\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *got =
		    run(rows[i].program, rows[i].input, &dg);

		CHECK_STR(got, rows[i].want);
		CHECK_STR(dg.message, NULL);
	}
}

static void
anything_else_is_an_error(void)
{
	static const struct {
		const char *program;
		const char *message;
		const char *detail;
	} rows[] = {
		{ "empty", "rules.jq: gave no output", NULL },
		{ "1, 2", "rules.jq: gave more than one output", NULL },
		{ "error(\"why\")", "rules.jq: jq error", "why\n" },
		{ "1, error(\"why\")", "rules.jq: jq error", "why\n" },
		{ "error(null)", "rules.jq: gave no output", NULL },
		{ ".a.b", "rules.jq: jq error",
		    "Cannot index number with string \"a\"\n" },
		{ "halt", "rules.jq: jq error",
		    "halt is not available here\n" },
		{ "stderr", "rules.jq: jq error",
		    "stderr is not available here\n" },
		{ "inputs", "rules.jq: jq error",
		    "inputs is not available here\n" },
		{ "modulemeta", "rules.jq: jq error",
		    "modulemeta is not available here\n" },
		{ "halt_error(1)", "rules.jq: jq error",
		    "halt_error is not available here\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *got = run(rows[i].program, "1", &dg);

		CHECK_STR(got, NULL);
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK_STR(dg.message, rows[i].message);
		CHECK_STR(dg.detail, rows[i].detail);
	}
}

static void
bad_programs_do_not_compile(void)
{
	static const char *const rows[] = { ". as [", "nonesuch", "$nonesuch",
		"import \"a\" as a; .", "include \"a\"; .",
		"import \"a\" as $a {search: \"/tmp\"}; .", "module {}; ." };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *got = run(rows[i], "1", &dg);

		CHECK_STR(got, NULL);
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK_STR(dg.message, "rules.jq: does not compile");
		CHECK(dg.detail != NULL && strstr(dg.detail, "error") != NULL);
		/* Only what the user wrote is quoted. */
		CHECK(dg.detail != NULL &&
		    strstr(dg.detail, "not available") == NULL);
	}
}

static void
line_numbers_are_the_programs(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *got = run(".\n|\n]", "1", &dg);

	CHECK_STR(got, NULL);
	CHECK(dg.detail != NULL && strstr(dg.detail, "line 3") != NULL);
}

static void
the_users_own_jq_file_is_not_read(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	static const char text[] = "def planted: 1;";
	cleanup_close int home = -1;
	cleanup_free char *got = NULL;

	CHECK_INT(fs_open_dir(check_tmpdir(), &home, &dg), 0);
	CHECK_INT(
	    fs_replace_file(home, ".jq", text, sizeof(text) - 1, 0600, &dg), 0);
	CHECK_INT(setenv("HOME", check_tmpdir(), 1), 0);
	got = run("planted", "1", &dg);
	CHECK_STR(got, NULL);
	CHECK_STR(dg.message, "rules.jq: does not compile");
	CHECK_STR(getenv("HOME"), check_tmpdir());
}

static void
a_program_runs_again_after_a_failure(void)
{
	cleanup_jqprog struct jqprog *prog = NULL;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(jqprog_compile("p", ".a + 1", &prog, &dg), 0);
	CHECK_INT(jqprog_run(prog, "[]", 2, &out, &dg), -1);
	CHECK_INT(out.len, 0);
	diag_clear(&dg);
	CHECK_INT(jqprog_run(prog, "{", 1, &out, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	diag_clear(&dg);
	CHECK_INT(jqprog_run(prog, "{\"a\":1}", 7, &out, &dg), 0);
	CHECK_STR(out.buf, "2");
}

static const struct check_test tests[] = {
	{ "one output comes back as compact JSON", one_output_is_compact },
	{ "no output, several or an error is an error",
	    anything_else_is_an_error },
	{ "a bad program, or one with modules, does not compile",
	    bad_programs_do_not_compile },
	{ "line numbers are the program's own", line_numbers_are_the_programs },
	{ "$HOME/.jq is not read", the_users_own_jq_file_is_not_read },
	{ "a program runs again after a failure",
	    a_program_runs_again_after_a_failure },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
