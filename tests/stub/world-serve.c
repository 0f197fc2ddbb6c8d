/* SPDX-License-Identifier: MIT */
/*
 * The engine's API on a unix socket: a process for each connection, which takes
 * one request and answers it, or lies as the script says.
 */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/xalloc.h"

#define REQUEST_MAX ((size_t)64 << 10)
#define HANG_MS 600000

/* What is asked, by the names that scripts know it by. */
static const struct {
	const char *method, *before, *after, *key;
} routes[] = {
	{ "GET", "/version", NULL, "version" },
	{ "GET", "/info", NULL, "info" },
	{ "GET", "/containers/json", NULL, "ps" },
	{ "GET", "/images/json", NULL, "image-ls" },
	{ "GET", "/containers/", "/json", "inspect" },
	{ "GET", "/containers/", "/logs", "logs" },
	{ "GET", "/images/", "/json", "image-inspect" },
	{ "POST", "/containers/", "/start", "start" },
	{ "POST", "/containers/", "/stop", "stop" },
	{ "DELETE", "/containers/", "", "rm" },
	{ "DELETE", "/images/", "", "image-rm" },
};

static char *
unescape(const char *text, size_t len)
{
	char *out = xcalloc(len + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char hex[3] = "";

		if (text[i] == '%' && i + 2 < len) {
			memcpy(hex, text + i + 1, 2);
			out[n++] = (char)strtol(hex, NULL, 16);
			i += 2;
		} else {
			out[n++] = text[i];
		}
	}
	return out;
}

char *
world_query(const struct world *w, const char *name)
{
	const char *p = strchr(w->target, '?');
	size_t len = strlen(name);

	while (p != NULL) {
		p++;
		if (strncmp(p, name, len) == 0 && p[len] == '=')
			return unescape(p + len + 1, strcspn(p + len + 1, "&"));
		p = strchr(p, '&');
	}
	return NULL;
}

/* The version before a path, which GET /version need not have. */
static const char *
skip_version(const char *path)
{
	size_t len = strcspn(path + 1, "/?") + 1;

	return path[1] == 'v' && strspn(path + 2, "0123456789.") == len - 2
	    ? path + len
	    : path;
}

/* Sets key and subject; false for what no engine of ours is asked. */
static bool
route(struct world *w)
{
	const char *path = skip_version(w->target);
	size_t len = strcspn(path, "?");

	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		size_t before = strlen(routes[i].before);
		size_t after =
		    routes[i].after == NULL ? 0 : strlen(routes[i].after);

		if (strcmp(w->method, routes[i].method) != 0 ||
		    strncmp(path, routes[i].before, before) != 0 ||
		    (routes[i].after == NULL && len != before) ||
		    len < before + after ||
		    strncmp(path + len - after,
			routes[i].after == NULL ? "" : routes[i].after,
			after) != 0)
			continue;
		w->key = xstrdup(routes[i].key);
		w->subject = unescape(path + before, len - before - after);
		return true;
	}
	return false;
}

void
world_message(struct world *w, int status, const char *words)
{
	struct jsonw *j = jsonw_new(false);

	w->status = status;
	strbuf_reset(&w->out);
	jsonw_open_object(j);
	jsonw_key_str(j, "message", words);
	jsonw_close_object(j);
	if (jsonw_finish(j, &w->out, NULL) != 0)
		world_die("a message that is not UTF-8");
}

static void
send_all(const struct world *w, const char *data, size_t len)
{
	for (size_t n = 0; n < len;) {
		ssize_t sent = send(w->peer, data + n, len - n, MSG_NOSIGNAL);

		if (sent <= 0)
			exit(0);
		n += (size_t)sent;
	}
}

/* One byte after the other. */
static void
send_slowly(const struct world *w, const struct strbuf *text)
{
	for (size_t i = 0; i < text->len; i++) {
		send_all(w, text->buf + i, 1);
		(void)poll(NULL, 0, 1);
	}
}

void
world_hang(const struct world *w)
{
	struct pollfd p = { .fd = w->peer, .events = POLLRDHUP };

	(void)poll(&p, 1, HANG_MS);
	exit(0);
}

/* More than anybody reads. */
_Noreturn static void
spew(const struct world *w)
{
	static const char head[] =
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const char chunk[] = "10\r\n[[[[[[[[[[[[[[[[\r\n";

	send_all(w, head, sizeof(head) - 1);
	for (;;)
		send_all(w, chunk, sizeof(chunk) - 1);
}

static size_t
least(const struct world *w, size_t len)
{
	size_t n = (size_t)strtoul(w->value, NULL, 10);

	return n < len ? n : len;
}

/* The whole of it in two chunks, or none but a part of the second. */
static void
send_chunks(struct world *w, struct strbuf *text)
{
	size_t at = least(w, w->out.len);

	strbuf_addf(text, "Transfer-Encoding: chunked\r\n\r\n");
	if (at > 0) {
		strbuf_addf(text, "%zx\r\n", at);
		strbuf_add(text, w->out.buf, at);
		strbuf_addstr(text, "\r\n");
	}
	/* Cut: of this one nothing comes but its length. */
	strbuf_addf(text, "%zx\r\n", w->out.len - at + 1);
	send_all(w, text->buf, text->len);
}

