/* SPDX-License-Identifier: MIT */
/* Finds statements of TOML, and the managed block among them. */
#include "deps/cargomanifest.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"

#define WHAT "Cargo.toml"
#define BEGIN "# drydock patch: begin; \"drydock patch\" writes this block"
#define BEGIN_NO_NEWLINE BEGIN " (no newline before it)"
#define END "# drydock patch: end"

struct manifest {
	const char *text;
	size_t len;
	bool crlf; /* the block has CRLF */
	size_t block; /* offset of the line BEGIN */
	size_t rest; /* offset of the first byte behind the block */
	bool has_block;
	bool no_newline; /* the user's text before the block has none */
};

/* Walks the text; a statement or comment starts at the offset at. */
struct scan {
	const char *text;
	size_t len;
	size_t at;
	size_t end; /* of the statement, before its line end */
};

static bool
starts(const struct scan *s, size_t at, const char *word)
{
	size_t n = strlen(word);

	return s->len - at >= n && memcmp(s->text + at, word, n) == 0;
}

/* Returns the offset behind the string at offset at, or 0. */
static size_t
skip_string(const struct scan *s, size_t at)
{
	char quote = s->text[at];
	const char *const triple = quote == '"' ? "\"\"\"" : "'''";
	bool is_long = starts(s, at, triple);

	at += is_long ? 3 : 1;
	while (at < s->len) {
		if (quote == '"' && s->text[at] == '\\') {
			at += 2;
			continue;
		}
		if (!is_long && s->text[at] == '\n')
			return 0;
		if (!is_long && s->text[at] == quote)
			return at + 1;
		if (is_long && starts(s, at, triple)) {
			/* Up to two more quotes belong to the string. */
			at += 3;
			for (int i = 0; i < 2 && at < s->len; i++)
				at += s->text[at] == quote;
			return at;
		}
		at++;
	}
	return 0;
}

/* Sets s->end for the statement at s->at.  Returns false if it has no end. */
static bool
find_end(struct scan *s)
{
	size_t at = s->at;
	size_t depth = 0;

	while (at < s->len) {
		char c = s->text[at];

		if (c == '"' || c == '\'') {
			at = skip_string(s, at);
			if (at == 0)
				return false;
			continue;
		}
		if (c == '#') {
			while (at < s->len && s->text[at] != '\n')
				at++;
			continue;
		}
		if (c == '\n' && depth == 0)
			break;
		if (c == '[' || c == '{')
			depth++;
		if ((c == ']' || c == '}') && depth-- == 0)
			return false;
		at++;
	}
	s->end = at;
	return depth == 0;
}

/* Moves to the next statement or comment.  Returns 0 at the end of the text. */
static int
next_statement(struct scan *s, bool *ret_more, struct diag *dg)
{
	s->at = s->end;
	while (s->at < s->len && strchr(" \t\r\n", s->text[s->at]) != NULL)
		s->at++;
	*ret_more = s->at < s->len;
	if (!*ret_more || find_end(s))
		return 0;
	return json_refuse_at(s->text, s->at, WHAT,
	    "a string, list or table that does not end", dg);
}

static bool
line_is(const struct scan *s, const char *line)
{
	size_t len = s->end - s->at;

	if (len > 0 && s->text[s->at + len - 1] == '\r')
		len--;
	return len == strlen(line) && memcmp(s->text + s->at, line, len) == 0;
}

/* Appends the key of a header or statement, without quotes and blanks. */
static bool
take_key(const struct scan *s, size_t at, char until, struct strbuf *key)
{
	for (; at < s->end && s->text[at] != until; at++) {
		if (s->text[at] == '\\')
			return false;
		if (strchr(" \t\"'", s->text[at]) == NULL)
			strbuf_addch(key, s->text[at]);
	}
	return true;
}

static bool
is_below(const char *key, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(key, prefix, n) == 0 &&
	    (key[n] == '.' || key[n] == '\0');
}

static int
check_key(const char *key, const struct cargomanifest_patch *patches, size_t nr,
    struct diag *dg)
{
	static const char own[] = "patch.crates-io.";

	for (size_t i = 0; i < nr; i++)
		if (strncmp(key, own, strlen(own)) == 0 &&
		    is_below(key + strlen(own), patches[i].name))
			return diag_set(dg, DIAG_CONFIG,
			    WHAT ": your own [patch.crates-io] has %s; remove "
				 "that, or do not patch this crate here",
			    patches[i].name);
	return 0;
}

