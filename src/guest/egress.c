/* SPDX-License-Identifier: MIT */
/* The proxy as a child, and the relay from the egress socket to it. */
#include "guest/egress.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "guest/listen.h"
#include "guest/loop.h"
#include "guest/relay.h"
#include "guest/spawn.h"

struct egress {
	struct loop loop;
	struct relay relay;
	struct watch signals; /* fd owned */
	struct inherited own;
	pid_t pid;
	int status;
};

static void
on_signal(void *arg, uint32_t events)
{
	struct egress *e = arg;
	struct signalfd_siginfo info;
	int status;
	(void)events;
	if (read(e->signals.fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo != SIGCHLD) {
		(void)kill(e->pid, (int)info.ssi_signo);
		return;
	}
	if (waitpid(e->pid, &status, WNOHANG) != e->pid)
		return;
	e->status =
	    WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	loop_stop(&e->loop);
}

static int
watch_signals(struct egress *e, struct diag *dg)
{
	static const int signals[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, 0 };
	int fd = signals_watch(signals, dg);
	if (fd == -1)
		return -1;
	e->signals = (struct watch){ fd, 0, on_signal, e };
	loop_want(&e->loop, &e->signals, EPOLLIN);
	return 0;
}

/* The socket first: when the proxy is up, so is the way to it. */
static int
start(struct egress *e, const struct egress_spec *spec, struct diag *dg)
{
	struct address from, target;
	address_loopback(&target, spec->port);
	if (watch_signals(e, dg) == -1 ||
	    address_unix(&from, spec->socket, dg) == -1)
		return -1;
	/*
	 * A root caller's sidecar is another user than its agent: the
	 * directory, which only the session's containers have, is the gate.
	 */
	from.mode = 0666;
	if (relay_start(&e->relay, &e->loop, &from, &target, dg) == -1)
		return -1;
	return spawn_child(spec->argv, &e->own, &e->pid, dg);
}

int
egress_run(const struct egress_spec *spec, int *ret_status, struct diag *dg)
{
	struct egress e = { .signals = { .fd = -1 } };
	int rc = -1;
	inherited_note(&e.own);
	if (loop_init(&e.loop, dg) == 0 && start(&e, spec, dg) == 0) {
		loop_run(&e.loop);
		*ret_status = e.status;
		rc = 0;
	}
	relay_release(&e.relay);
	cleanup_close_fn(&e.signals.fd);
	loop_release(&e.loop);
	return rc;
}
