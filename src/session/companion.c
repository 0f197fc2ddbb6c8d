/* SPDX-License-Identifier: MIT */
/* The companion: its start, its loop under its lock, and its socket. */
#include "session/companion.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/listen.h"
#include "base/loop.h"
#include "base/monotime.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan/proxyconf.h"
#include "plan/role.h"
#include "session/ports.h"
#include "session/sshagent.h"

#define LOCK_NAME "companion"
#define LOG_NAME "companion.log"
#define SOCKET_NAME "companion.sock"

enum {
	STAT_MAX = 4096,
	/*
	 * Limit for each file that the companion writes: its log, the list of
	 * addresses and the ssh agent's log.  A host with many virtual services
	 * has tens of thousands of addresses.
	 */
	FILE_MAX = SSHAGENT_LOG_MAX,
	/* for an earlier companion that is about to exit */
	LOCK_WAIT_MS = 5000,
	LOCK_STEP_MS = 20,
	RETRY_MS = 1000,
	CONNECT_STEP_MS = 10,
	REQUEST_MAX = 256, /* bytes of a request or an answer */
	PEERS_MAX = 16,
	PEER_MS = 5000,
	STAT_STARTTIME = 20, /* the field's number after the name, in proc(5) */
};

char *
companion_process(pid_t pid)
{
	cleanup_free char *path = xasprintf("/proc/%ld", (long)pid);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;
	const char *at;

	if (pid <= 0 || fs_open_dir(path, &fd, &ignored) != 0 ||
	    fs_read_file(fd, "stat", STAT_MAX, &text, &ignored) != 0)
		return NULL;
	/* The process can choose a name with a ")". */
	at = strrchr(text.buf, ')');
	for (int i = 0; at != NULL && i < STAT_STARTTIME; i++)
		at = strchr(at + 1, ' ');
	return at == NULL ? NULL
			  : xasprintf("%ld %.*s", (long)pid,
				(int)strcspn(at + 1, " \n"), at + 1);
}

int
companion_start(
    int session_fd, const char *id, const char *process, struct diag *dg)
{
	/* Executes the program: a fork would keep the launcher's memory. */
	const char *const argv[] = { "/proc/self/exe", "--companion", id,
		process, NULL };
	const struct proc_spec spec = {
		.argv = argv,
		.cwd_fd = -1,
		.keep_fds = &session_fd,
		.nkeep = 1,
	};

	if (proc_detach(&spec, dg) != 0)
		return diag_wrap(dg,
		    "the session has no companion: its ports and its ssh agent "
		    "do not work, and its proxy does not refuse addresses that "
		    "this host gets later");
	return 0;
}

static int
open_lock(int session_fd, int flags, int *ret_fd, struct diag *dg)
{
	return fs_open_nolinks(
	    session_fd, LOCK_NAME, flags | O_NONBLOCK, 0600, ret_fd, dg);
}

bool
companion_present(int session_fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;

	return open_lock(session_fd, O_RDWR, &fd, &ignored) == 0 &&
	    fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* *ret_fd stays -1 if another companion keeps the lock. */
static int
take_lock(int session_fd, int *ret_fd, struct diag *dg)
{
	int64_t deadline = monotime_ms() + LOCK_WAIT_MS;
	cleanup_close int fd = -1;

	if (open_lock(session_fd, O_RDWR | O_CREAT, &fd, dg) != 0)
		return -1;
	for (;;) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
			*ret_fd = steal_fd(&fd);
			return 0;
		}
		if (errno != EAGAIN && errno != EACCES)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "lock " LOCK_NAME);
		if (monotime_left_ms(deadline) == 0)
			return 0;
		(void)poll(NULL, 0, LOCK_STEP_MS);
	}
}

