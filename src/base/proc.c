/* SPDX-License-Identifier: MIT */
/* Starting children: what they get, and nothing else. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/monotime.h"
#include "base/proc-private.h"
#include "base/xalloc.h"

#define DEFAULT_MAX_OUTPUT ((size_t)1 << 20)

/* The child's ends, and what they were copied to: above all its numbers. */
struct child_fds {
	int std[3]; /* owned; -1: /dev/null */
	int *keep; /* owned, nkeep of them */
	size_t nkeep;
	int cwd; /* owned; -1: "/" */
};

#define CHILD_FDS_INIT                      \
	{                                   \
		{ -1, -1, -1 }, NULL, 0, -1 \
	}

static void
child_fds_release(struct child_fds *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->std); i++)
		cleanup_close_fn(&c->std[i]);
	for (size_t i = 0; i < c->nkeep; i++)
		cleanup_close_fn(&c->keep[i]);
	cleanup_close_fn(&c->cwd);
	free(c->keep);
	c->keep = NULL;
	c->nkeep = 0;
}

/*
 * Copies fd to a number that no dup2 of the child's will hit.  Returns -1 with
 * errno.
 */
static int
copy_above(int fd, size_t nkeep)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, (int)nkeep + 3);
}

/*
 * Makes a pipe; theirs is above the child's numbers.  Which end is ours: 0 to
 * read, 1 to write.  Only what writes may meet a full pipe: a reader asks
 * poll(2) first, and nobody else empties it.
 */
