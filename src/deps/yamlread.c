/* SPDX-License-Identifier: MIT */
/* Follows libyaml's events with a stack of the open mappings and lists. */
#include "deps/yamlread.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/diag.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#define TAG "%TAG" /* a directive */
#define MAX_TAGS 16

/* An open mapping or list. */
struct level {
	bool mapping;
	bool has_key; /* the next node is the key's value */
};

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	struct level levels[YAMLREAD_MAX_DEPTH];
	size_t depth;
	size_t nlists; /* of the levels */
	char *keys[YAMLREAD_KEYS]; /* owned; of the first levels */
	const char *what;
	size_t document;
	int (*visit)(
	    void *arg, const struct yamlread_entry *entry, struct diag *dg);
	void *arg;
	struct diag *dg;
};

int
yamlread_refuse(
    const struct yamlread_entry *entry, const char *why, struct diag *dg)
{
	return diag_set(
	    dg, DIAG_DATA, "%s: line %zu: %s", entry->what, entry->line, why);
}

static int
refuse(const struct reader *r, const char *why)
{
	const struct yamlread_entry at = { .what = r->what,
		.line = r->event.start_mark.line + 1 };

	return yamlread_refuse(&at, why, r->dg);
}

/* A scalar's text, borrowed from the event; NULL if it has a NUL character. */
static const char *
scalar_text(const struct reader *r)
{
	const char *text = (const char *)r->event.data.scalar.value;

	return strlen(text) == r->event.data.scalar.length ? text : NULL;
}

static int
take_key(struct reader *r, struct level *top)
{
	const char *text;

	if (r->event.type != YAML_SCALAR_EVENT)
		return refuse(r, "a key that is not a text");
	text = scalar_text(r);
	if (text == NULL)
		return refuse(r, "a key with a NUL character");
	if (r->depth <= YAMLREAD_KEYS) {
		free(r->keys[r->depth - 1]);
		r->keys[r->depth - 1] = xstrdup(text);
	}
	top->has_key = true;
	return 0;
}

static bool
is_decorated(const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return e->data.scalar.anchor != NULL ||
		    e->data.scalar.tag != NULL;
	case YAML_MAPPING_START_EVENT:
		return e->data.mapping_start.anchor != NULL ||
		    e->data.mapping_start.tag != NULL;
	case YAML_SEQUENCE_START_EVENT:
		return e->data.sequence_start.anchor != NULL ||
		    e->data.sequence_start.tag != NULL;
	case YAML_ALIAS_EVENT:
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		break;
	}
	return true;
}

static enum yamlread_kind
kind_of(const yaml_event_t *e)
{
	if (is_decorated(e))
		return YAMLREAD_OTHER;
	if (e->type == YAML_SCALAR_EVENT)
		return YAMLREAD_TEXT;
	return e->type == YAML_MAPPING_START_EVENT ? YAMLREAD_MAPPING
						   : YAMLREAD_LIST;
}

static int
report(const struct reader *r)
{
	struct yamlread_entry e = { .nkeys = r->depth,
		.kind = kind_of(&r->event),
		.what = r->what,
		.line = r->event.start_mark.line + 1,
		.document = r->document };

	if (r->nlists > 0 || r->depth > YAMLREAD_KEYS)
		return 0;
	for (size_t i = 0; i < e.nkeys; i++)
		e.keys[i] = r->keys[i];
	if (e.kind == YAMLREAD_TEXT) {
		e.text = scalar_text(r);
		if (e.text == NULL)
			return refuse(r, "a NUL character");
	}
	return r->visit(r->arg, &e, r->dg);
}

/* A scalar, an alias, or the start of a mapping or list. */
static int
take_node(struct reader *r)
{
	struct level *top = r->depth > 0 ? &r->levels[r->depth - 1] : NULL;
	yaml_event_type_t type = r->event.type;

	if (top == NULL && type != YAML_MAPPING_START_EVENT &&
	    (type != YAML_SCALAR_EVENT || r->event.data.scalar.length > 0))
		return refuse(r, "no mapping at the top");
	if (top != NULL && top->mapping && !top->has_key)
		return take_key(r, top);
	if (top != NULL && top->mapping) {
		top->has_key = false;
		if (report(r) != 0)
			return -1;
	}
	if (type != YAML_MAPPING_START_EVENT &&
	    type != YAML_SEQUENCE_START_EVENT)
		return 0;
	if (r->depth == YAMLREAD_MAX_DEPTH)
		return refuse(r, "nested too deep");
	r->levels[r->depth++] =
	    (struct level){ .mapping = type == YAML_MAPPING_START_EVENT };
	r->nlists += type == YAML_SEQUENCE_START_EVENT;
	return 0;
}

static int
take_event(struct reader *r)
{
	switch (r->event.type) {
	case YAML_DOCUMENT_START_EVENT:
		r->document++;
		return 0;
	case YAML_SCALAR_EVENT:
	case YAML_ALIAS_EVENT:
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		return take_node(r);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		r->depth--;
		r->nlists -= !r->levels[r->depth].mapping;
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return 0;
}

static int
take_events(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	bool ended = false;
	int rc = 0;

	while (rc == 0 && !ended) {
		if (yaml_parser_parse(&r->parser, &r->event) == 0) {
			if (p->error == YAML_MEMORY_ERROR)
				return diag_set(r->dg, DIAG_IO,
				    "%s: out of memory", r->what);
			return diag_set(r->dg, DIAG_DATA, "%s: line %zu: %s",
			    r->what, p->problem_mark.line + 1,
			    p->problem != NULL ? p->problem : "a syntax error");
		}
		ended = r->event.type == YAML_STREAM_END_EVENT;
		rc = take_event(r);
		yaml_event_delete(&r->event);
	}
	return rc;
}

/* libyaml compares each one with all that are in front of it. */
static bool
has_many_tags(const char *text, size_t len)
{
	const char *end = text + len;
	size_t n = 0;

	while (n <= MAX_TAGS &&
	    (text = memmem(text, (size_t)(end - text), TAG, strlen(TAG))) !=
		NULL) {
		text += strlen(TAG);
		n++;
	}
	return n > MAX_TAGS;
}

int
yamlread(const char *text, size_t len, const char *what,
    int (*visit)(
	void *arg, const struct yamlread_entry *entry, struct diag *dg),
    void *arg, struct diag *dg)
{
	struct reader r = {
		.what = what, .visit = visit, .arg = arg, .dg = dg
	};
	int rc;

	/* libyaml would guess another encoding, and checks none of it. */
	if (!utf8_valid(text, len))
		return diag_set(dg, DIAG_DATA, "%s: not UTF-8", what);
	if (has_many_tags(text, len))
		return diag_set(
		    dg, DIAG_DATA, "%s: more than %d %s", what, MAX_TAGS, TAG);
	if (yaml_parser_initialize(&r.parser) == 0)
		return diag_set(dg, DIAG_IO, "%s: out of memory", what);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &r.parser, (const unsigned char *)text, len);
	rc = take_events(&r);
	yaml_parser_delete(&r.parser);
	for (size_t i = 0; i < YAMLREAD_KEYS; i++)
		free(r.keys[i]);
	return rc;
}
