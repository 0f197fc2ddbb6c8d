/* SPDX-License-Identifier: MIT */
/* Between the engine's client and a viewer, on a thread of its own. */
#include "session/hosted.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "guest/wire.h"
#include "host/settings.h"
#include "session/attach.h"
#include "session/tty.h"

#define CHUNK 32768
#define END_MS 2000 /* from SIGTERM to SIGKILL */

struct hosted {
	pid_t pid;
	int viewer; /* our end of the socket; all of these are owned */
	int in; /* its stdin, non-blocking, or the pty */
	int out; /* its stdout, or the pty once more */
	int err; /* its stderr, or -1 */
	int pty; /* the same as in, or -1 */
	struct wire_decoder *decoder; /* owned */
	struct strbuf typed; /* that it did not read yet */
	bool input_ended;
};

/* The child's descriptors; -1: the pty, which it opens itself. */
struct theirs {
	int std[3];
	const char *pty;
};

static int
make_pipes(struct hosted *h, struct theirs *t)
{
	int pipes[3][2];
	for (int i = 0; i < 3; i++) {
		if (pipe2(pipes[i], O_CLOEXEC) == -1)
			return -1;
		t->std[i] = pipes[i][i == 0 ? 0 : 1];
		*(i == 0         ? &h->in
			: i == 1 ? &h->out
				 : &h->err) = pipes[i][i == 0 ? 1 : 0];
	}
	return fcntl(h->in, F_SETFL, O_NONBLOCK);
}

/* It has the size of the user's terminal before the child looks. */
static int
make_pty(struct hosted *h, struct theirs *t)
{
	struct winsize ws;
	h->pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (h->pty == -1 || unlockpt(h->pty) == -1 ||
	    fcntl(h->pty, F_SETFL, O_RDWR | O_NONBLOCK) == -1)
		return -1;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) == 0)
		(void)ioctl(h->pty, TIOCSWINSZ, &ws);
	h->in = fcntl(h->pty, F_DUPFD_CLOEXEC, 3);
	h->out = fcntl(h->pty, F_DUPFD_CLOEXEC, 3);
	t->pty = ptsname(h->pty);
	/* The client's own words go where the user's errors go. */
	if (!isatty(STDERR_FILENO))
		t->std[2] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	return h->in == -1 || h->out == -1 || t->pty == NULL ? -1 : 0;
}

/* A session of its own: what it opens first is its controlling terminal. */
static int
spawn(const char *const *argv, const char *const *envp, const struct theirs *t,
    pid_t *ret_pid)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t all;
	sigset_t none;
	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	int rc = posix_spawn_file_actions_init(&fa);
	if (rc != 0)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (rc == 0)
		rc = posix_spawnattr_setflags(&attr,
		    POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF |
			POSIX_SPAWN_SETSIGMASK);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	for (int i = 0; rc == 0 && i < 3; i++) {
		/* Its pty is what the command has in place of pipes. */
		assert(t->std[i] != -1 || t->pty != NULL);
		if (t->std[i] != -1)
			rc =
			    posix_spawn_file_actions_adddup2(&fa, t->std[i], i);
		else if (i == 0)
			rc = posix_spawn_file_actions_addopen(
			    &fa, i, t->pty, O_RDWR, 0);
		else
			rc = posix_spawn_file_actions_adddup2(&fa, 0, i);
	}
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	if (rc == 0)
		rc = posix_spawn(ret_pid, argv[0], &fa, &attr,
		    (char *const *)argv, (char *const *)envp);
	(void)posix_spawn_file_actions_destroy(&fa);
	(void)posix_spawnattr_destroy(&attr);
	return rc;
}

