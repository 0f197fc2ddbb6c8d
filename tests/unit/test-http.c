/* SPDX-License-Identifier: MIT */
/* Answers over a unix socket: whole ones, and each way that one is cut. */
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/http.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#define TIMEOUT_MS 20000
#define BODY_MAX 64

/* A server that says the same to whoever asks. */
struct server {
	char *path; /* owned */
	int seen[2]; /* a pipe: what it was asked */
	pid_t pid;
};

static void
read_head(int fd, struct strbuf *head)
{
	char c;

	while (strstr(head->buf, "\r\n\r\n") == NULL && read(fd, &c, 1) == 1)
		strbuf_addch(head, c);
}

/* pause_ms: after each byte; then: stays silent until the peer leaves. */
static void
serve_one(int fd, int seen, const char *text, int pause_ms, bool stay)
{
	cleanup_strbuf struct strbuf head = STRBUF_INIT;
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	read_head(fd, &head);
	if (write(seen, head.buf, head.len) < 0)
		_exit(1);
	if (pause_ms == 0) {
		(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
	} else {
		for (; *text != '\0' && send(fd, text, 1, MSG_NOSIGNAL) == 1;
		     text++)
			(void)poll(NULL, 0, pause_ms);
	}
	if (stay)
		(void)poll(&p, 1, -1);
}

static void
server_start(struct server *s, const char *text, int pause_ms, bool stay)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	s->path = xasprintf("%s/http.sock", check_tmpdir());
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", s->path);
	(void)unlink(s->path);
	CHECK_INT(bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	CHECK_INT(listen(fd, 16), 0);
	CHECK_INT(pipe(s->seen), 0);
	(void)fflush(stdout);
	s->pid = fork();
	if (s->pid == 0) {
		for (;;) {
			int peer = accept(fd, NULL, NULL);

			serve_one(peer, s->seen[1], text, pause_ms, stay);
			(void)close(peer);
		}
	}
	(void)close(fd);
	(void)close(s->seen[1]);
}

static void
server_stop(struct server *s)
{
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	(void)close(s->seen[0]);
	free(s->path);
}

static struct http *
load(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	struct http *http = NULL;

	CHECK_INT(http_load(&http, &dg), 0);
	CHECK_STR(dg.message, NULL);
	return http;
}

static void
ask(const struct http *http, const struct server *s, int timeout_ms,
    struct http_answer *answer)
{
	const struct http_request request = { .socket = s->path,
		.method = "GET",
		.target = "/v1.41/info",
		.timeout_ms = timeout_ms,
		.max_body = BODY_MAX };

	http_ask(http, &request, answer);
}

#define OK "HTTP/1.1 200 OK\r\n"
#define B16 "0123456789abcdef"
#define B64 B16 B16 B16 B16

static void
an_answer_is_whole_or_it_is_none(void)
{
	static const struct {
		const char *text;
		enum http_outcome outcome;
		int status;
		const char *body;
	} rows[] = {
		{ OK "Content-Length: 2\r\n\r\n[]", HTTP_WHOLE, 200, "[]" },
		{ OK "content-length: 0\r\n\r\n", HTTP_WHOLE, 200, "" },
		{ OK "Content-Length: 64\r\n\r\n" B64, HTTP_WHOLE, 200, B64 },
		{ "HTTP/1.1 204 No Content\r\n\r\n", HTTP_WHOLE, 204, "" },
		{ "HTTP/1.1 304 Not Modified\r\n\r\n", HTTP_WHOLE, 304, "" },
		{ "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}",
		    HTTP_WHOLE, 404, "{}" },
		{ "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}", HTTP_WHOLE,
		    500, "{}" },
		{ "HTTP/1.1 100 Continue\r\n\r\n" OK
		  "Content-Length: 2\r\n\r\n[]",
		    HTTP_WHOLE, 200, "[]" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n"
		     "1\r\n[\r\n1\r\n]\r\n0\r\n\r\n",
		    HTTP_WHOLE, 200, "[]" },
		/* Nobody is asked again elsewhere. */
		{ "HTTP/1.1 301 Moved\r\nLocation: /other\r\n"
		  "Content-Length: 0\r\n\r\n",
		    HTTP_WHOLE, 301, "" },
		{ "HTTP/1.1 307 Moved\r\nLocation: file:///etc/passwd\r\n"
		  "Content-Length: 0\r\n\r\n",
		    HTTP_WHOLE, 307, "" },
		/* Cut off: in the head, in the body, in a chunk, before the
		 * last one, and within its end. */
		{ "", HTTP_BROKEN, 0, "" },
		{ "HTTP/1.1 2", HTTP_BROKEN, 0, "" },
		{ OK, HTTP_BROKEN, 0, "" },
		{ OK "Content-Length: 2\r\n", HTTP_BROKEN, 0, "" },
		{ OK "Content-Length: 0\r\n", HTTP_BROKEN, 0, "" },
		{ OK "Content-Length: 0\r\nX-", HTTP_BROKEN, 0, "" },
		{ "HTTP/1.1 204 No Content\r\nX: y\r\n", HTTP_BROKEN, 0, "" },
		{ "HTTP/1.1 100 Continue\r\n\r\n", HTTP_BROKEN, 0, "" },
		{ OK "Content-Length: 3\r\n\r\n[]", HTTP_BROKEN, 0, "" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n3\r\n[]", HTTP_BROKEN,
		    0, "" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n",
		    HTTP_BROKEN, 0, "" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n",
		    HTTP_BROKEN, 0, "" },
		{ OK "Transfer-Encoding: chunked\r\n\r\nx\r\n[]\r\n0\r\n\r\n",
		    HTTP_BROKEN, 0, "" },
		/* May have been cut anywhere. */
		{ OK "\r\n[]", HTTP_BROKEN, 0, "" },
		{ "HTTP/1.0 200 OK\r\n\r\n[]", HTTP_BROKEN, 0, "" },
		{ "[]", HTTP_BROKEN, 0, "" },
		{ "SSH-2.0-OpenSSH_9\r\n", HTTP_BROKEN, 0, "" },
		{ OK "Content-Length: -1\r\n\r\n[]", HTTP_BROKEN, 0, "" },
		{ OK "Content-Length: 65\r\n\r\n" B64 "x", HTTP_TOO_LARGE, 0,
		    "" },
		{ OK "Transfer-Encoding: chunked\r\n\r\n40\r\n" B64
		     "\r\n1\r\nx\r\n0\r\n\r\n",
		    HTTP_TOO_LARGE, 0, "" },
	};
	struct http *http = load();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_http_answer struct http_answer a = HTTP_ANSWER_INIT;
		struct server s;

		server_start(&s, rows[i].text, 0, false);
		ask(http, &s, TIMEOUT_MS, &a);
		server_stop(&s);
		if (!CHECK_INT(a.outcome, rows[i].outcome) ||
		    !CHECK_INT(a.status, rows[i].status) ||
		    !CHECK_STR(a.body.buf, rows[i].body))
			(void)printf("# row %zu: %s\n", i, a.words.buf);
		CHECK_INT(a.words.len > 0, a.outcome != HTTP_WHOLE);
	}
	http_free(http);
}

