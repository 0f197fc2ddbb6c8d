/* SPDX-License-Identifier: MIT */
/* The allowlist: what is accepted is a plain name that stands for itself. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "fuzz.h"
#include "host/allowlist.h"

static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

/* No name that a resolver, or a proxy, takes for more than one host. */
static void
check_host(const struct allow_entry *e)
{
	const char *host = e->host;
	if (e->kind == ALLOW_ADDRESS) {
		FUZZ_CHECK(host[0] == '['
			? host[1 + strspn(host + 1, "0123456789abcdef:.")] ==
			    ']'
			: host[strspn(host, "0123456789.")] == '\0');
		return;
	}
	FUZZ_CHECK(e->kind == ALLOW_NAME || strchr(host, '.') != NULL);
	size_t len = strlen(host);
	FUZZ_CHECK(len > 0 && len <= 253);
	FUZZ_CHECK(strspn(host, allowed) == len);
	FUZZ_CHECK(host[0] != '.' && host[len - 1] != '.');
	FUZZ_CHECK(host[0] != '-' && host[len - 1] != '-');
	FUZZ_CHECK(strstr(host, "..") == NULL);
	const char *dot = strrchr(host, '.');
	const char *last = dot != NULL ? dot + 1 : host;
	FUZZ_CHECK(last[strspn(last, "0123456789")] != '\0');
	FUZZ_CHECK(strncmp(last, "0x", 2) != 0 ||
	    last[2 + strspn(last + 2, "0123456789abcdef")] != '\0');
	for (const char *label = host; *label != '\0';) {
		size_t n = strcspn(label, ".");
		FUZZ_CHECK(n > 0 && n <= 63);
		label += n + (label[n] == '.' ? 1 : 0);
	}
}

/* The entry, written as a line of its own, is that entry and nothing else. */
static void
check_round_trip(const struct allow_entry *e)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf printed = STRBUF_INIT;
	cleanup_free char *line = NULL;
	allow_entry_print(e, &printed);
	line = xasprintf("%s%s", printed.buf, e->private_ok ? " private" : "");

	FUZZ_CHECK(allowlist_parse(&list, ALLOW_GLOBAL, NULL, "again", line,
		       strlen(line), &dg) == 0);
	FUZZ_CHECK(list.nr == 1);
	FUZZ_CHECK(strcmp(list.v[0].host, e->host) == 0);
	FUZZ_CHECK(list.v[0].port == e->port);
	FUZZ_CHECK(list.v[0].kind == e->kind);
	FUZZ_CHECK(list.v[0].plain_http == e->plain_http);
	FUZZ_CHECK(allowlist_find(&list, e) == &list.v[0]);
	FUZZ_CHECK(list.v[0].private_ok == e->private_ok);
}

/*
 * A request for any target matches only a line that has its host: the same
 * letters, or for *.NAME letters that end in a dot and NAME.
 */
static void
check_request(
    const struct allowlist *list, const char *method, const char *target)
{
	cleanup_allow_entry struct allow_entry e = { .host = NULL };
	const struct allow_entry *found;
	size_t len, n;
	if (!allow_entry_of_request(&e, method, target))
		return;
	FUZZ_CHECK(e.kind != ALLOW_BELOW);
	FUZZ_CHECK(strcasestr(target, e.host) != NULL || e.host[0] == '[');
	found = allowlist_find(list, &e);
	if (found == NULL)
		return;
	len = strlen(found->host);
	n = strlen(e.host);
	FUZZ_CHECK(found->port == e.port);
	FUZZ_CHECK(found->plain_http == (strcmp(method, "CONNECT") != 0));
	if (found->kind == ALLOW_BELOW) {
		FUZZ_CHECK(n > len + 1 && e.host[n - len - 1] == '.');
		FUZZ_CHECK(e.host[0] != '.' && e.kind == ALLOW_NAME);
	} else {
		FUZZ_CHECK(n == len && found->kind == e.kind);
	}
	FUZZ_CHECK(strcmp(e.host + n - len, found->host) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = allowlist_parse(&list, ALLOW_GLOBAL, NULL, "allowlist",
	    (const char *)data, size, &dg);
	fuzz_outcome(rc, &dg);
	{
		/* The last line, as a request against all of them. */
		cleanup_free char *text = fuzz_text(data, size);
		const char *line = strrchr(text, '\n');
		line = line == NULL ? text : line + 1;
		check_request(&list, "CONNECT", line);
		check_request(&list, "GET", line);
	}
	for (size_t i = 0; i < list.nr; i++) {
		FUZZ_CHECK(list.v[i].port > 0);
		check_host(&list.v[i]);
		check_round_trip(&list.v[i]);
		for (size_t k = 0; k < i; k++)
			FUZZ_CHECK(list.v[i].port != list.v[k].port ||
			    list.v[i].kind != list.v[k].kind ||
			    list.v[i].plain_http != list.v[k].plain_http ||
			    strcmp(list.v[i].host, list.v[k].host) != 0);
	}
	return 0;
}