static bool
send_all(int fd, const struct strbuf *data)
{
	for (size_t at = 0; at < data->len;) {
		ssize_t n =
		    send(fd, data->buf + at, data->len - at, MSG_NOSIGNAL);
		if (n == -1 && errno != EINTR)
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* false when the viewer is gone. */
static bool
on_output(struct hosted *h, int *fd, enum wire_type type)
{
	cleanup_strbuf struct strbuf frame = STRBUF_INIT;
	char buf[CHUNK];
	ssize_t n = read(*fd, buf, sizeof(buf));
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return true;
	/* EIO is how a pty ends. */
	if (n <= 0) {
		cleanup_close_fn(fd);
		return true;
	}
	wire_add(&frame, type, buf, (size_t)n);
	return send_all(h->viewer, &frame);
}

static void
on_writable(struct hosted *h)
{
	ssize_t n = write(h->in, h->typed.buf, h->typed.len);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	/* It reads no more, and its end is told by its output. */
	size_t done = n > 0 ? (size_t)n : h->typed.len;
	memmove(h->typed.buf, h->typed.buf + done, h->typed.len - done);
	strbuf_setlen(&h->typed, h->typed.len - done);
	if (n == -1)
		cleanup_close_fn(&h->in);
}

static void
on_frame(struct hosted *h, const struct wire_frame *frame)
{
	if (frame->type == WIRE_INPUT && h->in != -1) {
		strbuf_add(&h->typed, frame->payload, frame->len);
	} else if (frame->type == WIRE_INPUT_END) {
		h->input_ended = true;
	} else if (frame->type == WIRE_SIZE && h->pty != -1) {
		struct wire_size size = wire_read_size(frame);
		struct winsize ws = { .ws_row = size.rows,
			.ws_col = size.columns };
		(void)ioctl(h->pty, TIOCSWINSZ, &ws);
	}
}

/* false when the viewer is gone. */
static bool
on_viewer(struct hosted *h)
{
	unsigned char *at;
	struct wire_frame frame;
	size_t space = wire_space(h->decoder, &at);
	ssize_t n = recv(h->viewer, at, space, 0);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0)
		return false;
	wire_filled(h->decoder, (size_t)n);
	while (wire_next(h->decoder, &frame) == 1)
		on_frame(h, &frame);
	return true;
}

/* Until its output ended (true) or the viewer left. */
static bool
pass(struct hosted *h)
{
	while (h->out != -1 || h->err != -1) {
		bool typed = h->typed.len > 0;
		struct pollfd p[] = {
			{ typed ? -1 : h->viewer, POLLIN, 0 },
			{ h->out, POLLIN, 0 },
			{ h->err, POLLIN, 0 },
			{ typed ? h->in : -1, POLLOUT, 0 },
			/* It may leave while its input waits. */
			{ typed ? h->viewer : -1, POLLRDHUP, 0 },
		};
		if (poll(p, ARRAY_SIZE(p), -1) == -1)
			continue;
		if ((p[0].revents != 0 && !on_viewer(h)) || p[4].revents != 0)
			return false;
		if (p[1].revents != 0 && !on_output(h, &h->out, WIRE_OUTPUT))
			return false;
		if (p[2].revents != 0 && !on_output(h, &h->err, WIRE_ERROR))
			return false;
		if (p[3].revents != 0)
			on_writable(h);
		if (h->input_ended && h->typed.len == 0 && h->pty == -1)
			cleanup_close_fn(&h->in);
	}
	return true;
}

static int
await(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return 255;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The engine's client is told to end, and does not outlive its viewer. */
static void
end_child(pid_t pid)
{
	(void)kill(pid, SIGTERM);
	for (int ms = 0; ms < END_MS; ms += 10) {
		siginfo_t info = { 0 };
		if (waitid(P_PID, (id_t)pid, &info,
			WEXITED | WNOHANG | WNOWAIT) == -1 ||
		    info.si_pid == pid)
			return;
		(void)poll(NULL, 0, 10);
	}
	(void)kill(pid, SIGKILL);
}

/* It closed its output: false when the viewer leaves before it has ended. */
static bool
has_ended(const struct hosted *h)
{
	cleanup_close int pidfd = (int)syscall(SYS_pidfd_open, h->pid, 0);
	struct pollfd p[] = { { pidfd, POLLIN, 0 },
		{ h->viewer, POLLRDHUP, 0 } };
	if (pidfd == -1)
		return false;
	while (poll(p, ARRAY_SIZE(p), -1) == -1)
		continue;
	return p[0].revents != 0;
}

static void *
be_holder(void *arg)
{
	struct hosted *h = arg;
	bool ended = pass(h) && has_ended(h);
	if (!ended)
		end_child(h->pid);
	int status = await(h->pid);
	if (ended) {
		cleanup_strbuf struct strbuf frame = STRBUF_INIT;
		wire_add_exit(&frame, (unsigned int)status, "");
		(void)send_all(h->viewer, &frame);
	}
	cleanup_close_fn(&h->viewer);
	return NULL;
}

/* Without signals: they are the viewer's to see. */
static int
start_thread(struct hosted *h, pthread_t *ret_thread)
{
	sigset_t all;
	sigset_t before;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(ret_thread, NULL, be_holder, h);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static void
hosted_release(struct hosted *h)
{
	cleanup_close_fn(&h->viewer);
	cleanup_close_fn(&h->in);
	cleanup_close_fn(&h->out);
	cleanup_close_fn(&h->err);
	cleanup_close_fn(&h->pty);
	strbuf_release(&h->typed);
	cleanup_free_fn(&h->decoder);
}

static int
view(struct hosted *h, int fd, bool tty, const struct settings *settings,
    int *ret_status, struct diag *dg)
{
	static char none[] = "none";
	struct attach_outcome outcome;
	struct settings own = *settings; /* borrows all but the key */
	pthread_t thread;
	int ours = fd;
	own.detach_key = none;
	int rc = start_thread(h, &thread);
	if (rc != 0) {
		(void)close(fd);
		end_child(h->pid);
		(void)await(h->pid);
		return diag_set_errno(dg, DIAG_BUG, rc, "start a thread");
	}
	rc = attach_view(ours, tty, &own, &outcome, dg);
	/* The other end sees that nobody looks any more. */
	(void)close(ours);
	(void)pthread_join(thread, NULL);
	if (rc == 0)
		*ret_status = outcome.status;
	return rc;
}

int
hosted_view(const char *const *argv, const char *const *envp, bool tty,
    const struct settings *settings, int *ret_status, struct diag *dg)
{
	struct hosted h = { -1, -1, -1, -1, -1, -1, xmalloc(sizeof(*h.decoder)),
		STRBUF_INIT, false };
	struct theirs t = { { -1, -1, -1 }, NULL };
	int ends[2];
	int rc = tty ? make_pty(&h, &t) : make_pipes(&h, &t);
	wire_decoder_init(h.decoder, WIRE_CLIENT);
	if (rc == 0)
		rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	if (rc != 0) {
		rc = diag_set_errno(dg, DIAG_IO, errno, "make pipes");
	} else {
		h.viewer = ends[0];
		rc = spawn(argv, envp, &t, &h.pid);
		for (size_t i = 0; i < ARRAY_SIZE(t.std); i++)
			cleanup_close_fn(&t.std[i]);
		if (rc != 0) {
			(void)close(ends[1]);
			rc = diag_set_errno(dg, DIAG_IO, rc, "run %s", argv[0]);
		} else {
			rc = view(&h, ends[1], tty, settings, ret_status, dg);
		}
	}
	hosted_release(&h);
	return rc;
}
