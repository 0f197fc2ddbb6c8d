/* SPDX-License-Identifier: MIT */
/* programfilter: finds commands by jq, and removes by jsonfilter. */
#include "sync/programfilter.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/jqprog.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "sync/jsonfilter.h"

#define NAME_CHARACTERS                                              \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345" \
	"6789._+-@"

/* Returns the name of the program in a command, or NULL. */
static const char *
program_name(const char *command, size_t len)
{
	static const char *const dirs[] = { "/usr/bin/", "/bin/" };

	/* A NUL ends no string of JSON. */
	if (command == NULL || strlen(command) != len)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (strncmp(command, dirs[i], strlen(dirs[i])) != 0)
			continue;
		command += strlen(dirs[i]);
		break;
	}
	return *command != '\0' &&
		command[strspn(command, NAME_CHARACTERS)] == '\0'
	    ? command
	    : NULL;
}

/* Finds [PATH, COMMAND] for each command; PATH leads to what contains it. */
static int
find_commands(const struct strvec *expressions, const char *text, size_t len,
    struct strbuf *ret_found, struct diag *dg)
{
	cleanup_free char *joined = strvec_join(expressions, "),\n(");
	cleanup_free char *program =
	    xasprintf("[path((%s)) as $p | getpath($p) | strings |\n"
		      "select($p | length > 1) | [$p[:-1], .]]",
		joined);
	cleanup_jqprog struct jqprog *prog = NULL;

	if (jqprog_compile("programs", program, &prog, dg) != 0)
		return -1;
	return jqprog_run(prog, text, len, ret_found, dg);
}

static void
add_left_out(const struct json *path, const char *command, struct strvec *ret)
{
	const char *key = json_string(json_at(path, json_len(path) - 1));

	strvec_pushf(ret, "%s (%s)", key != NULL ? key : "an entry", command);
}

int
programfilter_run(const struct strvec *expressions,
    const struct strvec *programs, const char *text, size_t len,
    const char *what, struct strbuf *out, struct strvec *ret_left_out,
    struct diag *dg)
{
	cleanup_strbuf struct strbuf found = STRBUF_INIT;
	cleanup_strbuf struct strbuf paths = STRBUF_INIT;
	cleanup_strbuf struct strbuf expression = STRBUF_INIT;
	cleanup_json struct json *root = NULL;
	cleanup_strvec struct strvec drop = STRVEC_INIT;
	cleanup_jsonfilter struct jsonfilter *filter = NULL;
	struct jsonw *w;

	if (find_commands(expressions, text, len, &found, dg) != 0 ||
	    json_parse_loose(found.buf, found.len, "programs", &root, dg) != 0)
		return diag_wrap(dg, "%s", what);
	for (size_t i = 0; i < json_len(root); i++) {
		const struct json *path = json_at(json_at(root, i), 0);
		size_t n = 0;
		const char *command =
		    json_string_len(json_at(json_at(root, i), 1), &n);
		const char *name = program_name(command, n);

		if (name == NULL || strvec_has(programs, name))
			continue;
		add_left_out(path, command, ret_left_out);
		strbuf_addstr(&paths, paths.len == 0 ? "[" : ",");
		strbuf_add(&paths, found.buf + json_start(path),
		    json_end(path) - json_start(path));
	}
	if (paths.len > 0) {
		strbuf_addch(&paths, ']');
		w = jsonw_new(false);
		jsonw_str(w, paths.buf);
		strbuf_addstr(&expression, "getpath(");
		if (jsonw_finish(w, &expression, dg) != 0)
			return -1;
		strbuf_addstr(&expression, " | fromjson | .[])");
		strvec_push(&drop, expression.buf);
	}
	if (jsonfilter_new(&drop, "", NULL, &filter, dg) != 0)
		return -1;
	return jsonfilter_run(filter, text, len, what, out, dg);
}
