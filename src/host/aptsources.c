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
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/text.h"

#define FILE_MAX ((size_t)256 * 1024)
#define BLANKS " \t\r\n"

static void
add_words(struct strvec *words, const char *text, size_t len)
{
	const char *end = text + len;

	for (text += strspn(text, BLANKS); text < end;
	     text += strspn(text, BLANKS)) {
		size_t n = strcspn(text, BLANKS);

		strvec_push_given(words, xstrndup(text, n));
		text += n;
	}
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

/* Returns the KEY of the options "a=b c=d". */
static char *
key_of_options(const char *options, size_t len)
{
	cleanup_free char *text = xstrndup(options, len);
	cleanup_strvec struct strvec words = STRVEC_INIT;
	const char *key = "";

	add_words(&words, text, len);
	for (size_t i = 0; i < words.nr; i++)
		if (has_prefix(words.v[i], "signed-by=/"))
			key = strchr(words.v[i], '=') + 1;
		else if (strcmp(words.v[i], "trusted=yes") == 0)
			key = "trusted";
	return xstrndup(key, strcspn(key, ","));
}

static void
parse_line(const char *line, const char *codename, struct strvec *lines)
{
	static const char type[] = "deb";
	cleanup_strvec struct strvec words = STRVEC_INIT;
	cleanup_strvec struct strvec rest = STRVEC_INIT;
	cleanup_free char *components = NULL;
	cleanup_free char *key = NULL;

	line += strspn(line, BLANKS);
	if (strcspn(line, BLANKS) != strlen(type) || !has_prefix(line, type))
		return;
	line += strlen(type);
	line += strspn(line, BLANKS);
	if (*line == '[') {
		const char *end = strchr(line, ']');

		if (end == NULL)
			return;
		key = key_of_options(line + 1, (size_t)(end - line - 1));
		line = end + 1;
	}
	add_words(&words, line, strlen(line));
	if (words.nr < 2)
		return;
	strvec_push_all(&rest, (const char *const *)words.v + 2);
	components = strvec_join(&rest, " ");
	add_line(key != NULL ? key : "", words.v[0], words.v[1], components,
	    codename, lines);
}

static void
parse_list(const char *text, const char *codename, struct strvec *lines)
{
	cleanup_strvec struct strvec all = STRVEC_INIT;

	strvec_split(&all, text, '\n');
	for (size_t i = 0; i < all.nr; i++) {
		all.v[i][strcspn(all.v[i], "#")] = '\0';
		parse_line(all.v[i], codename, lines);
	}
}

/* The relevant fields of one paragraph. */
enum field {
	TYPES,
	URIS,
	SUITES,
	COMPONENTS,
	SIGNED_BY,
	ENABLED,
	TRUSTED,
	NFIELDS
};

static const char *const field_names[NFIELDS] = { "Types", "URIs", "Suites",
	"Components", "Signed-By", "Enabled", "Trusted" };

/*
 * Adds a line for every URI and suite, and clears the fields.  An embedded key
 * is left out: the image's apt then uses its own key for the source, or the
 * source is dropped.
 */
static void
end_paragraph(
    struct strvec fields[NFIELDS], const char *codename, struct strvec *lines)
{
	cleanup_free char *components = strvec_join(&fields[COMPONENTS], " ");
	const struct strvec *uris = &fields[URIS];
	const struct strvec *suites = &fields[SUITES];
	const char *key =
	    fields[SIGNED_BY].nr > 0 ? fields[SIGNED_BY].v[0] : "";
	bool enabled = strvec_has(&fields[TYPES], "deb") &&
	    !strvec_has(&fields[ENABLED], "no") &&
	    !strvec_has(&fields[ENABLED], "false");

	if (strvec_has(&fields[TRUSTED], "yes"))
		key = "trusted";
	else if (*key != '/')
		key = "";
	for (size_t i = 0; enabled && i < uris->nr; i++)
		for (size_t j = 0; j < suites->nr; j++)
			add_line(key, uris->v[i], suites->v[j], components,
			    codename, lines);
	for (size_t i = 0; i < NFIELDS; i++)
		strvec_release(&fields[i]);
}

static void
parse_deb822(const char *text, const char *codename, struct strvec *lines)
{
	struct strvec fields[NFIELDS];
	struct strvec *field = NULL;

	for (size_t i = 0; i < NFIELDS; i++)
		strvec_init(&fields[i]);
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		const char *colon = memchr(text, ':', len);

		if (strspn(text, " \t\r") >= len) {
			end_paragraph(fields, codename, lines);
			field = NULL;
		} else if (*text == ' ' || *text == '\t') {
			if (field != NULL)
				add_words(field, text, len);
		} else if (*text != '#' && colon != NULL) {
			size_t n = (size_t)(colon - text);

			field = NULL;
			for (size_t i = 0; i < NFIELDS; i++)
				if (strlen(field_names[i]) == n &&
				    strncasecmp(field_names[i], text, n) == 0)
					field = &fields[i];
			if (field != NULL)
				add_words(field, colon + 1, len - n - 1);
		}
		text += len + (text[len] == '\n' ? 1 : 0);
	}
	end_paragraph(fields, codename, lines);
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
		parse_deb822(text, codename, lines);
	else
		parse_list(text, codename, lines);
}

static void
read_one(const char *path, const char *codename, struct strvec *lines)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (!fs_try_read_text(path, FILE_MAX, &text))
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
