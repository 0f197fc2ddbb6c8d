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
 * decodes escapes, and drops blanks that are not ASCII.
 */
static bool
is_literal(struct span key)
{
	for (size_t i = 0; i < key.len; i++)
		if (key.at[i] < ' ' || key.at[i] > '~' || key.at[i] == '\\' ||
		    key.at[i] == '$')
			return false;
	return true;
}

/* Returns true if the line is "[name]": settings behind it are none of npm's. */
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
	const char *right;
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
};

static void
judge_setting(struct span key, struct span value, struct strbuf *ret_why)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct setting *s = &settings[i];

		if (!is(key, s->key) || is(value, s->right) ||
		    (s->other != NULL && is(value, s->other)))
			continue;
		strbuf_addf(ret_why, "has \"%s\", and npm %s; remove it",
		    s->key, s->why);
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
	if (!is_literal(key))
		strbuf_addstr(ret_why,
		    "has a key that npm computes, which could be "
		    "\"package-lock\"; write it as it is");
	else
		judge_setting(key, value, ret_why);
}

void
npmrc_judge(const char *text, size_t len, struct strbuf *ret_why)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of the byte order */
	size_t before = ret_why->len;
	const char *end = text + len;
	const char *next;

	if (len >= 3 && memcmp(text, mark, 3) == 0)
		text += 3;
	for (const char *p = text; p < end; p = next + 1) {
		next = p;
		while (next < end && *next != '\n' && *next != '\r')
			next++;
		if (is_section(p, (size_t)(next - p)))
			return;
		judge_line(p, (size_t)(next - p), ret_why);
		if (ret_why->len > before)
			return;
	}
}
