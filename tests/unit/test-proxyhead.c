/* SPDX-License-Identifier: MIT */
/* proxyhead: which requests the proxy understands, and what it sends on. */
#include "guest/proxyhead.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/queue.h"
#include "base/strbuf.h"
#include "check.h"

#define END " HTTP/1.1\r\n\r\n"

static void
targets(void)
{
	static const struct {
		const char *head;
		const char *want; /* as printed */
		bool is_name, is_address;
	} rows[] = {
		{ "CONNECT a.example:443" END, "a.example:443", true, false },
		{ "CONNECT A.Example.:443 HTTP/1.0\r\n\r\n", "a.example:443",
		    true, false },
		{ "CONNECT localhost:1" END, "localhost:1", true, false },
		{ "CONNECT 1.2.3.4:65535" END, "1.2.3.4:65535", false, true },
		{ "CONNECT [2001:DB8:0::1]:443" END, "[2001:db8::1]:443", false,
		    true },
		{ "GET http://a.example" END, "http://a.example", true, false },
		{ "GET HTTP://A.example:80/" END, "http://a.example", true,
		    false },
		{ "GET http://a.example:8080?x" END, "http://a.example:8080",
		    true, false },
		/* No names, and so on no list. */
		{ "CONNECT a..example:443" END, "a..example:443", false,
		    false },
		{ "CONNECT .a.example:443" END, ".a.example:443", false,
		    false },
		{ "CONNECT a.example..:443" END, "a.example.:443", false,
		    false },
		{ "CONNECT -a.example:443" END, "-a.example:443", false,
		    false },
		{ "CONNECT a_b.example:443" END, "a_b.example:443", false,
		    false },
		{ "CONNECT 2130706433:443" END, "2130706433:443", false,
		    false },
		{ "CONNECT 0x7f.1:443" END, "0x7f.1:443", false, false },
		{ "CONNECT 0177.0.0.1:443" END, "0177.0.0.1:443", false,
		    false },
		{ "CONNECT a.0x7f:443" END, "a.0x7f:443", false, false },
		{ "CONNECT 1.2.3.4.:443" END, "1.2.3.4:443", false, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxyhead h;
		char text[PROXY_AUTHORITY_MAX + 1] = "";
		CHECK_INT(
		    proxyhead_parse(rows[i].head, strlen(rows[i].head), &h), 0);
		proxytarget_print(&h.target, text);
		CHECK_STR(text, rows[i].want);
		CHECK_INT(h.target.is_name, rows[i].is_name);
		CHECK_INT(h.target.is_address, rows[i].is_address);
	}
}

/* The same string of bytes many times. */
static void
add_times(struct strbuf *out, const char *text, size_t times)
{
	while (times-- > 0)
		strbuf_addstr(out, text);
}

static void
refused_heads(void)
{
#define CONN "CONNECT a.example:443 HTTP/1.1\r\n"
#define GET "GET http://a.example/ HTTP/1.1\r\n"
#define ROW(text, status)                      \
	{                                      \
		text, sizeof(text) - 1, status \
	}
	static const struct {
		const char *head;
		size_t len;
		int status;
	} rows[] = {
		ROW(CONN "\r\n", 0),
		ROW(CONN "A: b\r\nHost: x\r\n\r\n", 0),
		ROW(CONN "A:b\xff\r\nB:\r\n\r\n", 0),
		ROW(GET "Content-Length: 007\r\n\r\n", 0),
		ROW(CONN "Content-Length: 0\r\n\r\n", 0),
		/* Lines */
		ROW("CONNECT a.example:443 HTTP/1.1\n\n", 400),
		ROW(CONN "A: b\n\r\n", 400),
		ROW(CONN "A: b\rc\r\n\r\n", 400),
		ROW(CONN "A: b\r\r\n\r\n", 400),
		ROW(CONN "A: b\0c\r\n\r\n", 400),
		ROW(CONN "A: b\x7f\r\n\r\n", 400),
		ROW(CONN "A: b\r\n c\r\n\r\n", 400),
		ROW(CONN "A: b\r\n\tc\r\n\r\n", 400),
		ROW(CONN " A: b\r\n\r\n", 400),
		ROW(CONN "A : b\r\n\r\n", 400),
		ROW(CONN "A\r\n\r\n", 400),
		ROW(CONN ": b\r\n\r\n", 400),
		ROW(CONN "A\x80: b\r\n\r\n", 400),
		ROW("\r\n" CONN "\r\n", 400),
		ROW(CONN, 400),
		ROW(CONN "\r\nx", 400),
		ROW("", 400),
		/* Request line */
		ROW("CONNECT  a.example:443" END, 400),
		ROW(" CONNECT a.example:443" END, 400),
		ROW("CONNECT\ta.example:443" END, 400),
		ROW("CONNECT a.example:443\r\n\r\n", 400),
		ROW("CONNECT a.example:443 HTTP/1.2\r\n\r\n", 400),
		ROW("CONNECT a.example:443 HTTP/2.0\r\n\r\n", 400),
		ROW("CONNECT a.example:443 http/1.1\r\n\r\n", 400),
		ROW("CONNECT a.example:443 HTTP/1.1 \r\n\r\n", 400),
		ROW("CONNECT a.example:443 x HTTP/1.1\r\n\r\n", 400),
		ROW("connect a.example:443" END, 400),
		ROW("G(T http://a.example/" END, 400),
		/* Targets */
		ROW("CONNECT a.example" END, 400),
		ROW("CONNECT a.example:" END, 400),
		ROW("CONNECT a.example:0" END, 400),
		ROW("CONNECT a.example:0443" END, 400),
		ROW("CONNECT a.example:65536" END, 400),
		ROW("CONNECT a.example:443443" END, 400),
		ROW("CONNECT a.example:+443" END, 400),
		ROW("CONNECT a.example:443@b.example:443" END, 400),
		ROW("CONNECT u:p@a.example:443" END, 400),
		ROW("CONNECT http://a.example:443" END, 400),
		ROW("CONNECT a.example:443/" END, 400),
		ROW("CONNECT a.example%00b:443" END, 400),
		ROW("CONNECT a.example\0:443" END, 400),
		ROW("CONNECT \xc3\xa4.example:443" END, 400),
		ROW("CONNECT :443" END, 400),
		ROW("CONNECT [::1:443" END, 400),
		ROW("CONNECT []:443" END, 400),
		ROW("CONNECT [1.2.3.4]:443" END, 400),
		ROW("CONNECT [fe80::1%lo]:443" END, 400),
		ROW("CONNECT [::1]x:443" END, 400),
		ROW("CONNECT ::1:443" END, 400),
		ROW("GET /" END, 400),
		ROW("GET *" END, 400),
		ROW("GET a.example:443" END, 400),
		ROW("GET https://a.example/" END, 400),
		ROW("GET ftp://a.example/" END, 400),
		ROW("GET http:///" END, 400),
		ROW("GET http://" END, 400),
		ROW("GET http://a.example:/" END, 400),
		ROW("GET http://u@a.example/" END, 400),
		ROW("GET http://b.example\\@a.example/" END, 400),
		ROW("GET http://a.example/#x" END, 400),
		ROW("GET http://a.example#/" END, 400),
		ROW("GET http://a.example/\x7f" END, 400),
		/* What decides where a request ends. */
		ROW(GET "Host: a\r\nhost: b\r\n\r\n", 400),
		ROW(CONN "Host: a\r\nHost: a\r\n\r\n", 400),
		ROW(GET "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
		ROW(GET "Content-Length: 1, 1\r\n\r\n", 400),
		ROW(GET "Content-Length: -1\r\n\r\n", 400),
		ROW(GET "Content-Length: +1\r\n\r\n", 400),
		ROW(GET "Content-Length: 0x1\r\n\r\n", 400),
		ROW(GET "Content-Length:\r\n\r\n", 400),
		ROW(GET "Content-Length: 1000000000000000000\r\n\r\n", 400),
		ROW(GET "Transfer-Encoding: chunked\r\n\r\n", 411),
		ROW(GET "Transfer-Encoding: x\r\nContent-Length: 1\r\n\r\n",
		    400),
		ROW(GET "Transfer-Encoding: a\r\nTransfer-Encoding: b\r\n\r\n",
		    400),
		ROW(CONN "Content-Length: 1\r\n\r\n", 400),
		ROW(CONN "Transfer-Encoding: chunked\r\n\r\n", 400),
	};
	struct proxyhead h;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (proxyhead_parse(rows[i].head, rows[i].len, &h) !=
		    rows[i].status)
			CHECK_STR(rows[i].head, "judged otherwise");
}

static void
long_hosts(void)
{
	static const struct {
		size_t labels;
		int status;
		bool is_name;
	} rows[] = { { 126, 0, true }, { 127, 400, false },
		{ 20000, 400, false } };
	struct proxyhead h;
	cleanup_strbuf struct strbuf head = STRBUF_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		strbuf_reset(&head);
		strbuf_addstr(&head, "CONNECT ");
		add_times(&head, "a.", rows[i].labels);
		strbuf_addstr(&head, "b:443" END);
		CHECK_INT(
		    proxyhead_parse(head.buf, head.len, &h), rows[i].status);
		CHECK_INT(h.target.is_name, rows[i].is_name);
	}
	strbuf_reset(&head);
	strbuf_addstr(&head, "CONNECT ");
	add_times(&head, "a", 64);
	strbuf_addstr(&head, ".example:443" END);
	CHECK_INT(proxyhead_parse(head.buf, head.len, &h), 0);
	CHECK(!h.target.is_name);
}

static void
forwarded_heads(void)
{
	static const struct {
		const char *head;
		const char *want;
		uint64_t body;
	} rows[] = {
		{ "GET http://A.example/x?y" END,
		    "GET /x?y HTTP/1.1\r\nHost: a.example\r\n"
		    "Connection: close\r\n\r\n",
		    0 },
		{ "GET http://a.example:8080" END,
		    "GET / HTTP/1.1\r\nHost: a.example:8080\r\n"
		    "Connection: close\r\n\r\n",
		    0 },
		{ "HEAD http://[::2]?q HTTP/1.0\r\n\r\n",
		    "HEAD /?q HTTP/1.0\r\nHost: [::2]\r\n"
		    "Connection: close\r\n\r\n",
		    0 },
		{ "POST http://a.example/ HTTP/1.1\r\n"
		  "Host: other.example\r\nA: b\r\n"
		  "Connection: keep-alive , Foo,Content-Length\r\n"
		  "foo: 1\r\nFooo: 2\r\nKeep-Alive: 5\r\n"
		  "Proxy-Connection: x\r\nProxy-Authorization: secret\r\n"
		  "TE: trailers\r\nUpgrade: h2c\r\nTrailer: x\r\n"
		  "Content-Length: 12\r\nC:  d \r\n\r\n",
		    "POST / HTTP/1.1\r\nHost: a.example\r\nA: b\r\nFooo: 2\r\n"
		    "Content-Length: 12\r\nC:  d \r\nConnection: close\r\n\r\n",
		    12 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxyhead h;
		struct queue out = QUEUE_INIT;
		CHECK_INT(
		    proxyhead_parse(rows[i].head, strlen(rows[i].head), &h), 0);
		CHECK_INT(h.body, rows[i].body);
		CHECK(proxyhead_forward(&h, rows[i].head, false, &out));
		CHECK(queue_add(&out, "", 1));
		CHECK_STR(out.buf, rows[i].want);
		queue_release(&out);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a target has one form", targets },
		{ "what could be read in two ways is refused", refused_heads },
		{ "a host has a limit, and so has a label", long_hosts },
		{ "a server gets its own request, for one connection",
		    forwarded_heads },
	};
	return check_run(tests, ARRAY_SIZE(tests));
}