/* Redirects stderr to a log.  No file can grow over FILE_MAX. */
static int
open_log(int session_fd, struct diag *dg)
{
	const struct rlimit limit = { FILE_MAX, FILE_MAX };
	cleanup_close int fd = -1;

	if (fs_open_nolinks(session_fd, LOG_NAME,
		O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, 0600, &fd, dg) != 0)
		return -1;
	if (dup2(fd, STDERR_FILENO) == -1 ||
	    setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open " LOG_NAME);
	return 0;
}

/* *ret_fd stays -1 if the process has ended. */
static int
open_process(const char *process, int *ret_fd, struct diag *dg)
{
	char *end;
	long pid = strtol(process, &end, 10);
	cleanup_close int fd = -1;
	cleanup_free char *now = NULL;

	if (end == process || *end != ' ' || pid <= 0)
		return diag_set(
		    dg, DIAG_USAGE, "companion: %s is not a process", process);
	fd = pidfd_open((pid_t)pid, 0);
	if (fd == -1 && errno != ESRCH)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "watch process %ld", pid);
	/* The pid may have been reused: compare the start time too. */
	now = companion_process((pid_t)pid);
	if (fd != -1 && now != NULL && strcmp(now, process) == 0)
		*ret_fd = steal_fd(&fd);
	return 0;
}

/* Listening for address changes needs no privilege.  Nothing is sent. */
static int
open_netlink(int *ret_fd, struct diag *dg)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	cleanup_close int fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd == -1 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "watch the host's addresses");
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* A connection of a command: one request, a line, and its answer. */
struct peer {
	struct companion *companion;
	struct watch watch; /* fd owned */
	struct timer deadline;
	char line[REQUEST_MAX];
	size_t len;
	struct peer *next;
};

struct companion {
	struct loop loop;
	struct watch process; /* pidfd of the container's process; owned */
	struct watch netlink; /* owned */
	struct timer retry;
	int conf_fd; /* the proxy's configuration; owned */
	bool failure_reported; /* the last write failed */
	struct ports ports;
	struct sshagent sshagent;
	struct listener listener; /* of SOCKET_NAME */
	struct peer *peers; /* owned */
};

/* The first of several failures in a row is a warning. */
static void
update(void *arg)
{
	struct companion *c = arg;
	cleanup_diag struct diag dg = DIAG_INIT;
	bool changed;

	if (proxyconf_write_addresses(c->conf_fd, &changed, &dg) == 0) {
		c->failure_reported = false;
		return;
	}
	if (!c->failure_reported)
		diag_warn("%s", dg.message);
	c->failure_reported = true;
	timer_arm(&c->loop, &c->retry, RETRY_MS);
}

static void
on_addresses(void *arg, short events)
{
	struct companion *c = arg;
	char buf[8192];

	(void)events;
	/*
	 * Discards the messages: the addresses are listed again in any case.
	 * A queue that overflowed (ENOBUFS) counts as a change, and is empty
	 * afterwards.
	 */
	while (recv(c->netlink.fd, buf, sizeof(buf), 0) >= 0 ||
	    errno == ENOBUFS || errno == EINTR)
		continue;
	update(c);
}

static void
on_process(void *arg, short events)
{
	struct companion *c = arg;

	(void)events;
	loop_stop(&c->loop);
}

static void
drop(void *arg)
{
	struct peer *p = arg;
	struct peer **at = &p->companion->peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	timer_cancel(&p->companion->loop, &p->deadline);
	loop_close(&p->companion->loop, &p->watch);
	free(p);
}

static void
on_ready(void *arg, short events)
{
	struct peer *p = arg;
	cleanup_strbuf struct strbuf answer = STRBUF_INIT;
	ssize_t n = recv(
	    p->watch.fd, p->line + p->len, sizeof(p->line) - 1 - p->len, 0);
	char *end;

	(void)events;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		p->len += (size_t)n;
		p->line[p->len] = '\0';
		end = strchr(p->line, '\n');
		if (end == NULL && p->len < sizeof(p->line) - 1)
			return;
		if (end != NULL) {
			*end = '\0';
			if (!ports_request(
				&p->companion->ports, p->line, &answer))
				strbuf_addf(&answer, "no %d", EINVAL);
			/* The socket is empty: the answer fits. */
			(void)send(
			    p->watch.fd, answer.buf, answer.len, MSG_NOSIGNAL);
		}
	}
	drop(p);
}

