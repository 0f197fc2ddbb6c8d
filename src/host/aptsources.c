/* SPDX-License-Identifier: MIT */
/*
 * aptsources: parses both formats of sources.list(5) into the lines of
 * aptsources.h.
 */
#include "host/aptsources.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/text.h"

#define FILE_MAX ((size_t)256 * 1024)
#define BLANKS " \t\r\n"

/* Returns the next word from *p on and advances *p; NULL at the end. */
static char *
next_word(const char **p)
{
	size_t len;
	char *word;

	*p += strspn(*p, BLANKS);
	len = strcspn(*p, BLANKS);
	if (len == 0)
		return NULL;
	word = xstrndup(*p, len);
	*p += len;
	return word;
}

static bool
has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool
is_network_uri(const char *uri)
{
	return has_prefix(uri, "http://") || has_prefix(uri, "https://");
}

static void
add_line(const char *key, const char *uri, const char *suite,
    const char *components, const char *codename, struct strvec *lines)
{
	size_t len = strlen(codename);
	const char *at = "";

	/* A suite that ends in a slash is the directory of a flat archive. */
	if (!is_network_uri(uri) || *suite == '\0' || *components == '\0' ||
	    suite[strlen(suite) - 1] == '/' || strchr(key, '|') != NULL)
		return;
	if (len > 0 && strncmp(suite, codename, len) == 0 &&
	    (suite[len] == '\0' || suite[len] == '-' || suite[len] == '/')) {
		at = "@";
		suite += len;
	}
	strvec_pushf(lines, "%s|%s %s%s %s", key, uri, at, suite, components);
}

/* Returns the KEY of the options "[a=b c=d]". */
static char *
key_of_options(const char *options, size_t len)
{
	cleanup_free char *text = xstrndup(options, len);
	cleanup_free char *word = NULL;
	char *key = xstrdup("");
	const char *p = text;

	while (free(word), (word = next_word(&p)) != NULL) {
		const char *value = NULL;

		if (has_prefix(word, "signed-by=/"))
			value = strchr(word, '=') + 1;
		else if (strcmp(word, "trusted=yes") == 0)
			value = "trusted";
		if (value == NULL)
			continue;
		free(key);
		key = xstrndup(value, strcspn(value, ","));
	}
	return key;
}

static void
parse_line(const char *line, const char *codename, struct strvec *lines)
{
	cleanup_strbuf struct strbuf components = STRBUF_INIT;
	cleanup_free char *type = next_word(&line);
	cleanup_free char *key = xstrdup("");
	cleanup_free char *uri = NULL;
	cleanup_free char *suite = NULL;

	if (type == NULL || strcmp(type, "deb") != 0)
		return;
	line += strspn(line, BLANKS);
	if (*line == '[') {
		const char *end = strchr(line, ']');

		if (end == NULL)
			return;
		free(key);
		key = key_of_options(line + 1, (size_t)(end - line - 1));
		line = end + 1;
	}
	uri = next_word(&line);
	suite = next_word(&line);
	if (uri == NULL || suite == NULL)
		return;
	for (char *word; (word = next_word(&line)) != NULL; free(word))
		strbuf_addf(
		    &components, "%s%s", components.len > 0 ? " " : "", word);
	add_line(key, uri, suite, components.buf, codename, lines);
}

void
aptsources_parse_list(
    const char *text, const char *codename, struct strvec *lines)
{
	cleanup_strvec struct strvec all = STRVEC_INIT;

	strvec_split(&all, text, '\n');
	for (size_t i = 0; i < all.nr; i++) {
		all.v[i][strcspn(all.v[i], "#")] = '\0';
		parse_line(all.v[i], codename, lines);
	}
}

/* The relevant fields of one paragraph; "" if absent. */
struct stanza {
	struct strbuf types;
	struct strbuf uris;
	struct strbuf suites;
	struct strbuf components;
	struct strbuf signed_by;
	struct strbuf enabled;
	struct strbuf trusted;
};

static void
stanza_reset(struct stanza *s)
{
	strbuf_reset(&s->types);
	strbuf_reset(&s->uris);
	strbuf_reset(&s->suites);
	strbuf_reset(&s->components);
	strbuf_reset(&s->signed_by);
	strbuf_reset(&s->enabled);
	strbuf_reset(&s->trusted);
}

static void
stanza_release(struct stanza *s)
{
	strbuf_release(&s->types);
	strbuf_release(&s->uris);
	strbuf_release(&s->suites);
	strbuf_release(&s->components);
	strbuf_release(&s->signed_by);
	strbuf_release(&s->enabled);
	strbuf_release(&s->trusted);
}

