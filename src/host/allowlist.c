/* SPDX-License-Identifier: MIT */
/* allowlist: a strict parser for lines of hosts, and for the upstream proxy. */

#include "host/allowlist.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/hostname.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/catalog.h"
#include "host/packagehosts.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/text.h"
#include "host/toolchain.h"
#include "host/trusted.h"

#define BUNDLES "bundles"
#define ENTRIES_MAX 1024
#define HTTPS_PORT 443
#define HTTP_PORT 80

static const char http[] = "http://";

/* Returns the error in a lower-case name without its trailing dot, or NULL. */
static const char *
name_problem(const char *host)
{
	const char *last = strrchr(host, '.');
	const char *why;

	if (strchr(host, '/') != NULL)
		return "is not a host: leave out the path and any scheme but "
		       "http://";
	if (strchr(host, '*') != NULL)
		return "may have a * only in \"*.\" before a name";
	why = hostname_problem(host);
	if (why == NULL &&
	    strcmp(last == NULL ? host : last + 1, "localhost") == 0)
		why = "is the proxy's own loopback";
	return why;
}

/* Splits off ":PORT" at the end, in place.  Returns the error, or NULL. */
static const char *
split_port(char *word, uint16_t fallback, uint16_t *ret_port)
{
	char *colon = strrchr(word, ':');
	int64_t port;

	*ret_port = fallback;
	if (*word == '[') {
		char *end = strchr(word, ']');

		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return "is not an IPv6 address in brackets";
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon != NULL && strchr(word, ':') != colon) {
		return strchr(word, '/') != NULL
		    ? name_problem(word)
		    : "is not a host: write an IPv6 address in brackets";
	}
	if (colon == NULL || strchr(colon, '/') != NULL)
		return NULL;
	*colon = '\0';
	if (colon[1] == '0' || !text_decimal(colon + 1, 1, UINT16_MAX, &port))
		return "has no port from 1 to 65535 after the colon";
	*ret_port = (uint16_t)port;
	return NULL;
}

/* Reads "[ADDRESS]".  Returns the error, or NULL. */
static const char *
parse_six(char *word, char **ret_host)
{
	static const char wrong[] = "is not an IPv6 address in brackets";
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;

	word[strlen(word) - 1] = '\0';
	if (inet_pton(AF_INET6, word + 1, &six) != 1 ||
	    inet_ntop(AF_INET6, &six, text, sizeof(text)) == NULL)
		return wrong;
	if (IN6_IS_ADDR_V4MAPPED(&six) || IN6_IS_ADDR_V4COMPAT(&six))
		return "contains an IPv4 address: write that address";
	*ret_host = xasprintf("[%s]", text);
	return NULL;
}

/* Reads a word without its port into *e.  Returns the error, or NULL. */
static const char *
parse_host(char *word, struct allow_entry *e)
{
	size_t len = strlen(word);
	struct in_addr four;
	const char *why;

	if (*word == '[') {
		e->kind = ALLOW_ADDRESS;
		return parse_six(word, &e->host);
	}
	for (char *p = word; *p != '\0'; p++)
		*p = text_lower(*p);
	if (len > 1 && word[len - 1] == '.')
		word[len - 1] = '\0';
	if (strncmp(word, "*.", 2) == 0) {
		e->kind = ALLOW_BELOW;
		word += 2;
	} else if (inet_pton(AF_INET, word, &four) == 1) {
		e->kind = ALLOW_ADDRESS;
		e->host = xstrdup(word);
		return NULL;
	}
	why = name_problem(word);
	if (why == NULL && e->kind == ALLOW_BELOW && strchr(word, '.') == NULL)
		why = "is a whole top-level domain: the name after \"*.\" "
		      "must have a dot";
	if (why == NULL)
		e->host = xstrdup(word);
	return why;
}

/*
 * Reads "[http://]HOST[:PORT]" into *ret_entry, which the caller releases.
 * Returns the error as static text, or NULL.
 */
static const char *
parse_entry(const char *text, struct allow_entry *ret_entry)
{
	struct allow_entry e = { .kind = ALLOW_NAME };
	cleanup_free char *word = NULL;
	const char *why;

	e.plain_http = strncasecmp(text, http, strlen(http)) == 0;
	word = xstrdup(text + (e.plain_http ? strlen(http) : 0));
	why = split_port(word, e.plain_http ? HTTP_PORT : HTTPS_PORT, &e.port);
	if (why == NULL)
		why = parse_host(word, &e);
	if (why == NULL)
		*ret_entry = e;
	return why;
}