/* What the script makes of an answer that is ready. */
static void
change_answer(struct world *w)
{
	if (world_has_fault(w, "wrong")) {
		w->status = 200;
		strbuf_reset(&w->out);
		strbuf_addstr(&w->out, "[{\"ID\": nan,\n");
	} else if (world_has_fault(w, "fail-after")) {
		world_message(w, 500, "made up");
	} else if (world_has_fault(w, "message")) {
		world_message(w, 200, w->value);
	}
}

_Noreturn void
world_reply(struct world *w)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t len;

	if (w->status == 0)
		w->status = w->out.len > 0 ? 200 : 204;
	change_answer(w);
	strbuf_addf(&text, "HTTP/1.1 %d World\r\nServer: Docker (world)\r\n",
	    w->status);
	if (world_has_fault(w, "redirect"))
		strbuf_addf(&text, "Location: %s\r\n", w->value);
	if (world_has_fault(w, "cut-chunk")) {
		send_chunks(w, &text);
		exit(0);
	}
	len = world_has_fault(w, "length") ? least(w, w->out.len) : w->out.len;
	if (w->status != 204 && w->status != 304)
		strbuf_addf(&text, "Content-Length: %zu\r\n", len);
	strbuf_addstr(&text, "\r\n");
	if (world_has_fault(w, "cut-head")) {
		strbuf_setlen(&text, least(w, text.len - 1));
		strbuf_reset(&w->out);
	}
	len = world_has_fault(w, "cut") ? least(w, w->out.len) : w->out.len;
	strbuf_add(&text, w->out.buf, len);
	if (world_has_fault(w, "slow"))
		send_slowly(w, &text);
	else
		send_all(w, text.buf, text.len);
	exit(0);
}

/* Lies that need nothing to be done before. */
void
world_lie(struct world *w)
{
	if (world_has_fault(w, "hang"))
		world_hang(w);
	if (world_has_fault(w, "spew"))
		spew(w);
	if (world_has_fault(w, "die"))
		exit(0);
	if (world_has_fault(w, "status")) {
		char *words;
		long status = strtol(w->value, &words, 10);

		world_message(w, (int)status, words + strspn(words, " "));
		world_reply(w);
	}
	if (world_has_fault(w, "redirect")) {
		w->status = 301;
		world_reply(w);
	}
}

/* False when whoever asks leaves before it has. */
static bool
read_request(struct world *w)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char buf[4096];
	ssize_t n;
	size_t len;

	while (strstr(text.buf, "\r\n\r\n") == NULL) {
		n = recv(w->peer, buf, sizeof(buf), 0);
		if (n <= 0 || text.len > REQUEST_MAX)
			return false;
		strbuf_add(&text, buf, (size_t)n);
	}
	len = strcspn(text.buf, " ");
	w->method = xstrndup(text.buf, len);
	w->target =
	    xstrndup(text.buf + len + 1, strcspn(text.buf + len + 1, " \r\n"));
	return true;
}

_Noreturn static void
serve_one(struct world *w)
{
	/* Compose's ping, and who only wants to know that all before it were
	 * seen: hanging up is the fastest no. */
	if (!read_request(w) || w->target[0] != '/' || !route(w))
		exit(0);
	world_call(w);
	world_reply(w);
}

static int
listen_at(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (fd == -1 ||
	    bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) != 0 ||
	    listen(fd, 4096) != 0)
		world_die("listen at %s: %s", path, strerror(errno));
	(void)puts("listening");
	(void)fflush(stdout);
	return fd;
}

/*
 * Held for as long as the call lasts; taken before the next connection is, so
 * that who connects after another finds that other's lock taken.
 */
static int
be_busy(const struct world *w)
{
	cleanup_free char *path = xasprintf("%s/busy", w->dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	/* A world is taken away as a whole, and made again. */
	if (fd != -1)
		(void)flock(fd, LOCK_SH);
	return fd;
}

/* The next connection; -1 when standard input has ended, if that is told. */
static int
next_peer(int listener, bool until_eof)
{
	struct pollfd p[] = {
		{ .fd = listener, .events = POLLIN },
		{ .fd = until_eof ? STDIN_FILENO : -1, .events = POLLIN },
	};

	for (;;) {
		int peer;

		if (poll(p, ARRAY_SIZE(p), -1) == -1)
			continue;
		if (p[1].revents != 0)
			return -1;
		peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (peer != -1)
			return peer;
	}
}

void
world_serve(struct world *w, const char *socket_path, bool until_eof)
{
	int listener = listen_at(socket_path);
	int peer;

	/* What a container leaves is reaped by nobody else. */
	if (signal(SIGCHLD, SIG_IGN) == SIG_ERR ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		world_die("adopt children");
	while ((peer = next_peer(listener, until_eof)) != -1) {
		int busy;
		pid_t pid;

		busy = be_busy(w);
		pid = fork();
		if (pid == -1)
			world_die("fork: %s", strerror(errno));
		if (pid == 0) {
			(void)signal(SIGCHLD, SIG_DFL);
			(void)close(listener);
			w->peer = peer;
			serve_one(w);
		}
		(void)close(peer);
		(void)close(busy);
	}
}
