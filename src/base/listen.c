/* SPDX-License-Identifier: MIT */
/* listen: listening sockets on a unix path or on the loopback. */
#include "base/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/monotime.h"

#define BACKLOG 1024
#define PAUSE_MS 100

int
address_unix(struct address *ret, const char *path, struct diag *dg)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof(un.sun_path))
		return diag_set(
		    dg, DIAG_USAGE, "%s: no path for a socket", path);
	memcpy(un.sun_path, path, len + 1);
	memset(ret, 0, sizeof(*ret));
	memcpy(&ret->sa, &un, sizeof(un));
	ret->mode = 0600;
	ret->len = sizeof(un);
	return 0;
}

void
address_loopback(struct address *ret, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	memset(ret, 0, sizeof(*ret));
	memcpy(&ret->sa, &in, sizeof(in));
	ret->len = sizeof(in);
}

void
address_loopback6(struct address *ret, uint16_t port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	memset(ret, 0, sizeof(*ret));
	memcpy(&ret->sa, &in6, sizeof(in6));
	ret->len = sizeof(in6);
}

static const char *
unix_path(const struct address *address)
{
	return ((const struct sockaddr_un *)&address->sa)->sun_path;
}

/*
 * Binds.  A file at the path, from an earlier start or another process, is
 * removed before.
 */
static int
bind_fresh(int fd, const struct address *address)
{
	const struct sockaddr *sa = (const struct sockaddr *)&address->sa;
	int on = 1;
	if (address->sa.ss_family != AF_UNIX) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		return bind(fd, sa, address->len);
	}
	if (unlink(unix_path(address)) == -1 && errno != ENOENT)
		return -1;
	mode_t old = umask(0777 & ~address->mode);
	int rc = bind(fd, sa, address->len);
	int saved = errno;
	(void)umask(old);
	errno = saved;
	return rc;
}

static int
listen_at(const struct address *address, int *ret_fd, struct diag *dg)
{
	bool is_unix = address->sa.ss_family == AF_UNIX;
	const char *what = is_unix ? unix_path(address) : "the loopback";
	cleanup_close int fd = socket(address->sa.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind_fresh(fd, address) == -1 ||
	    listen(fd, BACKLOG) == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "listen on %s", what);
	*ret_fd = steal_fd(&fd);
	return 0;
}

static void
update(struct listener *l)
{
	bool on = l->allowed && l->pause.due == 0;
	loop_want(l->loop, &l->watch, on ? POLLIN : 0);
}

static void
on_pause(void *arg)
{
	update(arg);
}

static void
on_connection(void *arg, short events)
{
	struct listener *l = arg;
	(void)events;
	int fd = accept4(l->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd != -1) {
		l->accepted(l->arg, fd);
		return;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	/*
	 * A limit or no memory (EMFILE, ENFILE, ENOBUFS, ENOMEM): the socket
	 * stays readable, so that retrying at once would be a busy loop.
	 */
	timer_arm(l->loop, &l->pause, PAUSE_MS);
	update(l);
}

int
listener_open(struct listener *l, struct loop *loop,
    const struct address *address, void (*accepted)(void *arg, int fd),
    void *arg, struct diag *dg)
{
	int fd = -1;
	if (listen_at(address, &fd, dg) != 0)
		return -1;
	*l = (struct listener){ .loop = loop, .allowed = true };
	l->watch = (struct watch){ fd, 0, on_connection, l, 0 };
	l->pause = (struct timer){ 0, on_pause, l, NULL };
	l->accepted = accepted;
	l->arg = arg;
	update(l);
	return 0;
}

/* While a socket listens, the inode of its file is not reused. */
static bool
is_in_place(const struct listener *l)
{
	struct stat st;
	return lstat(unix_path(&l->address), &st) == 0 &&
	    l->file.st_dev == st.st_dev && l->file.st_ino == st.st_ino;
}

/* RENAME_EXCHANGE replaces a file of any type, also a directory. */
static int
put_in_place(const char *fresh, const char *path)
{
	if (rename(fresh, path) == 0)
		return 0;
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_EXCHANGE) == -1)
		return -1;
	(void)rmdir(fresh);
	return 0;
}

/* The temporary name is hard to predict and differs at each try. */
static int
listen_anew(const struct address *address, int *ret_fd, struct stat *ret_file)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	struct address fresh = { .len = 0 };
	const char *path = unix_path(address);
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)];
	cleanup_close int fd = -1;
	int len = snprintf(name, sizeof(name), "%s.%lld", path,
	    (long long)(monotime_ms() % 1000000));
	if (len < 0 || (size_t)len >= sizeof(name) ||
	    address_unix(&fresh, name, &ignored) != 0 ||
	    listen_at(&fresh, &fd, &ignored) != 0)
		return -1;
	if (lstat(name, ret_file) == -1 || put_in_place(name, path) == -1) {
		(void)unlink(name);
		return -1;
	}
	*ret_fd = steal_fd(&fd);
	return 0;
}

static void
on_look(void *arg)
{
	struct listener *l = arg;
	int fd;
	if (!is_in_place(l) && listen_anew(&l->address, &fd, &l->file) == 0) {
		loop_close(l->loop, &l->watch);
		l->watch.fd = fd;
		update(l);
	}
	timer_arm(l->loop, &l->look, LISTEN_LOOK_MS);
}

void
listener_guard(struct listener *l, const struct address *address)
{
	l->address = *address;
	l->look = (struct timer){ 0, on_look, l, NULL };
	(void)lstat(unix_path(address), &l->file);
	timer_arm(l->loop, &l->look, LISTEN_LOOK_MS);
}

void
listener_release(struct listener *l)
{
	if (l->loop == NULL)
		return;
	timer_cancel(l->loop, &l->pause);
	timer_cancel(l->loop, &l->look);
	loop_close(l->loop, &l->watch);
	*l = (struct listener){ .loop = NULL };
}

void
listener_allow(struct listener *l, bool allowed)
{
	l->allowed = allowed;
	update(l);
}