/* The sidecar's own loopback and unspecified addresses lead to itself. */
static bool
is_loopback(const struct allow_entry *e)
{
	return e->kind == ALLOW_ADDRESS &&
	    (strncmp(e->host, "127.", 4) == 0 ||
		strcmp(e->host, "0.0.0.0") == 0 ||
		strcmp(e->host, "[::1]") == 0 || strcmp(e->host, "[::]") == 0);
}

static const char *
parse_upstream(const char *value, struct allow_entry *ret_entry)
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
	why = parse_entry(word, ret_entry);
	if (why == NULL && ret_entry->kind == ALLOW_BELOW)
		why = "is not a single host";
	else if (why == NULL && is_loopback(ret_entry))
		why = "is the loopback of the session's own proxy: use an "
		      "address that containers reach";
	return why;
}

const char *
upstream_check(const char *value)
{
	cleanup_allow_entry struct allow_entry entry = { .host = NULL };

	return *value == '\0' ? NULL : parse_upstream(value, &entry);
}

bool
upstream_read(const char *value, struct allow_entry *ret_entry)
{
	const char *why;

	if (*value == '\0')
		return false;
	why = parse_upstream(value, ret_entry);
	/* The table of settings has checked it. */
	assert(why == NULL);
	(void)why;
	return true;
}

/* *e is given. */
static int
add_entry(struct allowlist *list, struct allow_entry *e, const char *name,
    struct diag *dg)
{
	for (size_t i = 0; i < list->nr; i++) {
		struct allow_entry *old = &list->v[i];

		if (old->port == e->port && old->kind == e->kind &&
		    old->plain_http == e->plain_http &&
		    strcmp(old->host, e->host) == 0) {
			old->private_ok |= e->private_ok;
			old->sources |= e->sources;
			allow_entry_release(e);
			return 0;
		}
	}
	if (list->nr == ENTRIES_MAX) {
		allow_entry_release(e);
		return diag_set(dg, DIAG_CONFIG, "%s: more than %d hosts", name,
		    ENTRIES_MAX);
	}
	if (list->nr == list->alloc) {
		list->alloc = list->alloc * 2 + 8;
		list->v = xreallocarray(list->v, list->alloc, sizeof(*list->v));
	}
	list->v[list->nr++] = *e;
	return 0;
}

static int
fail_bundle(const struct paths *paths, const char *origin, const char *word,
    struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_strvec struct strvec bundles = STRVEC_INIT;
	cleanup_free char *known = NULL;
	cleanup_close int fd = -1;

	if (trusted_open(paths, paths->data_dir, BUNDLES, TRUSTED_DIRECTORY,
		&fd, dg) != 0 ||
	    (fd >= 0 && fs_list_names(fd, BUNDLES, &names, dg) != 0))
		return -1;
	strvec_sort(&names);
	for (size_t i = 0; i < names.nr; i++)
		if (catalog_is_name(names.v[i]))
			strvec_pushf(&bundles, "@%s", names.v[i]);
	known = strvec_join(&bundles, ", ");
	return diag_set(dg, DIAG_CONFIG, "%s: unknown bundle \"%s\" (%s)",
	    origin, word, bundles.nr > 0 ? known : "none is installed");
}

/* The list that is read into, and the rules for the lines. */
struct reading {
	struct allowlist *list;
	enum allow_source source;
	const struct paths *paths; /* NULL: bundles are not allowed */
	const char *bundle; /* the bundle that is being read; NULL: a list */
	bool private_ok; /* of the hosts that "@@" lines stand for */
};

static int parse_text(const struct reading *r, const char *name,
    const char *text, size_t len, struct diag *dg);

static void
add_note(struct allowlist *list, const char *bundle, const char *text)
{
	cleanup_free char *note = xasprintf("@%s: %s", bundle, text);

	if (!strvec_has(&list->notes, note))
		strvec_push(&list->notes, note);
}

