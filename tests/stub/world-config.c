/* SPDX-License-Identifier: MIT */
/*
 * compose config: the real Compose merges, and its answer to the same question
 * is kept, with the words that change from run to run taken out.
 */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/xalloc.h"

extern char **environ;

/* A word of this run, and what stands for it in what is kept. */
struct word {
	const char *value;
	const char *name;
};

static char *
replace(const char *text, const char *what, const char *with)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (what == NULL || *what == '\0')
		return xstrdup(text);
	for (const char *at; (at = strstr(text, what)) != NULL;
	     text = at + strlen(what)) {
		strbuf_add(&out, text, (size_t)(at - text));
		strbuf_addstr(&out, with);
	}
	strbuf_addstr(&out, text);
	return strbuf_detach(&out, NULL);
}

/* Longest first: the session's id stands in the paths too. */
static char *
take_out(const struct word *words, size_t n, const char *text)
{
	char *now = xstrdup(text);

	for (size_t i = 0; i < n; i++) {
		char *next = replace(now, words[i].value, words[i].name);

		free(now);
		now = next;
	}
	return now;
}

static char *
put_in(const struct word *words, size_t n, const char *text)
{
	char *now = xstrdup(text);

	for (size_t i = n; i-- > 0;) {
		char *next = replace(now, words[i].name, words[i].value);

		free(now);
		now = next;
	}
	return now;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The history's directory is named for a digest of the project's path. */
static const char *
history_name(void)
{
	const char *path = getenv("DRYDOCK_SOURCE_HISTORY");
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;

	return slash != NULL ? slash + 1 : NULL;
}

/* Everything that Compose could see: arguments, environment, files. */
static char *
make_question(const struct world *w)
{
	static const char file[] = "--file=";
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT;

	for (char *const *a = w->argv; *a != NULL; a++) {
		strbuf_addf(&all, "%s\n", *a);
		if (strncmp(*a, file, sizeof(file) - 1) != 0)
			continue;
		cleanup_free char *text =
		    world_read(*a + sizeof(file) - 1, false);

		strbuf_addstr(&all, text);
	}
	strvec_push_all(&env, (const char *const *)environ);
	qsort(env.v, env.nr, sizeof(*env.v), compare);
	for (size_t i = 0; i < env.nr; i++)
		strbuf_addf(&all, "%s\n", env.v[i]);
	return strbuf_detach(&all, NULL);
}

/* Runs the real one with our own descriptors and environment. */
static void
ask_real(struct world *w)
{
	cleanup_free char *path = xasprintf("%s/compose-real", w->dir);
	cleanup_free char *program = world_read(path, false);
	char *argv[64] = { program };
	char buf[65536];
	int fds[2];
	ssize_t n;
	int status;
	pid_t pid;

	for (size_t i = 0; w->argv[i] != NULL && i + 2 < ARRAY_SIZE(argv); i++)
		argv[i + 1] = w->argv[i];
	if (pipe(fds) != 0 || (pid = fork()) == -1)
		world_die("run %s: %s", program, strerror(errno));
	if (pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)close(fds[0]);
		(void)close(fds[1]);
		(void)execv(program, argv);
		_exit(127);
	}
	(void)close(fds[1]);
	while ((n = read(fds[0], buf, sizeof(buf))) > 0)
		strbuf_add(&w->out, buf, (size_t)n);
	(void)close(fds[0]);
	if (waitpid(pid, &status, 0) != pid)
		world_die("wait for %s", program);
	w->status = WIFEXITED(status) ? WEXITSTATUS(status) : 137;
}

/* With world.d/compare: whether the real one would say what is kept. */
static void
compare_answers(struct world *w, const char *kept)
{
	cleanup_free char *path = xasprintf("%s/compare", w->dir);

	if (access(path, F_OK) != 0)
		return;
	ask_real(w);
	if (w->status != 0 || strcmp(w->out.buf, kept) != 0)
		world_complain(w, "Compose's answer is not the kept one");
	strbuf_reset(&w->out);
	world_write(path, "compared\n", strlen("compared\n"));
}

void
world_config(struct world *w)
{
	cleanup_free char *question = NULL;
	cleanup_free char *plain = make_question(w);
	cleanup_free char *dir = xasprintf("%s/templates", w->dir);
	cleanup_free char *root_path = xasprintf("%s/here", w->dir);
	cleanup_free char *here = world_read(root_path, true);
	cleanup_free char *path = NULL;
	cleanup_free char *kept = NULL;
	char digest[DIGEST_HEX_SIZE];
	const struct word words[] = {
		{ here != NULL ? here : w->top, "@HERE@" },
		{ history_name(), "@HISTORY@" },
		{ getenv("DRYDOCK_STATE_ID"), "@STATE@" },
		{ getenv("DRYDOCK_SESSION"), "@SESSION@" },
	};

	question = take_out(words, ARRAY_SIZE(words), plain);
	digest_bytes(question, strlen(question), digest);
	path = xasprintf("%s/%s", dir, digest);
	kept = world_read(path, true);
	if (kept == NULL) {
		ask_real(w);
		if (w->status == 0 && access(dir, W_OK) == 0) {
			cleanup_free char *text =
			    take_out(words, ARRAY_SIZE(words), w->out.buf);

			world_write(path, text, strlen(text));
		}
		return;
	}
	cleanup_free char *text = put_in(words, ARRAY_SIZE(words), kept);

	compare_answers(w, text);
	strbuf_addstr(&w->out, text);
}
