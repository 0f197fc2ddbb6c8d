/* SPDX-License-Identifier: MIT */
/* The tree of a document: what a node answers, and its end. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/json-node.h"

static void
free_node(struct json *n)
{
	if (n->kind == JSON_STRING || n->kind == JSON_NUMBER)
		free(n->u.text);
	if (n->kind == JSON_ARRAY || n->kind == JSON_OBJECT) {
		for (size_t i = 0; i < n->nr; i++) {
			json_free(n->u.items[i]);
			if (n->keys != NULL)
				free(n->keys[i]);
		}
		free(n->u.items);
		free(n->keys);
	}
	free(n);
}

/* Recursion ends at JSON_MAX_DEPTH. */
void
json_free(struct json *root)
{
	if (root != NULL)
		free_node(root);
}

void
json_freep(struct json **root)
{
	json_free(*root);
	*root = NULL;
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
		if (strcmp(object->keys[i], key) == 0)
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
	return array_or_object == NULL ? 0 : array_or_object->nr;
}

const char *
json_key_at(const struct json *object, size_t i)
{
	if (!is_kind(object, JSON_OBJECT) || i >= object->nr)
		return NULL;
	return object->keys[i];
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

bool
json_bool(const struct json *n, bool fallback)
{
	return is_kind(n, JSON_BOOL) ? n->truth : fallback;
}
