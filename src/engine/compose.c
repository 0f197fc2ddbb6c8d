/* SPDX-License-Identifier: MIT */
/* compose: runs Compose on files that only drydock can have written. */
#include "engine/compose.h"

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

#define MODEL_MAX ((size_t)8 << 20)

/* Number of the first kept descriptor in the child (proc.h). */
#define FIRST_FD 3

#define FD_PATH "/proc/self/fd/"

static const char *const config_args[] = { "config", "--format=json", NULL };
static const char *const hash_args[] = { "config", "--hash=*", NULL };
/*
 * The plan names images by id, and they exist.  An existing container is
 * another session's or a bug, and is never replaced.  The holder in the
 * container reports when it is ready.
 */
static const char *const up_args[] = { "up", "--detach", "--no-build",
	"--no-recreate", "--pull=never", "--quiet-pull", NULL };

/*
 * Sets every option that Compose would otherwise read from a .env file, the
 * project's directory or the environment.  "--x=y" keeps a value from being
 * parsed as a command.
 */
static void
make_argv(const struct engine *engine, const struct compose_spec *spec,
    const char *const *command, struct strvec *out)
{
	strvec_push_all(out, (const char *const *)engine->compose.v);
	strvec_pushf(out, "--project-name=%s", spec->project);
	strvec_pushf(out, "--project-directory=%s", spec->project_dir);
	strvec_push(out, "--env-file=/dev/null");
	strvec_push(out, "--ansi=never");
	strvec_push(out, "--progress=quiet");
	for (size_t i = 0; i < spec->nfiles; i++)
		strvec_pushf(out, "--file=" FD_PATH "%zu", i + FIRST_FD);
	strvec_push_all(out, command);
}

static int
start(const struct engine *engine, const struct compose_spec *spec,
    const struct strvec *argv, int timeout_ms, struct proc **ret_proc,
    struct diag *dg)
{
	size_t nkeep = spec->nfiles + spec->nkeep;
	cleanup_free int *keep = xcalloc(nkeep + 1, sizeof(*keep));
	cleanup_strvec struct strvec env = STRVEC_INIT;
	struct proc_spec ps = PROC_SPEC_INIT;

	for (size_t i = 0; i < spec->nfiles; i++)
		keep[i] = spec->file_fds[i];
	for (size_t i = 0; i < spec->nkeep; i++)
		keep[spec->nfiles + i] = spec->keep_fds[i];
	strvec_push_all(&env, (const char *const *)engine->env.v);
	/*
	 * A Go program that ends soon: with the default of 100 it spends a
	 * quarter of its processor time on garbage collection.
	 */
	strvec_push(&env, "GOGC=400");
	if (spec->vars != NULL)
		strvec_push_all(&env, (const char *const *)spec->vars->v);
	ps.argv = (const char *const *)argv->v;
	ps.envp = (const char *const *)env.v;
	ps.keep_fds = keep;
	ps.nkeep = nkeep;
	ps.timeout_ms = timeout_ms;
	ps.max_output = MODEL_MAX;
	ps.interrupt = spec->interrupt;
	ps.ret_began = spec->ret_began;
	if (proc_start(&ps, ret_proc, dg) != 0)
		return diag_reclass(dg, DIAG_ENGINE);
	return 0;
}

int
compose_config_start(const struct engine *engine,
    const struct compose_spec *spec, struct proc **ret_proc, struct diag *dg)
{
	cleanup_strvec struct strvec argv = STRVEC_INIT;

	make_argv(engine, spec, config_args, &argv);
	return start(engine, spec, &argv, engine->timeout_ms, ret_proc, dg);
}

/*
 * Returns true if Compose (a Go program) crashed, rather than rejected its
 * input.
 */
static bool
crashed(const struct proc_result *result)
{
	return result->status > 128 ||
	    strncmp(result->err.buf, "panic:", 6) == 0 ||
	    strstr(result->err.buf, "\npanic:") != NULL ||
	    strncmp(result->err.buf, "fatal error:", 12) == 0 ||
	    strstr(result->err.buf, "\nfatal error:") != NULL;
}

