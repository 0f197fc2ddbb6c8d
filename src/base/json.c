/* SPDX-License-Identifier: MIT */
/* The reader: a tree built by yajl, and the checks that yajl lacks. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/xalloc.h"

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json {
	enum json_kind kind;
	bool truth;
	size_t nr; /* items, or bytes of a string */
	size_t alloc;
	size_t start; /* offset of the first byte in the text */
	size_t end;
	union {
		char *text; /* owned; a string, or a number's digits */
		struct json **items; /* owned */
	} u;
	struct json_key *keys; /* owned; of an object, parallel to items */
};

/* Recursion is bounded by JSON_LOOSE_DEPTH. */
void
json_free(struct json *root)
{
	if (root == NULL)
		return;
	if (root->kind == JSON_STRING || root->kind == JSON_NUMBER)
		free(root->u.text);
	if (root->kind == JSON_ARRAY || root->kind == JSON_OBJECT) {
		for (size_t i = 0; i < root->nr; i++) {
			json_free(root->u.items[i]);
			if (root->keys != NULL)
				free(root->keys[i].text);
		}
		free(root->u.items);
		free(root->keys);
	}
	free(root);
}

void
json_freep(struct json **root)
{
	json_free(*root);
	*root = NULL;
}

/* Lines count from 1. */
static size_t
line_of(const char *text, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static bool
hex4(const char *s, size_t len, unsigned int *ret_value)
{
	unsigned int value = 0;

	if (len < 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		unsigned int c = (unsigned char)s[i];

		if (c >= '0' && c <= '9')
			c -= '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			c = (c | 0x20) - 'a' + 10;
		else
			return false;
		value = value << 4 | c;
	}
	*ret_value = value;
	return true;
}

bool
json_find_lone_surrogate(
    const char *text, size_t len, size_t from, size_t *ret_offset)
{
	size_t i = from;

	while (i + 1 < len) {
		const char *escape = memchr(text + i, '\\', len - 1 - i);
		unsigned int high;
		unsigned int low;

		if (escape == NULL)
			return false;
		i = (size_t)(escape - text);
		if (text[i + 1] != 'u' ||
		    !hex4(text + i + 2, len - i - 2, &high) ||
		    (high & 0xf800) != 0xd800) {
			i += 2;
			continue;
		}
		*ret_offset = i;
		if (high >= 0xdc00 || len - i < 12 || text[i + 6] != '\\' ||
		    text[i + 7] != 'u' || !hex4(text + i + 8, 4, &low) ||
		    (low & 0xfc00) != 0xdc00)
			return true;
		i += 12;
	}
	return false;
}

int
json_refuse_at(const char *text, size_t offset, const char *what,
    const char *why, struct diag *dg)
{
	return diag_set(dg, DIAG_DATA, "%s: line %zu: %s", what,
	    line_of(text, offset), why);
}

static int
check_bytes(const char *text, size_t len, const char *what, struct diag *dg)
{
	size_t offset = utf8_valid_prefix(text, len);

	if (offset < len)
		return json_refuse_at(text, offset, what, "not UTF-8", dg);
	if (json_find_lone_surrogate(text, len, 0, &offset))
		return json_refuse_at(
		    text, offset, what, "half a surrogate pair", dg);
	/* yajl accepts vertical tabs and form feeds as blanks; JSON does not. */
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\v' || text[i] == '\f')
			return json_refuse_at(
			    text, i, what, "a control character", dg);
	return 0;
}

struct reader {
	yajl_handle yajl; /* owned */
	const char *text; /* borrowed */
	bool loose;
	size_t depth; /* number of open containers */
	size_t token_end; /* end of the last token */
	struct json *root; /* owned until the end */
	struct json *open[JSON_LOOSE_DEPTH]; /* borrowed from root */
	struct json_key key; /* owned; its value is not read yet */
	struct strbuf why; /* the reason when a callback returns 0 */
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

/* Returns the offset of the token that yajl has just read. */
static size_t
token_start(const struct reader *r)
{
	return r->token_end + strspn(r->text + r->token_end, " \t\r\n,:");
}

/* Appends a new node to the innermost open container. */
static struct json *
add_node(struct reader *r, enum json_kind kind)
{
	struct json *n = xcalloc(1, sizeof(*n));
	struct json *parent;

	n->kind = kind;
	n->start = token_start(r);
	r->token_end = yajl_get_bytes_consumed(r->yajl);
	n->end = r->token_end;
	if (r->depth == 0) {
		/* yajl refuses a second value at the top. */
		r->root = n;
		return n;
	}
	parent = r->open[r->depth - 1];
	grow(parent);
	if (parent->kind == JSON_OBJECT) {
		parent->keys[parent->nr] = r->key;
		r->key.text = NULL;
	}
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

/* Texts are C strings; a NUL character would truncate one silently. */
static int
refuse_nul(struct reader *r, const unsigned char *s, size_t len)
{
	if (r->loose || len == 0 || memchr(s, '\0', len) == NULL)
		return 1;
	strbuf_addstr(&r->why, "a string holds a NUL character");
	return 0;
}

/* yajl passes an empty string as NULL. */
static char *
copy_text(const unsigned char *s, size_t len)
{
	char *text = xmalloc(len + 1);

	if (len > 0)
		memcpy(text, s, len);
	text[len] = '\0';
	return text;
}

static int
on_string(void *ctx, const unsigned char *s, size_t len)
{
	struct json *n;

	if (!refuse_nul(ctx, s, len))
		return 0;
	n = add_node(ctx, JSON_STRING);
	n->u.text = copy_text(s, len);
	n->nr = len;
	return 1;
}

static int
on_key(void *ctx, const unsigned char *s, size_t len)
{
	struct reader *r = ctx;

	if (!refuse_nul(r, s, len))
		return 0;
	r->key = (struct json_key){ copy_text(s, len), len, token_start(r) };
	r->token_end = yajl_get_bytes_consumed(r->yajl);
	return 1;
}

static int
open_container(struct reader *r, enum json_kind kind)
{
	size_t most = r->loose ? JSON_LOOSE_DEPTH : JSON_MAX_DEPTH;
	struct json *n;

	if (r->depth == most) {
		strbuf_addf(&r->why, "nested deeper than %zu levels", most);
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
compare_keys(const void *a, const void *b)
{
	const struct json_key *x = a;
	const struct json_key *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->text, y->text, len);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

const struct json_key *
json_find_duplicate(struct json_key *keys, size_t nr)
{
	if (nr > 1)
		qsort(keys, nr, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < nr; i++)
		if (compare_keys(&keys[i - 1], &keys[i]) == 0)
			return &keys[i];
	return NULL;
}

/* Sorting keeps the check affordable for an object of a million keys. */
static int
check_keys(struct reader *r, const struct json *n)
{
	cleanup_free struct json_key *sorted = NULL;
	const struct json_key *twice;

	if (r->loose || n->kind != JSON_OBJECT || n->nr < 2)
		return 1;
	sorted = xreallocarray(NULL, n->nr, sizeof(*sorted));
	memcpy(sorted, n->keys, n->nr * sizeof(*sorted));
	twice = json_find_duplicate(sorted, n->nr);
	if (twice == NULL)
		return 1;
	strbuf_addf(&r->why, "duplicate key \"%.80s\"", twice->text);
	return 0;
}

static int
on_end(void *ctx)
{
	struct reader *r = ctx;
	struct json *n = r->open[--r->depth];

	r->token_end = yajl_get_bytes_consumed(r->yajl);
	n->end = r->token_end;
	return check_keys(r, n);
}

/*
 * Parses the text.  On failure r->why holds the reason, from yajl or a
 * callback.
 */
static yajl_status
run(struct reader *r, size_t len, size_t *ret_offset)
{
	const unsigned char *bytes = (const unsigned char *)r->text;
	yajl_status status = yajl_parse(r->yajl, bytes, len);

	*ret_offset =
	    status == yajl_status_ok ? len : yajl_get_bytes_consumed(r->yajl);
	/*
	 * After a complete document yajl accepts a truncated token; an added
	 * newline makes yajl detect it.
	 */
	if (status == yajl_status_ok && r->root != NULL && r->depth == 0)
		status = yajl_parse(r->yajl, (const unsigned char *)"\n", 1);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(r->yajl);
	if (status == yajl_status_error) {
		unsigned char *words = yajl_get_error(r->yajl, 0, bytes, len);
		const char *s = (const char *)words;

		strbuf_add(&r->why, s, strcspn(s, "\n"));
		yajl_free_error(r->yajl, words);
	}
	return status;
}

static int
parse(bool loose, const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_bool,
		.yajl_number = on_number,
		.yajl_string = on_string,
		.yajl_start_map = on_start_map,
		.yajl_map_key = on_key,
		.yajl_end_map = on_end,
		.yajl_start_array = on_start_array,
		.yajl_end_array = on_end,
	};
	struct reader r = { .text = text, .loose = loose, .why = STRBUF_INIT };
	size_t offset = len;
	int rc = 0;

	if (check_bytes(text, len, what, dg) != 0)
		return -1;
	r.yajl = yajl_alloc(&callbacks, NULL, &r);
	if (r.yajl == NULL)
		abort(); /* no memory: abort as xalloc does */
	if (run(&r, len, &offset) != yajl_status_ok || r.root == NULL)
		rc = json_refuse_at(text, offset < len ? offset : len, what,
		    r.why.len > 0 ? r.why.buf : "no value", dg);
	if (rc == 0)
		*ret_root = steal_ptr(&r.root);
	yajl_free(r.yajl);
	strbuf_release(&r.why);
	json_free(r.root);
	free(r.key.text);
	return rc;
}

int
json_parse(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg)
{
	return parse(false, text, len, what, ret_root, dg);
}

int
json_parse_loose(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg)
{
	return parse(true, text, len, what, ret_root, dg);
}

static bool
is_kind(const struct json *n, enum json_kind kind)
{
	return n != NULL && n->kind == kind;
}

const struct json *
json_get(const struct json *object, const char *key)
{
	if (!is_kind(object, JSON_OBJECT))
		return NULL;
	for (size_t i = 0; i < object->nr; i++) {
		if (strcmp(object->keys[i].text, key) == 0)
			return object->u.items[i];
	}
	return NULL;
}

const struct json *
json_at(const struct json *array, size_t i)
{
	if (!is_kind(array, JSON_ARRAY) || i >= array->nr)
		return NULL;
	return array->u.items[i];
}

size_t
json_len(const struct json *array_or_object)
{
	return is_kind(array_or_object, JSON_ARRAY) ||
		is_kind(array_or_object, JSON_OBJECT)
	    ? array_or_object->nr
	    : 0;
}

const char *
json_key_at(const struct json *object, size_t i)
{
	if (!is_kind(object, JSON_OBJECT) || i >= object->nr)
		return NULL;
	return object->keys[i].text;
}

const struct json_key *
json_keys(const struct json *object)
{
	return is_kind(object, JSON_OBJECT) ? object->keys : NULL;
}

const struct json *
json_value_at(const struct json *object, size_t i)
{
	if (!is_kind(object, JSON_OBJECT) || i >= object->nr)
		return NULL;
	return object->u.items[i];
}

bool
json_is_object(const struct json *n)
{
	return is_kind(n, JSON_OBJECT);
}

bool
json_is_array(const struct json *n)
{
	return is_kind(n, JSON_ARRAY);
}

bool
json_is_string(const struct json *n)
{
	return is_kind(n, JSON_STRING);
}

bool
json_is_bool(const struct json *n)
{
	return is_kind(n, JSON_BOOL);
}

bool
json_is_null(const struct json *n)
{
	return is_kind(n, JSON_NULL);
}

const char *
json_string(const struct json *n)
{
	return is_kind(n, JSON_STRING) ? n->u.text : NULL;
}

const char *
json_string_len(const struct json *n, size_t *ret_len)
{
	if (!is_kind(n, JSON_STRING))
		return NULL;
	*ret_len = n->nr;
	return n->u.text;
}

const char *
json_string_or(const struct json *n, const char *fallback)
{
	return is_kind(n, JSON_STRING) ? n->u.text : fallback;
}

const char *
json_number(const struct json *n)
{
	return is_kind(n, JSON_NUMBER) ? n->u.text : NULL;
}

bool
json_int(const struct json *n, int64_t *ret_value)
{
	const char *s = json_number(n);
	int64_t value = 0;
	int64_t sign = 1;

	if (s == NULL)
		return false;
	if (*s == '-') {
		sign = -1;
		s++;
	}
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9' ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, sign * (*s - '0'), &value))
			return false;
	}
	*ret_value = value;
	return true;
}

int64_t
json_count_or(const struct json *n, int64_t fallback)
{
	int64_t value;

	return json_int(n, &value) && value >= 0 ? value : fallback;
}

bool
json_bool(const struct json *n, bool fallback)
{
	return is_kind(n, JSON_BOOL) ? n->truth : fallback;
}

size_t
json_start(const struct json *n)
{
	return n->start;
}

size_t
json_end(const struct json *n)
{
	return n->end;
}
