/* SPDX-License-Identifier: MIT */
/* yaml: blocks, which are told by their columns. */
#include "plan/yaml.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "plan/yaml-private.h"

static int read_block(
    struct yaml_reader *y, size_t column, struct yaml_node **ret_node);

/* To the first character that says something; false at the end. */
static bool
next_content(struct yaml_reader *y)
{
	for (;;) {
		yaml_skip_blanks(y);
		if (!yaml_at_line_end(y))
			return true;
		while (*y->at != '\0' && *y->at != '\n')
			y->at++;
		if (*y->at == '\0')
			return false;
		y->at++;
	}
}

static int
expect_line_end(struct yaml_reader *y)
{
	yaml_skip_blanks(y);
	if (!yaml_at_line_end(y))
		return yaml_fail(y, "more than a value on the line");
	return 0;
}

static bool
is_item(const struct yaml_reader *y)
{
	return *y->at == '-' &&
	    (y->at[1] == ' ' || y->at[1] == '\n' || y->at[1] == '\0');
}

static bool
is_key_end(const struct yaml_reader *y)
{
	return *y->at == ':' &&
	    (y->at[1] == ' ' || y->at[1] == '\n' || y->at[1] == '\0');
}

/* Reads "key:"; *ret_key is NULL, and nothing read, when there is none. */
static int
read_key(struct yaml_reader *y, char **ret_key)
{
	struct strbuf key cleanup_strbuf = STRBUF_INIT;
	const char *start = y->at;
	bool quoted = *y->at == '"' || *y->at == '\'';

	*ret_key = NULL;
	if (strchr("{[|>!", *y->at) != NULL)
		return 0;
	if ((quoted ? yaml_read_quoted(y, &key)
		    : yaml_read_plain(y, false, &key)) != 0)
		return -1;
	yaml_skip_blanks(y);
	if (!is_key_end(y)) {
		y->at = start;
		return 0;
	}
	return yaml_end_key(y, &key, ret_key);
}

/* Lines of a | scalar: those further in than column, and empty ones. */
static void
read_literal_lines(struct yaml_reader *y, size_t column, struct strbuf *out)
{
	size_t inner = 0;

	while (*y->at != '\0') {
		const char *line = y->at;
		size_t len = strcspn(line, "\n");
		size_t blanks = strspn(line, " ");

		if (blanks < len) {
			if (inner == 0 && blanks > column)
				inner = blanks;
			if (inner == 0 || blanks < inner)
				return;
			strbuf_add(out, line + inner, len - inner);
		} else if (inner != 0 && len > inner) {
			strbuf_add(out, line + inner, len - inner);
		}
		strbuf_addch(out, '\n');
		y->at = line + len;
		if (*y->at == '\n')
			y->at++;
	}
}

static int
read_literal(struct yaml_reader *y, size_t column, struct yaml_node **ret_node)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	bool strip;

	y->at++;
	strip = *y->at == '-';
	if (strip)
		y->at++;
	if (expect_line_end(y) != 0)
		return -1;
	y->at += strcspn(y->at, "\n");
	if (*y->at == '\n')
		y->at++;
	read_literal_lines(y, column, &text);
	while (text.len > 0 && text.buf[text.len - 1] == '\n')
		strbuf_setlen(&text, text.len - 1);
	if (text.len > 0 && !strip)
		strbuf_addch(&text, '\n');
	*ret_node = yaml_new(y, YAML_STRING);
	if (*ret_node == NULL)
		return -1;
	(*ret_node)->text = strbuf_detach(&text, NULL);
	return 0;
}

static int
read_null(struct yaml_reader *y, struct yaml_node **ret_node)
{
	*ret_node = yaml_new(y, YAML_NULL);
	return *ret_node == NULL ? -1 : 0;
}

/* What stands on the lines below; a list may stand as far out as its key. */
static int
read_below(struct yaml_reader *y, size_t column, bool of_key,
    struct yaml_node **ret_node)
{
	size_t inner;

	if (!next_content(y))
		return read_null(y, ret_node);
	inner = yaml_column(y);
	if (inner > column || (of_key && inner == column && is_item(y)))
		return read_block(y, inner, ret_node);
	return read_null(y, ret_node);
}

/* The value behind "key:" or "-" of a collection at column. */
static int
read_value(struct yaml_reader *y, size_t column, bool of_key,
    struct yaml_node **ret_node)
{
	char *tag cleanup_free = NULL;
	struct yaml_node *node cleanup_yaml = NULL;
	int rc;

	yaml_skip_blanks(y);
	if (yaml_read_tag(y, &tag) != 0)
		return -1;
	if (yaml_at_line_end(y))
		rc = read_below(y, column, of_key, &node);
	else if (*y->at == '|')
		rc = read_literal(y, column, &node);
	else if (of_key || tag != NULL)
		rc = yaml_read_inline(y, false, &node) != 0 ||
			expect_line_end(y) != 0
		    ? -1
		    : 0;
	else
		rc = read_block(y, yaml_column(y), &node);
	if (rc != 0)
		return -1;
	assert(node != NULL);
	node->tag = steal_ptr(&tag);
	*ret_node = steal_ptr(&node);
	return 0;
}

