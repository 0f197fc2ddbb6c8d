/* SPDX-License-Identifier: MIT */
/* yaml-node: the tree, and how it is printed. */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan/yaml-private.h"

static size_t
line_number(const struct yaml_reader *y)
{
	size_t line = 1;

	for (const char *p = y->start; p < y->at; p++)
		if (*p == '\n')
			line++;
	return line;
}

int
yaml_fail(struct yaml_reader *y, const char *what)
{
	return diag_set(
	    y->dg, DIAG_CONFIG, "%s:%zu: %s", y->name, line_number(y), what);
}

int
yaml_refuse(struct yaml_reader *y, const char *rule, const char *what)
{
	return diag_set(y->dg, DIAG_POLICY, "refused by policy: %s: %s:%zu: %s",
	    rule, y->name, line_number(y), what);
}

struct yaml_node *
yaml_new(struct yaml_reader *y, enum yaml_kind kind)
{
	struct yaml_node *node;

	if (++y->nodes > YAML_MAX_NODES) {
		(void)yaml_fail(y, "too many values");
		return NULL;
	}
	node = xcalloc(1, sizeof(*node));
	node->kind = kind;
	return node;
}

void
yaml_free(struct yaml_node *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->nr; i++) {
		if (node->keys != NULL)
			free(node->keys[i]);
		/* No deeper than YAML_MAX_DEPTH. */
		yaml_free(node->v[i]);
	}
	free(node->keys);
	free(node->v);
	free(node->tag);
	free(node->text);
	free(node);
}

void
yaml_freep(struct yaml_node **node)
{
	yaml_free(*node);
	*node = NULL;
}

int
yaml_append(struct yaml_reader *y, struct yaml_node *parent, char *key,
    struct yaml_node *value)
{
	parent->v = xreallocarray(
	    parent->v, parent->nr + 1, sizeof(struct yaml_node *));
	parent->v[parent->nr] = value;
	if (parent->kind == YAML_MAPPING) {
		parent->keys =
		    xreallocarray(parent->keys, parent->nr + 1, sizeof(char *));
		parent->keys[parent->nr] = key;
	}
	parent->nr++;
	if (parent->kind != YAML_MAPPING)
		return 0;
	for (size_t i = 0; i + 1 < parent->nr; i++)
		if (strcmp(parent->keys[i], key) == 0)
			return yaml_fail(y, "the same key twice");
	return 0;
}

static void
print_string(const char *s, struct strbuf *out)
{
	strbuf_addch(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '\n') {
			strbuf_addstr(out, "\\n");
			continue;
		}
		if (*s == '"' || *s == '\\')
			strbuf_addch(out, '\\');
		strbuf_addch(out, *s);
	}
	strbuf_addch(out, '"');
}

static void
print_collection(const struct yaml_node *node, bool tags, struct strbuf *out)
{
	bool mapping = node->kind == YAML_MAPPING;

	strbuf_addch(out, mapping ? '{' : '[');
	for (size_t i = 0; i < node->nr; i++) {
		if (i > 0)
			strbuf_addch(out, ',');
		/* Compose names lines in what it refuses. */
		strbuf_addch(out, '\n');
		if (mapping) {
			print_string(node->keys[i], out);
			strbuf_addstr(out, ": ");
		}
		yaml_print(node->v[i], tags, out);
	}
	strbuf_addch(out, mapping ? '}' : ']');
}

void
yaml_print(const struct yaml_node *node, bool tags, struct strbuf *out)
{
	if (tags && node->tag != NULL)
		strbuf_addf(out, "%s ", node->tag);
	switch (node->kind) {
	case YAML_NULL:
		strbuf_addstr(out, "null");
		break;
	case YAML_BOOL:
	case YAML_NUMBER:
		strbuf_addstr(out, node->text);
		break;
	case YAML_STRING:
		print_string(node->text, out);
		break;
	case YAML_MAPPING:
	case YAML_SEQUENCE:
		print_collection(node, tags, out);
		break;
	}
}
