/* SPDX-License-Identifier: MIT */
/* Reads .npmrc as npm does: an INI file whose values are not all literal. */
#include "deps/npmrc.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

/* Bytes of the text. */
struct span {
	const char *at;
	size_t len;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static struct span
trim(struct span s)
{
	while (s.len > 0 && is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

static bool
is_quoted(struct span s)
{
	return s.len >= 2 && (s.at[0] == '"' || s.at[0] == '\'') &&
	    s.at[s.len - 1] == s.at[0];
}

/* A key or value without blanks, and without its quotes or its comment. */
static struct span
take(const char *at, size_t len)
{
	struct span s = trim((struct span){ at, len });

	if (is_quoted(s))
		return (struct span){ s.at + 1, s.len - 2 };
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] == ';' || s.at[i] == '#')
			return trim((struct span){ s.at, i });
	return s;
}

static bool
is(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

/*
 * Returns true if npm takes the key as it is written: it replaces ${NAME},
 * decodes escapes and the JSON between single quotes, and drops blanks that are
 * not ASCII.
 */
static bool
is_literal(struct span key)
{
	for (size_t i = 0; i < key.len; i++)
		if (key.at[i] < ' ' || key.at[i] > '~' ||
		    strchr("\\$\"", key.at[i]) != NULL)
			return false;
	return true;
}

/*
 * Returns true if the line is "[name]".  Settings behind it are none of npm's,
 * but the name is: npm takes the section for the value of a setting.
 */
static bool
is_section(const char *line, size_t len)
{
	struct span s = trim((struct span){ line, len });

	return s.at == line && s.len >= 2 &&
	    memchr(line, ']', len) == s.at + s.len - 1 && *line == '[';
}

/* What npm does with a setting other than the right value. */
static const struct setting {
	const char *key;
	const char *right; /* or NULL: none is */
	const char *other; /* value that is right, too, or NULL */
	const char *why;
} settings[] = {
	{ "package-lock", "true", NULL, "may ignore package-lock.json" },
	{ "shrinkwrap", "true", NULL, "may ignore package-lock.json" },
	{ "dry-run", "false", NULL, "may leave node_modules as it is" },
	{ "package-lock-only", "false", NULL,
	    "may leave node_modules as it is" },
	{ "global", "false", NULL, "may install outside of the project" },
	{ "location", "project", "user", "may install outside of the project" },
	{ "workspace", NULL, NULL, "may leave node_modules as it is" },
	{ "workspaces", "false", "null", "may leave node_modules as it is" },
	{ "prefix", NULL, NULL, "reads settings below it" },
	{ "userconfig", NULL, NULL, "reads settings from another file" },
	{ "globalconfig", NULL, NULL, "reads settings from another file" },
};

static bool
is_right(const struct setting *s, struct span value)
{
	return (s->right != NULL && is(value, s->right)) ||
	    (s->other != NULL && is(value, s->other));
}

static void
judge_setting(struct span key, struct span value, struct strbuf *ret_why)
{
	if (!is_literal(key)) {
		strbuf_addstr(ret_why,
		    "has a key that npm computes, which could be "
		    "\"package-lock\"; write it as it is");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (is(key, settings[i].key) && !is_right(&settings[i], value))
			strbuf_addf(ret_why,
			    "has \"%s\", and npm %s; remove it",
			    settings[i].key, settings[i].why);
}

/* "[a.b]" is the setting a with the value {b: {...}}; npm skips __proto__. */
static void
judge_section(const char *line, size_t len, struct strbuf *ret_why)
{
	static const struct span object = { "", 0 };
	struct span all = trim((struct span){ line, len });
	struct span name = take(all.at + 1, all.len - 2);
	const char *end = name.at + name.len;
	size_t before = ret_why->len;

	for (const char *p = name.at; p < end && ret_why->len == before;) {
		const char *dot = memchr(p, '.', (size_t)(end - p));
		const char *stop = dot != NULL ? dot : end;

		judge_setting(
		    (struct span){ p, (size_t)(stop - p) }, object, ret_why);
		p = stop + 1;
	}
}

static void
judge_line(const char *line, size_t len, struct strbuf *ret_why)
{
	struct span all = trim((struct span){ line, len });
	const char *equals = memchr(line, '=', len);
	size_t key_len = equals != NULL ? (size_t)(equals - line) : len;
	struct span key = take(line, key_len);
	struct span value = { "true", strlen("true") };

	if (all.len == 0 || all.at[0] == ';' || all.at[0] == '#')
		return;
	if (equals != NULL)
		value = take(equals + 1, len - key_len - 1);
	/* KEY[] is one element of a list. */
	if (key.len > 2 && memcmp(key.at + key.len - 2, "[]", 2) == 0)
		key.len -= 2;
	judge_setting(key, value, ret_why);
}

void
npmrc_judge(const char *text, size_t len, struct strbuf *ret_why)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of the byte order */
	size_t before = ret_why->len;
	const char *end = text + len;
	const char *next;
	bool is_below = false; /* a section */

	if (len >= 3 && memcmp(text, mark, 3) == 0)
		text += 3;
	for (const char *p = text; p < end; p = next + 1) {
		next = p;
		while (next < end && *next != '\n' && *next != '\r')
			next++;
		if (is_section(p, (size_t)(next - p))) {
			judge_section(p, (size_t)(next - p), ret_why);
			is_below = true;
		} else if (!is_below) {
			judge_line(p, (size_t)(next - p), ret_why);
		}
		if (ret_why->len > before)
			return;
	}
}
