/* SPDX-License-Identifier: MIT */
/* Splices changes into the source bytes of a document. */
#include "deps/jsonedit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"

void
jsonedit_release(struct jsonedit *e)
{
	for (size_t i = 0; i < e->nr; i++)
		free(e->v[i].text);
	free(e->v);
	*e = (struct jsonedit)JSONEDIT_INIT(e->text, e->len);
}

static void
add_change(struct jsonedit *e, size_t start, size_t end, const char *text)
{
	if (e->nr == e->alloc) {
		e->alloc = e->alloc > 0 ? e->alloc * 2 : 8;
		e->v = xreallocarray(e->v, e->alloc, sizeof(*e->v));
	}
	e->v[e->nr] =
	    (struct jsonedit_change){ start, end, e->nr, xstrdup(text) };
	e->nr++;
}

void
jsonedit_format_release(struct jsonedit_format *f)
{
	strbuf_release(&f->indent);
	f->newline = "";
}

static bool
is_one_of(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* npm reads the two in the same way: from the first line behind the brace. */
void
jsonedit_format_read(struct jsonedit_format *ret, const char *text, size_t len)
{
	size_t at = 0;
	size_t end;

	while (at < len && is_one_of(" \t\r\n", text[at]))
		at++;
	at += at < len;
	if (at + 1 < len && text[at] == '\r' && text[at + 1] == '\n')
		ret->newline = "\r\n";
	else if (at < len && text[at] == '\n')
		ret->newline = "\n";
	else
		return;
	while (at < len && is_one_of("\r\n", text[at]))
		at++;
	for (end = at; end < len && is_one_of(" \t", text[end]);)
		end++;
	strbuf_add(&ret->indent, text + at, end - at);
}

void
jsonedit_format_break(
    const struct jsonedit_format *f, size_t depth, struct strbuf *out)
{
	if (*f->newline == '\0')
		return;
	strbuf_addstr(out, f->newline);
	for (size_t i = 0; i < depth; i++)
		strbuf_add(out, f->indent.buf, f->indent.len);
}

void
jsonedit_format_member(const struct jsonedit_format *f, size_t depth,
    const char *key, struct strbuf *out)
{
	jsonedit_format_break(f, depth, out);
	strbuf_add_quoted(out, key);
	strbuf_addstr(out, *f->newline == '\0' ? ":" : ": ");
}

void
jsonedit_replace(
    struct jsonedit *e, const struct json *value, const char *token)
{
	add_change(e, json_start(value), json_end(value), token);
}

void
jsonedit_remove(
    struct jsonedit *e, const struct json *object, size_t i, bool is_first)
{
	const struct json_key *keys = json_keys(object);
	size_t start = json_start(object) + 1;
	size_t end = json_end(json_value_at(object, i));

	/* With the comma before it, or as the first with the one behind it. */
	if (!is_first) {
		start = json_end(json_value_at(object, i - 1));
	} else if (i + 1 < json_len(object)) {
		start = keys[i].start;
		end = keys[i + 1].start;
	}
	add_change(e, start, end, "");
}

void
jsonedit_append(struct jsonedit *e, const struct json *object,
    const struct jsonedit_format *f, size_t depth, const char *key,
    const char *token)
{
	cleanup_strbuf struct strbuf member = STRBUF_INIT;
	size_t nr = json_len(object);
	size_t at = nr > 0 ? json_end(json_value_at(object, nr - 1))
			   : json_start(object) + 1;

	if (nr > 0)
		strbuf_addch(&member, ',');
	jsonedit_format_member(f, depth, key, &member);
	strbuf_addstr(&member, token);
	add_change(e, at, at, member.buf);
}

void
jsonedit_insert(struct jsonedit *e, const struct json *object, size_t i,
    const char *key, const char *token)
{
	cleanup_strbuf struct strbuf member = STRBUF_INIT;
	const struct json *value = json_value_at(object, i);
	size_t start = json_keys(object)[i].start;
	size_t front = start;
	size_t colon = json_start(value);

	while (is_one_of(" \t\r\n", e->text[front - 1]))
		front--;
	while (e->text[colon - 1] != '"')
		colon--;
	strbuf_addch(&member, ',');
	strbuf_add(&member, e->text + front, start - front);
	strbuf_add_quoted(&member, key);
	strbuf_add(&member, e->text + colon, json_start(value) - colon);
	strbuf_addstr(&member, token);
	add_change(e, json_end(value), json_end(value), member.buf);
}

/* By offset; what is added at one offset stays in order, before a removal. */
static int
compare_changes(const void *a, const void *b)
{
	const struct jsonedit_change *x = a;
	const struct jsonedit_change *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

void
jsonedit_finish(struct jsonedit *e, struct strbuf *out)
{
	size_t at = 0;

	if (e->nr > 1)
		qsort(e->v, e->nr, sizeof(*e->v), compare_changes);
	for (size_t i = 0; i < e->nr; i++) {
		const struct jsonedit_change *c = &e->v[i];

		assert(c->start >= at);
		strbuf_add(out, e->text + at, c->start - at);
		strbuf_addstr(out, c->text);
		at = c->end;
	}
	strbuf_add(out, e->text + at, e->len - at);
}

size_t
jsonedit_index(const struct json *object, const char *key)
{
	size_t i = 0;

	while (i < json_len(object) && strcmp(json_key_at(object, i), key) != 0)
		i++;
	return i;
}

char *
jsonedit_token(const char *text, const struct json *value)
{
	return value == NULL ? NULL
			     : xstrndup(text + json_start(value),
				   json_end(value) - json_start(value));
}

bool
jsonedit_is(const char *text, const struct json *value, const char *token)
{
	size_t len = strlen(token);

	return value != NULL && json_end(value) - json_start(value) == len &&
	    memcmp(text + json_start(value), token, len) == 0;
}
