/* SPDX-License-Identifier: MIT */
/*
 * An allowlist as the proxy gets it: what the proxy allows, the host's own
 * parser allows, too.  The last line of the input is a request's target.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "fuzz.h"
#include "guest/proxylist.h"
#include "host/allowlist.h"
#include "plan/proxyconf.h"

/* Returns true if an entry with "private" has this target. */
static bool
is_private(const struct allowlist *list, const struct allow_entry *asked)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct allowlist one = { .v = &list->v[i], .nr = 1 };
		if (list->v[i].private_ok &&
		    allowlist_find(&one, asked) != NULL)
			return true;
	}
	return false;
}

static void
check_request(const struct allowlist *list, const struct proxylist *compiled,
    const char *method, const char *target)
{
	cleanup_allow_entry struct allow_entry asked = { .host = NULL };
	cleanup_strbuf struct strbuf head = STRBUF_INIT;
	struct proxyhead h;
	bool private_ok;
	char authority[PROXY_AUTHORITY_MAX + 1];
	strbuf_addf(&head, "%s %s HTTP/1.1\r\n\r\n", method, target);
	if (proxyhead_parse(head.buf, head.len, &h) != 0 ||
	    proxylist_judge(compiled, &h.target, &private_ok) != REFUSAL_NONE)
		return;
	FUZZ_CHECK(allow_entry_of_request(&asked, method, target));
	FUZZ_CHECK(allowlist_find(list, &asked) != NULL);
	FUZZ_CHECK(!private_ok || is_private(list, &asked));
	FUZZ_CHECK(asked.port == h.target.port);
	FUZZ_CHECK(strcmp(asked.host, h.target.host) == 0);
	/* The log has it so, for the host to read. */
	allow_entry_release(&asked);
	proxytarget_print(&h.target, authority);
	FUZZ_CHECK(allow_entry_of_request(&asked, method, authority));
	FUZZ_CHECK(strcmp(asked.host, h.target.host) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_diag struct diag fine = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *input = fuzz_text(data, size);
	struct proxylist compiled = PROXYLIST_INIT;
	const char *line = strrchr(input, '\n');
	line = line == NULL ? input : line + 1;
	/* Lines before one that is refused count; the last one is the target. */
	(void)allowlist_parse(&list, ALLOW_GLOBAL, NULL, "allowlist", input,
	    (size_t)(line - input), &dg);
	proxyconf_hosts(&list, &text);
	FUZZ_CHECK(
	    proxylist_parse_hosts(&compiled, text.buf, text.len, &fine) == 0);
	FUZZ_CHECK(compiled.nr == list.nr);
	check_request(&list, &compiled, "CONNECT", line);
	check_request(&list, &compiled, "GET", line);
	proxylist_release(&compiled);
	/* The input itself as the compiled list: whole or not at all. */
	diag_clear(&dg);
	fuzz_outcome(
	    proxylist_parse_hosts(&compiled, (const char *)data, size, &dg),
	    &dg);
	proxylist_release(&compiled);
	return 0;
}
