/* SPDX-License-Identifier: MIT */
/* Scans TOML by its brackets, quotes and comments. */
#include "deps/toml.h"

#include <string.h>

#include "base/ascii.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/utf8.h"

#define BLANKS " \t"
#define BLANKS_AND_LINE_ENDS " \t\r\n"
#define BARE ASCII_ALNUM "-_"

static int
refuse(const struct toml *t, size_t at, const char *why, struct diag *dg)
{
	return json_refuse_at(t->text, at, t->what, why, dg);
}

static bool
starts(const struct toml *t, size_t at, const char *word)
{
	size_t n = strlen(word);

	return t->len - at >= n && memcmp(t->text + at, word, n) == 0;
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

int
toml_begin(struct toml *ret_toml, const char *text, size_t len,
    const char *what, struct diag *dg)
{
	struct toml t = { .text = text, .len = len, .what = what };
	size_t valid = utf8_valid_prefix(text, len);

	if (valid < len)
		return refuse(&t, valid, "not UTF-8", dg);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < ' ' && !is_one_of(text[i], "\t\r\n")) || c == 0x7f ||
		    (c == '\r' && (i + 1 == len || text[i + 1] != '\n')))
			return refuse(&t, i, "a control character", dg);
	}
	/* Some editors write a byte order mark; cargo skips it. */
	if (starts(&t, 0, "\xef\xbb\xbf"))
		t.at = t.end = 3;
	*ret_toml = t;
	return 0;
}

/* Returns the offset behind the string at offset at, or 0. */
static size_t
skip_string(const struct toml *t, size_t at)
{
	char quote = t->text[at];
	const char *const triple = quote == '"' ? "\"\"\"" : "'''";
	bool is_long = starts(t, at, triple);

	at += is_long ? 3 : 1;
	while (at < t->len) {
		if (quote == '"' && t->text[at] == '\\') {
			at += 2;
			continue;
		}
		if (!is_long && t->text[at] == '\n')
			return 0;
		if (!is_long && t->text[at] == quote)
			return at + 1;
		if (is_long && starts(t, at, triple)) {
			/* Up to two more quotes belong to the string. */
			at += 3;
			for (int i = 0; i < 2 && at < t->len; i++)
				at += t->text[at] == quote;
			return at;
		}
		at++;
	}
	return 0;
}

static size_t
skip_comment(const struct toml *t, size_t at)
{
	while (at < t->len && t->text[at] != '\n')
		at++;
	return at;
}

/*
 * Finds the end of what begins at offset at: the first of these characters
 * outside of brackets, strings and comments.  Returns false for brackets that
 * do not match and strings that do not end.  The text's end is an end.
 */
static bool
find_end(const struct toml *t, size_t at, const char *ends, size_t *ret_end)
{
	size_t depth = 0;

	while (at < t->len) {
		char c = t->text[at];

		if (depth == 0 && is_one_of(c, ends))
			break;
		if (c == '"' || c == '\'') {
			at = skip_string(t, at);
			if (at == 0)
				return false;
			continue;
		}
		if (c == '#') {
			at = skip_comment(t, at);
			continue;
		}
		if (c == '[' || c == '{')
			depth++;
		if ((c == ']' || c == '}') && depth-- == 0)
			return false;
		at++;
	}
	*ret_end = at;
	return depth == 0;
}

int
toml_next(struct toml *t, bool *ret_more, struct diag *dg)
{
	t->at = t->end;
	while (
	    t->at < t->len && is_one_of(t->text[t->at], BLANKS_AND_LINE_ENDS))
		t->at++;
	*ret_more = t->at < t->len;
	if (!*ret_more || find_end(t, t->at, "\n", &t->end))
		return 0;
	return refuse(
	    t, t->at, "a string, list or table that does not end", dg);
}

bool
toml_is_comment(const struct toml *t)
{
	return t->text[t->at] == '#';
}

bool
toml_is_header(const struct toml *t)
{
	return t->text[t->at] == '[';
}

bool
toml_line_is(const struct toml *t, const char *line)
{
	size_t len = t->end - t->at;

	if (len > 0 && t->text[t->at + len - 1] == '\r')
		len--;
	return len == strlen(line) && memcmp(t->text + t->at, line, len) == 0;
}

/* Skips blanks; in an inline table also line ends and comments. */
static size_t
skip_blanks(const struct toml *t, size_t at, bool is_inline)
{
	const char *set = is_inline ? BLANKS_AND_LINE_ENDS : BLANKS;

	while (at < t->end) {
		if (is_inline && t->text[at] == '#')
			at = skip_comment(t, at);
		else if (is_one_of(t->text[at], set))
			at++;
		else
			break;
	}
	return at;
}

/* Reads a part of a key.  Returns the offset behind it, or 0. */
static size_t
take_part(const struct toml *t, size_t at, struct toml_slice *ret_part)
{
	size_t from = at;
	char quote;

	if (at < t->end && is_one_of(t->text[at], "\"'")) {
		quote = t->text[at];
		for (from = ++at; at < t->end && t->text[at] != quote; at++) {
			if (t->text[at] == '\n')
				return 0;
			if (quote == '"' && t->text[at] == '\\' &&
			    (++at == t->end ||
				!is_one_of(t->text[at], "\"\\btnfre")))
				return 0;
		}
		*ret_part = (struct toml_slice){ t->text + from, at - from };
		return at < t->end ? at + 1 : 0;
	}
	while (at < t->end && is_one_of(t->text[at], BARE))
		at++;
	*ret_part = (struct toml_slice){ t->text + from, at - from };
	return at > from ? at : 0;
}

