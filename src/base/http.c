/* SPDX-License-Identifier: MIT */
/* http: loads libcurl and sends requests to a server on a unix socket. */
#include "base/http.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/library.h"
#include "base/xalloc.h"

/* The limit for the whole head; libcurl's own limit is larger. */
#define HEAD_MAX ((size_t)64 << 10)

struct http {
	CURLcode (*global_init)(long flags);
	CURL *(*init)(void);
	CURLcode (*setopt)(CURL *curl, CURLoption option, ...);
	CURLcode (*perform)(CURL *curl);
	CURLcode (*getinfo)(CURL *curl, CURLINFO info, ...);
	CURLHcode (*header)(CURL *curl, const char *name, size_t index,
	    unsigned origin, int request, struct curl_header **ret);
	void (*cleanup)(CURL *curl);
	const char *(*strerror)(CURLcode code);
};

static const struct library_function functions[] = {
	{ "curl_global_init", offsetof(struct http, global_init) },
	{ "curl_easy_init", offsetof(struct http, init) },
	{ "curl_easy_setopt", offsetof(struct http, setopt) },
	{ "curl_easy_perform", offsetof(struct http, perform) },
	{ "curl_easy_getinfo", offsetof(struct http, getinfo) },
	{ "curl_easy_header", offsetof(struct http, header) },
	{ "curl_easy_cleanup", offsetof(struct http, cleanup) },
	{ "curl_easy_strerror", offsetof(struct http, strerror) },
};

static const struct library libcurl = {
	.name = "libcurl",
	/* The same interface, built with OpenSSL and with GnuTLS. */
	.files = (const char *const[]){ "libcurl.so.4", "libcurl-gnutls.so.4",
	    NULL },
	.packages = "libcurl3-gnutls (Debian 12) or libcurl3t64-gnutls",
	.newer = "libcurl 7.85 or newer",
	.failure = DIAG_ENGINE,
	.functions = functions,
	.nfunctions = ARRAY_SIZE(functions),
};

/* A response that is being received. */
struct transfer {
	struct strbuf body;
	size_t max_body;
	size_t head; /* bytes received so far */
	bool head_ended; /* the last head's empty line arrived */
	bool too_large;
};

/* Returns true if libcurl accepts an option that version 7.85 introduced. */
static bool
is_new_enough(const struct http *http)
{
	CURL *curl = http->init();
	bool ok = curl != NULL &&
	    http->setopt(curl, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK;

	http->cleanup(curl);
	return ok;
}

int
http_load(struct http **ret_http, struct diag *dg)
{
	cleanup_free struct http *http = xcalloc(1, sizeof(*http));

	if (library_load(&libcurl, http, dg) != 0)
		return -1;
	if (http->global_init(CURL_GLOBAL_NOTHING) != CURLE_OK ||
	    !is_new_enough(http))
		return diag_set(dg, DIAG_ENGINE,
		    "libcurl cannot be used: install libcurl 7.85 or newer");
	*ret_http = steal_ptr(&http);
	return 0;
}

void
http_free(struct http *http)
{
	free(http);
}

/* An interim response (100 to 199) has its own head. */
static size_t
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl calls it */
take_head(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;

	t->head += len;
	if (t->head > HEAD_MAX) {
		t->too_large = true;
		return 0;
	}
	t->head_ended =
	    len <= 2 && (len == 0 || data[0] == '\r' || data[0] == '\n');
	return len;
}

static size_t
take_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;

	if (len > t->max_body - t->body.len) {
		t->too_large = true;
		return 0;
	}
	strbuf_add(&t->body, data, len);
	return len;
}

