/* SPDX-License-Identifier: MIT */
/* A command on a pty or on pipes; its streams never block. */
#include "guest/command.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/queue.h"
#include "guest/spawn.h"

#define INPUT_MAX ((size_t)65536)
/* More than a pty, or a pipe of the default size, can hold. */
#define PTY_REST_MAX ((size_t)1 << 20)

/* One output stream of the command. */
struct stream {
	struct command *cmd;
	enum wire_type type;
	struct watch watch; /* fd is owned; -1: ended */
	size_t rest; /* after the command's exit: bytes still to read */
};

struct command {
	struct loop *loop;
	command_output_fn *output;
	void *arg;
	pid_t pid;
	bool tty;
	bool paused;
	bool reaped;
	bool ending; /* kill its process group when it exits */
	bool input_ended; /* close stdin when the queue is empty */
	int signal; /* that killed it, or 0 */
	unsigned int status;
	struct watch input; /* fd is owned; a separate one for a pty */
	struct queue queue;
	struct stream streams[2]; /* the pty, or stdout and stderr */
	struct timer kill;
};

static void on_input(void *arg, short events);
static void on_output(void *arg, short events);
static void on_kill(void *arg);

static void
update_streams(struct command *cmd)
{
	for (size_t i = 0; i < 2; i++) {
		struct watch *w = &cmd->streams[i].watch;
		if (w->fd != -1)
			loop_want(cmd->loop, w, cmd->paused ? 0 : POLLIN);
	}
}

int
command_start(struct loop *loop, const struct wire_go *go,
    const struct command_spec *spec, struct command **ret_command,
    struct spawn_failure *ret_failure)
{
	struct spawned child;
	/* Allocate first: nothing may fail once the command runs. */
	struct command *cmd = calloc(1, sizeof(*cmd));
	if (cmd == NULL)
		return spawn_fail(ret_failure, 126, ENOMEM, "run a command");
	if (spawn_command(go, spec->add_env, spec->own, &child, ret_failure) ==
	    -1) {
		free(cmd);
		return -1;
	}
	cmd->loop = loop;
	cmd->output = spec->output;
	cmd->arg = spec->arg;
	cmd->pid = child.pid;
	cmd->tty = go->tty;
	cmd->input = (struct watch){ child.in_fd, 0, on_input, cmd, 0 };
	cmd->kill = (struct timer){ 0, on_kill, cmd, NULL };
	cmd->streams[0] = (struct stream){ cmd, WIRE_OUTPUT,
		{ child.out_fd, 0, on_output, &cmd->streams[0], 0 }, 0 };
	cmd->streams[1] = (struct stream){ cmd, WIRE_ERROR,
		{ child.err_fd, 0, on_output, &cmd->streams[1], 0 }, 0 };
	update_streams(cmd);
	*ret_command = cmd;
	return 0;
}

void
command_free(struct command *cmd)
{
	if (cmd == NULL)
		return;
	timer_cancel(cmd->loop, &cmd->kill);
	loop_close(cmd->loop, &cmd->input);
	loop_close(cmd->loop, &cmd->streams[0].watch);
	loop_close(cmd->loop, &cmd->streams[1].watch);
	queue_release(&cmd->queue);
	free(cmd);
}

bool
command_has_tty(const struct command *cmd)
{
	return cmd->tty;
}

/* Reads once; returns false if there is no more data for now. */
static bool
pump(struct stream *s)
{
	struct command *cmd = s->cmd;
	char buf[32768];
	size_t want = sizeof(buf);
	if (cmd->reaped && s->rest < want)
		want = s->rest;
	ssize_t n = want > 0 ? read(s->watch.fd, buf, want) : 0;
	if (n == -1 && errno == EINTR)
		return true;
	if (n == -1 && errno == EAGAIN && !cmd->reaped)
		return false;
	/* A pty fails with EIO when its last user is gone. */
	if (n <= 0) {
		loop_close(cmd->loop, &s->watch);
		return false;
	}
	if (cmd->reaped)
		s->rest -= (size_t)n;
	cmd->output(cmd->arg, s->type, buf, (size_t)n);
	return true;
}

/*
 * After the exit: an orphaned process may hold a stream open and stay silent,
 * so that poll(2) would never report an event.
 */
static void
drain(struct command *cmd)
{
	for (size_t i = 0; i < 2; i++) {
		struct stream *s = &cmd->streams[i];
		while (!cmd->paused && s->watch.fd != -1 && pump(s)) {
		}
	}
}

static void
on_output(void *arg, short events)
{
	(void)events;
	(void)pump(arg);
}

bool
command_has_room(const struct command *cmd)
{
	return cmd->queue.len < INPUT_MAX;
}

