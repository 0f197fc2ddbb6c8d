/* SPDX-License-Identifier: MIT */
/*
 * The detach key: found where it stands, in what is typed and in settings,
 * however the reads are cut.
 *
 * Input: the key's character, a byte that says how to cut, what was typed.
 */
#include <string.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "fuzz.h"
#include "host/settings.h"
#include "terminal/detach-key.h"

/* Whether the key is pressed; what is not the key goes to typed. */
static bool
find(int key, const struct fuzz_input *in, uint32_t seed, struct strbuf *typed)
{
	struct detach_key k = { key, 0, "" };
	struct fuzz_chunks chunks = { seed };
	for (size_t at = 0; at < in->size;) {
		size_t n = seed == 0 ? in->size
				     : fuzz_next_chunk(&chunks, in->size - at);
		if (detach_key_find(&k, (const char *)in->data + at, n, typed))
			return true;
		FUZZ_CHECK(k.nheld < DETACH_KEY_MAX);
		at += n;
	}
	detach_key_flush(&k, typed);
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	cleanup_settings struct settings settings;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf whole = STRBUF_INIT;
	cleanup_strbuf struct strbuf cut = STRBUF_INIT;
	cleanup_strbuf struct strbuf none = STRBUF_INIT;
	cleanup_strbuf struct strbuf again = STRBUF_INIT;
	char name[] = "ctrl-?";

	settings_init(&settings);
	name[sizeof(name) - 2] = (char)fuzz_take(&in);
	int key = detach_key_parse(name);
	FUZZ_CHECK(key >= -1 && key < 0x20);
	/* Whatever the setting takes is a key, but for none. */
	if (settings_set(&settings, SETTINGS_OPTION, "detach_key", name, "test",
		&dg) == 0)
		FUZZ_CHECK(key >= 0);

	uint32_t seed = fuzz_take(&in) + 1;
	bool pressed = find(key, &in, 0, &whole);
	FUZZ_CHECK(find(key, &in, seed, &cut) == pressed);
	FUZZ_CHECK(cut.len == whole.len);
	FUZZ_CHECK(memcmp(cut.buf, whole.buf, whole.len) == 0);
	FUZZ_CHECK(!find(-1, &in, 0, &none));
	FUZZ_CHECK(none.len == in.size);

	/* Not a byte is lost or changed before it. */
	FUZZ_CHECK(pressed ? whole.len < in.size : whole.len == in.size);
	FUZZ_CHECK(
	    whole.len == 0 || memcmp(whole.buf, in.data, whole.len) == 0);
	for (size_t i = 0; key != -1 && i < whole.len; i++)
		FUZZ_CHECK(whole.buf[i] != (char)key);
	if (pressed) {
		unsigned char c = in.data[whole.len];
		struct fuzz_input rest = { in.data + whole.len,
			in.size - whole.len };
		FUZZ_CHECK(c == (unsigned char)key || c == 0x1b || c == 0x9b ||
		    c == 0xc2);
		FUZZ_CHECK(find(key, &rest, 0, &again));
		FUZZ_CHECK(again.len == 0);
	}
	return 0;
}
