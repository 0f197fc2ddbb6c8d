/* SPDX-License-Identifier: MIT */
/*
 * yaml: the user's overlays, read by libyaml into a tree and printed anew.
 *
 * drydock judges this tree and gives Compose what it prints of it.  Compose
 * never sees the user's own bytes, so the two cannot read them differently.
 * Refused is what hides its meaning (anchors, aliases, merge keys, tags other
 * than !reset and !override, directives) and what readers of YAML disagree on:
 * a key twice, keys that are no scalars, several documents, tabs and control
 * characters, NUL, other encodings than UTF-8.
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
	/* In bytes.  Go's YAML takes no longer key in a flow mapping. */
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
	char *text; /* owned; of a scalar */
	char **keys; /* owned; of a mapping, each once */
	struct yaml_node **v; /* owned; of a mapping or a sequence */
	size_t nr;
};

/*
 * Reads one document whose top is a mapping; nothing but comments is an empty
 * one.  What cannot be read is DIAG_CONFIG; anchors and tags are DIAG_POLICY
 * with their rule.  Both name the line.
 */
int yaml_parse(const char *name, const char *text, size_t len,
    struct yaml_node **ret_top, struct diag *dg);
void yaml_node_free(struct yaml_node *node);
void yaml_node_freep(struct yaml_node **node);

/* Appends it as JSON; with tags, as the flow YAML that Compose reads. */
void yaml_print(const struct yaml_node *node, bool tags, struct strbuf *out);

/* Not yaml_free: that is a function inside libyaml, and would be replaced. */
#define cleanup_yaml __attribute__((cleanup(yaml_node_freep)))

#endif /* DRYDOCK_PLAN_YAML_H */
