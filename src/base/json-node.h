/* SPDX-License-Identifier: MIT */
/* json-node: the shape of a node, for the files that make and read them. */
#ifndef DRYDOCK_JSON_NODE_H
#define DRYDOCK_JSON_NODE_H

#include <stdbool.h>
#include <stddef.h>

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
	size_t nr;
	size_t alloc;
	union {
		char *text; /* owned; a string, or a number's digits */
		struct json **items; /* owned */
	} u;
	char **keys; /* owned, with its strings; of an object, beside items */
};

#endif /* DRYDOCK_JSON_NODE_H */
