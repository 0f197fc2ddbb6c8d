/* SPDX-License-Identifier: MIT */
/* Children: their descriptors, and one poll loop until they exit. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/monotime.h"
#include "base/xalloc.h"

struct proc_stream {
	int fd; /* owned; -1 after end of file */
	size_t max;
	struct strbuf data;
};

struct proc {
	pid_t pid; /* also the group's id; -1 unless started and not reaped */
	int pidfd; /* owned */
	int in; /* owned; -1 when input is written or has no reader */
	struct proc_stream out;
	struct proc_stream err;
	char *program; /* owned; for messages */
	const char *input; /* borrowed; input still to be written */
	size_t input_left;
	int64_t deadline; /* monotime_ms(), or INT64_MAX */
	bool exited; /* a zombie until reaped, which reserves its pid */
	size_t line; /* start of the incomplete last line of stderr */
	void (*on_line)(void *arg, const char *line, size_t len);
	void *on_line_arg;
	const struct proc_interrupt *interrupt; /* borrowed, or NULL */
};

#define DEFAULT_MAX_OUTPUT ((size_t)1 << 20)
#define READ_STEP ((size_t)65536)
/* How long grandchildren may hold the pipes after the child's exit. */
#define GRACE_MS 1000
#define REAP_MS 5000 /* limit for a killed child to exit */

/* The child's descriptors, copied above the numbers that the child uses. */
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
}

/*
 * Copies fd to a number above the targets of the child's dup2 calls.  Returns
 * -1 with errno.
 */
static int
copy_above(int fd, size_t nkeep)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, (int)nkeep + 3);
}

/*
 * Makes a pipe; *ret_theirs is above the child's numbers.  end is our end: 0 to
 * read, 1 to write.  Only a write end is non-blocking: a write may find the
 * pipe full, while a read follows poll(2) and has no competing reader.
 */
static int
make_pipe(int end, size_t nkeep, int *ret_ours, int *ret_theirs)
{
	cleanup_close int ours = -1;
	cleanup_close int theirs = -1;
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

/* Copies keep_fds and cwd_fd; -1 with errno. */
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

/* Opens the child's descriptors and our ends of its pipes; -1 with errno. */
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

/* These calls and those below return an errno; only ENOMEM can occur. */
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
	p->pidfd = p->in = -1;
	p->out = (struct proc_stream){ -1, max, STRBUF_INIT };
	p->err = p->out;
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

	if (proc_start(spec, &p, dg) != 0)
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

static void
proc_free(struct proc *p)
{
	cleanup_close_fn(&p->pidfd);
	cleanup_close_fn(&p->in);
	cleanup_close_fn(&p->out.fd);
	cleanup_close_fn(&p->err.fd);
	strbuf_release(&p->out.data);
	strbuf_release(&p->err.data);
	free(p->program);
	free(p);
}

/*
 * The child is not reaped yet, so that its pid and group id cannot be reused.
 */
static void
kill_group(const struct proc *p)
{
	if (p->pid > 0)
		(void)kill(-p->pid, SIGKILL);
}

/* write(2) that fails with EPIPE without SIGPIPE, whatever its disposition. */
static ssize_t
write_quietly(int fd, const void *data, size_t len)
{
	const struct timespec at_once = { 0, 0 };
	sigset_t pipe_set;
	sigset_t pending;
	sigset_t old;
	bool was_pending;
	ssize_t n;
	int saved;

	(void)sigemptyset(&pipe_set);
	(void)sigaddset(&pipe_set, SIGPIPE);
	(void)sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE) == 1;
	(void)pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	n = write(fd, data, len);
	saved = errno;
	if (n < 0 && saved == EPIPE && !was_pending)
		(void)sigtimedwait(&pipe_set, NULL, &at_once);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return n;
}

/* A child may ignore its input: EPIPE is not an error. */
static void
feed(struct proc *p)
{
	ssize_t n = 0;

	if (p->input_left > 0)
		n = write_quietly(p->in, p->input, p->input_left);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			cleanup_close_fn(&p->in);
		return;
	}
	p->input += n;
	p->input_left -= (size_t)n;
	if (p->input_left == 0)
		cleanup_close_fn(&p->in);
}

static void
give_lines(struct proc *p)
{
	const struct strbuf *sb = &p->err.data;

	while (p->on_line != NULL && p->line < sb->len) {
		const char *start = sb->buf + p->line;
		const char *end = memchr(start, '\n', sb->len - p->line);

		if (end == NULL)
			break;
		p->on_line(p->on_line_arg, start, (size_t)(end - start));
		p->line += (size_t)(end - start) + 1;
	}
}

/* The last line may lack its newline. */
static void
give_last_line(struct proc *p)
{
	const struct strbuf *sb = &p->err.data;

	give_lines(p);
	if (p->on_line != NULL && p->line < sb->len)
		p->on_line(
		    p->on_line_arg, sb->buf + p->line, sb->len - p->line);
}

enum drained {
	DRAINED,
	DRAINED_TOO_MUCH, /* the output exceeds its limit */
	DRAINED_FAILED, /* errno is set; the output is incomplete */
};

