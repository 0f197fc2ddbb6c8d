/* SPDX-License-Identifier: MIT */
/*
 * buildkit: makes the command line and environment of the build, and reads the
 * image id.
 */
#include "engine/buildkit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/engine.h"
#include "engine/hostconf.h"
#include "host/paths.h"

/*
 * Limit of the builder's output.  A build with a few hundred packages writes
 * some hundred kB.
 */
#define OUTPUT_MAX ((size_t)64 * 1024 * 1024)
#define IID_MAX ((size_t)256)
#define TOLD_LINES 40
#define WORK_PARENT "build"

/* A temporary directory of one build. */
struct workdir {
	char *path; /* owned; NULL: none */
	int state_fd; /* borrowed */
};

/* Warns if it fails; the message names the path. */
static void
workdir_remove(struct workdir *work)
{
	cleanup_diag struct diag failure = DIAG_INIT;

	if (work->path != NULL &&
	    fs_remove_tree(work->state_fd, WORK_PARENT, &failure) != 0)
		diag_warn("%s", failure.message);
	free(work->path);
}

#define cleanup_workdir __attribute__((cleanup(workdir_remove)))

/*
 * Makes the directory below the state directory, which no session can access.
 * $TMPDIR could be inside a project, where an agent could forge the image id
 * that drydock reads from the directory.  The caller holds built_lock():
 * directories left by killed builds are removed first.
 */
static int
workdir_make(struct workdir *work, const struct paths *paths, struct diag *dg)
{
	/*
	 * A random name: the builder of a killed build may still write to its
	 * directory.
	 */
	cleanup_free char *path =
	    xasprintf("%s/" WORK_PARENT "/XXXXXX", paths->state_dir);
	cleanup_close int fd = -1;

	if (fs_remove_tree(paths->state_fd, WORK_PARENT, dg) != 0 ||
	    fs_make_dir(paths->state_fd, WORK_PARENT, 0700, &fd, dg) != 0)
		return -1;
	/* mkdtemp(3) uses mode 0700, whatever the umask. */
	if (mkdtemp(path) == NULL)
		return diag_set_errno(dg, DIAG_IO, errno,
		    "make a directory in %s/" WORK_PARENT, paths->state_dir);
	work->path = steal_ptr(&path);
	work->state_fd = paths->state_fd;
	return 0;
}

int
buildkit_check(const struct engine *engine, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	const char *const args[] = { "buildx", "version", NULL };

	if (engine_ask(engine, args, engine->timeout_ms, &result, dg) != 0)
		return -1;
	if (result.status == 0 && strstr(result.out.buf, "buildx") != NULL)
		return 0;
	return diag_set(dg, DIAG_ENGINE,
	    "%s has no buildx, and building needs it: install docker-buildx "
	    "(Debian) or docker-buildx-plugin (Docker's packages)",
	    engine->docker);
}

/* Returns the start of the last lines of text. */
static const char *
last_lines(const struct strbuf *text, int lines)
{
	const char *p = text->buf + text->len;

	if (p > text->buf && p[-1] == '\n')
		p--;
	while (p > text->buf && (p[-1] != '\n' || --lines > 0))
		p--;
	return p;
}

/* Returns the text after "#STEP " for a line of that step, else NULL. */
static const char *
step_text(const char *line, const char *step)
{
	size_t len = strlen(step);

	return strncmp(line, step, len) == 0 && line[len] == ' '
	    ? line + len + 1
	    : NULL;
}

/* Returned: "#9", the step that failed as a program; NULL: none did. */
static char *
failed_step(const char *output)
{
	static const char failure[] = "\n#";

	for (const char *at = output; (at = strstr(at, failure)) != NULL;) {
		size_t len;

		at++;
		len = 1 + strspn(at + 1, "0123456789");
		if (strncmp(at + len, " ERROR: process ", 16) == 0)
			return xstrndup(at, len);
	}
	return NULL;
}

/*
 * Appends the output of the failed step and its exit status.  BuildKit prints
 * both twice more, between lines of other steps and of the Dockerfile.  Returns
 * false if no step failed as a program.
 */
static bool
add_failed_step(const struct strbuf *output, struct strbuf *out)
{
	cleanup_free char *step = failed_step(output->buf);
	const char *line = output->buf;

	if (step == NULL)
		return false;
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");
		const char *text = step_text(line, step);
		const char *end = line + len;
		size_t number;

		line = end + (*end == '\n' ? 1 : 0);
		if (text == NULL)
			continue;
		number = strspn(text, "0123456789.");
		if (strncmp(text, "ERROR: ", 7) == 0) {
			cleanup_free char *error =
			    xstrndup(text, (size_t)(end - text));
			const char *status = strstr(error, "exit code: ");

			strbuf_addf(
			    out, "%s\n", status != NULL ? status : error);
		} else if (number > 0 && text[number] == ' ') {
			strbuf_add(out, text + number + 1,
			    (size_t)(end - text) - number - 1);
			strbuf_addch(out, '\n');
		}
	}
	return true;
}

