/* SPDX-License-Identifier: MIT */
/* yaml: builds a tree from libyaml's events and prints the tree. */
#include "plan/yaml.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#define DIGITS "0123456789"
/* A double would round a number with more digits. */
#define MAX_DIGITS 15

struct reader {
	const char *name;
	const char *text;
	size_t len;
	yaml_parser_t parser;
	yaml_event_t event; /* the current event; zeroed if there is none */
	/*
	 * libyaml counts characters.  index and offset are the position, in
	 * characters and in bytes, that event_text() found last.
	 */
	size_t index;
	size_t offset;
	int depth;
	size_t nodes;
	struct diag *dg;
};

static int read_node(struct reader *r, struct yaml_node **ret_node);

static size_t
event_line(const struct reader *r)
{
	return r->event.start_mark.line + 1;
}

static int
fail(struct reader *r, const char *what)
{
	return diag_set(
	    r->dg, DIAG_CONFIG, "%s:%zu: %s", r->name, event_line(r), what);
}

static int
refuse(struct reader *r, const char *rule, const char *what)
{
	return diag_set(r->dg, DIAG_POLICY, "refused by policy: %s: %s:%zu: %s",
	    rule, r->name, event_line(r), what);
}

void
yaml_node_free(struct yaml_node *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->nr; i++) {
		if (node->keys != NULL)
			free(node->keys[i]);
		/* The recursion ends at YAML_MAX_DEPTH. */
		yaml_node_free(node->v[i]);
	}
	free(node->keys);
	free(node->v);
	free(node->tag);
	free(node->text);
	free(node);
}

void
yaml_node_freep(struct yaml_node **node)
{
	yaml_node_free(*node);
	*node = NULL;
}

/*
 * Returns true for a character that YAML 1.1 and 1.2 treat differently or
 * forbid.  Such a character is refused in the input and escaped in the output.
 */
static bool
is_special(uint32_t cp)
{
	return cp < ' ' || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 ||
	    cp == 0x2029 || cp == 0xfeff || cp == 0xfffe || cp == 0xffff;
}

/*
 * Also refuses other encodings: UTF-16 text is not valid UTF-8 or contains
 * NULs.
 */
static int
check_text(const struct reader *r)
{
	size_t line = 1;
	const char *what = NULL;

	for (size_t at = 0, n; what == NULL && at < r->len; at += n) {
		uint32_t cp = 0;

		n = utf8_decode(r->text + at, r->len - at, &cp);
		if (n == 0)
			what = "not UTF-8";
		else if (cp == '\n')
			line++;
		else if (cp == '\t')
			what = "a tab: indent with blanks";
		else if (is_special(cp))
			what = "a control character";
	}
	if (what == NULL)
		return 0;
	return diag_set(r->dg, DIAG_CONFIG, "%s:%zu: %s", r->name, line, what);
}

static int
fail_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;

	if (p->error == YAML_MEMORY_ERROR)
		return diag_set(r->dg, DIAG_IO, "%s: out of memory", r->name);
	if (p->context == NULL)
		return diag_set(r->dg, DIAG_CONFIG, "%s:%zu: %s", r->name,
		    p->problem_mark.line + 1, p->problem);
	return diag_set(r->dg, DIAG_CONFIG, "%s:%zu: %s %s (line %zu)", r->name,
	    p->problem_mark.line + 1, p->problem, p->context,
	    p->context_mark.line + 1);
}

/* Reads the next event and frees the current one. */
static int
next_event(struct reader *r)
{
	yaml_event_delete(&r->event);
	if (yaml_parser_parse(&r->parser, &r->event) == 0)
		return fail_syntax(r);
	return 0;
}

/* Returns the input from the current event's first character on. */
static const char *
event_text(struct reader *r)
{
	size_t want = r->event.start_mark.index;

	if (want < r->index)
		r->index = r->offset = 0;
	for (; r->index < want && r->offset < r->len; r->index++) {
		uint32_t cp;
		size_t n =
		    utf8_decode(r->text + r->offset, r->len - r->offset, &cp);

		assert(n > 0);
		r->offset += n;
	}
	return r->text + r->offset;
}

static const char *
event_tag(const struct reader *r)
{
	switch (r->event.type) {
	case YAML_SCALAR_EVENT:
		return (const char *)r->event.data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return (const char *)r->event.data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return (const char *)r->event.data.mapping_start.tag;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_ALIAS_EVENT:
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		break;
	}
	return NULL;
}

/*
 * *ret_tag is a static string or NULL.  The tag's spelling in the input is
 * compared too, because libyaml drops "!" from a scalar and reads both
 * !<!reset> and !%72eset as !reset.
 */
static int
read_tag(struct reader *r, const char **ret_tag)
{
	static const char *const known[] = { "!reset", "!override" };
	const char *tag = event_tag(r);
	const char *text = event_text(r);

	*ret_tag = NULL;
	if (tag == NULL && *text != '!')
		return 0;
	for (size_t i = 0; tag != NULL && i < ARRAY_SIZE(known); i++) {
		if (strcmp(tag, known[i]) == 0 &&
		    strncmp(text, known[i], strlen(known[i])) == 0) {
			*ret_tag = known[i];
			return 0;
		}
	}
	return refuse(r, "tags", "a tag that is not !reset or !override");
}

