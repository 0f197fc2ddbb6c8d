/* SPDX-License-Identifier: MIT */
/* yajl finds the tokens; where they end says where everything is. */
#include "sync/jsonread.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json-scan.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "sync/jsonfilter.h"
#include "sync/jsonpaths.h"

#define NOWHERE ((size_t)-1)

/* A decoded key in the arena, to be compared with its siblings. */
struct key {
	size_t offset;
	size_t len;
};

struct level {
	bool object;
	bool kept; /* a member stays */
	size_t node; /* in the paths */
	size_t index; /* of the next element of an array */
	size_t first_key; /* in keys */
	size_t start; /* of the member at hand: its key, or its value */
	size_t child; /* its node */
	size_t last_end; /* of the last member */
	size_t pending; /* where dropped members start that nothing precedes */
};

struct pass {
	struct json_scan scan;
	const char *text;
	const struct jsonpaths *paths; /* NULL: nothing goes */
	struct byte_ranges *ranges; /* NULL: only the grammar is checked */
	struct level levels[JSONFILTER_MAX_DEPTH];
	size_t dropping; /* depth + 1 of the container that goes; 0: none */
	size_t token_end; /* of the last one */
	struct strbuf arena;
	struct key *keys; /* owned */
	size_t nkeys;
	size_t keys_alloc;
};

static void
add_range(struct byte_ranges *r, size_t start, size_t end)
{
	if (r->nr == r->alloc) {
		r->alloc = r->alloc > 0 ? r->alloc * 2 : 64;
		r->v = xreallocarray(r->v, r->alloc, sizeof(*r->v));
	}
	r->v[r->nr++] = (struct byte_range){ start, end };
}

/* Where the token starts that yajl has just read. */
static size_t
token_start(const struct pass *p)
{
	size_t at = p->token_end;

	return at + strspn(p->text + at, " \t\r\n,:");
}

static struct level *
top(struct pass *p)
{
	return p->scan.depth > 0 ? &p->levels[p->scan.depth - 1] : NULL;
}

/* A value starts: whether it is one that goes. */
static bool
begin_value(struct pass *p)
{
	struct level *l = top(p);

	p->scan.begun = true;
	if (p->paths == NULL || p->dropping > 0 || l == NULL)
		return false;
	if (!l->object) {
		l->start = token_start(p);
		l->child = jsonpaths_element(p->paths, l->node, l->index++);
	}
	if (jsonpaths_has(p->paths, l->child))
		return true;
	if (l->pending != NOWHERE) {
		add_range(p->ranges, l->pending, l->start);
		l->pending = NOWHERE;
	}
	l->kept = true;
	return false;
}

static void
end_value(struct pass *p, bool dropped)
{
	struct level *l = top(p);

	if (p->paths == NULL || p->dropping > 0 || l == NULL)
		return;
	if (dropped && l->kept)
		add_range(p->ranges, l->last_end, p->token_end);
	else if (dropped && l->pending == NOWHERE)
		l->pending = l->start;
	l->last_end = p->token_end;
}

static int
scalar(struct pass *p)
{
	bool dropped = begin_value(p);

	p->token_end = yajl_get_bytes_consumed(p->scan.yajl);
	end_value(p, dropped);
	return 1;
}

static int
on_null(void *ctx)
{
	return scalar(ctx);
}

static int
on_boolean(void *ctx, int truth)
{
	(void)truth;
	return scalar(ctx);
}

static int
on_number(void *ctx, const char *digits, size_t len)
{
	(void)digits;
	(void)len;
	return scalar(ctx);
}

static int
on_string(void *ctx, const unsigned char *s, size_t len)
{
	(void)s;
	(void)len;
	return scalar(ctx);
}

static void
add_key(struct pass *p, const unsigned char *s, size_t len)
{
	if (p->nkeys == p->keys_alloc) {
		p->keys_alloc = p->keys_alloc > 0 ? p->keys_alloc * 2 : 64;
		p->keys =
		    xreallocarray(p->keys, p->keys_alloc, sizeof(*p->keys));
	}
	p->keys[p->nkeys++] = (struct key){ p->arena.len, len };
	if (len > 0)
		strbuf_add(&p->arena, s, len);
}

static int
on_key(void *ctx, const unsigned char *s, size_t len)
{
	struct pass *p = ctx;
	struct level *l = top(p);

	assert(l != NULL);
	if (p->ranges != NULL && p->dropping == 0) {
		if (p->paths != NULL) {
			l->start = token_start(p);
			l->child = jsonpaths_member(p->paths, l->node, s, len);
		}
		/* Members of one name go or stay together. */
		if (p->paths == NULL || !jsonpaths_has(p->paths, l->child))
			add_key(p, s, len);
	}
	p->token_end = yajl_get_bytes_consumed(p->scan.yajl);
	return 1;
}

