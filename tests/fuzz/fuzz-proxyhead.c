/* SPDX-License-Identifier: MIT */
/*
 * A request's head: what is understood has one meaning, and what is sent on is
 * understood in the same way.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/queue.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "fuzz.h"
#include "guest/proxyhead.h"

static void
check_target(const struct proxytarget *t)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
	size_t len = strlen(t->host);
	FUZZ_CHECK(len > 0 && len <= PROXY_HOST_MAX);
	FUZZ_CHECK(t->port > 0);
	FUZZ_CHECK(!t->is_name || !t->is_address);
	if (t->host[0] == '[') {
		FUZZ_CHECK(t->is_address && t->host[len - 1] == ']');
		return;
	}
	FUZZ_CHECK(strspn(t->host, allowed) == len);
	if (!t->is_name)
		return;
	FUZZ_CHECK(len <= 253 && strchr(t->host, '_') == NULL);
	FUZZ_CHECK(t->host[0] != '.' && t->host[len - 1] != '.');
	FUZZ_CHECK(strstr(t->host, "..") == NULL);
}

/* No byte of the head could end a line, or the head, for another parser. */
static void
check_lines(const char *data, size_t len)
{
	FUZZ_CHECK(memchr(data, '\0', len) == NULL);
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\r')
			FUZZ_CHECK(i + 1 < len && data[i + 1] == '\n');
		if (data[i] == '\n')
			FUZZ_CHECK(i > 0 && data[i - 1] == '\r');
		/* No folded line. */
		if (i > 0 && data[i - 1] == '\n')
			FUZZ_CHECK(data[i] != ' ' && data[i] != '\t');
	}
	FUZZ_CHECK(memmem(data, len, "\r\n\r\n", 4) == data + len - 4);
}

/* How many lines begin with this field's name. */
static size_t
count_fields(const char *text, const char *name)
{
	size_t nr = 0;
	for (const char *at = text; (at = strstr(at, "\r\n")) != NULL; at += 2)
		nr += strncasecmp(at + 2, name, strlen(name)) == 0 ? 1 : 0;
	return nr;
}

/* The fields that another parser could take another one of. */
static void
check_once(const char *data, size_t len)
{
	cleanup_free char *text = xstrndup(data, len);
	FUZZ_CHECK(count_fields(text, "Host:") <= 1);
	FUZZ_CHECK(count_fields(text, "Content-Length:") <= 1);
	FUZZ_CHECK(count_fields(text, "Transfer-Encoding:") <= 1);
}

/* With the URL, what an upstream proxy reads is what was asked. */
static void
check_forward(const struct proxyhead *h, const char *data)
{
	struct queue out = QUEUE_INIT;
	struct proxyhead again;
	cleanup_free char *text = NULL;
	FUZZ_CHECK(proxyhead_forward(h, data, true, &out));
	text = xstrndup(out.buf + out.start, out.len);
	check_lines(text, out.len);
	FUZZ_CHECK(proxyhead_parse(text, strlen(text), &again) == 0);
	FUZZ_CHECK(strcmp(again.method, h->method) == 0);
	FUZZ_CHECK(strcmp(again.target.host, h->target.host) == 0);
	FUZZ_CHECK(again.target.port == h->target.port);
	FUZZ_CHECK(again.body == h->body);
	FUZZ_CHECK(count_fields(text, "Host:") == 1);
	FUZZ_CHECK(count_fields(text, "Connection:") == 1);
	FUZZ_CHECK(count_fields(text, "Proxy-Connection:") == 0);
	FUZZ_CHECK(count_fields(text, "Proxy-Authorization:") == 0);
	FUZZ_CHECK(count_fields(text, "Transfer-Encoding:") == 0);
	queue_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *end = memmem(text, size, "\r\n\r\n", 4);
	struct proxyhead h;
	size_t len = end == NULL ? size : (size_t)(end - text) + 4;
	int status = proxyhead_parse(text, len, &h);
	FUZZ_CHECK(status == 0 || status == 400 || status == 411);
	if (status == 400)
		return 0;
	check_target(&h.target);
	check_lines(text, len);
	check_once(text, len);
	if (status != 0)
		return 0;
	FUZZ_CHECK(h.target.http == (strcmp(h.method, "CONNECT") != 0));
	FUZZ_CHECK(h.target.http || h.body == 0);
	/* The list has nothing else. */
	if (h.target.http && (h.target.is_name || h.target.is_address))
		check_forward(&h, text);
	return 0;
}