static void
a_head_without_end_is_not_read_to_its_end(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_http_answer struct http_answer a = HTTP_ANSWER_INIT;
	struct http *http = load();
	struct server s;

	strbuf_addstr(&text, OK);
	for (int i = 0; i < 2000; i++)
		strbuf_addstr(&text, "X-More: " B64 "\r\n");
	server_start(&s, text.buf, 0, true);
	ask(http, &s, TIMEOUT_MS, &a);
	server_stop(&s);
	CHECK_INT(a.outcome, HTTP_TOO_LARGE);
	http_free(http);
}

static void
the_deadline_is_for_the_whole_answer(void)
{
	static const struct {
		const char *text;
		int pause_ms;
		bool stay;
	} rows[] = {
		{ "", 0, true },
		{ OK "Content-Length: 2\r\n\r\n[", 0, true },
		{ OK "Content-Length: 64\r\n\r\n" B64, 20, false },
	};
	struct http *http = load();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_http_answer struct http_answer a = HTTP_ANSWER_INIT;
		struct server s;

		server_start(&s, rows[i].text, rows[i].pause_ms, rows[i].stay);
		ask(http, &s, 200, &a);
		server_stop(&s);
		CHECK_INT(a.outcome, HTTP_LATE);
		CHECK_INT(a.body.len, 0);
	}
	http_free(http);
}

