/* SPDX-License-Identifier: MIT */
/* Finds what wins over the redirects in package.json and package-lock.json. */
#include "deps/npmroot.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "deps/patchcheck.h"

#define MANIFEST "package.json"
#define SHRINKWRAP "npm-shrinkwrap.json"
#define SETTINGS ".npmrc"

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

/* A key or value without blanks, and without its quotes or its comment. */
static struct span
take(const char *at, size_t len)
{
	struct span s = trim((struct span){ at, len });

	if (s.len >= 2 && (s.at[0] == '"' || s.at[0] == '\'') &&
	    s.at[s.len - 1] == s.at[0])
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

static void
judge_setting(struct span key, struct span value, struct strbuf *ret_why)
{
	if (!is_literal(key)) {
		strbuf_addstr(ret_why,
		    "has a key that npm computes, which could be "
		    "\"package-lock\"; write it as it is");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct setting *s = &settings[i];

		if (is(key, s->key) &&
		    (s->right == NULL || !is(value, s->right)) &&
		    (s->other == NULL || !is(value, s->other)))
			strbuf_addf(ret_why,
			    "has \"%s\", and npm %s; remove it", s->key,
			    s->why);
	}
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
npmroot_judge_settings(const char *text, size_t len, struct strbuf *ret_why)
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

void
npmroot_judge(int project_fd, const struct strbuf *manifest,
    void (*found)(void *arg, const char *path, const char *why), void *arg)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_json struct json *root = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf why = STRBUF_INIT;
	const char *manager;

	if (patchcheck_may_exist(project_fd, SHRINKWRAP))
		found(arg, SHRINKWRAP,
		    "npm reads this file instead of package-lock.json; rename "
		    "it to that, or do not patch packages of npm here");
	/* npm follows a link; one that leads out cannot be judged. */
	if (fs_read_file(
		project_fd, SETTINGS, NPMROOT_SETTINGS_MAX, &text, &dg) == 0)
		npmroot_judge_settings(text.buf, text.len, &why);
	else if (!fs_is_absent(&dg))
		strbuf_addf(&why, "cannot be read: %s", dg.message);
	if (why.len > 0)
		found(arg, SETTINGS, why.buf);
	diag_clear(&dg);
	if (manifest == NULL ||
	    json_parse(manifest->buf, manifest->len, MANIFEST, &root, &dg) != 0)
		return;
	manager = json_string(json_get(root, "packageManager"));
	if (manager == NULL || strcmp(manager, "npm") == 0 ||
	    strncmp(manager, "npm@", 4) == 0)
		return;
	strbuf_reset(&why);
	strbuf_addf(&why,
	    "\"packageManager\" is %.100s, which does not use patches of npm; "
	    "remove it, or do not patch packages of npm here",
	    manager);
	found(arg, MANIFEST, why.buf);
}

static void
set_first(void *arg, const char *path, const char *why)
{
	struct diag *dg = arg;

	if (dg->class == DIAG_NONE)
		(void)diag_set(dg, DIAG_CONFIG, "%s: %s", path, why);
}

int
npmroot_check(int project_fd, const char *project_path,
    const struct strbuf *manifest, struct diag *dg)
{
	cleanup_diag struct diag first = DIAG_INIT;

	npmroot_judge(project_fd, manifest, set_first, &first);
	if (first.class == DIAG_NONE)
		return 0;
	diag_move(dg, &first);
	return diag_wrap(dg, "%s", project_path);
}
