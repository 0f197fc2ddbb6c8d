/* SPDX-License-Identifier: MIT */
/* refusal: writes the proxy's answers to requests that it does not serve. */
#include "guest/refusal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/queue.h"
#include "guest/proxyhead.h"

static const struct {
	const char *word; /* of the header */
	const char *log;
	const char *phrase;
	const char *text;
} refusals[] = {
	[REFUSAL_NONE] = { "", "-", "", "" },
	[REFUSAL_LIST] = { "list", "ERR_DRYDOCK_REFUSED",
	    "it is not on the allowlist",
	    "this session's allowlist does not have it. The user can allow it "
	    "on the host, where \"drydock egress\" shows the command." },
	[REFUSAL_PORT] = { "port", "ERR_DRYDOCK_PORT",
	    "the allowlist has another port or protocol",
	    "the allowlist has this host for another port or protocol. The "
	    "user can allow this one on the host, where \"drydock egress\" "
	    "shows the command." },
	[REFUSAL_ADDRESS] = { "address", REFUSAL_LOG_ADDRESS,
	    "it leads to a private or special address",
	    "it leads to a private or special address. The user can put "
	    "\"private\" behind its line of the allowlist; the host itself, "
	    "loopback and metadata addresses stay refused." },
};

const char *
refusal_log_word(enum refusal_why why)
{
	return refusals[why].log;
}

/* The client has one request for a connection. */
static bool
add_answer(struct queue *out, const char *head, const char *body)
{
	char rest[160];
	(void)snprintf(rest, sizeof(rest),
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
	    strlen(body));
	return queue_add(out, head, strlen(head)) &&
	    queue_add(out, rest, strlen(rest)) &&
	    queue_add(out, body, strlen(body));
}

bool
refusal_add(struct queue *out, enum refusal_why why, const char *method,
    const struct proxytarget *target)
{
	char head[PROXY_AUTHORITY_MAX + 256];
	char body[PROXY_METHOD_MAX + PROXY_HOST_MAX + 512];
	char authority[PROXY_AUTHORITY_MAX + 1];
	proxytarget_print(target, authority);
	(void)snprintf(head, sizeof(head),
	    "HTTP/1.1 %d drydock refused %s: %s\r\n" REFUSAL_HEADER "%s\r\n",
	    REFUSAL_STATUS, authority, refusals[why].phrase,
	    refusals[why].word);
	(void)snprintf(body, sizeof(body), "drydock refused %s %s: %s\n",
	    method, target->host, refusals[why].text);
	return add_answer(out, head, body);
}

bool
refusal_add_failure(struct queue *out, int status, const char *text)
{
	static const struct {
		int status;
		const char *reason;
		const char *text;
	} rows[] = {
		{ 400, "Bad Request", "this is no request to a proxy" },
		{ 411, "Length Required",
		    "a request's body needs a Content-Length" },
		{ 431, "Request Header Fields Too Large",
		    "the request's head is larger than 64 KiB" },
		{ 502, "Bad Gateway", "" },
		{ 503, "Service Unavailable", "" },
		{ 504, "Gateway Timeout", "" },
	};
	char head[128];
	char body[PROXY_AUTHORITY_MAX + 256];
	size_t i = 0;
	for (; rows[i].status != status; i++)
		assert(i + 1 < ARRAY_SIZE(rows));
	(void)snprintf(
	    head, sizeof(head), "HTTP/1.1 %d %s\r\n", status, rows[i].reason);
	(void)snprintf(body, sizeof(body), "drydock's proxy: %s\n",
	    text != NULL ? text : rows[i].text);
	return add_answer(out, head, body);
}