int
compose_config_finish(const struct engine *engine, struct proc *proc,
    struct strbuf *out, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_strvec struct strvec args = STRVEC_INIT;
	const char *const *argv;

	strvec_push_all(&args, (const char *const *)engine->compose.v);
	strvec_push_all(&args, config_args);
	argv = (const char *const *)args.v;
	if (proc_finish(proc, &result, dg) != 0)
		return diag_reclass(dg, DIAG_ENGINE);
	if (answer_is_whole(argv, &result, engine->timeout_ms, dg) != 0)
		return -1;
	if (result.status != 0 && (result.err.len == 0 || crashed(&result)))
		return answer_failed(argv, &result, dg);
	if (result.status != 0) {
		diag_set(dg, DIAG_CONFIG,
		    "Docker Compose refuses the session's files");
		return diag_add_detail(dg, result.err.buf, result.err.len);
	}
	/*
	 * The answer must be one JSON object from its first byte to its last.
	 */
	while (result.out.len > 0 && result.out.buf[result.out.len - 1] == '\n')
		strbuf_setlen(&result.out, result.out.len - 1);
	if (result.out.len < 2 || result.out.buf[0] != '{' ||
	    result.out.buf[result.out.len - 1] != '}')
		return diag_set(dg, DIAG_ENGINE,
		    "docker-compose config: the answer is not a whole JSON object");
	strbuf_add(out, result.out.buf, result.out.len);
	return 0;
}

/* Appends text with descriptor paths replaced by the names of the files. */
static void
add_named(const struct compose_spec *spec, const char *text, struct strbuf *out)
{
	for (;;) {
		const char *at = strstr(text, FD_PATH);
		char *end;
		unsigned long n;

		if (at == NULL)
			break;
		strbuf_add(out, text, (size_t)(at - text));
		n = strtoul(at + strlen(FD_PATH), &end, 10);
		if (n >= FIRST_FD && n - FIRST_FD < spec->nfiles)
			strbuf_addstr(out, spec->file_names[n - FIRST_FD]);
		else
			strbuf_add(out, at, (size_t)(end - at));
		text = end;
	}
	strbuf_addstr(out, text);
}

void
compose_name_files(const struct compose_spec *spec, struct diag *dg)
{
	cleanup_strbuf struct strbuf named = STRBUF_INIT;

	if (spec->file_names == NULL || dg->detail == NULL)
		return;
	add_named(spec, dg->detail, &named);
	free(dg->detail);
	dg->detail = strbuf_detach(&named, NULL);
}

static int
run(const struct engine *engine, const struct compose_spec *spec,
    const char *const *command, int timeout_ms, struct proc_result *result,
    struct diag *dg)
{
	cleanup_strvec struct strvec args = STRVEC_INIT;
	struct proc *proc = NULL;

	make_argv(engine, spec, command, &args);
	if (start(engine, spec, &args, timeout_ms, &proc, dg) != 0)
		return -1;
	if (proc_finish(proc, result, dg) != 0)
		return diag_reclass(dg, DIAG_ENGINE);
	if (result->left)
		return diag_set(dg, DIAG_CANCELLED, "cancelled");
	return engine_check_result(
	    (const char *const *)args.v, result, timeout_ms, dg);
}

int
compose_hashes(const struct engine *engine, const struct compose_spec *spec,
    struct strvec *ret_hashes, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	if (run(engine, spec, hash_args, engine->timeout_ms, &result, dg) != 0)
		return -1;
	strvec_split(&lines, result.out.buf, '\n');
	for (size_t i = 0; i < lines.nr; i++) {
		const char *blank = strchr(lines.v[i], ' ');

		if (blank != NULL)
			strvec_pushf(ret_hashes, "%.*s=%s",
			    (int)(blank - lines.v[i]), lines.v[i], blank + 1);
	}
	return 0;
}

int
compose_up(const struct engine *engine, const struct compose_spec *spec,
    struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;

	if (run(engine, spec, up_args, engine->launch_timeout_ms, &result,
		dg) == 0)
		return 0;
	compose_name_files(spec, dg);
	return -1;
}