static struct strbuf *
stanza_field(struct stanza *s, const char *name, size_t len)
{
	const struct {
		const char *name;
		struct strbuf *field;
	} fields[] = {
		{ "Types", &s->types },
		{ "URIs", &s->uris },
		{ "Suites", &s->suites },
		{ "Components", &s->components },
		{ "Signed-By", &s->signed_by },
		{ "Enabled", &s->enabled },
		{ "Trusted", &s->trusted },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].name) == len &&
		    strncasecmp(fields[i].name, name, len) == 0)
			return fields[i].field;
	return NULL;
}

static bool
has_word(const char *words, const char *wanted)
{
	bool found = false;

	for (char *word; !found && (word = next_word(&words)) != NULL;
	     free(word))
		found = strcmp(word, wanted) == 0;
	return found;
}

/*
 * Adds a line for every URI and suite.  An embedded key is left out: the
 * image's apt then uses its own key for the source, or the source is dropped.
 */
static void
stanza_add(const struct stanza *s, const char *codename, struct strvec *lines)
{
	cleanup_strbuf struct strbuf components = STRBUF_INIT;
	cleanup_free char *key = NULL;
	const char *p = s->signed_by.buf;
	const char *uris = s->uris.buf;

	if (!has_word(s->types.buf, "deb") || has_word(s->enabled.buf, "no") ||
	    has_word(s->enabled.buf, "false"))
		return;
	key = next_word(&p);
	if (has_word(s->trusted.buf, "yes")) {
		free(key);
		key = xstrdup("trusted");
	} else if (key != NULL && key[0] != '/') {
		free(key);
		key = NULL;
	}
	p = s->components.buf;
	for (char *word; (word = next_word(&p)) != NULL; free(word))
		strbuf_addf(
		    &components, "%s%s", components.len > 0 ? " " : "", word);
	for (char *uri; (uri = next_word(&uris)) != NULL; free(uri)) {
		const char *suites = s->suites.buf;

		for (char *suite; (suite = next_word(&suites)) != NULL;
		     free(suite))
			add_line(key == NULL ? "" : key, uri, suite,
			    components.buf, codename, lines);
	}
}

void
aptsources_parse_deb822(
    const char *text, const char *codename, struct strvec *lines)
{
	struct stanza s = { STRBUF_INIT, STRBUF_INIT, STRBUF_INIT, STRBUF_INIT,
		STRBUF_INIT, STRBUF_INIT, STRBUF_INIT };
	struct strbuf *field = NULL;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		const char *colon = memchr(text, ':', len);

		if (strspn(text, " \t\r") >= len) {
			stanza_add(&s, codename, lines);
			stanza_reset(&s);
			field = NULL;
		} else if (*text == ' ' || *text == '\t') {
			if (field != NULL) {
				strbuf_addch(field, ' ');
				strbuf_add(field, text, len);
			}
		} else if (*text != '#' && colon != NULL) {
			field = stanza_field(&s, text, (size_t)(colon - text));
			if (field != NULL)
				strbuf_add(field, colon + 1,
				    len - (size_t)(colon + 1 - text));
		}
		text += len + (text[len] == '\n' ? 1 : 0);
	}
	stanza_add(&s, codename, lines);
	stanza_release(&s);
}

bool
aptsources_is_name(const char *name)
{
	return text_ends_with(name, ".list") ||
	    text_ends_with(name, ".sources");
}

void
aptsources_parse(const char *name, const char *text, const char *codename,
    struct strvec *lines)
{
	if (text_ends_with(name, ".sources"))
		aptsources_parse_deb822(text, codename, lines);
	else
		aptsources_parse_list(text, codename, lines);
}

static void
read_one(const char *path, const char *codename, struct strvec *lines)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (!text_read_file(path, FILE_MAX, &text))
		return;
	aptsources_parse(path, text.buf, codename, lines);
}

static int
is_source(const struct dirent *entry)
{
	return aptsources_is_name(entry->d_name);
}

void
aptsources_read(const char *dir, const char *codename, struct strvec *lines)
{
	cleanup_free char *list = xasprintf("%s/sources.list", dir);
	cleanup_free char *parts = xasprintf("%s/sources.list.d", dir);
	struct dirent **entries = NULL;
	int n = scandir(parts, &entries, is_source, alphasort);

	read_one(list, codename, lines);
	for (int i = 0; i < n; i++) {
		cleanup_free char *path =
		    xasprintf("%s/%s", parts, entries[i]->d_name);

		read_one(path, codename, lines);
		free(entries[i]);
	}
	free(entries);
}
