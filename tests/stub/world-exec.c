/* SPDX-License-Identifier: MIT */
/* Beside what a container runs: one more command in it, and what it logged. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/xalloc.h"

enum {
	CANNOT_RUN = 126,
	NOT_FOUND = 127,
};

/* The first word that is no option's; docker's options come before it. */
static char *const *
find_operand(struct world *w, const char **ret_dir)
{
	char *const *a = w->argv + 1;

	for (; *a != NULL && **a == '-'; a++) {
		if (strcmp(*a, "--workdir") == 0 && a[1] != NULL)
			*ret_dir = *++a;
		else if (strcmp(*a, "--tail") == 0 && a[1] != NULL)
			a++;
	}
	if (*a == NULL)
		world_die("%s of nothing", w->key);
	return a;
}

static bool
find_container(struct world *w, const char *id, char **ret_dir)
{
	*ret_dir = world_container(w, id);
	if (access(*ret_dir, F_OK) == 0)
		return true;
	strbuf_addf(
	    &w->err, "Error response from daemon: No such container: %s\n", id);
	w->status = 1;
	return false;
}

static bool
is_running(const char *dir)
{
	cleanup_free char *path = xasprintf("%s/state", dir);
	cleanup_free char *text = world_read(path, true);
	long pid = 0;

	return text != NULL && sscanf(text, "running %ld", &pid) == 1 &&
	    world_is_alive((pid_t)pid);
}

/* execs has the pid of each command that was started so. */
static void
note_process(const char *dir, pid_t pid)
{
	cleanup_free char *path = xasprintf("%s/execs", dir);
	cleanup_fclose FILE *f = fopen(path, "ae");

	if (f == NULL)
		world_die("open %s", path);
	(void)fprintf(f, "%ld\n", (long)pid);
}

void
world_exec(struct world *w)
{
	const char *cwd = "/";
	char *const *operand = find_operand(w, &cwd);
	cleanup_free char *dir = NULL;
	int status;
	pid_t pid;

	if (!find_container(w, *operand, &dir))
		return;
	if (!is_running(dir)) {
		strbuf_addf(&w->err,
		    "Error response from daemon: container %s is not running\n",
		    *operand);
		w->status = 1;
		return;
	}
	pid = fork();
	if (pid == -1)
		world_die("fork: %s", strerror(errno));
	if (pid == 0) {
		if (chdir(cwd) == 0)
			(void)execvp(operand[1], operand + 1);
		_exit(errno == ENOENT ? NOT_FOUND : CANNOT_RUN);
	}
	note_process(dir, pid);
	if (waitpid(pid, &status, 0) != pid)
		world_die("wait: %s", strerror(errno));
	w->status =
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void
world_logs(struct world *w)
{
	const char *ignored = NULL;
	char *const *operand = find_operand(w, &ignored);
	cleanup_free char *dir = NULL;
	cleanup_free char *path = NULL;
	cleanup_free char *text = NULL;

	if (!find_container(w, *operand, &dir))
		return;
	path = xasprintf("%s/log", dir);
	text = world_read(path, true);
	if (text != NULL)
		strbuf_addstr(&w->out, text);
}
