/* SPDX-License-Identifier: MIT */
/*
 * http: questions to a server on a unix socket, each with one whole answer.
 *
 * libcurl speaks the protocol.  It is loaded by http_load(), because it costs
 * some 6 ms and 300 system calls that a command without questions need not
 * pay.  Redirects are not followed; proxies, netrc and the environment have no
 * say; no other protocol than HTTP/1.1 is spoken.
 */
#ifndef DRYDOCK_HTTP_H
#define DRYDOCK_HTTP_H

#include <stddef.h>

#include "base/strbuf.h"

struct diag;

/* The loaded libcurl.  Contents belong to http.c. */
struct http;

/*
 * Loads libcurl, whichever flavour is installed: before any thread is started.
 * It is never unloaded.  A library that is missing or older than 7.85 is
 * DIAG_ENGINE with what to install.
 */
int http_load(struct http **ret_http, struct diag *dg);
/* NULL is accepted. */
void http_free(struct http *http);

struct http_request {
	const char *socket; /* absolute path, shorter than a sockaddr_un's */
	const char *method;
	const char *target; /* begins with a slash; escaped by the caller */
	int timeout_ms; /* for all of it; positive */
	size_t max_body; /* bytes */
};

enum http_outcome {
	HTTP_WHOLE, /* status and body are the server's, from end to end */
	HTTP_UNREACHABLE, /* no connection: errnum says why */
	HTTP_LATE, /* the deadline passed */
	HTTP_TOO_LARGE, /* head or body are larger than what is read */
	HTTP_BROKEN, /* cut off, of unknown length, or not HTTP */
};

struct http_answer {
	enum http_outcome outcome;
	int status; /* of a whole answer */
	struct strbuf body; /* empty unless the answer is whole */
	int errnum; /* of an unreachable server, or 0 */
	struct strbuf words; /* libcurl's, for any other outcome */
};

#define HTTP_ANSWER_INIT                                  \
	{                                                 \
		.body = STRBUF_INIT, .words = STRBUF_INIT \
	}

/*
 * Asks on a connection of its own, so that nothing is ever sent twice.  What
 * *ret_answer held before is released.  Threads may ask at the same time.
 */
void http_ask(const struct http *http, const struct http_request *request,
    struct http_answer *ret_answer);
void http_answer_release(struct http_answer *answer);

/* Appends text for use in a path or a query: all but unreserved bytes as %XX. */
void http_add_escaped(struct strbuf *out, const char *text);

#define cleanup_http_answer __attribute__((cleanup(http_answer_release)))

#endif /* DRYDOCK_HTTP_H */