/* Writes what the descriptor accepts.  Input without a reader is discarded. */
static void
flush_input(struct command *cmd)
{
	if (cmd->input.fd == -1)
		return;
	bool failed = queue_flush(&cmd->queue, cmd->input.fd) == -1;
	if (failed)
		queue_release(&cmd->queue);
	if (failed || (cmd->input_ended && cmd->queue.len == 0))
		loop_close(cmd->loop, &cmd->input);
	else
		loop_want(
		    cmd->loop, &cmd->input, cmd->queue.len > 0 ? POLLOUT : 0);
}

static void
on_input(void *arg, short events)
{
	struct command *cmd = arg;
	(void)events;
	flush_input(cmd);
}

bool
command_input(struct command *cmd, const void *data, size_t len)
{
	if (cmd->input.fd == -1 || cmd->input_ended)
		return true;
	if (!queue_add(&cmd->queue, data, len))
		return false;
	flush_input(cmd);
	return true;
}

void
command_input_end(struct command *cmd)
{
	if (cmd->tty)
		return;
	cmd->input_ended = true;
	flush_input(cmd);
}

void
command_pause(struct command *cmd, bool paused)
{
	if (cmd->paused == paused)
		return;
	cmd->paused = paused;
	if (cmd->reaped)
		drain(cmd);
	update_streams(cmd);
}

void
command_resize(struct command *cmd, struct wire_size size)
{
	struct winsize ws;
	if (!cmd->tty || cmd->input.fd == -1 || size.rows == 0 ||
	    size.columns == 0 || ioctl(cmd->input.fd, TIOCGWINSZ, &ws) == -1)
		return;
	if (ws.ws_row == size.rows && ws.ws_col == size.columns)
		return;
	ws.ws_row = size.rows;
	ws.ws_col = size.columns;
	(void)ioctl(cmd->input.fd, TIOCSWINSZ, &ws);
}

/* Signals the command's process group and, on a pty, the foreground group. */
static void
signal_groups(const struct command *cmd, int sig)
{
	pid_t front =
	    cmd->tty && cmd->input.fd != -1 ? tcgetpgrp(cmd->input.fd) : -1;
	if (front > 1 && front != cmd->pid)
		(void)kill(-front, sig);
	(void)kill(-cmd->pid, sig);
}

void
command_signal(struct command *cmd, int sig)
{
	if (cmd->reaped)
		return;
	signal_groups(cmd, sig);
	signal_groups(cmd, SIGCONT);
}

void
command_end(struct command *cmd, int sig, int grace_ms)
{
	if (cmd->reaped)
		return;
	cmd->ending = true;
	command_signal(cmd, sig);
	command_input_end(cmd);
	if (cmd->kill.due == 0)
		timer_arm(cmd->loop, &cmd->kill, grace_ms);
}

static void
on_kill(void *arg)
{
	struct command *cmd = arg;
	if (!cmd->reaped)
		signal_groups(cmd, SIGKILL);
}

/*
 * Returns true if the command has exited.  The command is reaped later, so that
 * its process group id is not reused.  A command that stopped on a pty is
 * continued.
 */
static bool
look(struct command *cmd)
{
	siginfo_t info = { .si_pid = 0 };
	if (waitid(P_PID, (id_t)cmd->pid, &info,
		WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == -1 ||
	    info.si_pid != cmd->pid)
		return false;
	if (info.si_code != CLD_STOPPED)
		return true;
	if (waitid(P_PID, (id_t)cmd->pid, &info, WSTOPPED | WNOHANG) == 0 &&
	    info.si_pid == cmd->pid && cmd->tty)
		signal_groups(cmd, SIGCONT);
	return false;
}

/*
 * Orphaned processes may hold the pipes open for ever.  Only the data in the
 * pipes at the exit is read.
 */
void
command_reap(struct command *cmd)
{
	int status;
	if (cmd->reaped || !look(cmd))
		return;
	if (cmd->ending)
		signal_groups(cmd, SIGKILL);
	if (waitpid(cmd->pid, &status, WNOHANG) != cmd->pid)
		return;
	cmd->reaped = true;
	cmd->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	cmd->status = cmd->signal != 0 ? 128U + (unsigned int)cmd->signal
				       : (unsigned int)WEXITSTATUS(status);
	timer_cancel(cmd->loop, &cmd->kill);
	for (size_t i = 0; i < 2; i++) {
		struct stream *s = &cmd->streams[i];
		int rest = 0;
		if (s->watch.fd == -1)
			continue;
		if (cmd->tty)
			s->rest = PTY_REST_MAX;
		else if (ioctl(s->watch.fd, FIONREAD, &rest) == 0 && rest > 0)
			s->rest = (size_t)rest;
	}
	drain(cmd);
}

bool
command_has_ended(const struct command *cmd, unsigned int *ret_status)
{
	if (!cmd->reaped || cmd->streams[0].watch.fd != -1 ||
	    cmd->streams[1].watch.fd != -1)
		return false;
	*ret_status = cmd->status;
	return true;
}

int
command_end_signal(const struct command *cmd)
{
	return cmd->signal;
}
