/* SPDX-License-Identifier: MIT */
/*
 * Checks the proxy with a request for a name that it must refuse, and by what
 * it tells of its name servers.
 */
#include "session/egress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "guest/proxylog.h"
#include "guest/refusal.h"
#include "guest/resolver.h"
#include "host/allowlist.h"
#include "host/settings.h"
#include "plan/role.h"
#include "session/session.h"

enum {
	HEAD_MAX = 4096,
	RETRY_MS = 5,
	ANSWER_MS = 1000,
	LOG_TAIL = 2048,
	/* for each file; the sidecar's files are smaller */
	REQUESTS_MAX = 64 * 1024 * 1024,
};

/* Of a sidecar that an older drydock started. */
#define OLDER_HEADER "X-Squid-Error: ERR_DRYDOCK_REFUSED 0"

static const char question[] =
    "CONNECT " REFUSAL_PROBE " HTTP/1.1\r\nHost: " REFUSAL_PROBE "\r\n\r\n";

/* Returns true if a line below the first one is exactly header. */
static bool
has_header(const char *head, size_t len, const char *header)
{
	size_t n = strlen(header);
	const char *end = head + len;

	for (const char *at = head; at < end;) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));

		if (eol == NULL)
			return false;
		at = eol + 1;
		if ((size_t)(end - at) > n && memcmp(at, header, n) == 0 &&
		    (at[n] == '\r' || at[n] == '\n'))
			return true;
	}
	return false;
}

bool
egress_is_refusal(const char *head, size_t len)
{
	char status[sizeof("HTTP/1.1 000 ")];
	const char *end = memmem(head, len, "\r\n\r\n", 4);

	(void)snprintf(status, sizeof(status), "HTTP/1.1 %d ", REFUSAL_STATUS);
	return end != NULL && len > strlen(status) &&
	    memcmp(head, status, strlen(status)) == 0 &&
	    (has_header(
		 head, (size_t)(end - head) + 2, REFUSAL_HEADER "list") ||
		has_header(head, (size_t)(end - head) + 2, OLDER_HEADER));
}

/*
 * Sends one request.  Returns NULL if the proxy refused it as it must, else the
 * reason as static text.
 */
static const char *
ask(int egress_fd, int64_t deadline)
{
	cleanup_close int fd = -1;
	char head[HEAD_MAX];
	size_t len = 0;

	/* The agent can write to egress/: a symlink there is not followed. */
	if (fs_connect_socket(egress_fd, "egress.sock", &fd) != 0)
		return "nothing listens";
	if (send(fd, question, strlen(question), MSG_NOSIGNAL) !=
	    (ssize_t)strlen(question))
		return "it does not accept a request";
	while (len < sizeof(head)) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&pfd, 1, monotime_left_ms(deadline)) <= 0)
			return "it does not answer";
		n = read(fd, head + len, sizeof(head) - len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
		if (egress_is_refusal(head, len))
			return NULL;
	}
	return len == 0 ? "it closes without an answer"
			: "the answer is not drydock's refusal";
}

int
egress_wait_ready(
    int egress_fd, int timeout_ms, const atomic_bool *stop, struct diag *dg)
{
	int64_t deadline = monotime_ms() + timeout_ms;

	for (;;) {
		int64_t answer = monotime_ms() + ANSWER_MS;
		const char *why =
		    ask(egress_fd, answer < deadline ? answer : deadline);

		if (why == NULL)
			return 0;
		if (monotime_left_ms(deadline) == 0)
			return diag_set(dg, DIAG_ENGINE,
			    "the proxy is not ready after %d ms: %s",
			    timeout_ms, why);
		if (atomic_load(stop))
			return diag_set(dg, DIAG_ENGINE,
			    "the wait for the proxy was cancelled");
		(void)poll(NULL, 0, RETRY_MS);
	}
}

bool
egress_listens(int egress_fd)
{
	cleanup_close int fd = -1;

	return fs_connect_socket(egress_fd, "egress.sock", &fd) == 0;
}

