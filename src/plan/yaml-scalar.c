/* SPDX-License-Identifier: MIT */
/* yaml-scalar: scalars, tags and flow collections. */
#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan/yaml-private.h"

#define DIGITS "0123456789"
/* More digits than a double keeps would be rounded on the way. */
#define MAX_DIGITS 15

size_t
yaml_column(const struct yaml_reader *y)
{
	const char *p = y->at;

	while (p > y->start && p[-1] != '\n')
		p--;
	return (size_t)(y->at - p);
}

void
yaml_skip_blanks(struct yaml_reader *y)
{
	while (*y->at == ' ')
		y->at++;
}

bool
yaml_at_line_end(const struct yaml_reader *y)
{
	if (y->at == y->end || *y->at == '\n')
		return true;
	return *y->at == '#' &&
	    (y->at == y->start || y->at[-1] == ' ' || y->at[-1] == '\n');
}

/* The end of a word in a flow collection or in a line. */
static bool
ends_word(char c)
{
	return c == '\0' || c == ' ' || c == '\n' || c == ',' || c == '[' ||
	    c == ']' || c == '{' || c == '}';
}

int
yaml_read_tag(struct yaml_reader *y, char **ret_tag)
{
	static const char *const known[] = { "!reset", "!override" };

	*ret_tag = NULL;
	if (*y->at != '!')
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		size_t len = strlen(known[i]);

		if (strncmp(y->at, known[i], len) == 0 &&
		    ends_word(y->at[len])) {
			y->at += len;
			*ret_tag = xstrdup(known[i]);
			yaml_skip_blanks(y);
			return 0;
		}
	}
	return yaml_refuse(y, "tags", "a tag that is not !reset or !override");
}

static int
read_single_quoted(struct yaml_reader *y, struct strbuf *out)
{
	for (y->at++; *y->at != '\0' && *y->at != '\n'; y->at++) {
		if (*y->at == '\'' && *++y->at != '\'')
			return 0;
		strbuf_addch(out, *y->at);
	}
	return yaml_fail(y, "a quote that is not closed on its line");
}

static int
read_double_quoted(struct yaml_reader *y, struct strbuf *out)
{
	for (y->at++; *y->at != '\0' && *y->at != '\n'; y->at++) {
		if (*y->at == '"') {
			y->at++;
			return 0;
		}
		if (*y->at != '\\') {
			strbuf_addch(out, *y->at);
			continue;
		}
		y->at++;
		if (*y->at == 'n')
			strbuf_addch(out, '\n');
		else if (*y->at == '"' || *y->at == '\\' || *y->at == '/')
			strbuf_addch(out, *y->at);
		else
			return yaml_fail(y, "an escape that is not read");
	}
	return yaml_fail(y, "a quote that is not closed on its line");
}

int
yaml_read_quoted(struct yaml_reader *y, struct strbuf *out)
{
	return *y->at == '"' ? read_double_quoted(y, out)
			     : read_single_quoted(y, out);
}

/* Whether a plain scalar may start here. */
static int
check_start(struct yaml_reader *y)
{
	if (*y->at == '&' || *y->at == '*')
		return yaml_refuse(y, "anchors", "an anchor or an alias");
	if (strchr(",[]{}#|>!%@`\"'", *y->at) != NULL)
		return yaml_fail(y, "nothing that starts a value");
	if (strchr("-?:", *y->at) != NULL && ends_word(y->at[1]))
		return yaml_fail(y, "a - or ? or : that stands alone");
	return 0;
}

int
yaml_read_plain(struct yaml_reader *y, bool in_flow, struct strbuf *out)
{
	size_t kept = out->len;

	if (check_start(y) != 0)
		return -1;
	for (; *y->at != '\0' && *y->at != '\n'; y->at++) {
		if (*y->at == '#' && y->at[-1] == ' ')
			break;
		if (*y->at == ':' &&
		    (y->at[1] == ' ' || y->at[1] == '\n' || y->at[1] == '\0' ||
			(in_flow && ends_word(y->at[1]))))
			break;
		if (in_flow && *y->at != ' ' && ends_word(*y->at))
			break;
		strbuf_addch(out, *y->at);
		if (*y->at != ' ')
			kept = out->len;
	}
	strbuf_setlen(out, kept);
	return 0;
}

/* 10, -3, 0.5; what has other forms is text. */
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