static void
make_argv(const struct engine *engine, const struct buildkit_spec *spec,
    const char *iidfile, int secret_fd, struct strvec *argv)
{
	strvec_push(argv, engine->docker);
	strvec_push(argv, "build");
	strvec_push(argv, "--progress=plain");
	strvec_push(argv, "--file=Dockerfile");
	strvec_pushf(argv, "--iidfile=%s", iidfile);
	/* A descriptor of drydock: the secret is never a file on a disk. */
	strvec_pushf(argv, "--secret=id=host,src=/proc/%d/fd/%d", (int)getpid(),
	    secret_fd);
	if (spec->no_cache)
		strvec_push(argv, "--no-cache");
	if (hostconf_is_local(spec->hostconf))
		strvec_push(argv, "--network=host");
	for (size_t i = 0; i < spec->labels.nr; i++)
		strvec_pushf(argv, "--label=%s", spec->labels.v[i]);
	for (size_t i = 0; i < spec->args.nr; i++)
		strvec_pushf(argv, "--build-arg=%s", spec->args.v[i]);
	/*
	 * Proxies are passed by name only, with the value in the environment.
	 * They may contain passwords, and every user of the host can read the
	 * arguments of a process.  BuildKit keeps these names out of history
	 * and cache.
	 */
	for (size_t i = 0; i < spec->hostconf->proxies.nr; i++) {
		const char *proxy = spec->hostconf->proxies.v[i];

		strvec_pushf(
		    argv, "--build-arg=%.*s", (int)strcspn(proxy, "="), proxy);
	}
	strvec_push(argv, "-");
}

static int
read_image_id(const char *path, char **ret_image_id, struct diag *dg)
{
	cleanup_strbuf struct strbuf id = STRBUF_INIT;
	cleanup_close int dirfd = -1;
	cleanup_free char *dir =
	    xstrndup(path, (size_t)(strrchr(path, '/') - path));

	if (fs_open_dir(dir, &dirfd, dg) != 0 ||
	    fs_read_file(dirfd, strrchr(path, '/') + 1, IID_MAX, &id, dg) != 0)
		return diag_wrap(dg, "the new image's id");
	strbuf_setlen(&id, strcspn(id.buf, "\n"));
	if (!answer_is_image_id(id.buf))
		return diag_set(dg, DIAG_ENGINE,
		    "docker build gave no image id: \"%s\"", id.buf);
	*ret_image_id = strbuf_detach(&id, NULL);
	return 0;
}

static int
judge(const struct strvec *argv, const struct buildkit_spec *spec,
    const struct proc_result *result, struct diag *dg)
{
	cleanup_strbuf struct strbuf step = STRBUF_INIT;
	const struct strbuf *told = &result->err;
	const char *words;

	if (answer_is_whole((const char *const *)argv->v, result,
		spec->timeout_ms, dg) != 0)
		return -1;
	if (result->status == 0)
		return 0;
	diag_set(dg, DIAG_ENGINE, "docker build failed with status %d",
	    result->status);
	if (add_failed_step(&result->err, &step))
		told = &step;
	words = last_lines(told, TOLD_LINES);
	return diag_add_detail(
	    dg, words, told->len - (size_t)(words - told->buf));
}

int
buildkit_run(const struct engine *engine, const struct paths *paths,
    const struct buildkit_spec *spec, char **ret_image_id, struct diag *dg)
{
	cleanup_workdir struct workdir work = { NULL, -1 };
	cleanup_strbuf struct strbuf secret = STRBUF_INIT;
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	cleanup_strvec struct strvec envp = STRVEC_INIT;
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_free char *iidfile = NULL;
	cleanup_close int secret_fd = -1;
	struct proc_spec child = PROC_SPEC_INIT;

	if (hostconf_pack(spec->hostconf, &secret, dg) != 0 ||
	    fs_memfd("drydock-host", secret.buf, secret.len, &secret_fd, dg) !=
		0 ||
	    workdir_make(&work, paths, dg) != 0)
		return -1;
	iidfile = xasprintf("%s/iid", work.path);
	make_argv(engine, spec, iidfile, secret_fd, &argv);
	strvec_push_all(&envp, (const char *const *)engine->env.v);
	strvec_setenv(&envp, "BUILDX_BUILDER", "default");
	/* buildx writes a file for each build there. */
	strvec_setenv(&envp, "BUILDX_CONFIG", work.path);
	strvec_push_all(&envp, (const char *const *)spec->hostconf->proxies.v);
	child.argv = (const char *const *)argv.v;
	child.envp = (const char *const *)envp.v;
	child.input = spec->context->buf;
	child.input_len = spec->context->len;
	child.timeout_ms = spec->timeout_ms;
	child.max_output = OUTPUT_MAX;
	child.on_stderr_line = spec->progress;
	child.on_stderr_arg = spec->progress_arg;
	if (proc_run(&child, &result, dg) != 0 ||
	    judge(&argv, spec, &result, dg) != 0)
		return -1;
	return read_image_id(iidfile, ret_image_id, dg);
}

void
buildkit_spec_release(struct buildkit_spec *spec)
{
	strvec_release(&spec->args);
	strvec_release(&spec->labels);
}
