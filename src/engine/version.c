/* SPDX-License-Identifier: MIT */
/* version: parses and compares the output of `--version`. */
#include "engine/version.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/engine.h"

/*
 * Parses up to six digits, so that no number overflows.  Returns the end, or
 * NULL if there is no number or it is longer.
 */
static const char *
parse_number(const char *p, int *ret_value)
{
	int value = 0;
	int digits = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (++digits > 6)
			return NULL;
		value = value * 10 + (*p - '0');
	}
	if (digits == 0)
		return NULL;
	*ret_value = value;
	return p;
}

bool
version_parse(const char *text, struct version *ret_version)
{
	struct version v;
	const char *p = text;

	if (*p == 'v')
		p++;
	p = parse_number(p, &v.major);
	if (p == NULL || *p != '.')
		return false;
	p = parse_number(p + 1, &v.minor);
	if (p == NULL)
		return false;
	*ret_version = v;
	return true;
}

bool
version_before(struct version a, struct version b)
{
	if (a.major != b.major)
		return a.major < b.major;
	return a.minor < b.minor;
}

static void
make_argv(const struct engine *engine, struct strvec *argv)
{
	static const char *const args[] = { "version", "--short", NULL };

	strvec_push_all(argv, (const char *const *)engine->compose.v);
	strvec_push_all(argv, args);
}

int
compose_version_start(
    const struct engine *engine, struct proc **ret_proc, struct diag *dg)
{
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;

	make_argv(engine, &argv);
	spec.argv = (const char *const *)argv.v;
	spec.envp = (const char *const *)engine->env.v;
	spec.timeout_ms = engine->timeout_ms;
	if (proc_start(&spec, ret_proc, dg) != 0)
		return diag_reclass(dg, DIAG_ENGINE);
	return 0;
}

#define INSTALL                                                             \
	"install docker-compose of Debian 13, or docker-compose-plugin of " \
	"docker.com"

/*
 * Returns the number in "docker-compose version 1.29.2, build x" or "2.26.1".
 */
static const char *
find_number(const char *text)
{
	const char *word = strstr(text, "version ");

	return word == NULL ? text : word + strlen("version ");
}

static int
judge(struct engine *engine, const char *line, struct diag *dg)
{
	const struct engine_floor *floor =
	    &engine_floors()[ENGINE_FLOOR_COMPOSE];
	const char *text = find_number(line);
	struct version v;

	if (!version_parse(text, &v))
		return diag_set(dg, DIAG_ENGINE,
		    "%s answers '%.80s' when asked for its version: " INSTALL,
		    engine->compose.v[0], line);
	if (!engine_meets_floor(ENGINE_FLOOR_COMPOSE, text))
		return diag_set(dg, DIAG_ENGINE,
		    "%s is Docker Compose %s%s, and drydock needs %s or "
		    "newer: " INSTALL,
		    engine->compose.v[0], text,
		    v.major < 2 ? " (Compose v1)" : "", floor->version);
	free(engine->compose_version);
	engine->compose_version = xstrdup(text);
	return 0;
}

static int
finish_one(struct engine *engine, struct proc *proc, bool *ret_timed_out,
    struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	cleanup_free char *line = NULL;

	make_argv(engine, &argv);
	if (proc_finish(proc, &result, dg) != 0)
		return diag_reclass(dg, DIAG_ENGINE);
	*ret_timed_out = result.timed_out;
	if (engine_check_result((const char *const *)argv.v, &result,
		engine->timeout_ms, dg) != 0)
		return -1;
	line = xstrndup(result.out.buf, strcspn(result.out.buf, "\n"));
	return judge(engine, line, dg);
}

int
compose_version_finish(
    struct engine *engine, struct proc *proc, struct diag *dg)
{
	cleanup_diag struct diag first = DIAG_INIT;
	bool timed_out = false;

	if (finish_one(engine, proc, &timed_out, &first) == 0)
		return 0;
	for (size_t i = 1; i < engine->composes.nr && !timed_out; i++) {
		cleanup_diag struct diag ignored = DIAG_INIT;
		struct proc *next = NULL;

		engine_use_compose(engine, engine->composes.v[i]);
		if (compose_version_start(engine, &next, &ignored) == 0 &&
		    finish_one(engine, next, &timed_out, &ignored) == 0)
			return 0;
	}
	if (engine->passed_over != NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "%s; %s is not run, because a session or a user other "
		    "than root could replace it: name a program by the "
		    "setting compose",
		    first.message, engine->passed_over);
	diag_move(dg, &first);
	return -1;
}
