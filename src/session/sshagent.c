/* SPDX-License-Identifier: MIT */
/* Serves the filtered ssh agent of a session. */
#include "session/sshagent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/queue.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/settings.h"
#include "host/sshproto.h"
#include "plan/role.h"
#include "session/record.h"

#define FILE_NAME "ssh-agent"
#define GIT_SIGNS "git signs"

enum {
	FILE_MAX = 65536,
	PEERS_MAX = 16,
	/* The user may have to confirm a signature, or to touch a token. */
	ANSWER_MS = 300000,
	REFUSED_MAX = 1000, /* refusals must not fill the log */
	CHUNK = 16384,
};

/* A connection of the session, and the one to the user's agent. */
struct sshagent_peer {
	struct sshagent *agent;
	struct watch client; /* fd owned */
	struct watch user; /* fd owned; -1: no request waits */
	struct strbuf message; /* received so far, with its length */
	struct queue out; /* to the side that gets the message */
	struct timer deadline;
	enum sshproto_request request; /* the one that waits */
	struct sshproto_sign sign;
	struct sshagent_peer *next;
};

static void
drop(struct sshagent_peer *p)
{
	struct sshagent *a = p->agent;
	struct sshagent_peer **at = &a->peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	timer_cancel(a->loop, &p->deadline);
	loop_close(a->loop, &p->client);
	loop_close(a->loop, &p->user);
	strbuf_release(&p->message);
	queue_release(&p->out);
	free(p);
	a->npeers--;
	if (a->listener.loop != NULL)
		listener_allow(&a->listener, a->npeers < PEERS_MAX);
}

/* Reads one message and no byte beyond it: 1 whole, 0 not yet, -1 broken. */
static int
receive(int fd, struct strbuf *message)
{
	const unsigned char *p = (const unsigned char *)message->buf;
	size_t need = 4;
	char buf[CHUNK];
	ssize_t n;

	if (message->len >= 4)
		need += sshproto_length(p);
	need -= message->len;
	n = recv(fd, buf, need < sizeof(buf) ? need : sizeof(buf), 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	strbuf_add(message, buf, (size_t)n);
	if (message->len < 4)
		return 0;
	need = sshproto_length((const unsigned char *)message->buf);
	if (need == 0 || need > SSHPROTO_MAX)
		return -1;
	return message->len == need + 4;
}

/* Starts to send the answer to the session. */
static void
answer(struct sshagent_peer *p, const struct strbuf *text)
{
	timer_cancel(p->agent->loop, &p->deadline);
	loop_close(p->agent->loop, &p->user);
	strbuf_release(&p->message);
	queue_release(&p->out);
	if (!queue_add(&p->out, text->buf, text->len) ||
	    queue_flush(&p->out, p->client.fd) == -1) {
		drop(p);
		return;
	}
	/* The next request is read after this answer is written. */
	loop_want(
	    p->agent->loop, &p->client, p->out.len > 0 ? POLLOUT : POLLIN);
}

static void
refuse(struct sshagent_peer *p)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	sshproto_add_failure(&text);
	answer(p, &text);
}

/*
 * Reads the socket from the file's first line, and the keys from the others.
 * ret_signs may be NULL.
 */
static int
read_file(int session_fd, char **ret_socket, struct strvec *keys,
    bool *ret_signs, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char *rest;
	char *line;

	if (fs_read_file(session_fd, FILE_NAME, FILE_MAX, &text, dg) != 0)
		return -1;
	rest = text.buf;
	line = strsep(&rest, "\n");
	*ret_socket = xstrdup(line);
	while ((line = strsep(&rest, "\n")) != NULL)
		if (sshproto_is_fingerprint(line))
			strvec_push(keys, line);
		else if (ret_signs != NULL && strcmp(line, GIT_SIGNS) == 0)
			*ret_signs = true;
	return 0;
}

static int
write_log(const struct sshagent *a, const char *event,
    const struct sshproto_sign *sign)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_free char *now = moment_now();
	struct jsonw *w = jsonw_new(false);
	bool is_signed = strcmp(event, "signed") == 0;

	jsonw_open_object(w);
	jsonw_key_str(w, "time", now);
	jsonw_key_str(w, "event", event);
	jsonw_key_str(w, "key", sign->fingerprint);
	if (is_signed) {
		jsonw_key_str(w, "for", sign->purpose.what);
		jsonw_key_str(w, "detail", sign->purpose.detail);
	}
	jsonw_close_object(w);
	if (jsonw_finish(w, &text, &ignored) != 0)
		return -1;
	return write(a->log_fd, text.buf, text.len) == (ssize_t)text.len ? 0
									 : -1;
}