/*
 * Refuses anchors and aliases: with them a node's content is elsewhere in the
 * text.
 */
static int
check_anchor(struct reader *r)
{
	const yaml_event_t *e = &r->event;

	if (e->type == YAML_ALIAS_EVENT ||
	    (e->type == YAML_SCALAR_EVENT && e->data.scalar.anchor != NULL) ||
	    (e->type == YAML_SEQUENCE_START_EVENT &&
		e->data.sequence_start.anchor != NULL) ||
	    (e->type == YAML_MAPPING_START_EVENT &&
		e->data.mapping_start.anchor != NULL))
		return refuse(r, "anchors", "an anchor or an alias");
	return 0;
}

/* Accepts 10, -3 and 0.5; any other form is text. */
static bool
is_number(const char *s)
{
	size_t whole;
	size_t rest = 0;

	if (*s == '-')
		s++;
	whole = strspn(s, DIGITS);
	if (whole == 0 || (whole > 1 && *s == '0'))
		return false;
	if (s[whole] == '.') {
		rest = strspn(s + whole + 1, DIGITS);
		if (rest == 0)
			return false;
		rest++;
	}
	return s[whole + rest] == '\0' && whole + rest <= MAX_DIGITS;
}

/*
 * Returns the type of a plain scalar, which libyaml leaves open.  A scalar that
 * YAML 1.1 and 1.2 type differently (0o17, 1_000, dates, yes and no) is text
 * and is printed in quotes.
 */
static enum yaml_kind
plain_kind(const char *s, const char **ret_text)
{
	static const struct {
		const char *word;
		enum yaml_kind kind;
		const char *text;
	} words[] = {
		{ "", YAML_NULL, "" },
		{ "~", YAML_NULL, "" },
		{ "null", YAML_NULL, "" },
		{ "Null", YAML_NULL, "" },
		{ "NULL", YAML_NULL, "" },
		{ "true", YAML_BOOL, "true" },
		{ "True", YAML_BOOL, "true" },
		{ "TRUE", YAML_BOOL, "true" },
		{ "false", YAML_BOOL, "false" },
		{ "False", YAML_BOOL, "false" },
		{ "FALSE", YAML_BOOL, "false" },
	};

	*ret_text = s;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(s, words[i].word) == 0) {
			*ret_text = words[i].text;
			return words[i].kind;
		}
	}
	return is_number(s) ? YAML_NUMBER : YAML_STRING;
}

/*
 * Returns the text of the current event, a scalar; borrowed from the event.
 * Returns NULL after a failure.
 */
static const char *
scalar_text(struct reader *r)
{
	const char *s = (const char *)r->event.data.scalar.value;

	if (strlen(s) == r->event.data.scalar.length)
		return s;
	(void)fail(r, "a NUL character");
	return NULL;
}