int
egress_read_requests(int log_fd, struct strbuf *out, struct diag *dg)
{
	static const char *const names[] = { "access.log", PROXYLOG_OLD,
		PROXYLOG_NEW };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		struct stat st;

		/* A FIFO is the pipe to the writer of the other two. */
		if (fstatat(log_fd, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISFIFO(st.st_mode))
			continue;
		if (fs_read_file(log_fd, names[i], REQUESTS_MAX, &text, dg) !=
			0 &&
		    diag_ignore(dg, ENOENT) != 0)
			return -1;
		strbuf_add(out, text.buf, text.len);
	}
	return 0;
}

void
egress_add_log(int log_fd, struct diag *dg)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;
	char tail[LOG_TAIL];
	struct stat st;
	ssize_t n;

	if (fs_open_nolinks(log_fd, PROXYLOG_NEW,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, &ignored) != 0 ||
	    fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	n = pread(fd, tail, sizeof(tail),
	    st.st_size > LOG_TAIL ? st.st_size - LOG_TAIL : 0);
	if (n > 0)
		(void)diag_add_detail(dg, tail, (size_t)n);
}

void
egress_note_upstream(
    const struct settings *settings, const char *const *environ_)
{
	static const char *const names[] = { "HTTPS_PROXY", "https_proxy" };
	cleanup_allow_entry struct allow_entry e = { .host = NULL };

	if (upstream_read(settings->upstream_proxy, &e)) {
		diag_note("its proxy connects through the upstream proxy %s:%u "
			  "alone, which resolves the names: drydock refuses "
			  "no private address then",
		    e.host, e.port);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = envp_get(environ_, names[i]);

		if (value == NULL || *value == '\0')
			continue;
		/* It may hold a password: only a valid one is printed. */
		diag_note("%s of this host is not used by the session; to use "
			  "it run \"drydock config set upstream_proxy %s\"",
		    names[i],
		    upstream_check(value) == NULL ? value : "http://HOST:PORT");
		return;
	}
}

/* Only the proxy writes the file, and is not trusted. */
static int
read_servers(const struct session *session, struct strbuf *text,
    bool *ret_known, struct diag *dg)
{
	cleanup_close int fd = -1;

	*ret_known = false;
	if (session_open_mount(session, MOUNT_PROXY_LOG, &fd, dg) != 0)
		return -1;
	if (fs_read_file(fd, RESOLVER_FILE, RESOLVER_MAX, text, dg) != 0)
		return diag_ignore(dg, ENOENT);
	*ret_known = true;
	return 0;
}

int
egress_servers(const struct session *session, struct strvec *servers,
    bool *ret_known, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (read_servers(session, &text, ret_known, dg) != 0)
		return -1;
	strvec_split(servers, text.buf, '\n');
	return 0;
}

static bool
needs_names(const struct allowlist *list, const struct settings *settings)
{
	cleanup_allow_entry struct allow_entry e = { .host = NULL };

	if (upstream_read(settings->upstream_proxy, &e))
		return e.kind != ALLOW_ADDRESS;
	for (size_t i = 0; i < list->nr; i++)
		if (list->v[i].kind != ALLOW_ADDRESS)
			return true;
	return false;
}

int
egress_check_names(const struct session *session, const struct allowlist *list,
    const struct settings *settings, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec servers = STRVEC_INIT;
	cleanup_free char *names = NULL;
	bool known;

	if (read_servers(session, &text, &known, dg) != 0)
		return -1;
	if (!known || resolver_usable(text.buf) || !needs_names(list, settings))
		return 0;
	strvec_split(&servers, text.buf, '\n');
	names = strvec_join(&servers, ", ");
	return diag_set(dg, DIAG_ENGINE,
	    "the session's proxy cannot resolve names: the engine gave its "
	    "container no name server%s%s%s; set \"dns\" "
	    "in the engine's daemon.json, or the setting upstream_proxy",
	    servers.nr > 0 ? " but " : "", names,
	    servers.nr > 0 ? ", where nothing answers" : "");
}
