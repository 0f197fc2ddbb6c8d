/* SPDX-License-Identifier: MIT */
/* Both ends of a companion's own socket. */
#include "session/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#define SOCKET_NAME "companion.sock"
#define PEERS_MAX 16
#define PEER_MS 5000
#define RETRY_MS 10

struct control_peer {
	struct control *control;
	struct watch watch; /* fd owned */
	struct timer deadline;
	char line[CONTROL_MAX];
	size_t len;
	struct control_peer *next;
};

static void
drop(struct control_peer *p)
{
	struct control_peer **at = &p->control->peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	timer_cancel(p->control->loop, &p->deadline);
	loop_want(p->control->loop, &p->watch, 0);
	(void)close(p->watch.fd);
	free(p);
}

static void
on_deadline(void *arg)
{
	drop(arg);
}

static void
on_ready(void *arg, short events)
{
	struct control_peer *p = arg;
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
			p->control->request(p->control->arg, p->line, &answer);
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
	struct control *c = arg;
	struct control_peer *p = xcalloc(1, sizeof(*p));
	size_t n = 1;

	p->control = c;
	p->watch = (struct watch){ fd, 0, on_ready, p, 0 };
	p->deadline = (struct timer){ 0, on_deadline, p, NULL };
	p->next = c->peers;
	c->peers = p;
	timer_arm(c->loop, &p->deadline, PEER_MS);
	loop_want(c->loop, &p->watch, POLLIN);
	while (p->next != NULL && n++ < PEERS_MAX)
		p = p->next;
	if (p->next != NULL)
		drop(p->next);
}

int
control_open(struct control *control, struct loop *loop, int session_fd,
    control_fn *request, void *arg, struct diag *dg)
{
	cleanup_free char *path =
	    xasprintf("/proc/self/fd/%d/" SOCKET_NAME, session_fd);
	struct address address;

	*control =
	    (struct control){ .loop = loop, .request = request, .arg = arg };
	if (address_unix(&address, path, dg) != 0)
		return -1;
	return listener_open(
	    &control->listener, loop, &address, on_accepted, control, dg);
}

void
control_release(struct control *control)
{
	struct control_peer *next;

	for (struct control_peer *p = control->peers; p != NULL; p = next) {
		next = p->next;
		drop(p);
	}
	listener_release(&control->listener);
}

static int
connect_to(int session_fd, int64_t deadline, int *ret_fd, struct diag *dg)
{
	while (fs_connect_socket(session_fd, SOCKET_NAME, ret_fd) != 0) {
		if (monotime_left_ms(deadline) == 0)
			return diag_set_errno(dg, DIAG_ENGINE, errno,
			    "reach the session's companion");
		(void)poll(NULL, 0, RETRY_MS);
	}
	return 0;
}

int
control_ask(int session_fd, const char *line, int timeout_ms,
    struct strbuf *answer, struct diag *dg)
{
	int64_t deadline = monotime_ms() + timeout_ms;
	cleanup_free char *text = xasprintf("%s\n", line);
	size_t len = strlen(text);
	cleanup_close int fd = -1;

	if (connect_to(session_fd, deadline, &fd, dg) != 0)
		return -1;
	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		return diag_set_errno(
		    dg, DIAG_ENGINE, errno, "write to the companion");
	for (;;) {
		struct pollfd p = { fd, POLLIN, 0 };
		char buf[CONTROL_MAX];
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n == 0)
			break;
		if (n > 0)
			strbuf_add(answer, buf, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			return diag_set_errno(
			    dg, DIAG_ENGINE, errno, "read from the companion");
		if (answer->len > CONTROL_MAX)
			break;
		if (n < 0 && poll(&p, 1, monotime_left_ms(deadline)) == 0)
			return diag_set(dg, DIAG_ENGINE,
			    "the companion did not answer in time");
	}
	return 0;
}