static void
a_byte_at_a_time_is_an_answer(void)
{
	cleanup_http_answer struct http_answer a = HTTP_ANSWER_INIT;
	struct http *http = load();
	struct server s;

	server_start(&s, OK "Content-Length: 2\r\n\r\n[]", 1, false);
	ask(http, &s, TIMEOUT_MS, &a);
	server_stop(&s);
	CHECK_INT(a.outcome, HTTP_WHOLE);
	CHECK_STR(a.body.buf, "[]");
	http_free(http);
}

static void
a_server_that_is_not_there_has_an_errno(void)
{
	cleanup_http_answer struct http_answer none = HTTP_ANSWER_INIT;
	cleanup_http_answer struct http_answer dead = HTTP_ANSWER_INIT;
	struct http *http = load();
	struct server s;

	server_start(&s, "", 0, false);
	(void)kill(s.pid, SIGKILL);
	(void)waitpid(s.pid, NULL, 0);
	ask(http, &s, TIMEOUT_MS, &dead);
	CHECK_INT(dead.outcome, HTTP_UNREACHABLE);
	CHECK_INT(dead.errnum, ECONNREFUSED);
	CHECK_INT(unlink(s.path), 0);
	ask(http, &s, TIMEOUT_MS, &none);
	CHECK_INT(none.outcome, HTTP_UNREACHABLE);
	CHECK_INT(none.errnum, ENOENT);
	server_stop(&s);
	http_free(http);
}

/* Neither proxies nor a .netrc have a say in what is sent, or to whom. */
static void
the_request_is_ours_alone(void)
{
	cleanup_http_answer struct http_answer a = HTTP_ANSWER_INIT;
	cleanup_free char *netrc = xasprintf("%s/.netrc", check_tmpdir());
	cleanup_free char *home =
	    getenv("HOME") == NULL ? NULL : xstrdup(getenv("HOME"));
	struct http_request request = { .method = "POST",
		.target = "/v1.41/containers/x/stop?t=1",
		.timeout_ms = TIMEOUT_MS };
	FILE *f = fopen(netrc, "we");
	struct http *http = load();
	char seen[1024] = "";
	struct server s;

	(void)fputs("default login user password secret\n", f);
	(void)fclose(f);
	(void)setenv("HOME", check_tmpdir(), 1);
	(void)setenv("http_proxy", "http://127.0.0.1:1", 1);
	(void)setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	server_start(&s, "HTTP/1.1 204 No Content\r\n\r\n", 0, false);
	request.socket = s.path;
	http_ask(http, &request, &a);
	CHECK_INT(a.outcome, HTTP_WHOLE);
	CHECK_INT(a.status, 204);
	CHECK(read(s.seen[0], seen, sizeof(seen) - 1) > 0);
	CHECK_STR(seen,
	    "POST /v1.41/containers/x/stop?t=1 HTTP/1.1\r\n"
	    "Host: localhost\r\nAccept: */*\r\n\r\n");
	server_stop(&s);
	(void)unsetenv("http_proxy");
	(void)unsetenv("ALL_PROXY");
	if (home != NULL)
		(void)setenv("HOME", home, 1);
	http_free(http);
}

static void
what_stands_in_a_path_is_escaped(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	http_add_escaped(&out, "aZ09-._~/?#%&= \n\xc3\xa9\"{:}");
	CHECK_STR(
	    out.buf, "aZ09-._~%2F%3F%23%25%26%3D%20%0A%C3%A9%22%7B%3A%7D");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "an answer is whole, or it is none",
		    an_answer_is_whole_or_it_is_none },
		{ "a head without end is not read to its end",
		    a_head_without_end_is_not_read_to_its_end },
		{ "the deadline is for the whole answer",
		    the_deadline_is_for_the_whole_answer },
		{ "a byte at a time is an answer",
		    a_byte_at_a_time_is_an_answer },
		{ "a server that is not there has an errno",
		    a_server_that_is_not_there_has_an_errno },
		{ "the request is ours alone", the_request_is_ours_alone },
		{ "what stands in a path is escaped",
		    what_stands_in_a_path_is_escaped },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