/* Returns the first failure. */
static CURLcode
set_options(const struct http *http, CURL *curl,
    const struct http_request *request, const char *url, struct transfer *t,
    char *words) /* NOLINT(readability-non-const-parameter): libcurl writes */
{
	const struct {
		CURLoption option;
		const void *value;
	} pointers[] = {
		{ CURLOPT_ERRORBUFFER, words },
		{ CURLOPT_URL, url },
		{ CURLOPT_UNIX_SOCKET_PATH, request->socket },
		{ CURLOPT_PROTOCOLS_STR, "http" },
		{ CURLOPT_PROXY, "" },
		{ CURLOPT_CUSTOMREQUEST, request->method },
		{ CURLOPT_HEADERDATA, t },
		{ CURLOPT_WRITEDATA, t },
	};
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_HTTP09_ALLOWED, 0 },
		{ CURLOPT_FRESH_CONNECT, 1 },
		{ CURLOPT_FORBID_REUSE, 1 },
		{ CURLOPT_CONNECTTIMEOUT_MS, request->timeout_ms },
		{ CURLOPT_TIMEOUT_MS, request->timeout_ms },
	};
	CURLcode rc = CURLE_OK;

	for (size_t i = 0; i < ARRAY_SIZE(pointers) && rc == CURLE_OK; i++)
		rc = http->setopt(curl, pointers[i].option, pointers[i].value);
	for (size_t i = 0; i < ARRAY_SIZE(numbers) && rc == CURLE_OK; i++)
		rc = http->setopt(curl, numbers[i].option, numbers[i].value);
	if (rc == CURLE_OK)
		rc = http->setopt(curl, CURLOPT_HEADERFUNCTION, take_head);
	if (rc == CURLE_OK)
		rc = http->setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	return rc;
}

/*
 * Returns true if the head states the body's length.  A body that ends with the
 * connection may be truncated.
 */
static bool
has_length(const struct http *http, CURL *curl, long status)
{
	struct curl_header *header = NULL;
	curl_off_t length = -1;

	if (status == 204 || status == 304)
		return true;
	if (http->getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) ==
		CURLE_OK &&
	    length >= 0)
		return true;
	return http->header(curl, "Transfer-Encoding", 0, CURLH_HEADER, -1,
		   &header) == CURLHE_OK &&
	    strcmp(header->value, "chunked") == 0;
}

/* Maps libcurl's failures to outcomes; any other is HTTP_BROKEN. */
static enum http_outcome
outcome_of(CURLcode rc, const struct transfer *t)
{
	if (t->too_large)
		return HTTP_TOO_LARGE;
	if (rc == CURLE_OPERATION_TIMEDOUT)
		return HTTP_LATE;
	if (rc == CURLE_COULDNT_CONNECT)
		return HTTP_UNREACHABLE;
	return rc == CURLE_OK ? HTTP_WHOLE : HTTP_BROKEN;
}

static void
finish(const struct http *http, CURL *curl, CURLcode rc, struct transfer *t,
    const char *words, struct http_answer *answer)
{
	long status = 0;
	long errnum = 0;

	answer->outcome = outcome_of(rc, t);
	(void)http->getinfo(curl, CURLINFO_OS_ERRNO, &errnum);
	if (answer->outcome == HTTP_UNREACHABLE)
		answer->errnum = (int)errnum;
	if (answer->outcome != HTTP_WHOLE) {
		strbuf_addstr(&answer->words,
		    *words != '\0' ? words : http->strerror(rc));
		return;
	}
	(void)http->getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (!t->head_ended || !has_length(http, curl, status)) {
		answer->outcome = HTTP_BROKEN;
		strbuf_addstr(&answer->words,
		    t->head_ended ? "the answer does not say how long it is"
				  : "the answer ends within its head");
		return;
	}
	answer->status = (int)status;
	answer->body = t->body;
	strbuf_init(&t->body);
}

void
http_ask(const struct http *http, const struct http_request *request,
    struct http_answer *ret_answer)
{
	struct transfer t = { .body = STRBUF_INIT,
		.max_body = request->max_body };
	cleanup_free char *url =
	    xasprintf("http://localhost%s", request->target);
	char words[CURL_ERROR_SIZE] = "";
	CURL *curl = http->init();
	CURLcode rc = CURLE_FAILED_INIT;

	http_answer_release(ret_answer);
	if (curl != NULL)
		rc = set_options(http, curl, request, url, &t, words);
	if (rc == CURLE_OK)
		rc = http->perform(curl);
	finish(http, curl, rc, &t, words, ret_answer);
	http->cleanup(curl);
	strbuf_release(&t.body);
}

void
http_answer_release(struct http_answer *answer)
{
	strbuf_release(&answer->body);
	strbuf_release(&answer->words);
	*answer = (struct http_answer)HTTP_ANSWER_INIT;
}

void
http_add_escaped(struct strbuf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr(ASCII_ALNUM "-._~", *text) != NULL)
			strbuf_addch(out, *text);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)*text);
	}
}
