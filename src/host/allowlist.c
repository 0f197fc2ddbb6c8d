/* SPDX-License-Identifier: MIT */
/* allowlist: a strict parser for lines of host names. */

#include "host/allowlist.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/text.h"
#include "host/toolchain.h"

#define ALLOWLIST_NAME "allowlist"
#define ALLOWLIST_MAX ((size_t)64 << 10)
#define ENTRIES_MAX 1024
#define NAME_MAX_LEN 253 /* RFC 1035 2.3.4, without the root's dot */
#define LABEL_MAX_LEN 63
#define HTTPS_PORT 443

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter_or_digit(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

/* Returns true if some parser reads the label as a number: 127, 0x7f. */
static bool
label_is_number(const char *label, size_t len)
{
	size_t i = 0;
	bool hex = len >= 2 && label[0] == '0' && label[1] == 'x';

	for (i = hex ? 2 : 0; i < len; i++) {
		if (!is_digit(label[i]) &&
		    !(hex && label[i] >= 'a' && label[i] <= 'f'))
			return false;
	}
	return true;
}

static const char *
label_problem(const char *label, size_t len)
{
	if (len == 0)
		return "has an empty label";
	if (len > LABEL_MAX_LEN)
		return "has a label of more than 63 characters";
	if (label[0] == '-' || label[len - 1] == '-')
		return "has a label that starts or ends with a hyphen";
	for (size_t i = 0; i < len; i++) {
		if (!is_letter_or_digit(label[i]) && label[i] != '-')
			return "is not a host name (letters, digits, hyphens "
			       "and dots)";
	}
	return NULL;
}

/* Returns the error in a lower-case name without its trailing dot, or NULL. */
static const char *
host_problem(const char *host)
{
	const char *label = host;
	size_t len = strlen(host);

	if (strstr(host, "//") != NULL || strchr(host, '/') != NULL)
		return "is not a host name: leave out the scheme and the path";
	if (strchr(host, '*') != NULL)
		return "is a wildcard: each host is listed by its own name";
	if (strchr(host, ':') != NULL || strchr(host, '[') != NULL)
		return "is an address: only names are allowed";
	if (len > NAME_MAX_LEN)
		return "has more than 253 characters";
	for (;;) {
		const char *why;

		len = strcspn(label, ".");
		why = label_problem(label, len);
		if (why != NULL)
			return why;
		if (label[len] == '\0')
			break;
		label += len + 1;
	}
	/*
	 * Some parsers take a name whose last label is a number for an IPv4
	 * address (inet_aton(3), WHATWG URL 3.5).
	 */
	if (label_is_number(label, len))
		return "is an address: only names are allowed";
	if (strcmp(label, "localhost") == 0)
		return "is the proxy's own loopback";
	return NULL;
}

/* Parses 1 to 65535 without sign and leading zero; 0 for anything else. */
static uint16_t
parse_port(const char *text)
{
	unsigned long port = 0;

	if (*text == '0' || *text == '\0' || strlen(text) > 5)
		return 0;
	for (; *text != '\0'; text++) {
		if (!is_digit(*text))
			return 0;
		port = port * 10 + (unsigned long)(*text - '0');
	}
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* Splits word in place into a host and a port.  Returns the error, or NULL. */
static const char *
parse_host(char *word, uint16_t *ret_port)
{
	char *colon = strrchr(word, ':');
	size_t len;

	*ret_port = HTTPS_PORT;
	/* More than one colon is an IPv6 address; host_problem() reports it. */
	if (colon != NULL && strchr(word, ':') == colon &&
	    strstr(word, "//") == NULL) {
		*colon = '\0';
		*ret_port = parse_port(colon + 1);
		if (*ret_port == 0)
			return "has no port from 1 to 65535 behind the colon";
	}
	for (char *p = word; *p != '\0'; p++)
		*p = text_lower(*p);
	len = strlen(word);
	if (len > 1 && word[len - 1] == '.')
		word[len - 1] = '\0';
	return host_problem(word);
}

static int
add_entry(struct allowlist *list, const char *host, uint16_t port,
    bool private_ok, const char *name, struct diag *dg)
{
	for (size_t i = 0; i < list->nr; i++) {
		if (list->v[i].port == port &&
		    strcmp(list->v[i].host, host) == 0) {
			list->v[i].private_ok |= private_ok;
			return 0;
		}
	}
	if (list->nr == ENTRIES_MAX)
		return diag_set(dg, DIAG_CONFIG, "%s: more than %d hosts", name,
		    ENTRIES_MAX);
	if (list->nr == list->alloc) {
		list->alloc = list->alloc * 2 + 8;
		list->v = xreallocarray(list->v, list->alloc, sizeof(*list->v));
	}
	list->v[list->nr++] =
	    (struct allow_entry){ xstrdup(host), port, private_ok };
	return 0;
}

static int
parse_line(struct allowlist *list, const char *name, size_t number,
    const char *line, struct diag *dg)
{
	size_t len = strcspn(line, " \t");
	cleanup_free char *word = xstrndup(line, len);
	cleanup_free char *host = xstrdup(word);
	const char *rest = line + len + strspn(line + len, " \t");
	const char *why;
	uint16_t port;

	why = parse_host(host, &port);
	if (why != NULL)
		return diag_set(dg, DIAG_CONFIG, "%s:%zu: \"%s\" %s", name,
		    number, word, why);
	if (*rest != '\0' && strcmp(rest, "private") != 0)
		return diag_set(dg, DIAG_CONFIG,
		    "%s:%zu: \"%s\" behind the host: only \"private\" may "
		    "stand there",
		    name, number, rest);
	return add_entry(list, host, port, *rest != '\0', name, dg);
}

int
allowlist_parse(struct allowlist *list, const char *name, const char *text,
    size_t len, struct diag *dg)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	struct lines lines;

	if (lines_init(&lines, name, text, len, ALLOWLIST_MAX, dg) != 0)
		return -1;
	while (lines_next(&lines, &line)) {
		lines_cut_comment(&line);
		if (parse_line(list, name, lines.number, line.buf, dg) != 0)
			return -1;
	}
	return 0;
}

static void
add_lines(struct strbuf *text, const struct strvec *hosts)
{
	for (size_t i = 0; i < hosts->nr; i++)
		strbuf_addf(text, "%s\n", hosts->v[i]);
}

int
allowlist_load(struct allowlist *list, const struct agent *agent,
    const struct toolchains *toolchains, const struct paths *paths,
    struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *file =
	    xasprintf("%s/" ALLOWLIST_NAME, paths->config_dir);

	add_lines(&text, &agent->hosts);
	for (size_t i = 0; i < toolchains->nr; i++)
		add_lines(&text, &toolchains->v[i].hosts);
	if (allowlist_parse(list, "hosts of the agent and the toolchains",
		text.buf, text.len, dg) != 0)
		return -1;
	if (paths_read_config_file(
		paths, ALLOWLIST_NAME, ALLOWLIST_MAX, &text, dg) != 0)
		return -1;
	return allowlist_parse(list, file, text.buf, text.len, dg);
}

void
allowlist_release(struct allowlist *list)
{
	for (size_t i = 0; i < list->nr; i++)
		free(list->v[i].host);
	free(list->v);
	*list = (struct allowlist)ALLOWLIST_INIT;
}
