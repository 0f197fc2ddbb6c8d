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

	for (; *a != NULL && **a == '-'; a++)
		if (strcmp(*a, "--workdir") == 0 && a[1] != NULL)
			*ret_dir = *++a;
	if (*a == NULL)
		world_die("%s of nothing", w->key);
	return a;
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

	dir = world_container(w, *operand);
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

/* Frames of 8 bytes and the text: which stream it is, and how long. */
void
world_logs(struct world *w)
{
	cleanup_free char *dir = world_container(w, w->subject);
	cleanup_free char *path = xasprintf("%s/log", dir);
	cleanup_free char *text = world_read(path, true);
	size_t len = text == NULL ? 0 : strlen(text);
	const unsigned char head[8] = { 1, 0, 0, 0, (unsigned char)(len >> 24),
		(unsigned char)(len >> 16), (unsigned char)(len >> 8),
		(unsigned char)len };

	if (access(dir, F_OK) != 0) {
		world_deny(w);
		return;
	}
	w->status = 200;
	if (len == 0)
		return;
	strbuf_add(&w->out, head, sizeof(head));
	strbuf_add(&w->out, text, len);
}

bool
world_command(struct world *w)
{
	if (strcmp(w->key, "exec") == 0)
		world_exec(w);
	else if (strcmp(w->key, "compose-version") == 0)
		strbuf_addstr(&w->out, "2.26.1\n");
	else
		return false;
	return true;
}