static bool
is_plain(const struct reader *r)
{
	return r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static int
read_scalar(struct reader *r, struct yaml_node *node)
{
	const char *text = scalar_text(r);

	if (text == NULL)
		return -1;
	node->kind = YAML_STRING;
	if (is_plain(r))
		node->kind = plain_kind(text, &text);
	node->text = xstrdup(text);
	return 0;
}

/* Reads the current event as a key of the mapping.  *ret_key is returned. */
static int
read_key(struct reader *r, const struct yaml_node *mapping, char **ret_key)
{
	const char *tag;
	const char *key;

	if (check_anchor(r) != 0 || read_tag(r, &tag) != 0)
		return -1;
	if (tag != NULL)
		return refuse(r, "tags", "a tag at a key");
	if (r->event.type != YAML_SCALAR_EVENT)
		return fail(r, "a key that is a list or a mapping");
	key = scalar_text(r);
	if (key == NULL)
		return -1;
	if (*key == '\0' && is_plain(r))
		return fail(r, "a value without a key");
	if (strlen(key) > YAML_MAX_KEY)
		return fail(r, "a key that is too long");
	if (strcmp(key, "<<") == 0)
		return refuse(r, "anchors", "a merge key");
	for (size_t i = 0; i < mapping->nr; i++)
		if (strcmp(mapping->keys[i], key) == 0)
			return diag_set(r->dg, DIAG_CONFIG,
			    "%s:%zu: the key \"%s\" is there twice", r->name,
			    event_line(r), key);
	*ret_key = xstrdup(key);
	return 0;
}

/*
 * Reads the items up to the event "end", from the current event on.  node owns
 * the items, also after a failure.
 */
static int
read_items(struct reader *r, struct yaml_node *node, yaml_event_type_t end)
{
	while (r->event.type != end) {
		struct yaml_node *value = NULL;
		cleanup_free char *key = NULL;

		if (node->kind == YAML_MAPPING &&
		    (read_key(r, node, &key) != 0 || next_event(r) != 0))
			return -1;
		if (read_node(r, &value) != 0)
			return -1;
		node->v = xreallocarray(
		    node->v, node->nr + 1, sizeof(struct yaml_node *));
		node->v[node->nr] = value;
		if (node->kind == YAML_MAPPING) {
			node->keys = xreallocarray(
			    node->keys, node->nr + 1, sizeof(char *));
			node->keys[node->nr] = steal_ptr(&key);
		}
		node->nr++;
		if (next_event(r) != 0)
			return -1;
	}
	return 0;
}

static int
read_collection(struct reader *r, struct yaml_node *node)
{
	bool mapping = r->event.type == YAML_MAPPING_START_EVENT;
	int rc;

	if (++r->depth > YAML_MAX_DEPTH)
		return fail(r, "nested too deep");
	node->kind = mapping ? YAML_MAPPING : YAML_SEQUENCE;
	if (next_event(r) != 0)
		return -1;
	rc = read_items(r, node,
	    mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT);
	r->depth--;
	return rc;
}

/*
 * Reads the node that starts at the current event.  Afterwards the node's last
 * event is current.
 */
static int
read_node(struct reader *r, struct yaml_node **ret_node)
{
	cleanup_yaml struct yaml_node *node = NULL;
	const char *tag;

	if (check_anchor(r) != 0 || read_tag(r, &tag) != 0)
		return -1;
	if (++r->nodes > YAML_MAX_NODES)
		return fail(r, "too many values");
	node = xcalloc(1, sizeof(*node));
	if (tag != NULL)
		node->tag = xstrdup(tag);
	if ((r->event.type == YAML_SCALAR_EVENT
		    ? read_scalar(r, node)
		    : read_collection(r, node)) != 0)
		return -1;
	*ret_node = steal_ptr(&node);
	return 0;
}

/* Returns true for a document without a node, also after "---". */
static bool
is_nothing(const struct reader *r)
{
	return r->event.type == YAML_SCALAR_EVENT && is_plain(r) &&
	    r->event.data.scalar.length == 0 && event_tag(r) == NULL;
}

static int
next_events(struct reader *r, int n)
{
	for (int i = 0; i < n; i++)
		if (next_event(r) != 0)
			return -1;
	return 0;
}

static int
read_document(struct reader *r, struct yaml_node **ret_top)
{
	cleanup_yaml struct yaml_node *top = NULL;

	if (r->event.data.document_start.version_directive != NULL ||
	    r->event.data.document_start.tag_directives.start !=
		r->event.data.document_start.tag_directives.end)
		return fail(r, "a directive");
	if (next_event(r) != 0)
		return -1;
	if (r->event.type != YAML_MAPPING_START_EVENT && !is_nothing(r))
		return fail(r, "no mapping at the top");
	if (read_node(r, &top) != 0)
		return -1;
	assert(top != NULL);
	top->kind = YAML_MAPPING;
	if (next_events(r, 2) != 0)
		return -1;
	if (r->event.type != YAML_STREAM_END_EVENT)
		return fail(r, "a second document");
	*ret_top = steal_ptr(&top);
	return 0;
}

static int
read_stream(struct reader *r, struct yaml_node **ret_top)
{
	/*
	 * Reads the stream's start, then the start of a document or the end of
	 * the stream.
	 */
	if (next_events(r, 2) != 0)
		return -1;
	if (r->event.type != YAML_STREAM_END_EVENT)
		return read_document(r, ret_top);
	*ret_top = xcalloc(1, sizeof(**ret_top));
	(*ret_top)->kind = YAML_MAPPING;
	return 0;
}

int
yaml_parse(const char *name, const char *text, size_t len,
    struct yaml_node **ret_top, struct diag *dg)
{
	cleanup_strbuf struct strbuf copy = STRBUF_INIT;
	struct reader r = { .name = name, .len = len, .dg = dg };
	int rc;

	/* A terminated copy. */
	strbuf_add(&copy, text, len);
	r.text = copy.buf;
	if (check_text(&r) != 0)
		return -1;
	if (yaml_parser_initialize(&r.parser) == 0)
		return diag_set(dg, DIAG_IO, "%s: out of memory", name);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &r.parser, (const unsigned char *)r.text, len);
	rc = read_stream(&r, ret_top);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	return rc;
}

static void
print_string(const char *s, struct strbuf *out)
{
	size_t len = strlen(s);

	strbuf_addch(out, '"');
	for (size_t at = 0, n; at < len; at += n) {
		uint32_t cp = 0;

		n = utf8_decode(s + at, len - at, &cp);
		assert(n > 0);
		if (cp == '\n')
			strbuf_addstr(out, "\\n");
		else if (is_special(cp))
			strbuf_addf(out, "\\u%04x", (unsigned)cp);
		else if (cp == '"' || cp == '\\')
			strbuf_addf(out, "\\%c", (int)cp);
		else
			strbuf_add(out, s + at, n);
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
		/*
		 * One item per line, because Compose gives lines in its errors.
		 */
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
