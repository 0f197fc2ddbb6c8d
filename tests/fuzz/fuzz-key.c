/* SPDX-License-Identifier: MIT */
/*
 * The detach key: found where it stands, in what is typed and in settings.
 *
 * Input: the key's character, then what was typed.
 */
#include <string.h>

#include "base/diag.h"
#include "fuzz.h"
#include "host/settings.h"
#include "session/tty.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct settings settings cleanup_settings;
	struct diag dg cleanup_diag = DIAG_INIT;
	char name[] = "ctrl-?";

	settings_init(&settings);
	name[sizeof(name) - 2] = (char)fuzz_take(&in);
	int key = tty_parse_key(name);
	FUZZ_CHECK(key >= -1 && key < 0x20);
	/* Whatever the setting takes is a key, but for none. */
	if (settings_set(&settings, "detach_key", name, "test", &dg) == 0)
		FUZZ_CHECK(key >= 0);

	const char *typed = (const char *)in.data;
	size_t at = tty_find_key(key, typed, in.size);
	FUZZ_CHECK(at <= in.size);
	FUZZ_CHECK(tty_find_key(-1, typed, in.size) == in.size);
	if (at < in.size)
		FUZZ_CHECK(typed[at] == (char)key || typed[at] == '\033');
	for (size_t i = 0; key != -1 && i < at; i++)
		FUZZ_CHECK(typed[i] != (char)key);
	/* What stands before it is not another one, and it is one itself. */
	FUZZ_CHECK(tty_find_key(key, typed, at) == at);
	if (at < in.size)
		FUZZ_CHECK(tty_find_key(key, typed + at, in.size - at) == 0);
	return 0;
}