/* Adds the hosts that a package manager's configuration on this host names. */
static int
add_configured(const struct reading *r, const char *origin, const char *word,
    struct diag *dg)
{
	cleanup_packagehosts struct packagehosts found = PACKAGEHOSTS_INIT;

	if (packagehosts_read(&found, word + 2, r->paths, dg) != 0)
		return diag_wrap(dg, "%s: \"%s\"", origin, word);
	r->list->npm = r->list->npm || strcmp(word, "@@npm") == 0;
	for (size_t i = 0; i < found.lines.nr; i++) {
		cleanup_free char *note = NULL;
		struct allow_entry e;
		const char *why = parse_entry(found.lines.v[i], &e);

		if (why != NULL) {
			note = xasprintf("%s names \"%s\", which %s",
			    found.files.v[i], found.lines.v[i], why);
			add_note(r->list, r->bundle, note);
			continue;
		}
		e.private_ok = r->private_ok;
		e.sources = r->source;
		e.origin = xstrdup(found.files.v[i]);
		if (add_entry(r->list, &e, origin, dg) != 0)
			return -1;
	}
	for (size_t i = 0; i < found.notes.nr; i++)
		add_note(r->list, r->bundle, found.notes.v[i]);
	return 0;
}

static int
add_bundle(const struct reading *r, const char *origin, const char *word,
    bool private_ok, struct diag *dg)
{
	cleanup_free char *file = xasprintf(BUNDLES "/%s", word + 1);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -1;
	struct reading inner = *r;

	if (r->paths == NULL || r->bundle != NULL)
		return diag_set(dg, DIAG_CONFIG,
		    "%s: \"%s\": a bundle is not allowed here", origin, word);
	if (catalog_is_name(word + 1) &&
	    trusted_open(r->paths, r->paths->data_dir, file, 0, &fd, dg) != 0)
		return -1;
	if (fd < 0)
		return fail_bundle(r->paths, origin, word, dg);
	if (trusted_read(fd, file, ALLOWLIST_MAX, &text, dg) != 0)
		return -1;
	if (private_ok && strstr(text.buf, "\n@@") == NULL)
		return diag_set(dg, DIAG_CONFIG,
		    "%s: \"private\" cannot apply to \"%s\": no host of it comes "
		    "from this machine's configuration",
		    origin, word);
	inner.bundle = word + 1;
	inner.private_ok = private_ok;
	return parse_text(&inner, file, text.buf, text.len, dg);
}

static int
parse_line(const struct reading *r, const struct lines *lines, const char *line,
    struct diag *dg)
{
	size_t len = strcspn(line, " \t");
	cleanup_free char *word = xstrndup(line, len);
	cleanup_free char *origin =
	    xasprintf("%s:%zu", lines->name, lines->number);
	const char *rest = line + len + strspn(line + len, " \t");
	struct allow_entry e;
	const char *why;

	if (*rest != '\0' && strcmp(rest, "private") != 0)
		return diag_set(dg, DIAG_CONFIG,
		    "%s: unexpected \"%s\" after the host: only \"private\" "
		    "may follow",
		    origin, rest);
	if (r->bundle != NULL && strncmp(word, "@@", 2) == 0)
		return add_configured(r, origin, word, dg);
	if (*word == '@')
		return add_bundle(r, origin, word, *rest != '\0', dg);
	why = parse_entry(word, &e);
	if (why != NULL)
		return diag_set(
		    dg, DIAG_CONFIG, "%s: \"%s\" %s", origin, word, why);
	e.private_ok = *rest != '\0';
	e.sources = r->source;
	return add_entry(r->list, &e, lines->name, dg);
}

static int
parse_text(const struct reading *r, const char *name, const char *text,
    size_t len, struct diag *dg)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	struct lines lines;

	if (lines_init(&lines, name, text, len, ALLOWLIST_MAX, dg) != 0)
		return -1;
	while (lines_next(&lines, &line)) {
		lines_cut_comment(&line);
		if (parse_line(r, &lines, line.buf, dg) != 0)
			return -1;
	}
	return 0;
}

int
allowlist_parse(struct allowlist *list, enum allow_source source,
    const struct paths *paths, const char *name, const char *text, size_t len,
    struct diag *dg)
{
	const struct reading r = { list, source, paths, NULL, false };

	return parse_text(&r, name, text, len, dg);
}