/* Passes the answer on.  A signature must be in the log before it is sent. */
static void
on_answer(struct sshagent_peer *p)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	cleanup_free char *socket = NULL;
	const unsigned char *m = (const unsigned char *)p->message.buf + 4;
	size_t len = p->message.len - 4;
	bool ok;

	if (p->request == SSHPROTO_LIST)
		ok = read_file(p->agent->session_fd, &socket, &keys, NULL,
			 &ignored) == 0 &&
		    sshproto_filter_list(m, len, &keys, &text);
	else
		ok = sshproto_pass_signature(m, len, &text) &&
		    write_log(p->agent, "signed", &p->sign) == 0;
	if (ok)
		answer(p, &text);
	else
		refuse(p);
}

static void
on_user(void *arg, short events)
{
	struct sshagent_peer *p = arg;
	int rc;

	(void)events;
	if (p->out.len > 0) {
		if (queue_flush(&p->out, p->user.fd) == -1)
			refuse(p);
		else if (p->out.len == 0)
			loop_want(p->agent->loop, &p->user, POLLIN);
		return;
	}
	rc = receive(p->user.fd, &p->message);
	if (rc == -1)
		refuse(p);
	else if (rc == 1)
		on_answer(p);
}

static int
connect_user(const char *path)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	struct address address;
	cleanup_close int fd = -1;

	if (path[0] != '/' || address_unix(&address, path, &ignored) != 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1 ||
	    connect(fd, (const struct sockaddr *)&address.sa, address.len) ==
		-1)
		return -1;
	return steal_fd(&fd);
}

/* Passes the request to the user's agent over a new connection. */
static void
ask_user(struct sshagent_peer *p, const char *socket)
{
	int fd = connect_user(socket);

	if (fd == -1 || !queue_add(&p->out, p->message.buf, p->message.len)) {
		if (fd != -1)
			(void)close(fd);
		refuse(p);
		return;
	}
	strbuf_release(&p->message);
	p->user.fd = fd;
	timer_arm(p->agent->loop, &p->deadline, ANSWER_MS);
	loop_want(p->agent->loop, &p->user, POLLOUT);
	/* If the client disconnects, its request is cancelled. */
	loop_want(p->agent->loop, &p->client, POLLRDHUP);
}

static void
on_request(struct sshagent_peer *p)
{
	struct sshagent *a = p->agent;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	cleanup_free char *socket = NULL;

	if (read_file(a->session_fd, &socket, &keys, NULL, &dg) != 0) {
		refuse(p);
		return;
	}
	p->request =
	    sshproto_read_request((const unsigned char *)p->message.buf + 4,
		p->message.len - 4, &keys, &p->sign);
	if (p->request != SSHPROTO_REFUSED) {
		ask_user(p, socket);
		return;
	}
	if (p->sign.fingerprint[0] != '\0' && a->nrefused < REFUSED_MAX) {
		a->nrefused++;
		(void)write_log(a, "refused", &p->sign);
	}
	refuse(p);
}

static void
on_client(void *arg, short events)
{
	struct sshagent_peer *p = arg;
	int rc;

	if (p->user.fd != -1) {
		drop(p);
		return;
	}
	if (p->out.len > 0) {
		if ((events & POLLOUT) == 0 ||
		    queue_flush(&p->out, p->client.fd) == -1)
			drop(p);
		else if (p->out.len == 0)
			loop_want(p->agent->loop, &p->client, POLLIN);
		return;
	}
	rc = receive(p->client.fd, &p->message);
	if (rc == -1)
		drop(p);
	else if (rc == 1)
		on_request(p);
}

static void
on_deadline(void *arg)
{
	refuse(arg);
}

static void
on_accepted(void *arg, int fd)
{
	struct sshagent *a = arg;
	struct sshagent_peer *p = xcalloc(1, sizeof(*p));

	p->agent = a;
	p->client = (struct watch){ fd, 0, on_client, p, 0 };
	p->user = (struct watch){ -1, 0, on_user, p, 0 };
	p->deadline = (struct timer){ 0, on_deadline, p, NULL };
	strbuf_init(&p->message);
	p->next = a->peers;
	a->peers = p;
	loop_want(a->loop, &p->client, POLLIN);
	listener_allow(&a->listener, ++a->npeers < PEERS_MAX);
}