/* Refuses statements outside of the block that conflict with the patches. */
static int
check_statement(const struct scan *s, struct strbuf *table,
    const struct cargomanifest_patch *patches, size_t nr, struct diag *dg)
{
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	bool is_header = s->text[s->at] == '[';
	bool is_list = is_header && starts(s, s->at, "[[");

	if (is_header)
		strbuf_reset(table);
	else if (table->len > 0)
		strbuf_addf(&key, "%s.", table->buf);
	if (!take_key(s, s->at + (is_header ? 1U : 0U) + (is_list ? 1U : 0U),
		is_header ? ']' : '=', &key))
		return json_refuse_at(s->text, s->at, WHAT,
		    "a key with an escape cannot be judged", dg);
	if (is_header)
		strbuf_addstr(table, key.buf);
	if (nr > 0 && !is_header &&
	    (strcmp(key.buf, "patch") == 0 ||
		strcmp(key.buf, "patch.crates-io") == 0))
		return diag_set(dg, DIAG_CONFIG,
		    WHAT ": [patch] as an inline table cannot be extended; "
			 "write it as [patch.crates-io]");
	return check_key(key.buf, patches, nr, dg);
}

/* Finds the end of the block that begins at s->at. */
static int
take_block(struct manifest *m, struct scan *s, struct diag *dg)
{
	bool more = true;

	if (m->has_block)
		return json_refuse_at(
		    s->text, s->at, WHAT, "a second block of drydock's", dg);
	m->has_block = true;
	m->block = s->at;
	m->no_newline = line_is(s, BEGIN_NO_NEWLINE);
	m->crlf = s->text[s->end - 1] == '\r';
	if (s->at > 0 && s->text[s->at - 1] != '\n')
		return json_refuse_at(s->text, s->at, WHAT,
		    "blanks before the block of drydock's", dg);
	while (!line_is(s, END)) {
		if (next_statement(s, &more, dg) != 0)
			return -1;
		if (!more)
			return json_refuse_at(s->text, m->block, WHAT,
			    "the block of drydock's has no end", dg);
	}
	m->rest = s->end < s->len ? s->end + 1 : s->end;
	return 0;
}

static int
read_manifest(struct manifest *m, const struct cargomanifest_patch *patches,
    size_t nr, struct diag *dg)
{
	struct scan s = { m->text, m->len, 0, 0 };
	cleanup_strbuf struct strbuf table = STRBUF_INIT;
	bool behind = false;
	bool more;

	for (;;) {
		if (next_statement(&s, &more, dg) != 0)
			return -1;
		if (!more)
			return 0;
		if (line_is(&s, BEGIN) || line_is(&s, BEGIN_NO_NEWLINE)) {
			if (take_block(m, &s, dg) != 0)
				return -1;
			behind = true;
			continue;
		}
		if (s.text[s.at] == '#')
			continue;
		/* Such a key would be the block's last table's. */
		if (behind && s.text[s.at] != '[')
			return json_refuse_at(s.text, s.at, WHAT,
			    "a key behind the block of drydock's; move it up",
			    dg);
		behind = false;
		if (check_statement(&s, &table, patches, nr, dg) != 0)
			return -1;
	}
}

/* Appends the block behind the user's bytes, which out has. */
static void
add_block(
    struct strbuf *out, const struct cargomanifest_patch *patches, size_t nr)
{
	const char *newline = memchr(out->buf, '\n', out->len);
	bool crlf =
	    newline != NULL && newline > out->buf && newline[-1] == '\r';
	bool no_newline = out->len > 0 && out->buf[out->len - 1] != '\n';
	const char *eol = crlf ? "\r\n" : "\n";

	strbuf_addf(out, "%s%s%s", no_newline ? eol : "",
	    no_newline ? BEGIN_NO_NEWLINE : BEGIN, eol);
	for (size_t i = 0; i < nr; i++)
		strbuf_addf(out, "[patch.crates-io.%s]%spath = \"%s\"%s",
		    patches[i].name, eol, patches[i].path, eol);
	strbuf_addf(out, END "%s", eol);
}

int
cargomanifest_set(const char *text, size_t len,
    const struct cargomanifest_patch *patches, size_t nr, struct strbuf *out,
    struct diag *dg)
{
	struct manifest m = { .text = text, .len = len };
	cleanup_strbuf struct strbuf own = STRBUF_INIT;
	size_t front;

	if (len > CARGOMANIFEST_MAX_SIZE)
		return diag_set(dg, DIAG_DATA, WHAT ": more than %zu bytes",
		    CARGOMANIFEST_MAX_SIZE);
	if (memchr(text, '\0', len) != NULL)
		return diag_set(dg, DIAG_DATA, WHAT ": a NUL character");
	if (read_manifest(&m, patches, nr, dg) != 0)
		return -1;
	front = m.has_block ? m.block : len;
	/* If the user added text behind, the lines must stay apart. */
	if (m.has_block && m.no_newline && m.rest == len && front > 0)
		front -= m.crlf ? 2 : 1;
	strbuf_add(&own, text, front);
	if (m.has_block)
		strbuf_add(&own, text + m.rest, len - m.rest);
	if (nr > 0)
		add_block(&own, patches, nr);
	strbuf_add(out, own.buf, own.len);
	return 0;
}
