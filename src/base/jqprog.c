/* SPDX-License-Identifier: MIT */
/*
 * A jq program in a sandboxed libjq 1.6.
 *
 * The program gets no access to files, standard streams or the environment.
 * `import` and `include` are a syntax error after the first definition, and the
 * prelude puts definitions before the program.  The prelude also redefines the
 * builtins that read, write or stop.  environ is empty while libjq compiles,
 * since libjq then reads $ENV and would load $HOME/.jq.  environ is also empty
 * while libjq runs (`env`).
 */
#include "base/jqprog.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An inline helper of jv.h may stay unused. */
#include <jq.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

/* On one line, so that line numbers in libjq's messages are the program's. */
#define REFUSED(name) \
	"def " name ": error(\"" name " is not available here\"); "
static const char prelude[] =
    REFUSED("input") REFUSED("inputs") REFUSED("input_filename")
	REFUSED("input_line_number") REFUSED("stderr") REFUSED("debug")
	    REFUSED("halt") REFUSED("halt_error") REFUSED("modulemeta")
		REFUSED("get_search_list") "def halt_error(f): halt_error; ";

struct jqprog {
	jq_state *jq; /* owned */
	char *name; /* owned */
	struct strbuf words; /* libjq's messages since the last reset */
};

/* Callers are single-threaded; nothing reads environ until it is restored. */
static char **
hide_environ(void)
{
	static char *none[1];
	char **saved = environ;

	environ = none;
	return saved;
}

/* Appends text without trailing blanks: libjq pads its lines. */
static void
add_trimmed(struct strbuf *sb, const char *s)
{
	for (;;) {
		size_t len = strcspn(s, "\n");
		size_t kept = len;

		while (kept > 0 && s[kept - 1] == ' ')
			kept--;
		strbuf_add(sb, s, kept);
		strbuf_addch(sb, '\n');
		s += len;
		if (*s == '\0')
			return;
		s++;
	}
}

/*
 * Takes msg (libjq: given).  The prelude is removed: the user did not write it.
 * jq_format_error() of libjq 1.6 leaks a message that is not a string.
 */
static void
collect_words(void *arg, jv msg)
{
	struct jqprog *prog = arg;
	jv text =
	    jv_get_kind(msg) == JV_KIND_STRING ? msg : jv_dump_string(msg, 0);
	const char *s = jv_string_value(text);
	const char *own = strstr(s, prelude);

	if (own != NULL) {
		strbuf_add(&prog->words, s, (size_t)(own - s));
		s = own + strlen(prelude);
	}
	add_trimmed(&prog->words, s);
	jv_free(text);
}

int
jqprog_compile(const char *name, const char *text, struct jqprog **ret_prog,
    struct diag *dg)
{
	cleanup_jqprog struct jqprog *prog = xcalloc(1, sizeof(*prog));
	cleanup_free char *whole = xasprintf("%s%s", prelude, text);
	char **saved;
	int ok;

	strbuf_init(&prog->words);
	prog->name = xstrdup(name);
	prog->jq = jq_init();
	if (prog->jq == NULL)
		return diag_set(dg, DIAG_BUG, "libjq does not start");
	jq_set_error_cb(prog->jq, collect_words, prog);
	jq_set_attr(prog->jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
	saved = hide_environ();
	ok = jq_compile(prog->jq, whole);
	environ = saved;
	if (!ok) {
		(void)diag_set(dg, DIAG_CONFIG, "%s: does not compile", name);
		return diag_add_detail(dg, prog->words.buf, prog->words.len);
	}
	*ret_prog = steal_ptr(&prog);
	return 0;
}

void
jqprog_free(struct jqprog *prog)
{
	if (prog == NULL)
		return;
	if (prog->jq != NULL)
		jq_teardown(&prog->jq);
	free(prog->name);
	strbuf_release(&prog->words);
	free(prog);
}

void
jqprog_freep(struct jqprog **prog)
{
	jqprog_free(*prog);
	*prog = NULL;
}

static int
fail_with_words(struct jqprog *prog, const char *how, struct diag *dg)
{
	(void)diag_set(dg, DIAG_CONFIG, "%s: %s", prog->name, how);
	return diag_add_detail(dg, prog->words.buf, prog->words.len);
}

/* Takes the value after the last output: an error, a halt or the end. */
static int
check_end(struct jqprog *prog, jv end, struct diag *dg)
{
	if (jv_invalid_has_msg(jv_copy(end))) {
		collect_words(prog, jv_invalid_get_msg(end));
		return fail_with_words(prog, "jq error", dg);
	}
	jv_free(end);
	if (jq_halted(prog->jq))
		return fail_with_words(prog, "stopped before its end", dg);
	return 0;
}

/* Gives the only output to *ret_value.  A failure leaves no value behind. */
static int
only_output(struct jqprog *prog, jv *ret_value, struct diag *dg)
{
	jv first = jq_next(prog->jq);
	jv next;

	if (!jv_is_valid(first)) {
		if (check_end(prog, first, dg) != 0)
			return -1;
		return diag_set(
		    dg, DIAG_CONFIG, "%s: gave no output", prog->name);
	}
	next = jq_next(prog->jq);
	if (jv_is_valid(next)) {
		jv_free(next);
		jv_free(first);
		return diag_set(dg, DIAG_CONFIG,
		    "%s: gave more than one output", prog->name);
	}
	if (check_end(prog, next, dg) != 0) {
		jv_free(first);
		return -1;
	}
	*ret_value = first;
	return 0;
}

int
jqprog_run(struct jqprog *prog, const char *input, size_t len,
    struct strbuf *out, struct diag *dg)
{
	char **saved;
	jv value;
	int rc;

	if (len > INT_MAX)
		return diag_set(
		    dg, DIAG_DATA, "%s: input of %zu bytes", prog->name, len);
	strbuf_reset(&prog->words);
	value = jv_parse_sized(input, (int)len);
	if (!jv_is_valid(value)) {
		jv_free(value);
		return diag_set(
		    dg, DIAG_DATA, "%s: input is not JSON", prog->name);
	}
	saved = hide_environ();
	jq_start(prog->jq, value, 0);
	rc = only_output(prog, &value, dg);
	environ = saved;
	if (rc == 0) {
		jv text = jv_dump_string(value, 0);

		strbuf_add(out, jv_string_value(text),
		    (size_t)jv_string_length_bytes(jv_copy(text)));
		jv_free(text);
	}
	return rc;
}