bool
sshagent_signs_git(int session_fd)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_free char *socket = NULL;
	bool signs = false;

	return read_file(session_fd, &socket, &keys, &signs, &ignored) == 0 &&
	    signs;
}

static int
write_file(int session_fd, const char *socket, const struct strvec *keys,
    bool git_signs, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (strchr(socket, '\n') != NULL)
		return diag_set(
		    dg, DIAG_CONFIG, "SSH_AUTH_SOCK has a line break");
	strbuf_addf(&text, "%s\n", socket);
	for (size_t i = 0; i < keys->nr; i++)
		strbuf_addf(&text, "%s\n", keys->v[i]);
	if (git_signs)
		strbuf_addstr(&text, GIT_SIGNS "\n");
	return fs_replace_file(
	    session_fd, FILE_NAME, text.buf, text.len, 0600, dg);
}

static int
renew(int session_fd, const struct settings *settings, enum mode mode,
    const char *socket, bool git_signs, struct diag *dg)
{
	if (unlinkat(session_fd, FILE_NAME, 0) == -1 && errno != ENOENT)
		return diag_set_errno(dg, DIAG_IO, errno, "remove " FILE_NAME);
	if (!settings->ssh_agent)
		return 0;
	if (mode != MODE_CONTAINED)
		return diag_set(
		    dg, DIAG_POLICY, "only contained sessions get one");
	if (settings->ssh_keys.nr == 0)
		return diag_set(dg, DIAG_USAGE,
		    "ssh_keys names no key: \"ssh-add -l\" prints them");
	if (socket == NULL || socket[0] != '/')
		return diag_set(
		    dg, DIAG_USAGE, "SSH_AUTH_SOCK names no socket");
	return write_file(
	    session_fd, socket, &settings->ssh_keys, git_signs, dg);
}

void
sshagent_renew(int session_fd, const struct settings *settings, enum mode mode,
    const char *socket, bool git_signs)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	if (renew(session_fd, settings, mode, socket, git_signs, &dg) != 0)
		diag_warn("the session has no ssh agent: %s", dg.message);
}

bool
sshagent_present(int session_fd)
{
	return faccessat(session_fd, FILE_NAME, F_OK, 0) == 0;
}

int
sshagent_move(int session_fd, const char *socket, struct diag *dg)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	cleanup_free char *old = NULL;
	cleanup_close int fd = -1;
	bool signs = false;

	if (read_file(session_fd, &old, &keys, &signs, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (strcmp(old, socket) == 0)
		return 0;
	fd = connect_user(socket);
	return fd == -1 ? 0 : write_file(session_fd, socket, &keys, signs, dg);
}

int
sshagent_open(
    struct sshagent *agent, struct loop *loop, int session_fd, struct diag *dg)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	cleanup_free char *socket = NULL;
	cleanup_free char *path = NULL;
	struct address address;

	*agent = (struct sshagent)SSHAGENT_INIT;
	agent->loop = loop;
	agent->session_fd = session_fd;
	if (read_file(session_fd, &socket, &keys, NULL, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (fs_open_nolinks(session_fd, SSHAGENT_LOG,
		O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, 0600,
		&agent->log_fd, dg) != 0 ||
	    fs_open_own_dir(session_fd, mount_roles[MOUNT_RUN].below,
		&agent->run_fd, dg) != 0)
		return -1;
	/*
	 * The agent can write to run/.  bind(2) and unlink(2) follow no link as
	 * the last component, and the directory is held open.
	 */
	path = xasprintf("/proc/self/fd/%d/" SSHAGENT_SOCKET, agent->run_fd);
	if (address_unix(&address, path, dg) != 0 ||
	    listener_open(
		&agent->listener, loop, &address, on_accepted, agent, dg) != 0)
		return -1;
	listener_guard(&agent->listener, &address);
	return 0;
}

void
sshagent_release(struct sshagent *agent)
{
	struct sshagent_peer *next;

	for (struct sshagent_peer *p = agent->peers; p != NULL; p = next) {
		next = p->next;
		drop(p);
	}
	listener_release(&agent->listener);
	cleanup_close_fn(&agent->run_fd);
	cleanup_close_fn(&agent->log_fd);
}
