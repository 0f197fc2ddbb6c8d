/* SPDX-License-Identifier: MIT */
/* Makes a tree of a text, and refuses what is not plain JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json-node.h"
#include "base/json-scan.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

struct reader {
	struct json_scan scan;
	struct json *root; /* owned until the end */
	struct json *open[JSON_MAX_DEPTH]; /* borrowed from root */
	char *key; /* owned; read, its value to come */
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
	r->scan.begun = true;
	if (r->scan.depth == 0) {
		/* yajl refuses a second value at the top. */
		json_free(r->root);
		r->root = n;
		return n;
	}
	parent = r->open[r->scan.depth - 1];
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
	strbuf_addstr(&r->scan.why, "a string holds a NUL character");
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

	if (r->scan.depth == JSON_MAX_DEPTH) {
		strbuf_addf(&r->scan.why, "nested deeper than %d levels",
		    JSON_MAX_DEPTH);
		return 0;
	}
	n = add_node(r, kind);
	r->open[r->scan.depth++] = n;
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

	r->scan.depth--;
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
	const struct json *n = r->open[--r->scan.depth];
	char **sorted cleanup_free = NULL;

	if (n->nr < 2)
		return 1;
	sorted = xreallocarray(NULL, n->nr, sizeof(*sorted));
	memcpy(sorted, n->keys, n->nr * sizeof(*sorted));
	qsort(sorted, n->nr, sizeof(*sorted), compare_keys);
	for (size_t i = 1; i < n->nr; i++) {
		if (strcmp(sorted[i - 1], sorted[i]) == 0) {
			strbuf_addf(
			    &r->scan.why, "duplicate key \"%.80s\"", sorted[i]);
			return 0;
		}
	}
	return 1;
}

int
json_parse(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg)
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
	struct reader r = { .scan = JSON_SCAN_INIT };
	int rc;

	if (json_scan_check(text, len, what, dg) < 0)
		return -1;
	rc = json_scan_run(&r.scan, &callbacks, text, len, what, dg);
	if (rc == 0)
		*ret_root = steal_ptr(&r.root);
	json_free(r.root);
	free(r.key);
	return rc;
}
