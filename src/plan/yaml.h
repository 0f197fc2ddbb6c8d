/* SPDX-License-Identifier: MIT */
/*
 * yaml: reads a user overlay with libyaml into a tree and prints the tree.
 *
 * drydock judges the tree and gives the printed tree to Compose.  Compose never
 * reads the user's own bytes, so the two cannot interpret them differently.
 * Constructs that hide the meaning are refused: anchors, aliases, merge keys,
 * tags other than !reset and !override, directives.  Constructs that YAML
 * readers interpret differently are refused too: duplicate keys, keys that are
 * not scalars, several documents, tabs, control characters, NUL, and encodings
 * other than UTF-8.
 */
#ifndef DRYDOCK_PLAN_YAML_H
#define DRYDOCK_PLAN_YAML_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct strbuf;

enum {
	YAML_MAX_DEPTH = 32,
	YAML_MAX_NODES = 10000,
	/* In bytes.  Go's YAML reader refuses longer keys in a flow mapping. */
	YAML_MAX_KEY = 256,
};

enum yaml_kind {
	YAML_NULL,
	YAML_BOOL,
	YAML_NUMBER,
	YAML_STRING,
	YAML_MAPPING,
	YAML_SEQUENCE,
};

struct yaml_node {
	enum yaml_kind kind;
	char *tag; /* owned; "!reset", "!override" or NULL */
	char *text; /* owned; of a scalar, else NULL */
	char **keys; /* owned; of a mapping, unique; else NULL */
	struct yaml_node **v; /* owned; of a mapping or a sequence */
	size_t nr;
};

/*
 * Reads one document whose top node is a mapping.  A document without any node
 * is an empty mapping.  A syntax error is DIAG_CONFIG; an anchor, an alias, a
 * merge key or a forbidden tag is DIAG_POLICY with its rule.  Both messages
 * have the line.  Lack of memory is DIAG_IO.  The caller frees *ret_top.
 */
int yaml_parse(const char *name, const char *text, size_t len,
    struct yaml_node **ret_top, struct diag *dg);
void yaml_node_free(struct yaml_node *node);
void yaml_node_freep(struct yaml_node **node);

/* Appends the node as JSON.  With tags the output is flow YAML for Compose. */
void yaml_print(const struct yaml_node *node, bool tags, struct strbuf *out);

/*
 * Not named yaml_free: that is a function inside libyaml, which ours would
 * replace.
 */
#define cleanup_yaml __attribute__((cleanup(yaml_node_freep)))

#endif /* DRYDOCK_PLAN_YAML_H */
