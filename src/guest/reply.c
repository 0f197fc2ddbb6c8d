/* SPDX-License-Identifier: MIT */
/* reply: reads the status lines of a server's answers as they come. */
#include "guest/reply.h"

#include <string.h>

int
reply_status(const char *line, size_t len)
{
	static const char version[] = "HTTP/1.";
	size_t n = strlen(version);
	int status = 0;
	if (len < n + 5 || memcmp(line, version, n) != 0 || line[n] < '0' ||
	    line[n] > '9' || line[n + 1] != ' ')
		return 0;
	for (size_t i = n + 2; i < n + 5; i++) {
		if (line[i] < '0' || line[i] > '9')
			return 0;
		status = status * 10 + (line[i] - '0');
	}
	return status;
}

/* The current line has ended.  Returns true for the final status line. */
static bool
end_line(struct reply *r)
{
	size_t len = r->len < sizeof(r->line) ? r->len : sizeof(r->line);
	int status = reply_status(r->line, len);
	bool is_empty = len == 0 || (len == 1 && r->line[0] == '\r');
	r->len = 0;
	if (r->at == REPLY_FIELDS) {
		if (is_empty)
			r->at = REPLY_STATUS;
		return false;
	}
	r->at = status >= 100 && status < 200 ? REPLY_FIELDS : REPLY_REST;
	return status >= 200;
}

bool
reply_scan(struct reply *reply, const char *data, size_t len, size_t *ret_at)
{
	for (size_t i = 0; i < len && reply->at != REPLY_REST; i++) {
		if (data[i] != '\n') {
			if (reply->len < sizeof(reply->line))
				reply->line[reply->len] = data[i];
			reply->len++;
		} else if (end_line(reply)) {
			*ret_at = i + 1;
			return true;
		}
	}
	return false;
}
