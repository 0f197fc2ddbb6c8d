/* SPDX-License-Identifier: MIT */
/* drydock.conf: what `drydock config` prints reads back to the same. */
#include <string.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "fuzz.h"
#include "host/settings.h"

static void
print(const struct settings *s, struct strbuf *out)
{
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		settings_print_row(s, row, out);
		strbuf_addch(out, '\n');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_settings struct settings first;
	cleanup_settings struct settings second;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf printed = STRBUF_INIT;
	cleanup_strbuf struct strbuf again = STRBUF_INIT;

	settings_init(&first);
	settings_init(&second);
	int rc = settings_parse(&first, SETTINGS_FILE, "drydock.conf",
	    (const char *)data, size, &dg);
	fuzz_outcome(rc, &dg);

	/* After a failure too: each of them is as it was or as it was set. */
	print(&first, &printed);
	FUZZ_CHECK(strlen(printed.buf) == printed.len);
	rc = settings_parse(
	    &second, SETTINGS_FILE, "printed", printed.buf, printed.len, &dg);
	FUZZ_CHECK(rc == 0);
	print(&second, &again);
	FUZZ_CHECK(strcmp(printed.buf, again.buf) == 0);
	return 0;
}