static void
on_accepted(void *arg, int fd)
{
	struct companion *c = arg;
	struct peer *p = xcalloc(1, sizeof(*p));
	size_t n = 1;

	p->companion = c;
	p->watch = (struct watch){ fd, 0, on_ready, p, 0 };
	p->deadline = (struct timer){ 0, drop, p, NULL };
	p->next = c->peers;
	c->peers = p;
	timer_arm(&c->loop, &p->deadline, PEER_MS);
	loop_want(&c->loop, &p->watch, POLLIN);
	while (p->next != NULL && n++ < PEERS_MAX)
		p = p->next;
	if (p->next != NULL)
		drop(p->next);
}

static int
serve(struct companion *c, int session_fd, struct diag *dg)
{
	cleanup_free char *path =
	    xasprintf("/proc/self/fd/%d/" SOCKET_NAME, session_fd);
	cleanup_diag struct diag mine = DIAG_INIT;
	struct address address;
	struct rlimit limit;

	/* A connection of a port needs two descriptors. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (open_netlink(&c->netlink.fd, dg) != 0 ||
	    fs_open_nolinks(session_fd, mount_roles[MOUNT_PROXY].below,
		O_RDONLY | O_DIRECTORY, 0, &c->conf_fd, dg) != 0)
		return -1;
	loop_want(&c->loop, &c->netlink, POLLIN);
	/* Covers changes before the socket was open. */
	update(c);
	ports_open(&c->ports, &c->loop, session_fd);
	if (sshagent_open(&c->sshagent, &c->loop, session_fd, &mine) != 0)
		diag_warn("the ssh agent: %s", mine.message);
	if (address_unix(&address, path, dg) != 0 ||
	    listener_open(
		&c->listener, &c->loop, &address, on_accepted, c, dg) != 0)
		return -1;
	loop_want(&c->loop, &c->process, POLLIN);
	loop_run(&c->loop);
	return 0;
}

int
companion_run(int session_fd, const char *process, struct diag *dg)
{
	cleanup_close int lock_fd = -1;
	cleanup_free struct companion *c = xcalloc(1, sizeof(*c));
	int rc = -1;

	c->process = (struct watch){ -1, 0, on_process, c, 0 };
	c->netlink = (struct watch){ -1, 0, on_addresses, c, 0 };
	c->retry = (struct timer){ 0, update, c, NULL };
	c->conf_fd = -1;
	c->sshagent = (struct sshagent)SSHAGENT_INIT;
	loop_init(&c->loop);
	(void)prctl(PR_SET_NAME, "drydock");
	if (take_lock(session_fd, &lock_fd, dg) != 0)
		return -1;
	if (lock_fd == -1)
		return 0;
	if (open_log(session_fd, dg) == 0 &&
	    open_process(process, &c->process.fd, dg) == 0)
		rc = c->process.fd == -1 ? 0 : serve(c, session_fd, dg);
	while (c->peers != NULL)
		drop(c->peers);
	listener_release(&c->listener);
	sshagent_release(&c->sshagent);
	ports_release(&c->ports);
	cleanup_close_fn(&c->process.fd);
	cleanup_close_fn(&c->netlink.fd);
	cleanup_close_fn(&c->conf_fd);
	return rc;
}

int
companion_ask(int session_fd, const char *line, int timeout_ms,
    struct strbuf *answer, struct diag *dg)
{
	int64_t deadline = monotime_ms() + timeout_ms;
	cleanup_free char *text = xasprintf("%s\n", line);
	size_t len = strlen(text);
	cleanup_close int fd = -1;

	while (fs_connect_socket(session_fd, SOCKET_NAME, &fd) != 0) {
		if (monotime_left_ms(deadline) == 0)
			return diag_set_errno(dg, DIAG_ENGINE, errno,
			    "reach the session's companion");
		(void)poll(NULL, 0, CONNECT_STEP_MS);
	}
	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		return diag_set_errno(
		    dg, DIAG_ENGINE, errno, "write to the companion");
	for (;;) {
		struct pollfd p = { fd, POLLIN, 0 };
		char buf[REQUEST_MAX];
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n == 0)
			break;
		if (n > 0)
			strbuf_add(answer, buf, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			return diag_set_errno(
			    dg, DIAG_ENGINE, errno, "read from the companion");
		if (answer->len > REQUEST_MAX)
			break;
		if (n < 0 && poll(&p, 1, monotime_left_ms(deadline)) == 0)
			return diag_set(dg, DIAG_ENGINE,
			    "the companion did not answer in time");
	}
	return 0;
}