static enum yaml_kind
plain_kind(const char *s, const char **ret_text)
{
	static const struct {
		const char *word;
		enum yaml_kind kind;
		const char *text;
	} words[] = {
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

static int
read_scalar(struct yaml_reader *y, bool in_flow, struct yaml_node **ret_node)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	bool quoted = *y->at == '"' || *y->at == '\'';
	enum yaml_kind kind = YAML_STRING;
	const char *value;

	if ((quoted ? yaml_read_quoted(y, &text)
		    : yaml_read_plain(y, in_flow, &text)) != 0)
		return -1;
	value = text.buf;
	if (!quoted)
		kind = plain_kind(text.buf, &value);
	*ret_node = yaml_new(y, kind);
	if (*ret_node == NULL)
		return -1;
	(*ret_node)->text = xstrdup(value);
	return 0;
}

/* Over lines and comments, which a flow collection may have inside. */
static void
skip_space(struct yaml_reader *y)
{
	for (;;) {
		yaml_skip_blanks(y);
		if (*y->at == '#' && yaml_at_line_end(y))
			while (*y->at != '\0' && *y->at != '\n')
				y->at++;
		if (*y->at != '\n')
			return;
		y->at++;
	}
}

int
yaml_end_key(struct yaml_reader *y, struct strbuf *key, char **ret_key)
{
	if (key->len > YAML_MAX_KEY)
		return yaml_fail(y, "a key that is too long");
	if (strcmp(key->buf, "<<") == 0)
		return yaml_refuse(y, "anchors", "a merge key");
	y->at++;
	*ret_key = strbuf_detach(key, NULL);
	return 0;
}

static int
read_flow_key(struct yaml_reader *y, char **ret_key)
{
	struct strbuf key cleanup_strbuf = STRBUF_INIT;
	bool quoted = *y->at == '"' || *y->at == '\'';

	if ((quoted ? yaml_read_quoted(y, &key)
		    : yaml_read_plain(y, true, &key)) != 0)
		return -1;
	yaml_skip_blanks(y);
	if (*y->at != ':')
		return yaml_fail(y, "a key without a value");
	return yaml_end_key(y, &key, ret_key);
}

static int
read_flow_value(struct yaml_reader *y, struct yaml_node **ret_node)
{
	char *tag cleanup_free = NULL;

	skip_space(y);
	if (yaml_read_tag(y, &tag) != 0)
		return -1;
	skip_space(y);
	if (strchr(",]}", *y->at) != NULL && *y->at != '\0') {
		*ret_node = yaml_new(y, YAML_NULL);
		if (*ret_node == NULL)
			return -1;
	} else if (yaml_read_inline(y, true, ret_node) != 0) {
		return -1;
	}
	assert(*ret_node != NULL);
	(*ret_node)->tag = steal_ptr(&tag);
	return 0;
}

static int
read_flow_items(struct yaml_reader *y, struct yaml_node *node, char close)
{
	for (;;) {
		struct yaml_node *value = NULL;
		char *key = NULL;

		skip_space(y);
		if (*y->at == close) {
			y->at++;
			return 0;
		}
		if (close == '}' && read_flow_key(y, &key) != 0)
			return -1;
		if (read_flow_value(y, &value) != 0) {
			cleanup_free_fn(&key);
			return -1;
		}
		if (yaml_append(y, node, key, value) != 0)
			return -1;
		skip_space(y);
		if (*y->at == ',')
			y->at++;
		else if (*y->at != close)
			return yaml_fail(y, "neither a comma nor the end");
	}
}

int
yaml_read_inline(
    struct yaml_reader *y, bool in_flow, struct yaml_node **ret_node)
{
	struct yaml_node *node cleanup_yaml = NULL;
	bool mapping = *y->at == '{';
	int rc;

	if (!mapping && *y->at != '[')
		return read_scalar(y, in_flow, ret_node);
	node = yaml_new(y, mapping ? YAML_MAPPING : YAML_SEQUENCE);
	if (node == NULL)
		return -1;
	if (++y->depth > YAML_MAX_DEPTH)
		return yaml_fail(y, "nested too deep");
	y->at++;
	rc = read_flow_items(y, node, mapping ? '}' : ']');
	y->depth--;
	if (rc != 0)
		return -1;
	*ret_node = steal_ptr(&node);
	return 0;
}