/* Appends a key's parts; *at is then behind the character until. */
static int
take_key(const struct toml *t, size_t *at, char until, struct toml_path *path,
    struct diag *dg)
{
	size_t i = *at;

	for (;;) {
		i = skip_blanks(t, i, false);
		if (path->nr == TOML_MAX_PARTS)
			return refuse(t, *at, "a key with too many parts", dg);
		i = take_part(t, i, &path->v[path->nr]);
		if (i == 0)
			return refuse(
			    t, *at, "a key that cannot be judged", dg);
		path->nr++;
		i = skip_blanks(t, i, false);
		if (i < t->end && t->text[i] == '.') {
			i++;
			continue;
		}
		if (i >= t->end || t->text[i] != until)
			return refuse(
			    t, *at, "a key that cannot be judged", dg);
		*at = i + 1;
		return 0;
	}
}

/* One walk through a statement. */
struct walk {
	const struct toml *t;
	struct toml_path path;
	toml_visitor *visit;
	void *arg;
	struct diag *dg;
};

/*
 * Visits the value between these offsets, or the values in it.  The depth is
 * bounded: each level of an inline table adds a part to the key.
 */
static int
visit_value(struct walk *w, size_t at, size_t end)
{
	const struct toml *t = w->t;
	const struct toml_slice value = { t->text + at, end - at };
	size_t nr = w->path.nr;
	size_t i;
	int rc;

	if (at >= end)
		return refuse(t, t->at, "a key without a value", w->dg);
	rc = w->visit(w->arg, &w->path, &value, w->dg);
	if (rc != 0 || t->text[at] != '{')
		return rc;
	i = skip_blanks(t, at + 1, true);
	while (i < end && t->text[i] != '}') {
		size_t behind;

		if (take_key(t, &i, '=', &w->path, w->dg) != 0)
			return -1;
		i = skip_blanks(t, i, true);
		if (!find_end(t, i, ",}", &behind) || behind >= end)
			return refuse(t, at, "an inline table", w->dg);
		rc = visit_value(w, i, behind);
		if (rc != 0)
			return rc;
		w->path.nr = nr;
		i = behind;
		if (t->text[i] == ',')
			i = skip_blanks(t, i + 1, true);
	}
	return i < end ? 0 : refuse(t, at, "an inline table", w->dg);
}

int
toml_visit(const struct toml *t, struct toml_path *table, toml_visitor *visit,
    void *arg, struct diag *dg)
{
	struct walk w = { t, *table, visit, arg, dg };
	size_t at = t->at;
	size_t end;

	if (toml_is_comment(t))
		return 0;
	if (!toml_is_header(t)) {
		if (take_key(t, &at, '=', &w.path, dg) != 0)
			return -1;
		/* The CR of a line end is no value. */
		end = t->text[t->end - 1] == '\r' ? t->end - 1 : t->end;
		return visit_value(&w, skip_blanks(t, at, false), end);
	}
	w.path.nr = 0;
	at += starts(t, at, "[[") ? 2U : 1U;
	if (take_key(t, &at, ']', &w.path, dg) != 0)
		return -1;
	if (starts(t, t->at, "[[") && (at >= t->end || t->text[at++] != ']'))
		return refuse(t, t->at, "a header that cannot be judged", dg);
	at = skip_blanks(t, at, true);
	if (at < t->end)
		return refuse(t, at, "text behind a header", dg);
	*table = w.path;
	return visit(arg, &w.path, NULL, dg);
}

int
toml_visit_all(const char *text, size_t len, const char *what,
    toml_visitor *visit, void *arg, struct diag *dg)
{
	struct toml_path table = { .nr = 0 };
	struct toml t;
	bool more;
	int rc = toml_begin(&t, text, len, what, dg);

	while (rc == 0) {
		rc = toml_next(&t, &more, dg);
		if (rc == 0 && !more)
			return 0;
		if (rc == 0)
			rc = toml_visit(&t, &table, visit, arg, dg);
	}
	return rc;
}

bool
toml_part_is(const struct toml_path *path, size_t i, const char *word)
{
	return i < path->nr && path->v[i].len == strlen(word) &&
	    memcmp(path->v[i].at, word, path->v[i].len) == 0;
}

bool
toml_string(const struct toml_slice *value, struct toml_slice *ret_string)
{
	struct toml t = { value->at, value->len, "", 0, value->len };
	struct toml_slice s;
	size_t at;

	if (value->len == 0 || !is_one_of(value->at[0], "\"'"))
		return false;
	at = take_part(&t, 0, &s);
	/* Two quotes and a third one begin a long string. */
	if (at == 0 || skip_blanks(&t, at, true) < t.end)
		return false;
	*ret_string = s;
	return true;
}

void
toml_add_plain(struct strbuf *out, const char *text, size_t len)
{
	const struct toml t = { text, len, "", 0, len };

	for (size_t at = 0; at < len;) {
		if (text[at] == '#') {
			at = skip_comment(&t, at);
		} else if (is_one_of(text[at], "\"'")) {
			size_t end = skip_string(&t, at);

			if (end == 0)
				end = len;
			strbuf_add(out, text + at, end - at);
			at = end;
		} else {
			if (!is_one_of(text[at], BLANKS_AND_LINE_ENDS))
				strbuf_addch(out, text[at]);
			at++;
		}
	}
}
