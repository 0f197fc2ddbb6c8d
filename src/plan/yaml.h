/* SPDX-License-Identifier: MIT */
/*
 * yaml: the part of YAML that a user's overlay may be written in.
 *
 * What drydock reads, judges and gives to Compose is one tree: Compose never
 * sees the user's own bytes, so that the two cannot read them differently.
 * Read are block and flow mappings and sequences, plain, quoted and | scalars
 * and comments, and so JSON; !reset and !override are kept.  Anything else
 * (anchors, aliases, merge keys, other tags, complex keys, several documents,
 * scalars over several lines, tabs) is refused, and so is a key twice.
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
	/* Go's YAML takes no longer key in a flow mapping. */
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
 * one.  What cannot be read is DIAG_CONFIG; anchors and tags, which hide what
 * they bring, are DIAG_POLICY with their rule.  Both name the line.
 */
int yaml_parse(const char *name, const char *text, size_t len,
    struct yaml_node **ret_top, struct diag *dg);
void yaml_free(struct yaml_node *node);
void yaml_freep(struct yaml_node **node);

/* Appends it as JSON; with tags, as the flow YAML that Compose reads. */
void yaml_print(const struct yaml_node *node, bool tags, struct strbuf *out);

#define cleanup_yaml __attribute__((cleanup(yaml_freep)))

#endif /* DRYDOCK_PLAN_YAML_H */