/* Reads once. */
static enum drained
drain(struct proc_stream *s)
{
	size_t room = s->max - s->data.len;
	/* One byte over the limit tells full from too much. */
	size_t want = room < READ_STEP ? room + 1 : READ_STEP;
	ssize_t n;

	strbuf_reserve(&s->data, want);
	n = read(s->fd, s->data.buf + s->data.len, want);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? DRAINED
							 : DRAINED_FAILED;
	if (n == 0) {
		cleanup_close_fn(&s->fd);
		return DRAINED;
	}
	s->data.len += (size_t)n;
	s->data.buf[s->data.len] = '\0';
	if ((size_t)n <= room)
		return DRAINED;
	strbuf_setlen(&s->data, s->max);
	return DRAINED_TOO_MUCH;
}

static enum drained
drain_both(struct proc *p, const struct pollfd pfd[5])
{
	enum drained rc = DRAINED;

	if (pfd[0].revents != 0)
		rc = drain(&p->out);
	if (rc == DRAINED && pfd[1].revents != 0)
		rc = drain(&p->err);
	return rc;
}

/* poll(2) ignores negative descriptors, such as those that are closed. */
static int
wait_for_news(struct proc *p, struct pollfd pfd[5], int64_t deadline)
{
	int ms = deadline == INT64_MAX ? -1 : monotime_left_ms(deadline);

	pfd[0] = (struct pollfd){ .fd = p->out.fd, .events = POLLIN };
	pfd[1] = (struct pollfd){ .fd = p->err.fd, .events = POLLIN };
	pfd[2] = (struct pollfd){ .fd = p->in, .events = POLLOUT };
	pfd[3] = (struct pollfd){ .fd = p->exited ? -1 : p->pidfd,
		.events = POLLIN };
	pfd[4] = (struct pollfd){ .fd = p->interrupt != NULL && !p->exited
		    ? p->interrupt->fd
		    : -1,
		.events = POLLIN };
	return poll(pfd, 5, ms);
}

/* The child stays a zombie.  Its input has no reader any more. */
static void
note_exit(struct proc *p, int64_t *deadline)
{
	int64_t grace = monotime_ms() + GRACE_MS;

	p->exited = true;
	cleanup_close_fn(&p->in);
	if (grace < *deadline)
		*deadline = grace;
}

/*
 * Runs until the child has exited and its pipes are at end of file.  After the
 * exit, grandchildren that hold the pipes get GRACE_MS.
 */
static int
pump(struct proc *p, struct proc_result *ret)
{
	int64_t deadline = p->deadline;

	while (!p->exited || p->out.fd >= 0 || p->err.fd >= 0) {
		struct pollfd pfd[5];
		enum drained drained;
		int n = wait_for_news(p, pfd, deadline);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n < 0)
			continue;
		if (pfd[4].revents != 0 &&
		    p->interrupt->leave(p->interrupt->arg)) {
			ret->left = true;
			return 0;
		}
		if (pfd[2].revents != 0)
			feed(p);
		drained = drain_both(p, pfd);
		if (drained == DRAINED_FAILED)
			return -1;
		if (drained == DRAINED_TOO_MUCH) {
			ret->truncated = true;
			return 0;
		}
		give_lines(p);
		if (pfd[3].revents != 0)
			note_exit(p, &deadline);
		/*
		 * Check the clock too: a child that never stops writing keeps
		 * poll(2) from timing out.
		 */
		if (deadline != INT64_MAX && monotime_left_ms(deadline) == 0) {
			ret->timed_out = !p->exited;
			return 0;
		}
	}
	return 0;
}

/*
 * Waits at most REAP_MS for a child that has exited or was killed.  The pidfd
 * reports the exit; the status of a traced child goes to its tracer first.
 */
static int
reap(struct proc *p, int *ret_status)
{
	int64_t deadline = monotime_ms() + REAP_MS;
	siginfo_t info;

	while (!p->exited) {
		struct pollfd pfd = { .fd = p->pidfd, .events = POLLIN };
		int n = poll(&pfd, 1, monotime_left_ms(deadline));

		if (n > 0)
			break;
		if (n == 0 || errno != EINTR) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
	while (waitid(P_PID, (id_t)p->pid, &info, WEXITED) < 0)
		if (errno != EINTR)
			return -1;
	p->pid = -1;
	*ret_status =
	    info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}

int
proc_finish(struct proc *p, struct proc_result *ret, struct diag *dg)
{
	int rc;

	proc_result_release(ret);
	rc = pump(p, ret);
	if (rc < 0)
		(void)diag_set_errno(
		    dg, DIAG_IO, errno, "wait for %s", p->program);
	/*
	 * After the exit, open pipes are held by descendants in its group: kill
	 * them.
	 */
	if (!ret->left && (!p->exited || p->out.fd >= 0 || p->err.fd >= 0))
		kill_group(p);
	if (!ret->left && reap(p, &ret->status) < 0)
		rc = diag_set_errno(dg, DIAG_IO, errno, "reap %s", p->program);
	give_last_line(p);
	ret->out = p->out.data;
	ret->err = p->err.data;
	strbuf_init(&p->out.data);
	strbuf_init(&p->err.data);
	proc_free(p);
	return rc;
}

void
proc_cancel(struct proc *p)
{
	int status;

	if (p == NULL)
		return;
	kill_group(p);
	if (p->pid > 0 && p->pidfd >= 0)
		(void)reap(p, &status);
	else if (p->pid > 0)
		(void)waitpid(p->pid, &status, 0);
	proc_free(p);
}
