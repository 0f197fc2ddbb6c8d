/* SPDX-License-Identifier: MIT */
/* The allowlist: what is accepted is a plain name that stands for itself. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "fuzz.h"
#include "host/allowlist.h"

static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

/* No name that a resolver, or Squid, takes for more than one host. */
static void
check_host(const char *host)
{
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
	cleanup_free char *line = xasprintf(
	    "%s:%u%s", e->host, e->port, e->private_ok ? " private" : "");

	FUZZ_CHECK(
	    allowlist_parse(&list, "again", line, strlen(line), &dg) == 0);
	FUZZ_CHECK(list.nr == 1);
	FUZZ_CHECK(strcmp(list.v[0].host, e->host) == 0);
	FUZZ_CHECK(list.v[0].port == e->port);
	FUZZ_CHECK(list.v[0].private_ok == e->private_ok);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc =
	    allowlist_parse(&list, "allowlist", (const char *)data, size, &dg);
	fuzz_outcome(rc, &dg);
	for (size_t i = 0; i < list.nr; i++) {
		FUZZ_CHECK(list.v[i].port > 0);
		check_host(list.v[i].host);
		check_round_trip(&list.v[i]);
		for (size_t k = 0; k < i; k++)
			FUZZ_CHECK(list.v[i].port != list.v[k].port ||
			    strcmp(list.v[i].host, list.v[k].host) != 0);
	}
	return 0;
}