static int
open_container(struct pass *p, bool object)
{
	bool dropped = begin_value(p);
	size_t node = p->scan.depth > 0 ? top(p)->child : JSONPATHS_ROOT;

	if (p->scan.depth == JSONFILTER_MAX_DEPTH) {
		strbuf_addf(&p->scan.why, "nested deeper than %d levels",
		    JSONFILTER_MAX_DEPTH);
		return 0;
	}
	p->levels[p->scan.depth++] = (struct level){
		.object = object,
		.node = node,
		.first_key = p->nkeys,
		.pending = NOWHERE,
	};
	if (dropped)
		p->dropping = p->scan.depth;
	p->token_end = yajl_get_bytes_consumed(p->scan.yajl);
	return 1;
}

static int
on_start_map(void *ctx)
{
	return open_container(ctx, true);
}

static int
on_start_array(void *ctx)
{
	return open_container(ctx, false);
}

static int
compare_keys(const void *a, const void *b, void *arena)
{
	const struct key *x = a;
	const struct key *y = b;
	const char *base = arena;
	size_t len = x->len < y->len ? x->len : y->len;
	int order = memcmp(base + x->offset, base + y->offset, len);

	if (order != 0)
		return order;
	return (x->len > y->len) - (x->len < y->len);
}

/* Sorted, so that an object of a million keys stays affordable. */
static int
check_keys(struct pass *p, size_t first)
{
	size_t n = p->nkeys - first;
	struct key *keys = n > 0 ? p->keys + first : NULL;
	size_t start = n > 0 ? keys[0].offset : p->arena.len;

	if (n > 1)
		qsort_r(keys, n, sizeof(*keys), compare_keys, p->arena.buf);
	for (size_t i = 1; i < n; i++) {
		if (compare_keys(&keys[i - 1], &keys[i], p->arena.buf) == 0) {
			strbuf_addf(&p->scan.why, "duplicate key \"%.*s\"",
			    keys[i].len < 80 ? (int)keys[i].len : 80,
			    p->arena.buf + keys[i].offset);
			return 0;
		}
	}
	p->nkeys = first;
	strbuf_setlen(&p->arena, start);
	return 1;
}

static int
close_container(struct pass *p)
{
	struct level *l = top(p);
	bool dropped = p->dropping == p->scan.depth;

	assert(l != NULL);
	if (l->object && !check_keys(p, l->first_key))
		return 0;
	if (p->dropping == 0 && l->pending != NOWHERE)
		add_range(p->ranges, l->pending, l->last_end);
	if (dropped)
		p->dropping = 0;
	p->scan.depth--;
	p->token_end = yajl_get_bytes_consumed(p->scan.yajl);
	end_value(p, dropped);
	return 1;
}

static int
on_end(void *ctx)
{
	return close_container(ctx);
}

static int
run(struct pass *p, const char *text, size_t len, const char *what,
    struct diag *dg)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_boolean,
		.yajl_number = on_number,
		.yajl_string = on_string,
		.yajl_start_map = on_start_map,
		.yajl_map_key = on_key,
		.yajl_end_map = on_end,
		.yajl_start_array = on_start_array,
		.yajl_end_array = on_end,
	};
	int rc;

	p->text = text;
	rc = json_scan_run(&p->scan, &callbacks, text, len, what, dg);
	strbuf_release(&p->arena);
	free(p->keys);
	return rc;
}

int
jsonread_check(const char *text, size_t len, const char *what, struct diag *dg)
{
	struct pass p = { .scan = JSON_SCAN_INIT, .arena = STRBUF_INIT };

	if (json_scan_check(text, len, what, dg) < 0)
		return -1;
	return run(&p, text, len, what, dg);
}

int
jsonread_cut(const char *text, size_t len, const char *what,
    const struct jsonpaths *paths, struct byte_ranges *ret, struct diag *dg)
{
	struct pass p = {
		.scan = JSON_SCAN_INIT,
		.paths = paths,
		.ranges = ret,
		.arena = STRBUF_INIT,
	};

	return run(&p, text, len, what, dg);
}

void
byte_ranges_release(struct byte_ranges *ranges)
{
	free(ranges->v);
	*ranges = (struct byte_ranges)BYTE_RANGES_INIT;
}
