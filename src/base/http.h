/* SPDX-License-Identifier: MIT */
/*
 * http: requests to a server on a unix socket; a response is read whole.
 *
 * libcurl implements the protocol.  http_load() loads it on demand, because
 * loading costs about 6 ms and 300 system calls, which a command without
 * requests need not pay.  Redirects are not followed.  Proxies, netrc and the
 * environment are ignored.  HTTP/1.1 is the only protocol.
 */
#ifndef DRYDOCK_HTTP_H
#define DRYDOCK_HTTP_H

#include <stddef.h>

#include "base/strbuf.h"

struct diag;

/* The loaded libcurl.  Contents belong to http.c. */
struct http;

/*
 * Loads libcurl, built with OpenSSL or GnuTLS.  Call this before any thread is
 * started.  libcurl is never unloaded.  A library that is missing or older than
 * 7.85 is DIAG_ENGINE; the message says what to install.
 */
int http_load(struct http **ret_http, struct diag *dg);
/* NULL is accepted. */
void http_free(struct http *http);

struct http_request {
	const char *socket; /* absolute; shorter than sockaddr_un's sun_path */
	const char *method;
	const char *target; /* begins with a slash; escaped by the caller */
	int timeout_ms; /* for the whole request; positive */
	size_t max_body; /* bytes */
};

enum http_outcome {
	HTTP_WHOLE, /* status and body are complete */
	HTTP_UNREACHABLE, /* no connection: errnum is the reason */
	HTTP_LATE, /* the deadline passed */
	HTTP_TOO_LARGE, /* the head or the body exceeds its limit */
	HTTP_BROKEN, /* cut off, of unknown length, or not HTTP */
};

struct http_answer {
	enum http_outcome outcome;
	int status; /* of a complete response */
	struct strbuf body; /* empty unless the response is complete */
	int errnum; /* if the server was unreachable, or 0 */
	struct strbuf words; /* libcurl's message, for any other outcome */
};

#define HTTP_ANSWER_INIT                                  \
	{                                                 \
		.body = STRBUF_INIT, .words = STRBUF_INIT \
	}

/*
 * Sends the request on a new connection, so that nothing is sent twice.  The
 * previous contents of *ret_answer are released.  Several threads may call this
 * at the same time.
 */
void http_ask(const struct http *http, const struct http_request *request,
    struct http_answer *ret_answer);
void http_answer_release(struct http_answer *answer);

/* Appends text for a path or a query; all but unreserved bytes become %XX. */
void http_add_escaped(struct strbuf *out, const char *text);

#define cleanup_http_answer __attribute__((cleanup(http_answer_release)))

#endif /* DRYDOCK_HTTP_H */
