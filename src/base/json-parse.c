/* SPDX-License-Identifier: MIT */
/* Makes a tree of a text, and refuses what is not plain JSON. */
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json-node.h"
#include "base/json-text.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/xalloc.h"

struct reader {
	struct json *root; /* owned until the end */
	struct json *open[JSON_MAX_DEPTH]; /* borrowed from root */
	size_t depth;
	char *key; /* owned; read, its value to come */
	struct strbuf why; /* set by a callback that refuses */
};

static void
grow(struct json *n)
{
	if (n->nr < n->alloc)
		return;
	n->alloc = n->alloc > 0 ? n->alloc * 2 : 4;
	n->u.items = xreallocarray(n->u.items, n->alloc, sizeof(struct json *));
	if (n->kind == JSON_OBJECT)
		n->keys = xreallocarray(n->keys, n->alloc, sizeof(*n->keys));
}

/* Hangs a new node where the reader stands. */
static struct json *
add_node(struct reader *r, enum json_kind kind)
{
	struct json *n = xcalloc(1, sizeof(*n));
	struct json *parent;

	n->kind = kind;
	if (r->depth == 0) {
		/* yajl refuses a second value at the top. */
		json_free(r->root);
		r->root = n;
		return n;
	}
	parent = r->open[r->depth - 1];
	grow(parent);
	if (parent->kind == JSON_OBJECT)
		parent->keys[parent->nr] = steal_ptr(&r->key);
	parent->u.items[parent->nr++] = n;
	return n;
}

static int
on_null(void *ctx)
{
	(void)add_node(ctx, JSON_NULL);
	return 1;
}

static int
on_bool(void *ctx, int truth)
{
	add_node(ctx, JSON_BOOL)->truth = truth != 0;
	return 1;
}

static int
on_number(void *ctx, const char *digits, size_t len)
{
	add_node(ctx, JSON_NUMBER)->u.text = xstrndup(digits, len);
	return 1;
}

/* C strings hold the texts, so a NUL character would cut one silently. */
static int
refuse_nul(struct reader *r, const unsigned char *s, size_t len)
{
	if (len == 0 || memchr(s, '\0', len) == NULL)
		return 1;
	strbuf_addstr(&r->why, "a string holds a NUL character");
	return 0;
}

static int
on_string(void *ctx, const unsigned char *s, size_t len)
{
	if (!refuse_nul(ctx, s, len))
		return 0;
	add_node(ctx, JSON_STRING)->u.text = xstrndup((const char *)s, len);
	return 1;
}

static int
on_key(void *ctx, const unsigned char *s, size_t len)
{
	struct reader *r = ctx;

	if (!refuse_nul(r, s, len))
		return 0;
	free(r->key);
	r->key = xstrndup((const char *)s, len);
	return 1;
}

static int
open_container(struct reader *r, enum json_kind kind)
{
	struct json *n;

	if (r->depth == JSON_MAX_DEPTH) {
		strbuf_addf(
		    &r->why, "nested deeper than %d levels", JSON_MAX_DEPTH);
		return 0;
	}
	n = add_node(r, kind);
	r->open[r->depth++] = n;
	return 1;
}

static int
on_start_map(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int
on_start_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static int
on_end_array(void *ctx)
{
	struct reader *r = ctx;

	r->depth--;
	return 1;
}

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, so that an object of a million keys stays affordable. */
static int
on_end_map(void *ctx)
{
	struct reader *r = ctx;
	const struct json *n = r->open[--r->depth];
	char **sorted cleanup_free = NULL;

	if (n->nr < 2)
		return 1;
	sorted = xreallocarray(NULL, n->nr, sizeof(*sorted));
	memcpy(sorted, n->keys, n->nr * sizeof(*sorted));
	qsort(sorted, n->nr, sizeof(*sorted), compare_keys);
	for (size_t i = 1; i < n->nr; i++) {
		if (strcmp(sorted[i - 1], sorted[i]) == 0) {
			strbuf_addf(
			    &r->why, "duplicate key \"%.80s\"", sorted[i]);
			return 0;
		}
	}
	return 1;
}

static int
fail_at(const char *text, size_t offset, const char *what, const char *why,
    struct diag *dg)
{
	return diag_set(dg, DIAG_DATA, "%s: line %zu: %s", what,
	    json_line_of(text, offset), why);
}

/* Runs yajl over the text; r->why says why when it returns -1. */
static int
run_yajl(struct reader *r, const char *text, size_t len, size_t *ret_offset)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_bool,
		.yajl_number = on_number,
		.yajl_string = on_string,
		.yajl_start_map = on_start_map,
		.yajl_map_key = on_key,
		.yajl_end_map = on_end_map,
		.yajl_start_array = on_start_array,
		.yajl_end_array = on_end_array,
	};
	const unsigned char *bytes = (const unsigned char *)text;
	yajl_handle h = yajl_alloc(&callbacks, NULL, r);
	yajl_status status;

	if (h == NULL)
		abort(); /* as xalloc does: there is no memory */
	status = yajl_parse(h, bytes, len);
	*ret_offset =
	    status == yajl_status_ok ? len : yajl_get_bytes_consumed(h);
	/*
	 * Behind a whole document yajl forgives a token that is cut off; at a
	 * line's end it sees that there is none.
	 */
	if (status == yajl_status_ok && r->root != NULL && r->depth == 0)
		status = yajl_parse(h, (const unsigned char *)"\n", 1);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(h);
	if (status == yajl_status_error) {
		unsigned char *words = yajl_get_error(h, 0, bytes, len);
		const char *s = (const char *)words;

		strbuf_add(&r->why, s, strcspn(s, "\n"));
		yajl_free_error(h, words);
	}
	yajl_free(h);
	return status == yajl_status_ok ? 0 : -1;
}

int
json_parse(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg)
{
	struct reader r = { .why = STRBUF_INIT };
	size_t offset = utf8_valid_prefix(text, len);
	int rc;

	if (offset < len)
		return fail_at(text, offset, what, "not UTF-8", dg);
	if (json_find_lone_surrogate(text, len, &offset))
		return fail_at(text, offset, what, "half a surrogate pair", dg);
	if (json_find_foreign_blank(text, len, &offset))
		return fail_at(text, offset, what, "a control character", dg);
	rc = run_yajl(&r, text, len, &offset);
	if (rc == 0 && r.root != NULL)
		*ret_root = steal_ptr(&r.root);
	else
		rc = fail_at(text, offset < len ? offset : len, what,
		    r.why.len > 0 ? r.why.buf : "no value", dg);
	json_free(r.root);
	free(r.key);
	strbuf_release(&r.why);
	return rc;
}
