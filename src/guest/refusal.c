/* SPDX-License-Identifier: MIT */
/* Recognizes a request and its refusal, and writes another first line. */
#include "guest/refusal.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static const char method[] = "CONNECT ";
static const char answer[] = "HTTP/1.1 403 ";
static const char header[] = "\r\nX-Squid-Error: ERR_DRYDOCK_";

void
refusal_request(struct refusal *r, const char *data, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_:[]";
	size_t n = 0;

	if (r->asked)
		return;
	r->asked = true;
	if (len < strlen(method) || memcmp(data, method, strlen(method)) != 0)
		return;
	data += strlen(method);
	len -= strlen(method);
	while (n < len && data[n] != '\0' && strchr(allowed, data[n]) != NULL)
		n++;
	if (n == len || data[n] != ' ' || n > REFUSAL_TARGET_MAX)
		return;
	memcpy(r->target, data, n);
	r->target[n] = '\0';
}

size_t
refusal_answer(struct refusal *r, const char *data, size_t len,
    char line[REFUSAL_LINE_MAX])
{
	static const struct {
		const char *page; /* behind ERR_DRYDOCK_ */
		const char *why;
	} whys[] = {
		{ "REFUSED", "it is not on the allowlist" },
		{ "PORT", "the allowlist has another port or protocol" },
		{ "ADDRESS", "it leads to a private or special address" },
	};
	const char *end;
	const char *at;

	if (r->answered)
		return 0;
	r->answered = true;
	end = memmem(data, len, "\r\n\r\n", 4);
	if (r->target[0] == '\0' || end == NULL || len < strlen(answer) ||
	    memcmp(data, answer, strlen(answer)) != 0)
		return 0;
	at = memmem(data, (size_t)(end - data), header, strlen(header));
	for (size_t i = 0; at != NULL && i < ARRAY_SIZE(whys); i++) {
		size_t n = strlen(whys[i].page);

		if ((size_t)(end - at) < strlen(header) + n ||
		    memcmp(at + strlen(header), whys[i].page, n) != 0)
			continue;
		(void)snprintf(line, REFUSAL_LINE_MAX,
		    "%sdrydock refused %s: %s\r\n", answer, r->target,
		    whys[i].why);
		at = memmem(data, len, "\r\n", 2);
		return (size_t)(at - data) + 2;
	}
	return 0;
}
