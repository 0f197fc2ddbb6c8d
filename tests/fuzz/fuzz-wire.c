/* SPDX-License-Identifier: MIT */
/*
 * The holder's wire format, as either end reads it: how the stream is cut does
 * not matter, and what was read is what the other end would have written.
 *
 * Input: whose stream it is, a byte that says how to cut it, the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "fuzz.h"
#include "guest/wire.h"

/* Writes the frame again from what its own reader makes of it. */
static void
write_again(const struct wire_frame *frame, struct strbuf *out)
{
	struct wire_hello hello;
	const char *text;
	size_t len;

	switch (frame->type) {
	case WIRE_HELLO:
		wire_read_hello(frame, &hello);
		FUZZ_CHECK(memchr(hello.digest, 0, sizeof(hello.digest)));
		wire_add_hello(out, &hello);
		break;
	case WIRE_SIGNAL:
		wire_add_signal(out, wire_read_signal(frame));
		break;
	case WIRE_PORT:
		FUZZ_CHECK(wire_read_port(frame) != 0);
		wire_add_port(out, wire_read_port(frame));
		break;
	case WIRE_VIEW:
	case WIRE_SIZE:
		wire_add_size(out, frame->type, wire_read_size(frame));
		break;
	case WIRE_EXIT: {
		unsigned int status = wire_read_exit(frame, &text, &len);
		cleanup_free char *copy = xstrndup(text, len);
		FUZZ_CHECK(status <= 255);
		/* As it is where the text is none: it has a NUL in it. */
		if (strlen(copy) == len)
			wire_add_exit(out, status, copy);
		else
			wire_add(out, frame->type, frame->payload, frame->len);
		break;
	}
	case WIRE_REFUSED:
	case WIRE_GO_PART:
	case WIRE_GO:
	case WIRE_EXEC:
	case WIRE_STARTED:
	case WIRE_INPUT:
	case WIRE_INPUT_END:
	case WIRE_OUTPUT:
	case WIRE_ERROR:
		wire_add(out, frame->type, frame->payload, frame->len);
		break;
	}
}

static const bool from_client[] = {
	[WIRE_HELLO] = true,
	[WIRE_GO_PART] = true,
	[WIRE_GO] = true,
	[WIRE_VIEW] = true,
	[WIRE_SIZE] = true,
	[WIRE_INPUT] = true,
	[WIRE_INPUT_END] = true,
	[WIRE_EXIT] = false,
	[WIRE_EXEC] = true,
	[WIRE_SIGNAL] = true,
	[WIRE_PORT] = true,
};

static void
check_frame(enum wire_end from, const struct wire_frame *frame)
{
	FUZZ_CHECK(frame->type >= WIRE_HELLO && frame->type <= WIRE_PORT);
	FUZZ_CHECK(frame->len <= WIRE_PAYLOAD_MAX);
	if (from == WIRE_CLIENT)
		FUZZ_CHECK(from_client[frame->type]);
	else
		FUZZ_CHECK(
		    frame->type == WIRE_HELLO || !from_client[frame->type]);
}

/* Appends all frames, as they are written, and returns why it stopped. */
static const char *
read_stream(enum wire_end from, const struct fuzz_input *in, uint32_t seed,
    struct strbuf *frames)
{
	cleanup_free struct wire_decoder *dec = xmalloc(sizeof(*dec));
	struct fuzz_chunks chunks = { seed };
	size_t at = 0;

	wire_decoder_init(dec, from);
	for (;;) {
		struct wire_frame frame;
		int rc;
		while ((rc = wire_next(dec, &frame)) == 1) {
			check_frame(from, &frame);
			write_again(&frame, frames);
		}
		FUZZ_CHECK((rc == -1) == (dec->broken != NULL));
		if (rc == -1 || at == in->size)
			return dec->broken;
		FUZZ_CHECK(wire_need(dec) > 0);
		unsigned char *to;
		size_t n = wire_space(dec, &to);
		FUZZ_CHECK(n > 0);
		if (n > in->size - at)
			n = in->size - at;
		if (seed != 0)
			n = fuzz_next_chunk(&chunks, n);
		memcpy(to, in->data + at, n);
		wire_filled(dec, n);
		at += n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	cleanup_strbuf struct strbuf whole = STRBUF_INIT;
	cleanup_strbuf struct strbuf cut = STRBUF_INIT;

	enum wire_end from =
	    fuzz_take(&in) % 2 == 0 ? WIRE_CLIENT : WIRE_HOLDER;
	uint32_t seed = fuzz_take(&in) + 1;
	const char *broken = read_stream(from, &in, 0, &whole);
	FUZZ_CHECK(read_stream(from, &in, seed, &cut) == broken);
	FUZZ_CHECK(whole.len == cut.len);
	FUZZ_CHECK(memcmp(whole.buf, cut.buf, whole.len) == 0);
	FUZZ_CHECK(whole.len <= in.size);
	FUZZ_CHECK(
	    whole.len == 0 || memcmp(whole.buf, in.data, whole.len) == 0);
	return 0;
}
