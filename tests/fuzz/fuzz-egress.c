/* SPDX-License-Identifier: MIT */
/* Our own refusal: only a whole head with the proxy's line is one. */
#include <string.h>

#include "fuzz.h"
#include "guest/refusal.h"
#include "session/egress.h"

static bool
has_line(const char *head, size_t len, const char *line)
{
	const char *end = head + len;
	const char *at = head;
	while (
	    (at = memmem(at, (size_t)(end - at), line, strlen(line))) != NULL) {
		at += strlen(line);
		if (at < end && (*at == '\r' || *at == '\n'))
			return true;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *head = (const char *)data;
	if (!egress_is_refusal(head, size))
		return 0;
	FUZZ_CHECK(size > 12 && memcmp(head, "HTTP/1.1 403", 12) == 0);
	const char *end = memmem(head, size, "\r\n\r\n", 4);
	FUZZ_CHECK(end != NULL);
	FUZZ_CHECK(has_line(head, (size_t)(end - head) + 2,
		       "\n" REFUSAL_HEADER "list") ||
	    has_line(head, (size_t)(end - head) + 2,
		"\nX-Squid-Error: ERR_DRYDOCK_REFUSED 0"));
	/* What comes behind the head does not matter; less is not enough. */
	size_t len = (size_t)(end - head) + 4;
	FUZZ_CHECK(egress_is_refusal(head, len));
	FUZZ_CHECK(!egress_is_refusal(head, len - 1));
	return 0;
}