/* Whether another entry follows at this column. */
static int
goes_on(struct yaml_reader *y, size_t column, bool *ret_more)
{
	*ret_more = next_content(y) && yaml_column(y) >= column;
	if (*ret_more && yaml_column(y) != column)
		return yaml_fail(y, "a line that is further in than the last");
	return 0;
}

static int
read_sequence(struct yaml_reader *y, size_t column, struct yaml_node *node)
{
	bool more = true;

	while (more && is_item(y)) {
		struct yaml_node *value = NULL;

		y->at++;
		if (read_value(y, column, false, &value) != 0 ||
		    yaml_append(y, node, NULL, value) != 0 ||
		    goes_on(y, column, &more) != 0)
			return -1;
	}
	return 0;
}

/* first is given: the key that told that it is a mapping. */
static int
read_mapping(
    struct yaml_reader *y, size_t column, char *first, struct yaml_node *node)
{
	char *key cleanup_free = first;
	bool more = true;

	for (;;) {
		struct yaml_node *value = NULL;

		if (read_value(y, column, true, &value) != 0 ||
		    yaml_append(y, node, steal_ptr(&key), value) != 0 ||
		    goes_on(y, column, &more) != 0)
			return -1;
		if (!more)
			return 0;
		if (is_item(y))
			return yaml_fail(y, "a list entry among keys");
		if (read_key(y, &key) != 0)
			return -1;
		if (key == NULL)
			return yaml_fail(y, "no key");
	}
}

/* At the first character of a block, which stands at column. */
static int
read_block(struct yaml_reader *y, size_t column, struct yaml_node **ret_node)
{
	struct yaml_node *node cleanup_yaml = NULL;
	char *key = NULL;
	int rc;

	if (!is_item(y) && read_key(y, &key) != 0)
		return -1;
	if (!is_item(y) && key == NULL) {
		if (yaml_read_inline(y, false, ret_node) != 0)
			return -1;
		if (expect_line_end(y) == 0)
			return 0;
		yaml_freep(ret_node);
		return -1;
	}
	node = yaml_new(y, key != NULL ? YAML_MAPPING : YAML_SEQUENCE);
	if (node == NULL || ++y->depth > YAML_MAX_DEPTH) {
		cleanup_free_fn(&key);
		return node == NULL ? -1 : yaml_fail(y, "nested too deep");
	}
	rc = key != NULL ? read_mapping(y, column, key, node)
			 : read_sequence(y, column, node);
	y->depth--;
	if (rc != 0)
		return -1;
	*ret_node = steal_ptr(&node);
	return 0;
}

/* Bytes that readers of YAML disagree on are not read at all. */
static int
check_text(struct yaml_reader *y)
{
	while (y->at < y->end) {
		uint32_t cp;
		size_t n = utf8_decode(y->at, (size_t)(y->end - y->at), &cp);

		if (n == 0)
			return yaml_fail(y, "no UTF-8");
		if (cp == '\t')
			return yaml_fail(y, "a tab: indent with blanks");
		if ((cp < ' ' && cp != '\n') || (cp >= 0x7f && cp < 0xa0) ||
		    cp == 0x2028 || cp == 0x2029 || cp == 0xfeff ||
		    cp == 0xfffe || cp == 0xffff)
			return yaml_fail(y, "a control character");
		y->at += n;
	}
	y->at = y->start;
	return 0;
}

/* One "---" may stand first; another document may not follow. */
static int
skip_start(struct yaml_reader *y)
{
	(void)next_content(y);
	if (strncmp(y->at, "---", 3) != 0 || yaml_column(y) != 0)
		return 0;
	y->at += 3;
	return expect_line_end(y);
}

int
yaml_parse(const char *name, const char *text, size_t len,
    struct yaml_node **ret_top, struct diag *dg)
{
	struct strbuf copy cleanup_strbuf = STRBUF_INIT;
	struct yaml_node *top cleanup_yaml = NULL;
	struct yaml_reader y = { .name = name, .dg = dg };

	strbuf_add(&copy, text, len);
	y.start = y.at = copy.buf;
	y.end = copy.buf + copy.len;
	if (check_text(&y) != 0 || skip_start(&y) != 0)
		return -1;
	if (!next_content(&y)) {
		top = yaml_new(&y, YAML_MAPPING);
	} else if (read_block(&y, yaml_column(&y), &top) != 0) {
		return -1;
	}
	if (next_content(&y))
		return yaml_fail(&y, "a line that belongs to nothing");
	assert(top != NULL);
	if (top->kind != YAML_MAPPING)
		return yaml_fail(&y, "no mapping at the top");
	*ret_top = steal_ptr(&top);
	return 0;
}