static int
add_hosts(struct allowlist *list, enum allow_source source, const char *name,
    const struct strvec *hosts, struct diag *dg)
{
	for (size_t i = 0; i < hosts->nr; i++)
		if (allowlist_parse(list, source, NULL, name, hosts->v[i],
			strlen(hosts->v[i]), dg) != 0)
			return -1;
	return 0;
}

static int
add_file(struct allowlist *list, enum allow_source source,
    const struct paths *paths, const struct project *project, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = project_file(project, ALLOWLIST_NAME);
	cleanup_free char *file = xasprintf("%s/%s", paths->config_dir, name);

	if (paths_read_config_file(paths, name, ALLOWLIST_MAX, &text, dg) != 0)
		return -1;
	return allowlist_parse(
	    list, source, paths, file, text.buf, text.len, dg);
}

int
allowlist_load(
    struct allowlist *list, const struct allow_spec *spec, struct diag *dg)
{
	const struct toolchains *tc = spec->toolchains;

	if (spec->agent != NULL &&
	    add_hosts(list, ALLOW_AGENT, "hosts of the agent",
		&spec->agent->hosts, dg) != 0)
		return -1;
	for (size_t i = 0; tc != NULL && i < tc->nr; i++)
		if (add_hosts(list, ALLOW_TOOLCHAIN, "hosts of the toolchains",
			&tc->v[i].hosts, dg) != 0)
			return -1;
	if (add_file(list, ALLOW_GLOBAL, spec->paths, NULL, dg) != 0)
		return -1;
	return spec->project == NULL
	    ? 0
	    : add_file(list, ALLOW_PROJECT, spec->paths, spec->project, dg);
}

bool
allow_entry_of_request(
    struct allow_entry *ret_entry, const char *method, const char *target)
{
	bool connect = strcmp(method, "CONNECT") == 0;
	bool plain = strncasecmp(target, http, strlen(http)) == 0;
	cleanup_free char *word = NULL;

	if (connect == plain || strpbrk(target, " \t\r\n") != NULL)
		return false;
	word = plain ? xstrndup(target,
			   strlen(http) + strcspn(target + strlen(http), "/?#"))
		     : xstrdup(target);
	if (parse_entry(word, ret_entry) != NULL)
		return false;
	if (ret_entry->kind != ALLOW_BELOW)
		return true;
	/* A target is a single host, and cannot have a *. */
	allow_entry_release(ret_entry);
	return false;
}

static bool
covers(const struct allow_entry *a, const struct allow_entry *e)
{
	size_t len = strlen(a->host);
	size_t n = strlen(e->host);

	if (a->port != e->port || a->plain_http != e->plain_http)
		return false;
	if (a->kind == e->kind && strcmp(a->host, e->host) == 0)
		return true;
	return a->kind == ALLOW_BELOW && e->kind != ALLOW_ADDRESS && n > len &&
	    e->host[n - len - 1] == '.' &&
	    strcmp(e->host + n - len, a->host) == 0;
}

const struct allow_entry *
allowlist_find(const struct allowlist *list, const struct allow_entry *e)
{
	for (size_t i = 0; i < list->nr; i++)
		if (covers(&list->v[i], e))
			return &list->v[i];
	return NULL;
}

const struct allow_entry *
allowlist_find_line(const struct allowlist *list, const char *line)
{
	cleanup_allow_entry struct allow_entry e = { .host = NULL };

	return parse_entry(line, &e) == NULL ? allowlist_find(list, &e) : NULL;
}

void
allow_entry_print(const struct allow_entry *e, struct strbuf *out)
{
	strbuf_addf(out, "%s%s%s", e->plain_http ? http : "",
	    e->kind == ALLOW_BELOW ? "*." : "", e->host);
	if (e->port != (e->plain_http ? HTTP_PORT : HTTPS_PORT))
		strbuf_addf(out, ":%u", e->port);
}

void
allow_entry_release(struct allow_entry *e)
{
	free(e->host);
	free(e->origin);
	*e = (struct allow_entry){ .host = NULL };
}

void
allowlist_release(struct allowlist *list)
{
	for (size_t i = 0; i < list->nr; i++)
		allow_entry_release(&list->v[i]);
	free(list->v);
	strvec_release(&list->notes);
	*list = (struct allowlist)ALLOWLIST_INIT;
}
