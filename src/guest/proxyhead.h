/* SPDX-License-Identifier: MIT */
/*
 * proxyhead: the head of a request to the proxy.
 *
 * The parser accepts CONNECT with an authority, and any other method with an
 * http:// URL.  It accepts no form that another parser could read differently:
 * no folded field, no bare CR or LF, no NUL, no blank before a colon, no second
 * Host, Content-Length or Transfer-Encoding, no userinfo, no port with a
 * leading zero.
 */
#ifndef DRYDOCK_PROXYHEAD_H
#define DRYDOCK_PROXYHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/proxyaddr.h"

struct queue;

#define PROXY_HEAD_MAX ((size_t)65536) /* bytes of a head */
#define PROXY_METHOD_MAX 32
#define PROXY_HOST_MAX 254
/* "http://", a host, a colon and a port */
#define PROXY_AUTHORITY_MAX (PROXY_HOST_MAX + 13)

/* The target, as the allowlist writes it. */
struct proxytarget {
	bool http; /* plain HTTP; otherwise CONNECT */
	/*
	 * Lower case, without a trailing dot; an address as inet_ntop(3) writes
	 * it, IPv6 in brackets.  Letters, digits and ".-_:[]" only.
	 */
	char host[PROXY_HOST_MAX + 1];
	bool is_name; /* a whole DNS name */
	bool is_address;
	struct proxyaddr address; /* if is_address */
	uint16_t port;
};

struct proxyhead {
	char method[PROXY_METHOD_MAX + 1];
	struct proxytarget target;
	const char *path; /* borrowed from the input; may begin with "?" */
	size_t path_len;
	uint64_t body; /* bytes of the request's body */
	size_t len; /* of the head, with its empty line */
};

/*
 * Returns the length of the head that q begins with, or 0.  Only the bytes
 * behind the first "searched" are new.
 */
size_t proxyhead_find(const struct queue *q, size_t searched);

/*
 * Parses a head of len bytes, which ends with the first empty line.  Returns 0,
 * or the HTTP status to answer.
 */
int proxyhead_parse(const char *data, size_t len, struct proxyhead *ret_head);

/*
 * Appends the head to send to the server: with the path alone, or with the
 * whole URL for an upstream proxy.  data is the input of proxyhead_parse().
 * Fields that concern one connection are left out.  Returns false without
 * memory.
 */
bool proxyhead_forward(const struct proxyhead *head, const char *data,
    bool whole_url, struct queue *out);

/* Parses "HOST:PORT", as CONNECT has it, into all of *ret_target. */
bool proxytarget_parse(const char *text, struct proxytarget *ret_target);

/* Writes "HOST:PORT", or "http://HOST[:PORT]" for plain HTTP. */
void proxytarget_print(
    const struct proxytarget *target, char text[PROXY_AUTHORITY_MAX + 1]);

#endif /* DRYDOCK_PROXYHEAD_H */
