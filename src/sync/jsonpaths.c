/* SPDX-License-Identifier: MIT */
/* One table of all nodes, found by their parent and the step from it. */
#include "sync/jsonpaths.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"

struct node {
	size_t parent;
	char *key; /* owned; NULL: an element of an array */
	size_t len; /* of the key, or the element's index */
	bool ends; /* a place of the set */
};

struct jsonpaths {
	struct node *nodes; /* owned; 0 is not used, 1 is the root */
	size_t nr;
	size_t alloc;
	size_t *slots; /* owned; open addressing, 0 is free */
	size_t nslots; /* a power of two, more than twice nr */
	/* While it is read. */
	size_t at;
	int depth;
	const char *why;
};

/* FNV-1a; what a slow table would cost is the user's own time. */
static size_t
hash(size_t parent, const void *key, size_t len)
{
	const unsigned char *p = key;
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ parent;

	h = (h ^ (key == NULL)) * UINT64_C(0x100000001b3);
	if (key == NULL)
		return (size_t)((h ^ len) * UINT64_C(0x9e3779b97f4a7c15) >> 7);
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 29);
}

static bool
is_step(const struct node *n, size_t parent, const void *key, size_t len)
{
	if (n->parent != parent || n->len != len ||
	    (n->key == NULL) != (key == NULL))
		return false;
	return key == NULL || len == 0 || memcmp(n->key, key, len) == 0;
}

/* The slot of that step, or the free one where it goes. */
static size_t
find_slot(const struct jsonpaths *p, size_t parent, const void *key, size_t len)
{
	size_t i = hash(parent, key, len) & (p->nslots - 1);

	while (p->slots[i] != 0 &&
	    !is_step(&p->nodes[p->slots[i]], parent, key, len))
		i = (i + 1) & (p->nslots - 1);
	return i;
}

static void
grow_slots(struct jsonpaths *p)
{
	if (p->nr * 2 < p->nslots)
		return;
	free(p->slots);
	p->nslots *= 2;
	p->slots = xcalloc(p->nslots, sizeof(*p->slots));
	for (size_t i = JSONPATHS_ROOT + 1; i < p->nr; i++) {
		const struct node *n = &p->nodes[i];

		p->slots[find_slot(p, n->parent, n->key, n->len)] = i;
	}
}

/* Steps from where the reader stands; key NULL: to element len. */
static void
step(struct jsonpaths *p, const void *key, size_t len)
{
	size_t slot = find_slot(p, p->at, key, len);
	struct node *n;

	if (p->slots[slot] != 0) {
		p->at = p->slots[slot];
		return;
	}
	if (p->nr == p->alloc) {
		p->alloc *= 2;
		p->nodes = xreallocarray(p->nodes, p->alloc, sizeof(*p->nodes));
	}
	n = &p->nodes[p->nr];
	*n = (struct node){ .parent = p->at, .len = len };
	/* Keys may have a NUL character, and may be empty. */
	if (key != NULL) {
		n->key = xmalloc(len + 1);
		memcpy(n->key, key, len);
	}
	p->slots[slot] = p->nr;
	p->at = p->nr++;
	grow_slots(p);
}

static int
refuse(struct jsonpaths *p, const char *why)
{
	p->why = why;
	return 0;
}

static int
on_string(void *ctx, const unsigned char *s, size_t len)
{
	struct jsonpaths *p = ctx;

	if (p->depth != 2)
		return refuse(p, "not a list of paths");
	step(p, s != NULL ? (const char *)s : "", len);
	return 1;
}

static int
on_integer(void *ctx, long long value)
{
	struct jsonpaths *p = ctx;

	if (p->depth != 2 || value < 0)
		return refuse(p, "a path counts from an array's end");
	step(p, NULL, (size_t)value);
	return 1;
}

static int
on_null(void *ctx)
{
	return refuse(ctx, "a path is not of keys and numbers");
}

static int
on_boolean(void *ctx, int truth)
{
	(void)truth;
	return on_null(ctx);
}

static int
on_double(void *ctx, double value)
{
	(void)value;
	return on_null(ctx);
}

static int
on_start_array(void *ctx)
{
	struct jsonpaths *p = ctx;

	p->at = JSONPATHS_ROOT;
	return ++p->depth <= 2 ? 1 : refuse(p, "a list within a path");
}

static int
on_end_array(void *ctx)
{
	struct jsonpaths *p = ctx;

	if (p->depth-- == 2) {
		if (p->at == JSONPATHS_ROOT)
			return refuse(p, "the whole document is dropped");
		p->nodes[p->at].ends = true;
	}
	return 1;
}

int
jsonpaths_parse(
    const char *text, size_t len, struct jsonpaths **ret_paths, struct diag *dg)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_boolean,
		.yajl_double = on_double,
		.yajl_start_map = on_null,
		.yajl_integer = on_integer,
		.yajl_string = on_string,
		.yajl_start_array = on_start_array,
		.yajl_end_array = on_end_array,
	};
	cleanup_jsonpaths struct jsonpaths *p = xcalloc(1, sizeof(*p));
	yajl_handle h;
	yajl_status status;

	p->nr = JSONPATHS_ROOT + 1;
	p->alloc = 64;
	p->nodes = xcalloc(p->alloc, sizeof(*p->nodes));
	p->nslots = 256;
	p->slots = xcalloc(p->nslots, sizeof(*p->slots));
	h = yajl_alloc(&callbacks, NULL, p);
	if (h == NULL)
		abort();
	status = yajl_parse(h, (const unsigned char *)text, len);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(h);
	yajl_free(h);
	if (status != yajl_status_ok)
		return diag_set(dg, DIAG_CONFIG, "what to drop: %s",
		    p->why != NULL ? p->why : "not a list of paths");
	*ret_paths = steal_ptr(&p);
	return 0;
}

void
jsonpaths_free(struct jsonpaths *paths)
{
	if (paths == NULL)
		return;
	for (size_t i = 0; i < paths->nr; i++)
		free(paths->nodes[i].key);
	free(paths->nodes);
	free(paths->slots);
	free(paths);
}

void
jsonpaths_freep(struct jsonpaths **paths)
{
	jsonpaths_free(*paths);
	*paths = NULL;
}

size_t
jsonpaths_member(
    const struct jsonpaths *paths, size_t node, const void *key, size_t len)
{
	if (node == JSONPATHS_NONE)
		return JSONPATHS_NONE;
	return paths->slots[find_slot(paths, node, len > 0 ? key : "", len)];
}

size_t
jsonpaths_element(const struct jsonpaths *paths, size_t node, size_t index)
{
	if (node == JSONPATHS_NONE)
		return JSONPATHS_NONE;
	return paths->slots[find_slot(paths, node, NULL, index)];
}

bool
jsonpaths_has(const struct jsonpaths *paths, size_t node)
{
	return node != JSONPATHS_NONE && paths->nodes[node].ends;
}
