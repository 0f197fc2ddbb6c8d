/* SPDX-License-Identifier: MIT */
/* upstream: reads http://HOST:PORT. */
#include "host/upstream.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "host/allowlist.h"

static const char http[] = "http://";

/* The sidecar's own loopback and unspecified addresses lead to itself. */
static bool
is_own(const struct allow_entry *e)
{
	return e->kind == ALLOW_ADDRESS &&
	    (strncmp(e->host, "127.", 4) == 0 ||
		strcmp(e->host, "0.0.0.0") == 0 ||
		strcmp(e->host, "[::1]") == 0 || strcmp(e->host, "[::]") == 0);
}

static const char *
parse(const char *value, struct allow_entry *ret_entry)
{
	cleanup_free char *word = xstrdup(value);
	size_t len = strlen(word);
	const char *why;

	if (strncasecmp(word, http, strlen(http)) != 0)
		return "is not http://HOST:PORT";
	if (strchr(word, '@') != NULL)
		return "has credentials: drydock keeps none; use a proxy "
		       "without a login";
	if (word[len - 1] == '/' && len > strlen(http))
		word[--len] = '\0';
	if (word[len - 1] == ']' || strchr(word + strlen(http), ':') == NULL)
		return "has no port";
	why = allow_entry_parse(word, ret_entry);
	if (why == NULL && ret_entry->kind == ALLOW_BELOW)
		why = "is not a single host";
	else if (why == NULL && is_own(ret_entry))
		why = "is the loopback of the session's own proxy: use an "
		      "address that containers reach";
	return why;
}

const char *
upstream_check(const char *value)
{
	cleanup_allow_entry struct allow_entry entry = { .host = NULL };

	return *value == '\0' ? NULL : parse(value, &entry);
}

bool
upstream_read(const char *value, struct allow_entry *ret_entry)
{
	const char *why;

	if (*value == '\0')
		return false;
	why = parse(value, ret_entry);
	/* The table of settings has checked it. */
	assert(why == NULL);
	(void)why;
	return true;
}
