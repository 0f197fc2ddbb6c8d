/* SPDX-License-Identifier: MIT */
/* Starts the companion, and runs its loop under its lock. */
#include "session/companion.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
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
#include "base/loop.h"
#include "base/monotime.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan/proxyconf.h"
#include "plan/role.h"
#include "session/control.h"
#include "session/ports.h"
#include "session/sshagent.h"

#define LOCK_NAME "companion"
#define LOG_NAME "companion.log"

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
	STAT_STARTTIME = 20, /* the field's number after the name, in proc(5) */
};

/* Starts at the last ")": the process can choose a name with a ")". */
static char *
start_time(const char *stat)
{
	const char *at = strrchr(stat, ')');

	for (int i = 0; at != NULL && i < STAT_STARTTIME; i++)
		at = strchr(at + 1, ' ');
	return at == NULL ? NULL : xstrndup(at + 1, strcspn(at + 1, " \n"));
}

char *
companion_process(pid_t pid)
{
	cleanup_free char *path = xasprintf("/proc/%ld", (long)pid);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;
	cleanup_free char *start = NULL;

	if (pid <= 0 || fs_open_dir(path, &fd, &ignored) != 0 ||
	    fs_read_file(fd, "stat", STAT_MAX, &text, &ignored) != 0)
		return NULL;
	start = start_time(text.buf);
	return start == NULL ? NULL : xasprintf("%ld %s", (long)pid, start);
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

/*
 * Discards the messages: the addresses are listed again in any case.  A queue
 * that overflowed (ENOBUFS) counts as a change, and is empty afterwards.
 */
static void
drain(int fd)
{
	char buf[8192];

	while (recv(fd, buf, sizeof(buf), 0) >= 0 || errno == ENOBUFS ||
	    errno == EINTR)
		continue;
}

struct companion {
	struct loop loop;
	struct watch process; /* pidfd of the container's process; owned */
	struct watch netlink; /* owned */
	struct timer retry;
	int conf_fd; /* the proxy's configuration; owned */
	bool failure_reported; /* the last write failed */
	struct ports ports;
	struct control control;
	struct sshagent sshagent;
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

	(void)events;
	drain(c->netlink.fd);
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
on_request(void *arg, const char *line, struct strbuf *answer)
{
	struct companion *c = arg;

	if (!ports_request(&c->ports, line, answer))
		strbuf_addf(answer, "no %d", EINVAL);
}

/* The first update covers changes before the socket was open. */
static int
follow_addresses(struct companion *c, int session_fd, struct diag *dg)
{
	if (open_netlink(&c->netlink.fd, dg) != 0 ||
	    fs_open_nolinks(session_fd, mount_roles[MOUNT_PROXY].below,
		O_RDONLY | O_DIRECTORY, 0, &c->conf_fd, dg) != 0)
		return -1;
	loop_want(&c->loop, &c->netlink, POLLIN);
	update(c);
	return 0;
}

/* A connection of a port needs two descriptors. */
static void
raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int
serve(struct companion *c, int session_fd, struct diag *dg)
{
	cleanup_diag struct diag mine = DIAG_INIT;

	if (follow_addresses(c, session_fd, dg) != 0)
		return -1;
	ports_open(&c->ports, &c->loop, session_fd);
	if (sshagent_open(&c->sshagent, &c->loop, session_fd, &mine) != 0)
		diag_warn("the ssh agent: %s", mine.message);
	if (control_open(
		&c->control, &c->loop, session_fd, on_request, c, dg) != 0)
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
	raise_files();
	if (open_log(session_fd, dg) == 0 &&
	    open_process(process, &c->process.fd, dg) == 0)
		rc = c->process.fd == -1 ? 0 : serve(c, session_fd, dg);
	control_release(&c->control);
	sshagent_release(&c->sshagent);
	ports_release(&c->ports);
	cleanup_close_fn(&c->process.fd);
	cleanup_close_fn(&c->netlink.fd);
	cleanup_close_fn(&c->conf_fd);
	return rc;
}
