/* SPDX-License-Identifier: MIT */
/* logs: requests the log of a container and splits it into streams. */
#include "engine/logs.h"

#include <stdint.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/http.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/api.h"
#include "engine/engine.h"

#define HEAD_LEN 8
#define LAST_LINES "20"

enum {
	STREAM_OUT = 1,
	STREAM_ERR = 2,
	STREAM_ENGINE = 3 /* an error message of the engine */
};

/* Returns the length field of a frame header. */
static size_t
frame_len(const unsigned char *head)
{
	return (size_t)head[4] << 24 | (size_t)head[5] << 16 |
	    (size_t)head[6] << 8 | (size_t)head[7];
}

static int
refuse(struct diag *dg)
{
	return diag_set(dg, DIAG_ENGINE,
	    "the engine's answer about a container's log is truncated or "
	    "malformed");
}

int
logs_read(const char *data, size_t len, struct strbuf *out, struct strbuf *err,
    struct diag *dg)
{
	const size_t had_out = out->len;
	const size_t had_err = err->len;

	while (len > 0) {
		const unsigned char *head = (const unsigned char *)data;
		struct strbuf *to = err;
		size_t n;

		if (len < HEAD_LEN || head[1] != 0 || head[2] != 0 ||
		    head[3] != 0 || head[0] > STREAM_ENGINE ||
		    (n = frame_len(head)) > len - HEAD_LEN)
			break;
		if (head[0] == STREAM_ENGINE) {
			diag_set(dg, DIAG_ENGINE,
			    "the engine cannot read a container's log");
			diag_add_detail(dg, data + HEAD_LEN, n);
			break;
		}
		if (head[0] == STREAM_OUT)
			to = out;
		strbuf_add(to, data + HEAD_LEN, n);
		data += HEAD_LEN + n;
		len -= HEAD_LEN + n;
	}
	if (len == 0)
		return 0;
	strbuf_setlen(out, had_out);
	strbuf_setlen(err, had_err);
	return dg->class != DIAG_NONE ? -1 : refuse(dg);
}

int
logs_ask(const struct engine *engine, const char *container_id,
    const char *lines, struct strbuf *out, struct strbuf *err, struct diag *dg)
{
	cleanup_http_answer struct http_answer answer = HTTP_ANSWER_INIT;
	cleanup_free char *path =
	    xasprintf("/containers/%s/logs?stdout=1&stderr=1&tail=%s",
		container_id, lines);
	const struct api_call call = {
		.method = "GET",
		.path = path,
		.timeout_ms = engine->timeout_ms,
		.setting = "engine_timeout",
	};

	if (!answer_is_container_id(container_id))
		return diag_set(dg, DIAG_DATA,
		    "'%.80s' is not a container's full id", container_id);
	if (api_ask(engine, &call, &answer, dg) != 0)
		return -1;
	if (answer.status != 200)
		return api_refuse(&call, &answer, dg);
	return logs_read(answer.body.buf, answer.body.len, out, err, dg);
}

void
logs_add(const struct engine *engine, const char *container_id, struct diag *dg)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf err = STRBUF_INIT;

	if (logs_ask(engine, container_id, LAST_LINES, &out, &err, &ignored) !=
	    0)
		return;
	(void)diag_add_detail(dg, out.buf, out.len);
	(void)diag_add_detail(dg, err.buf, err.len);
}
