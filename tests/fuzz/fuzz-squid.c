/* SPDX-License-Identifier: MIT */
/*
 * squid.conf from an allowlist: names stand where names belong, and nothing
 * else of the text depends on them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "fuzz.h"
#include "host/allowlist.h"
#include "plan/squid.h"

/* The same list with names that are known to be harmless. */
static void
make_placeholders(const struct allowlist *list, struct allowlist *ret)
{
	ret->v = xcalloc(list->nr + 1, sizeof(*ret->v));
	ret->alloc = list->nr + 1;
	for (ret->nr = 0; ret->nr < list->nr; ret->nr++) {
		ret->v[ret->nr] = list->v[ret->nr];
		ret->v[ret->nr].host = xasprintf("placeholder-%zu-", ret->nr);
	}
}

/* Puts the names into the text that was made for the placeholders. */
static void
fill(const struct strbuf *text, const struct allowlist *list,
    const struct allowlist *placeholders, struct strbuf *out)
{
	const char *at = text->buf;
	const char *next;
	size_t filled = 0;
	while ((next = strstr(at, "placeholder-")) != NULL) {
		size_t i = strtoul(next + strlen("placeholder-"), NULL, 10);
		FUZZ_CHECK(i < list->nr);
		/* A dot before it stands for all names below. */
		FUZZ_CHECK(next > text->buf &&
		    (next[-1] == ' ' ||
			(next[-1] == '.' && list->v[i].kind == ALLOW_BELOW)));
		strbuf_add(out, at, (size_t)(next - at));
		strbuf_addstr(out, list->v[i].host);
		at = next + strlen(placeholders->v[i].host);
		FUZZ_CHECK(*at == ' ' || *at == '\n');
		filled++;
	}
	strbuf_addstr(out, at);
	FUZZ_CHECK(filled >= list->nr);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_allowlist struct allowlist placeholders = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf plain = STRBUF_INIT;
	cleanup_strbuf struct strbuf want = STRBUF_INIT;

	/* Lines before one that is refused count as well. */
	(void)allowlist_parse(&list, ALLOW_GLOBAL, NULL, "allowlist",
	    (const char *)data, size, &dg);
	make_placeholders(&list, &placeholders);
	squid_config(&list, &text);
	squid_config(&placeholders, &plain);
	fill(&plain, &list, &placeholders, &want);
	FUZZ_CHECK(strcmp(text.buf, want.buf) == 0);
	FUZZ_CHECK(strlen(text.buf) == text.len);
	for (size_t i = 0; i < text.len; i++)
		FUZZ_CHECK(text.buf[i] == '\n' ||
		    (text.buf[i] >= ' ' && text.buf[i] <= '~'));
	return 0;
}
