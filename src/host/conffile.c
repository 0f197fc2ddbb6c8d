/* SPDX-License-Identifier: MIT */
/* conffile: reads lines of drydock.conf and changes one of them. */

#include "host/conffile.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"

/* The parts of one line, as offsets. */
struct parts {
	size_t key, key_len;
	size_t value; /* at the opening quote, if there is one */
};

static bool
find_parts(const char *line, struct parts *ret_parts)
{
	struct parts p;

	p.key = strspn(line, " \t");
	p.key_len = strcspn(line + p.key, " \t=");
	p.value = p.key + p.key_len;
	p.value += strspn(line + p.value, " \t");
	if (p.key_len == 0 || line[p.value] != '=')
		return false;
	p.value++;
	p.value += strspn(line + p.value, " \t");
	*ret_parts = p;
	return true;
}

/*
 * Parses a quoted value.  Only blanks and a comment may follow the closing
 * quote.
 */
static int
unquote(
    const char *text, struct strbuf *value, const char *origin, struct diag *dg)
{
	const char *p = text + 1;

	for (; *p != '\0' && *p != '"'; p++) {
		if (*p == '\\') {
			p++;
			if (*p != '"' && *p != '\\')
				return diag_set(dg, DIAG_CONFIG,
				    "%s: a backslash in quotes must precede "
				    "\" or another backslash",
				    origin);
		}
		strbuf_addch(value, *p);
	}
	if (*p != '"')
		return diag_set(
		    dg, DIAG_CONFIG, "%s: the quote is not closed", origin);
	p++;
	if (*p != '\0' && *p != ' ' && *p != '\t')
		return diag_set(dg, DIAG_CONFIG,
		    "%s: text after the closing quote", origin);
	p += strspn(p, " \t");
	if (*p != '\0' && *p != '#')
		return diag_set(dg, DIAG_CONFIG,
		    "%s: text after the closing quote", origin);
	return 0;
}

int
conffile_next(struct lines *lines, struct conf_entry *entry, struct diag *dg)
{
	cleanup_free char *origin = NULL;
	struct parts parts;
	const char *p;

	conf_entry_release(entry);
	if (!lines_next(lines, &entry->line))
		return 0;
	origin = xasprintf("%s:%zu", lines->name, lines->number);
	if (!find_parts(entry->line.buf, &parts))
		return diag_set(
		    dg, DIAG_CONFIG, "%s: not a \"key = value\" line", origin);
	entry->key = xstrndup(entry->line.buf + parts.key, parts.key_len);
	p = entry->line.buf + parts.value;
	if (*p == '"')
		return unquote(p, &entry->value, origin, dg) != 0 ? -1 : 1;
	/* p may start at the #: "key = # comment" is an empty value. */
	strbuf_addstr(&entry->value, p);
	lines_cut_comment(&entry->value);
	return 1;
}

/* Returns the length of the value at the start of text. */
static size_t
value_len(const char *text)
{
	cleanup_strbuf struct strbuf plain = STRBUF_INIT;
	size_t n = 1;

	if (*text != '"') {
		strbuf_addstr(&plain, text);
		lines_cut_comment(&plain);
		n = plain.len;
		while (n > 0 && strchr(" \t\r", plain.buf[n - 1]) != NULL)
			n--;
		return n;
	}
	for (; text[n] != '\0' && text[n] != '"'; n++)
		if (text[n] == '\\' && text[n + 1] != '\0')
			n++;
	return text[n] == '"' ? n + 1 : n;
}

/* Appends the line with another value. */
static void
add_changed(const char *line, const struct parts *parts, const char *value,
    struct strbuf *out)
{
	const char *rest = line + parts->value + value_len(line + parts->value);

	strbuf_add(out, line, parts->value);
	conffile_quote(value, out);
	if (*rest == '#')
		strbuf_addch(out, ' ');
	strbuf_addstr(out, rest);
}

int
conffile_edit(struct strbuf *text, const char *name, const char *key,
    const char *value, bool *ret_found, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct lines lines;

	*ret_found = false;
	/* Checks that the text has no control characters. */
	if (lines_init(&lines, name, text->buf, text->len, text->len, dg) != 0)
		return -1;
	for (const char *at = text->buf; *at != '\0';) {
		size_t len = strcspn(at, "\n");
		cleanup_free char *line = xstrndup(at, len);
		bool last = at[len] == '\0';
		struct parts parts;

		if (!find_parts(line, &parts) || strlen(key) != parts.key_len ||
		    strncmp(line + parts.key, key, parts.key_len) != 0) {
			strbuf_add(&out, at, len + (last ? 0 : 1));
		} else {
			*ret_found = true;
			if (value != NULL)
				add_changed(line, &parts, value, &out);
			if (value != NULL && !last)
				strbuf_addch(&out, '\n');
		}
		at += len + (last ? 0 : 1);
	}
	if (!*ret_found && value != NULL) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;

		strbuf_addf(&line, "%s = ", key);
		conffile_quote(value, &line);
		text_add_line(&out, line.buf);
	}
	strbuf_reset(text);
	strbuf_add(text, out.buf, out.len);
	return 0;
}

void
conffile_quote(const char *value, struct strbuf *out)
{
	if (*value != '\0' && strpbrk(value, " \t#\"") == NULL) {
		strbuf_addstr(out, value);
		return;
	}
	strbuf_add_quoted(out, value);
}

void
conf_entry_release(struct conf_entry *entry)
{
	strbuf_release(&entry->line);
	strbuf_release(&entry->value);
	free(entry->key);
	*entry = (struct conf_entry)CONF_ENTRY_INIT;
}
