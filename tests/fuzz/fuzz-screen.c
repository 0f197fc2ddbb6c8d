/* SPDX-License-Identifier: MIT */
/*
 * What the holder keeps of a terminal: bounded, and the same however the
 * stream is cut.
 *
 * Input: a byte that says how to cut, one that says how often, the stream.
 */
#include <string.h>

#include "base/strbuf.h"
#include "fuzz.h"
#include "guest/screen.h"

static void
show(const struct fuzz_input *in, unsigned int times, uint32_t seed,
    struct strbuf *out)
{
	static struct screen s;
	static char text[SCREEN_REPLAY_MAX];
	struct fuzz_chunks chunks = { seed };

	memset(&s, 0, sizeof(s));
	while (times-- > 0) {
		for (size_t at = 0; at < in->size;) {
			size_t n = seed == 0
			    ? in->size
			    : fuzz_next_chunk(&chunks, in->size - at);
			screen_add(&s, (const char *)in->data + at, n);
			FUZZ_CHECK(s.len <= SCREEN_MAX && s.start <= s.len);
			FUZZ_CHECK((s.set & s.reset) == 0);
			at += n;
		}
	}
	strbuf_add(out, text, screen_replay(&s, text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	cleanup_strbuf struct strbuf whole = STRBUF_INIT;
	cleanup_strbuf struct strbuf cut = STRBUF_INIT;

	uint32_t seed = fuzz_take(&in) + 1;
	/* Now and then enough to fill it. */
	unsigned int times = fuzz_take(&in) == 'f' ? 200 : 1;
	show(&in, times, 0, &whole);
	show(&in, times, seed, &cut);
	FUZZ_CHECK(whole.len == cut.len);
	FUZZ_CHECK(memcmp(whole.buf, cut.buf, whole.len) == 0);
	FUZZ_CHECK(whole.len <= SCREEN_REPLAY_MAX);
	return 0;
}
