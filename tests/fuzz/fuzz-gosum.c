/* SPDX-License-Identifier: MIT */
/*
 * go.sum: a module's file is below the cache, differs from each other module's
 * even where a file system ignores case, and leads back to the module.
 */
#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "deps/gosum.h"
#include "fuzz.h"

static void
check_escaped(const char *text)
{
	cleanup_strbuf struct strbuf escaped = STRBUF_INIT;
	cleanup_strbuf struct strbuf back = STRBUF_INIT;
	cleanup_strbuf struct strbuf whole = STRBUF_INIT;

	gosum_add_escaped(&escaped, text);
	for (const char *p = escaped.buf; *p != '\0'; p++) {
		FUZZ_CHECK(isupper((unsigned char)*p) == 0);
		if (*p == '!')
			strbuf_addch(&back, (char)toupper((unsigned char)*++p));
		else
			strbuf_addch(&back, *p);
	}
	FUZZ_CHECK(strcmp(back.buf, text) == 0);
	strbuf_addf(&whole, "/%s/", escaped.buf);
	FUZZ_CHECK(strstr(whole.buf, "/./") == NULL &&
	    strstr(whole.buf, "/../") == NULL &&
	    strstr(whole.buf, "//") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_gosum struct gosum sum = GOSUM_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int rc;

	strbuf_add(&text, data, size);
	rc = gosum_parse(&sum, text.buf, text.len, "go.sum", &dg);
	FUZZ_CHECK(rc == 0 || (dg.class == DIAG_DATA && sum.nr == 0));
	fuzz_outcome(rc, &dg);
	for (size_t i = 0; i < sum.nr; i++) {
		const struct gosum_entry *e = &sum.v[i];

		check_escaped(e->module);
		check_escaped(e->version);
		FUZZ_CHECK(strchr(e->version, '/') == NULL);
		FUZZ_CHECK(e->h1.kind == DIGEST_SHA256);
		FUZZ_CHECK(i == 0 || strcmp(e[-1].module, e->module) != 0 ||
		    strcmp(e[-1].version, e->version) != 0 ||
		    e[-1].is_mod != e->is_mod);
	}
	return 0;
}
