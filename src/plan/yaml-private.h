/* SPDX-License-Identifier: MIT */
/* yaml-private: what the reader's two halves share. */
#ifndef DRYDOCK_PLAN_YAML_PRIVATE_H
#define DRYDOCK_PLAN_YAML_PRIVATE_H

#include "plan/yaml.h"

struct yaml_reader {
	const char *name;
	const char *start; /* terminated */
	const char *at;
	const char *end;
	int depth;
	size_t nodes;
	struct diag *dg;
};

/* DIAG_CONFIG with file and line; returns -1. */
int yaml_fail(struct yaml_reader *y, const char *what);

/* DIAG_POLICY, named by the rule; returns -1. */
int yaml_refuse(struct yaml_reader *y, const char *rule, const char *what);

/* NULL, with the failure set, when there are too many. */
struct yaml_node *yaml_new(struct yaml_reader *y, enum yaml_kind kind);

/* value is given; text is, for a sequence NULL.  A key twice is a failure. */
int yaml_append(struct yaml_reader *y, struct yaml_node *parent, char *key,
    struct yaml_node *value);

size_t yaml_column(const struct yaml_reader *y);
void yaml_skip_blanks(struct yaml_reader *y); /* within the line */
bool yaml_at_line_end(const struct yaml_reader *y); /* or at a comment */

/* A tag, if one is there; *ret_tag is the caller's. */
int yaml_read_tag(struct yaml_reader *y, char **ret_tag);

/* '...' or "...", on one line, without the quotes. */
int yaml_read_quoted(struct yaml_reader *y, struct strbuf *out);

/* A plain scalar, up to its end; empty is a failure. */
int yaml_read_plain(struct yaml_reader *y, bool in_flow, struct strbuf *out);

/* At the colon behind a key that was read: takes it, or refuses the key. */
int yaml_end_key(struct yaml_reader *y, struct strbuf *key, char **ret_key);

/* A flow collection or a scalar on one line; the tag is not read. */
int yaml_read_inline(
    struct yaml_reader *y, bool in_flow, struct yaml_node **ret_node);

#endif /* DRYDOCK_PLAN_YAML_PRIVATE_H */
