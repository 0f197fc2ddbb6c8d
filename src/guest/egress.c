/* SPDX-License-Identifier: MIT */
/* egress: runs the proxy, and reads its list again when it changes. */
#include "guest/egress.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/listen.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "guest/lease.h"
#include "guest/proxy.h"
#include "guest/proxylist.h"
#include "guest/proxylog.h"
#include "guest/resolver.h"

/* The polling interval for the files if inotify is unavailable. */
enum {
	LOOK_MS = 2000
};

static const char *const files[] = { PROXYLIST_HOSTS, PROXYLIST_ADDRESSES,
	PROXYLIST_PARENT };

struct egress {
	const struct egress_spec *spec;
	int conf_fd; /* owned */
	struct loop loop;
	struct watch changes; /* inotify; fd owned, -1: none */
	struct timer look; /* polling without inotify */
	struct stat seen[ARRAY_SIZE(files)];
	struct watch signals; /* fd owned */
	struct lease lease;
	struct proxylist list;
	struct proxylog log;
	struct proxy proxy;
};

/* The host shows the log to the user. */
static void
log_failure(struct egress *e, const char *what, const struct diag *failure)
{
	cleanup_free char *line = xasprintf(
	    "# %lld %s: %s\n", (long long)time(NULL), what, failure->message);
	proxylog_add(&e->log, line, strlen(line));
}

/* Connections that are open stay open. */
static void
reload(struct egress *e)
{
#define KEPT "the list is unchanged, as the new one cannot be read"
	struct proxylist list;
	cleanup_diag struct diag failure = DIAG_INIT;
	if (proxylist_read(e->conf_fd, &list, &failure) != 0) {
		log_failure(e, KEPT, &failure);
		diag_warn(KEPT ": %s", failure.message);
		return;
	}
	proxylist_release(&e->list);
	e->list = list;
}

/* A replaced file has another inode; an absent one has none. */
static bool
has_changed(struct egress *e)
{
	bool changed = false;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct stat st = { .st_ino = 0 };
		if (fstatat(e->conf_fd, files[i], &st, AT_SYMLINK_NOFOLLOW) ==
		    -1)
			st = (struct stat){ .st_ino = 0 };
		changed = changed || st.st_ino != e->seen[i].st_ino ||
		    st.st_mtim.tv_sec != e->seen[i].st_mtim.tv_sec ||
		    st.st_mtim.tv_nsec != e->seen[i].st_mtim.tv_nsec;
		e->seen[i] = st;
	}
	return changed;
}

static void
on_look(void *arg)
{
	struct egress *e = arg;
	if (has_changed(e))
		reload(e);
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
	if (has_changed(e))
		reload(e);
}

/*
 * The kernel limits inotify per uid, and an agent may have used the limit up.
 * The files are then polled.
 */
static void
watch_files(struct egress *e)
{
	e->changes = (struct watch){ inotify_init1(IN_CLOEXEC | IN_NONBLOCK), 0,
		on_change, e, 0 };
	if (e->changes.fd != -1 &&
	    inotify_add_watch(e->changes.fd, e->spec->conf,
		IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM) == -1)
		cleanup_close_fn(&e->changes.fd);
	if (e->changes.fd != -1)
		loop_want(&e->loop, &e->changes, POLLIN);
	else
		timer_arm(&e->loop, &e->look, LOOK_MS);
	(void)has_changed(e);
}

static void
on_signal(void *arg, short events)
{
	struct egress *e = arg;
	int sig = loop_signal(&e->signals);
	(void)events;
	if (sig == SIGHUP)
		reload(e);
	else if (sig != 0)
		loop_stop(&e->loop);
}

/* Status 0: the engine's restart policy does not start the sidecar again. */
static void
on_lost(void *arg)
{
	struct egress *e = arg;
	(void)fputs("the session's agent does not run\n", stderr);
	loop_stop(&e->loop);
}

/* The files are watched before they are read: no change is missed. */
static int
start(struct egress *e, struct diag *dg)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, 0 };
	struct address from;
	bool resolves;
	e->conf_fd = open(e->spec->conf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->conf_fd == -1)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "open %s", e->spec->conf);
	watch_files(e);
	if (loop_watch_signals(
		&e->loop, &e->signals, signals, on_signal, e, dg) != 0 ||
	    proxylist_read(e->conf_fd, &e->list, dg) != 0 ||
	    address_unix(&from, e->spec->socket, dg) != 0)
		return -1;
	/*
	 * With a root caller, the sidecar and the agent run as different users.
	 * Access is controlled by the directory, which is mounted in this
	 * session's containers only.
	 */
	from.mode = 0666;
	/* Before the proxy listens: then the host reads the file. */
	resolves = e->spec->resolv_conf == NULL ||
	    resolver_write(e->spec->resolv_conf, e->spec->log);
	if (proxy_start(&e->proxy, &e->loop, &from, &e->list, &e->log, dg) != 0)
		return -1;
	e->proxy.cannot_resolve = !resolves;
	if (e->spec->lease_ms > 0) {
		lease_init(&e->lease, &e->loop, e->spec->socket);
		lease_watch(&e->lease, e->spec->lease_ms, on_lost, e);
	}
	return 0;
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
 * Without the file, as an older drydock leaves it, every boot is the right one.
 */
static bool
is_later_boot(const struct egress_spec *spec)
{
	char want[64], now[64];
	cleanup_free char *path = xasprintf("%s/" PROXYLIST_BOOT, spec->conf);
	read_line(path, want);
	read_line("/proc/sys/kernel/random/boot_id", now);
	return want[0] != '\0' && strcmp(want, now) != 0;
}

int
egress_run(const struct egress_spec *spec, struct diag *dg)
{
	struct egress e = { .spec = spec,
		.conf_fd = -1,
		.list = PROXYLIST_INIT,
		.log = PROXYLOG_INIT,
		.changes = { .fd = -1 },
		.signals = { .fd = -1 } };
	int rc;
	if (is_later_boot(spec))
		return 0;
	e.look = (struct timer){ 0, on_look, &e, NULL };
	/* A log at its limit loses lines, and does not end the proxy. */
	(void)signal(SIGXFSZ, SIG_IGN);
	loop_init(&e.loop);
	proxylog_open(&e.log, spec->log);
	rc = start(&e, dg);
	if (rc == 0)
		loop_run(&e.loop);
	else
		log_failure(&e, "the proxy does not start", dg);
	proxy_release(&e.proxy);
	lease_release(&e.lease);
	proxylog_release(&e.log);
	proxylist_release(&e.list);
	cleanup_close_fn(&e.signals.fd);
	cleanup_close_fn(&e.changes.fd);
	cleanup_close_fn(&e.conf_fd);
	return rc;
}
