/* SPDX-License-Identifier: MIT */
/* Runs the proxy as a child, and the relay from the egress socket to it. */
#include "guest/egress.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/listen.h"
#include "base/loop.h"
#include "base/monotime.h"
#include "base/xalloc.h"
#include "guest/lease.h"
#include "guest/proxylog.h"
#include "guest/relay.h"
#include "guest/spawn.h"

enum {
	/* The polling interval for the file if inotify is unavailable. */
	LOOK_MS = 2000,
	/*
	 * For this long after its start, the proxy may have read the file
	 * without handling HUP yet.  HUP is then sent again.
	 */
	START_MS = 10000,
};

struct egress {
	const struct egress_spec *spec;
	struct loop loop;
	struct watch changes; /* inotify; fd owned, -1: none */
	struct timer look; /* polling without inotify */
	struct timer again; /* repeats HUP */
	struct stat seen; /* of the addresses file */
	int64_t started; /* monotime_ms() */
	struct relay relay;
	struct lease lease;
	struct proxylog log;
	struct watch signals; /* fd owned */
	struct inherited own;
	pid_t pid;
	int status;
};

static void
on_signal(void *arg, short events)
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

static void
reload(void *arg)
{
	struct egress *e = arg;
	(void)kill(e->pid, SIGHUP);
}

/* A replaced file has another inode. */
static void
reload_if_changed(struct egress *e)
{
	struct stat st;
	if (stat(e->spec->addresses, &st) == -1 ||
	    (st.st_ino == e->seen.st_ino &&
		st.st_mtim.tv_sec == e->seen.st_mtim.tv_sec &&
		st.st_mtim.tv_nsec == e->seen.st_mtim.tv_nsec))
		return;
	e->seen = st;
	reload(e);
	if (monotime_ms() - e->started < START_MS)
		timer_arm(&e->loop, &e->again, START_MS);
}

static void
on_look(void *arg)
{
	struct egress *e = arg;
	reload_if_changed(e);
	timer_arm(&e->loop, &e->look, LOOK_MS);
}

static void
on_change(void *arg, short events)
{
	struct egress *e = arg;
	char buf[sizeof(struct inotify_event) + NAME_MAX + 1];
	(void)events;
	/* The name in the event does not matter. */
	while (read(e->changes.fd, buf, sizeof(buf)) > 0)
		continue;
	reload_if_changed(e);
}

/*
 * The kernel limits inotify per uid, and an agent may have used the limit up.
 * The file is then polled.
 */
static void
watch_addresses(struct egress *e)
{
	cleanup_free char *dir = xstrdup(e->spec->addresses);
	char *slash = strrchr(dir, '/');
	e->changes = (struct watch){ inotify_init1(IN_CLOEXEC | IN_NONBLOCK), 0,
		on_change, e, 0 };
	if (slash != NULL)
		*slash = '\0';
	if (e->changes.fd != -1 &&
	    inotify_add_watch(e->changes.fd, dir, IN_MOVED_TO) == -1)
		cleanup_close_fn(&e->changes.fd);
	if (e->changes.fd != -1)
		loop_want(&e->loop, &e->changes, POLLIN);
	else
		timer_arm(&e->loop, &e->look, LOOK_MS);
	/* An absent file differs from the file once it exists. */
	if (stat(e->spec->addresses, &e->seen) == -1)
		e->seen = (struct stat){ .st_ino = 0 };
}

static int
watch_signals(struct egress *e, struct diag *dg)
{
	static const int signals[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, 0 };
	int fd = signals_watch(signals, dg);
	if (fd == -1)
		return -1;
	e->signals = (struct watch){ fd, 0, on_signal, e, 0 };
	loop_want(&e->loop, &e->signals, POLLIN);
	return 0;
}

/* Status 0: the engine's restart policy does not start the sidecar again. */
static void
on_lost(void *arg)
{
	struct egress *e = arg;
	(void)fputs("the session's agent does not run\n", stderr);
	e->status = 0;
	loop_stop(&e->loop);
}

/*
 * Opens the socket before it starts the proxy, so that a running proxy is
 * always reachable.
 */
static int
start(struct egress *e, const struct egress_spec *spec, struct diag *dg)
{
	struct address from, target;
	address_loopback(&target, spec->port);
	if (watch_signals(e, dg) != 0 ||
	    address_unix(&from, spec->socket, dg) != 0)
		return -1;
	/*
	 * With a root caller, the sidecar and the agent run as different users.
	 * Access is controlled by the directory, which is mounted in this
	 * session's containers only.
	 */
	from.mode = 0666;
	if (relay_start(&e->relay, &e->loop, &from, &target, dg) != 0)
		return -1;
	e->relay.names_refusals = true;
	if (spec->lease_ms > 0) {
		lease_init(&e->lease, &e->loop, spec->socket);
		lease_watch(&e->lease, spec->lease_ms, on_lost, e);
	}
	watch_addresses(e);
	if (spec->log != NULL)
		proxylog_open(&e->log, &e->loop, spec->log);
	e->started = monotime_ms();
	return spawn_child(spec->argv, &e->own, &e->pid, dg);
}

/* Reads the first line of a file; "" if it cannot be read. */
static void
read_line(const char *path, char line[64])
{
	FILE *f = fopen(path, "re");
	line[0] = '\0';
	if (f == NULL)
		return;
	if (fgets(line, 64, f) == NULL)
		line[0] = '\0';
	(void)fclose(f);
}

/*
 * The engine's restart policy may start the proxy after a boot of the host,
 * when the session's agent does not run.  Without the file, as an older drydock
 * leaves it, every boot is the right one.
 */
static bool
is_later_boot(const struct egress_spec *spec)
{
	const char *slash = strrchr(spec->addresses, '/');
	char want[64], now[64];
	if (slash == NULL)
		return false;
	cleanup_free char *path = xasprintf(
	    "%.*s/boot-id", (int)(slash - spec->addresses), spec->addresses);
	read_line(path, want);
	read_line("/proc/sys/kernel/random/boot_id", now);
	return want[0] != '\0' && strcmp(want, now) != 0;
}

int
egress_run(const struct egress_spec *spec, int *ret_status, struct diag *dg)
{
	struct egress e = { .spec = spec,
		.log = PROXYLOG_INIT,
		.changes = { .fd = -1 },
		.signals = { .fd = -1 } };
	int rc = -1;
	if (is_later_boot(spec)) {
		*ret_status = 0;
		return 0;
	}
	e.look = (struct timer){ 0, on_look, &e, NULL };
	e.again = (struct timer){ 0, reload, &e, NULL };
	inherited_note(&e.own);
	loop_init(&e.loop);
	if (start(&e, spec, dg) == 0) {
		loop_run(&e.loop);
		*ret_status = e.status;
		rc = 0;
	}
	relay_release(&e.relay);
	lease_release(&e.lease);
	proxylog_release(&e.log);
	cleanup_close_fn(&e.signals.fd);
	cleanup_close_fn(&e.changes.fd);
	return rc;
}