static int
make_pipe(int end, size_t nkeep, int *ret_ours, int *ret_theirs)
{
	int ours cleanup_close = -1;
	int theirs cleanup_close = -1;
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -1;
	ours = pair[end];
	theirs = pair[1 - end];
	if (end == 1 && fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return -1;
	*ret_theirs = theirs < (int)nkeep + 3 ? copy_above(theirs, nkeep)
					      : steal_fd(&theirs);
	if (*ret_theirs < 0)
		return -1;
	*ret_ours = steal_fd(&ours);
	return 0;
}

/* What the child keeps, and its directory; -1 with errno. */
static int
make_kept_fds(const struct proc_spec *spec, struct child_fds *c)
{
	size_t n = spec->nkeep;

	c->keep = xcalloc(n, sizeof(*c->keep));
	for (; c->nkeep < n; c->nkeep++) {
		c->keep[c->nkeep] = copy_above(spec->keep_fds[c->nkeep], n);
		if (c->keep[c->nkeep] < 0)
			return -1;
	}
	if (spec->cwd_fd >= 0) {
		c->cwd = copy_above(spec->cwd_fd, n);
		if (c->cwd < 0)
			return -1;
	}
	return 0;
}

/* Opens all that the child gets and our ends of it; -1 with errno. */
static int
make_fds(const struct proc_spec *spec, struct proc *p, struct child_fds *c)
{
	size_t n = spec->nkeep;

	if (spec->input != NULL) {
		if (make_pipe(1, n, &p->in, &c->std[0]) < 0)
			return -1;
	} else if (spec->stdin_fd >= 0) {
		c->std[0] = copy_above(spec->stdin_fd, n);
		if (c->std[0] < 0)
			return -1;
	}
	if (make_pipe(0, n, &p->out.fd, &c->std[1]) < 0 ||
	    make_pipe(0, n, &p->err.fd, &c->std[2]) < 0)
		return -1;
	return make_kept_fds(spec, c);
}

/* These calls, and those below, return an errno; only memory can run out. */
static int
add_actions(posix_spawn_file_actions_t *fa, const struct child_fds *c)
{
	int rc = c->cwd >= 0 ? posix_spawn_file_actions_addfchdir_np(fa, c->cwd)
			     : posix_spawn_file_actions_addchdir_np(fa, "/");

	for (int i = 0; rc == 0 && i < 3; i++) {
		if (c->std[i] < 0)
			rc = posix_spawn_file_actions_addopen(
			    fa, i, "/dev/null", O_RDWR, 0);
		else
			rc = posix_spawn_file_actions_adddup2(fa, c->std[i], i);
	}
	for (size_t i = 0; rc == 0 && i < c->nkeep; i++)
		rc = posix_spawn_file_actions_adddup2(
		    fa, c->keep[i], (int)i + 3);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(
		    fa, (int)c->nkeep + 3);
	return rc;
}

/* group: POSIX_SPAWN_SETPGROUP, or POSIX_SPAWN_SETSID. */
static int
set_attributes(posix_spawnattr_t *attr, short group)
{
	sigset_t all;
	sigset_t none;
	int rc;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	rc = posix_spawnattr_setflags(attr,
	    (short)(group | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
	if (rc == 0)
		rc = posix_spawnattr_setpgroup(attr, 0);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attr, &all);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(attr, &none);
	return rc;
}

/* Returns an errno. */
static int
spawn(const struct proc_spec *spec, const struct child_fds *c, short group,
    pid_t *ret_pid)
{
	static const char *const empty[] = { NULL };
	const char *const *envp = spec->envp != NULL ? spec->envp : empty;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int rc;

	rc = posix_spawn_file_actions_init(&fa);
	if (rc != 0)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (rc != 0) {
		(void)posix_spawn_file_actions_destroy(&fa);
		return rc;
	}
	rc = add_actions(&fa, c);
	if (rc == 0)
		rc = set_attributes(&attr, group);
	if (rc == 0)
		rc = posix_spawn(ret_pid, spec->argv[0], &fa, &attr,
		    (char *const *)spec->argv, (char *const *)envp);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&fa);
	return rc;
}

static struct proc *
proc_new(const struct proc_spec *spec)
{
	struct proc *p = xcalloc(1, sizeof(*p));
	size_t max =
	    spec->max_output > 0 ? spec->max_output : DEFAULT_MAX_OUTPUT;

	p->pid = -1;
	p->pidfd = -1;
	p->in = -1;
	p->out = (struct proc_stream){ .fd = -1, .max = max };
	p->err = (struct proc_stream){ .fd = -1, .max = max };
	strbuf_init(&p->out.data);
	strbuf_init(&p->err.data);
	p->program = xstrdup(spec->argv[0]);
	p->input = spec->input;
	p->input_left = spec->input_len;
	p->deadline =
	    spec->timeout_ms > 0 ? monotime_ms() + spec->timeout_ms : INT64_MAX;
	p->on_line = spec->on_stderr_line;
	p->on_line_arg = spec->on_stderr_arg;
	p->interrupt = spec->interrupt;
	return p;
}

int
proc_start(
    const struct proc_spec *spec, struct proc **ret_proc, struct diag *dg)
{
	struct child_fds c = CHILD_FDS_INIT;
	struct proc *p;
	int rc;

	if (spec->argv[0] == NULL || spec->argv[0][0] != '/')
		return diag_set(dg, DIAG_BUG, "run %s: not an absolute path",
		    spec->argv[0] != NULL ? spec->argv[0] : "(nothing)");
	p = proc_new(spec);
	rc = make_fds(spec, p, &c) < 0
	    ? errno
	    : spawn(spec, &c, POSIX_SPAWN_SETPGROUP, &p->pid);
	child_fds_release(&c);
	if (rc == 0) {
		if (spec->ret_began != NULL)
			*spec->ret_began = true;
		p->pidfd = pidfd_open(p->pid, 0);
		rc = p->pidfd < 0 ? errno : 0;
	} else {
		p->pid = -1;
	}
	if (rc != 0) {
		(void)diag_set_errno(dg, DIAG_IO, rc, "run %s", spec->argv[0]);
		proc_cancel(p);
		return -1;
	}
	*ret_proc = p;
	return 0;
}

int
proc_detach(const struct proc_spec *spec, struct diag *dg)
{
	struct child_fds c = CHILD_FDS_INIT;
	pid_t pid;
	int rc = make_kept_fds(spec, &c) < 0
	    ? errno
	    : spawn(spec, &c, POSIX_SPAWN_SETSID, &pid);

	child_fds_release(&c);
	return rc == 0
	    ? 0
	    : diag_set_errno(dg, DIAG_IO, rc, "run %s", spec->argv[0]);
}

int
proc_run(const struct proc_spec *spec, struct proc_result *ret, struct diag *dg)
{
	struct proc *p = NULL;

	if (proc_start(spec, &p, dg) < 0)
		return -1;
	return proc_finish(p, ret, dg);
}

void
proc_result_release(struct proc_result *r)
{
	strbuf_release(&r->out);
	strbuf_release(&r->err);
	*r = (struct proc_result)PROC_RESULT_INIT;
}

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    eaccess(path, X_OK) == 0;
}

char *
proc_find_program(const char *name, const char *search_path)
{
	if (*name == '/')
		return is_program(name) ? xstrdup(name) : NULL;
	if (*name == '\0' || strchr(name, '/') != NULL)
		return NULL;
	while (*search_path != '\0') {
		size_t len = strcspn(search_path, ":");

		/* An empty or relative entry would be the project's say. */
		if (*search_path == '/') {
			char *path cleanup_free =
			    xasprintf("%.*s/%s", (int)len, search_path, name);

			if (is_program(path))
				return steal_ptr(&path);
		}
		search_path += len;
		search_path += strspn(search_path, ":");
	}
	return NULL;
}
