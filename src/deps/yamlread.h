/* SPDX-License-Identifier: MIT */
/*
 * yamlread: walks through the mappings of a YAML file that another program
 * wrote, without a tree.
 *
 * A syntax error, a top that is no mapping, a key that is no text or that has a
 * NUL character, and nodes nested deeper than YAMLREAD_MAX_DEPTH are DIAG_DATA;
 * the message names the line.  So are more than a few "%TAG".  The caller bounds the size.  Keys that occur
 * twice are the caller's to find.
 */
#ifndef DRYDOCK_YAMLREAD_H
#define DRYDOCK_YAMLREAD_H

#include <stddef.h>

struct diag;

#define YAMLREAD_MAX_DEPTH 64
#define YAMLREAD_KEYS 3

enum yamlread_kind {
	YAMLREAD_TEXT, /* a scalar */
	YAMLREAD_MAPPING,
	YAMLREAD_LIST,
	YAMLREAD_OTHER, /* an alias, or a value with an anchor or a tag */
};

/* A member of a mapping; all is borrowed and valid until the visit returns. */
struct yamlread_entry {
	const char *keys[YAMLREAD_KEYS]; /* from the top; nkeys are set */
	size_t nkeys;
	enum yamlread_kind kind; /* of the value */
	const char *text; /* of YAMLREAD_TEXT, else NULL */
	const char *what; /* the file's name in messages */
	size_t line; /* of the value */
	size_t document; /* from 1 */
};

/*
 * Calls visit for each member of a mapping that is at most YAMLREAD_KEYS deep
 * and in no list, in the file's order.  Ends when visit fails.  what is the
 * file's name in messages.
 */
int yamlread(const char *text, size_t len, const char *what,
    int (*visit)(
	void *arg, const struct yamlread_entry *entry, struct diag *dg),
    void *arg, struct diag *dg);

/* Sets DIAG_DATA "WHAT: line N: WHY" and returns -1. */
int yamlread_refuse(
    const struct yamlread_entry *entry, const char *why, struct diag *dg);

#endif /* DRYDOCK_YAMLREAD_H */
