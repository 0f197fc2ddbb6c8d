/* SPDX-License-Identifier: MIT */
/* The go message: what one end reads is what the other end has written. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "fuzz.h"
#include "guest/wire.h"

/* The holder's side: puts the parts together again. */
static void
join_parts(const struct strbuf *frames, struct strbuf *blob)
{
	cleanup_free struct wire_decoder *dec = xmalloc(sizeof(*dec));
	size_t at = 0;
	bool done = false;

	wire_decoder_init(dec, WIRE_CLIENT);
	while (!done) {
		struct wire_frame frame;
		int rc = wire_next(dec, &frame);
		FUZZ_CHECK(rc != -1);
		if (rc == 1) {
			FUZZ_CHECK(frame.type == WIRE_GO ||
			    frame.type == WIRE_GO_PART);
			strbuf_add(blob, frame.payload, frame.len);
			done = frame.type == WIRE_GO;
			continue;
		}
		unsigned char *to;
		size_t n = wire_space(dec, &to);
		if (n > frames->len - at)
			n = frames->len - at;
		FUZZ_CHECK(n > 0);
		memcpy(to, frames->buf + at, n);
		wire_filled(dec, n);
		at += n;
	}
	FUZZ_CHECK(at == frames->len && dec->start == dec->end);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_wire_go struct wire_go go = { .lists = NULL };
	cleanup_strbuf struct strbuf frames = STRBUF_INIT;
	cleanup_strbuf struct strbuf blob = STRBUF_INIT;

	/* Every message has one form only. */
	if (wire_read_go(data, size, &go) == -1) {
		FUZZ_CHECK(go.cwd == NULL && go.lists == NULL);
		return 0;
	}
	FUZZ_CHECK(go.cwd[0] == '/' && go.argv[0] != NULL);
	FUZZ_CHECK(wire_add_go(&frames, WIRE_GO, &go) == 0);
	join_parts(&frames, &blob);
	FUZZ_CHECK(blob.len == size && memcmp(blob.buf, data, size) == 0);
	return 0;
}
