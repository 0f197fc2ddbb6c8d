/* SPDX-License-Identifier: MIT */
/*
 * json-scan: one strict pass of yajl over a text, for readers that take the
 * tokens themselves.  What yajl lets pass and json.h refuses is refused here,
 * but duplicate keys and depth, which are the callbacks' to see.
 */
#ifndef DRYDOCK_JSON_SCAN_H
#define DRYDOCK_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <yajl/yajl_parse.h>

#include "base/strbuf.h"

struct diag;

/* The first member of what the callbacks are called with. */
struct json_scan {
	yajl_handle yajl; /* for yajl_get_bytes_consumed(); borrowed */
	struct strbuf why; /* owned; a callback that returns 0 says it here */
	size_t depth; /* open containers: the callbacks count them */
	bool begun; /* a value was met: the callbacks say so */
};

#define JSON_SCAN_INIT             \
	{                          \
		.why = STRBUF_INIT \
	}

/*
 * Finds the first \u escape at or after from that is half a surrogate pair,
 * which yajl turns into a '?'.  from is 0 or just behind an escape.  Only strings
 * hold backslashes, so this needs no grammar; yajl refuses malformed escapes.
 */
bool json_scan_find_lone_surrogate(
    const char *text, size_t len, size_t from, size_t *ret_offset);

/*
 * Checks what needs no tokens: UTF-8, no half surrogate pair, no blank that is
 * none in JSON.  DIAG_DATA with the line; what names the document.
 */
int json_scan_check(
    const char *text, size_t len, const char *what, struct diag *dg);

/*
 * Runs the callbacks over a text that json_scan_check() passed, which is one
 * whole value: DIAG_DATA with the line otherwise.  scan starts as
 * JSON_SCAN_INIT and holds nothing afterwards.
 */
int json_scan_run(struct json_scan *scan, const yajl_callbacks *callbacks,
    const char *text, size_t len, const char *what, struct diag *dg);

#endif /* DRYDOCK_JSON_SCAN_H */
