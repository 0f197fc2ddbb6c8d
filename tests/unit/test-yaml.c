/* SPDX-License-Identifier: MIT */
/* How an overlay is read, printed for Compose, and refused. */

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan/yaml.h"

#include "check.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A256 A64 A64 A64 A64

struct row {
	const char *text;
	const char *want;
};

/* What Compose gets, without its line ends; or the failure. */
static char *
read_text(const char *text, size_t len, enum diag_class *ret_class)
{
	cleanup_yaml struct yaml_node *top = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct strbuf out = STRBUF_INIT;
	struct strbuf flat = STRBUF_INIT;

	*ret_class = DIAG_NONE;
	if (yaml_parse("o.yml", text, len, &top, &dg) != 0) {
		*ret_class = dg.class;
		CHECK(top == NULL);
		return xstrdup(dg.message);
	}
	yaml_print(top, true, &out);
	for (const char *p = out.buf; *p != '\0'; p++)
		if (*p != '\n')
			strbuf_addch(&flat, *p);
	strbuf_release(&out);
	return strbuf_detach(&flat, NULL);
}

static void
check_rows(const struct row *rows, size_t n, enum diag_class want)
{
	for (size_t i = 0; i < n; i++) {
		enum diag_class class;
		cleanup_free char *got =
		    read_text(rows[i].text, strlen(rows[i].text), &class);

		if (!CHECK_STR(got, rows[i].want))
			continue;
		CHECK_INT(class, want);
	}
}

static void
test_shapes(void)
{
	static const struct row rows[] = {
		{ "", "{}" },
		{ "# nothing\n", "{}" },
		{ "---\n# nothing\n", "{}" },
		{ "{}", "{}" },
		{ "a: b\n", "{\"a\": \"b\"}" },
		{ "---\na: b\n...\n", "{\"a\": \"b\"}" },
		{ "a:\n- x\n- - y\n  - z\n", "{\"a\": [\"x\",[\"y\",\"z\"]]}" },
		{ "a:\n  b:\n    c: {d: [e, ], f: g}\n",
		    "{\"a\": {\"b\": {\"c\": {\"d\": [\"e\"],\"f\": \"g\"}}}}" },
		{ "{\"a\":[1,-0.5,true,null,\"\\/\"],\"b\":{}}",
		    "{\"a\": [1,-0.5,true,null,\"/\"],\"b\": {}}" },
		{ "? a\n: b\n", "{\"a\": \"b\"}" },
		{ "'': b\n", "{\"\": \"b\"}" },
		{ "1: b\ntrue: c\n", "{\"1\": \"b\",\"true\": \"c\"}" },
		{ A256 ": b\n", "{\"" A256 "\": \"b\"}" },
	};

	check_rows(rows, ARRAY_SIZE(rows), DIAG_NONE);
}

static void
test_types(void)
{
	static const struct row rows[] = {
		{ "[~, null, Null, NULL]", "[null,null,null,null]" },
		{ "[true, True, FALSE]", "[true,true,false]" },
		{ "[0, -3, 10, 0.5, 123456789012345]",
		    "[0,-3,10,0.5,123456789012345]" },
		{ "[yes, No, on, OFF, y, n, nULL, tRUE]",
		    "[\"yes\",\"No\",\"on\",\"OFF\",\"y\",\"n\",\"nULL\","
		    "\"tRUE\"]" },
		{ "[0o17, 017, 0x1f, 0b1, 1_000, 1e3, 190:20:30]",
		    "[\"0o17\",\"017\",\"0x1f\",\"0b1\",\"1_000\",\"1e3\","
		    "\"190:20:30\"]" },
		{ "[.5, 1., +1, .inf, .nan, 00, 01.5, 1234567890123456]",
		    "[\".5\",\"1.\",\"+1\",\".inf\",\".nan\",\"00\",\"01.5\","
		    "\"1234567890123456\"]" },
		{ "[2001-12-14, 2001-12-14t21:59:43.10-05:00, =]",
		    "[\"2001-12-14\",\"2001-12-14t21:59:43.10-05:00\",\"=\"]" },
		{ "['1', \"true\", '', \"null\"]",
		    "[\"1\",\"true\",\"\",\"null\"]" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *text = xasprintf("k: %s", rows[i].text);
		cleanup_free char *want =
		    xasprintf("{\"k\": %s}", rows[i].want);
		const struct row row = { text, want };

		check_rows(&row, 1, DIAG_NONE);
	}
}

static void
test_scalars(void)
{
	static const struct row rows[] = {
		{ "k: a\n  b\n\n  c\n", "{\"k\": \"a b\\nc\"}" },
		{ "k: \"a\n  b\"\n", "{\"k\": \"a b\"}" },
		{ "k: \"a\\\n  b\"\n", "{\"k\": \"ab\"}" },
		{ "k: 'it''s\n  b'\n", "{\"k\": \"it's b\"}" },
		{ "k: 1\n  2\n", "{\"k\": \"1 2\"}" },
		{ "k: |\n  x\n\n   y\n", "{\"k\": \"x\\n\\n y\\n\"}" },
		{ "k: |-\n  x\n", "{\"k\": \"x\"}" },
		{ "k: |+\n  x\n\n", "{\"k\": \"x\\n\\n\"}" },
		{ "k: |2\n   x\n", "{\"k\": \" x\\n\"}" },
		{ "k: >\n  x\n  y\n", "{\"k\": \"x y\\n\"}" },
		{ "k: >-\n  1\n", "{\"k\": \"1\"}" },
		{ "k: \"\\x41\\u0042\\U00000043\\t\\e\"\n",
		    "{\"k\": \"ABC\\u0009\\u001b\"}" },
		{ "k: \"\\N\\L\\P\\uFEFF\"\n",
		    "{\"k\": \"\\u0085\\u2028\\u2029\\ufeff\"}" },
		{ "k: \"\\\"\\\\\"\n", "{\"k\": \"\\\"\\\\\"}" },
		{ "k: \303\274\360\237\232\242\n",
		    "{\"k\": \"\303\274\360\237\232\242\"}" },
		{ "k: http://h/x#y # z\n", "{\"k\": \"http://h/x#y\"}" },
	};

	check_rows(rows, ARRAY_SIZE(rows), DIAG_NONE);
}

static void
test_tags(void)
{
	static const struct row kept[] = {
		{ "a: !reset\nb: !reset null\nc: !override [x]\n",
		    "{\"a\": !reset null,\"b\": !reset null,"
		    "\"c\": !override [\"x\"]}" },
		{ "\303\274: \303\274\na: !override\n  b: !reset \"x\"\n",
		    "{\"\303\274\": \"\303\274\",\"a\": !override "
		    "{\"b\": !reset \"x\"}}" },
		{ "a: {b: !reset }\nc:\n- !reset x\n",
		    "{\"a\": {\"b\": !reset null},\"c\": [!reset \"x\"]}" },
		{ "!override\na: b\n", "!override {\"a\": \"b\"}" },
	};
	static const char *const refused[] = {
		"a: !!str 1\n",
		"a: !custom\n",
		"a: ! 12\n",
		"a: ! \"x\"\n",
		"a: ! [x]\n",
		"a: !<!reset> x\n",
		"a: !<tag:yaml.org,2002:bool> x\n",
		"a: !%72eset x\n",
		"a: !rese%74 x\n",
		"a: !resetx x\n",
		"a: !Reset x\n",
	};

	check_rows(kept, ARRAY_SIZE(kept), DIAG_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		const struct row row = { refused[i],
			"refused by policy: tags: o.yml:1: a tag that is not "
			"!reset or !override" };

		check_rows(&row, 1, DIAG_POLICY);
	}
}

static void
test_hidden(void)
{
	static const struct row rows[] = {
		{ "a: &x 1\n", "anchors: o.yml:1: an anchor or an alias" },
		{ "a:\n  &x b: 1\n",
		    "anchors: o.yml:2: an anchor or an alias" },
		{ "a: &x [1]\n", "anchors: o.yml:1: an anchor or an alias" },
		{ "a: &x !reset\n", "anchors: o.yml:1: an anchor or an alias" },
		{ "a: &x {b: c}\n", "anchors: o.yml:1: an anchor or an alias" },
		{ "a: b\nc: *x\n", "anchors: o.yml:2: an anchor or an alias" },
		{ "*x : b\n", "anchors: o.yml:1: an anchor or an alias" },
		{ "a:\n  <<: {b: c}\n", "anchors: o.yml:2: a merge key" },
		{ "a: {\"<<\": {b: c}}\n", "anchors: o.yml:1: a merge key" },
		{ "a: {'<<': {b: c}}\n", "anchors: o.yml:1: a merge key" },
		{ "\"\\x3c<\": {b: c}\n", "anchors: o.yml:1: a merge key" },
		{ "? <<\n: {b: c}\n", "anchors: o.yml:1: a merge key" },
		{ "!!merge <<: {b: c}\n",
		    "tags: o.yml:1: a tag that is not !reset or !override" },
		{ "a: {!reset b: c}\n", "tags: o.yml:1: a tag at a key" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *want =
		    xasprintf("refused by policy: %s", rows[i].want);
		const struct row row = { rows[i].text, want };

		check_rows(&row, 1, DIAG_POLICY);
	}
}

static void
test_bad(void)
{
	static const struct row rows[] = {
		{ "- a\n", "o.yml:1: no mapping at the top" },
		{ "\nabc\n", "o.yml:2: no mapping at the top" },
		{ "''\n", "o.yml:1: no mapping at the top" },
		{ "a: 1\nb: 2\n\"\\x61\": 3\n",
		    "o.yml:3: the key \"a\" is there twice" },
		{ "a: {b: 1, 'b': 2}\n",
		    "o.yml:1: the key \"b\" is there twice" },
		{ "a: 1\n---\nb: 2\n", "o.yml:2: a second document" },
		{ "a: 1\n...\n---\n", "o.yml:3: a second document" },
		{ "%YAML 1.1\n---\na: b\n", "o.yml:1: a directive" },
		{ "%TAG ! tag:x,2000:\n---\na: b\n", "o.yml:1: a directive" },
		{ "? [a]\n: b\n",
		    "o.yml:1: a key that is a list or a mapping" },
		{ "a: {{b: c}: d}\n",
		    "o.yml:1: a key that is a list or a mapping" },
		{ "a: b\n?\n: c\n", "o.yml:2: a value without a key" },
		{ ": b\n",
		    "o.yml:1: did not find expected key while parsing a "
		    "block mapping (line 1)" },
		{ "\"a\\0b\": c\n", "o.yml:1: a NUL character" },
		{ "a: \"b\\0c\"\n", "o.yml:1: a NUL character" },
		{ A256 "a: b\n", "o.yml:1: a key that is too long" },
		{ "a: b\n\tc: d\n", "o.yml:2: a tab: indent with blanks" },
		{ "a: b\r\n", "o.yml:1: a control character" },
		{ "a: \302\205\n", "o.yml:1: a control character" },
		{ "a: b\342\200\250c: d\n", "o.yml:1: a control character" },
		{ "\357\273\277a: b\n", "o.yml:1: a control character" },
		{ "\377\376a", "o.yml:1: not UTF-8" },
		{ "a: \"\\ud800\"\n",
		    "o.yml:1: found invalid Unicode character escape code "
		    "while parsing a quoted scalar (line 1)" },
		{ "a:\n  b: [\n\n",
		    "o.yml:4: did not find expected node content "
		    "while parsing a flow node (line 4)" },
		{ "a: b\n  c: d\n",
		    "o.yml:2: mapping values are not allowed in this "
		    "context" },
	};

	check_rows(rows, ARRAY_SIZE(rows), DIAG_CONFIG);
}

static void
test_utf16(void)
{
	static const char text[] = "\0a\0:\0 \0b";
	enum diag_class class;
	cleanup_free char *got = read_text(text, sizeof(text) - 1, &class);

	CHECK_STR(got, "o.yml:1: a control character");
	CHECK_INT(class, DIAG_CONFIG);
}

/* n times s, which is the caller's. */
static char *
repeat(const char *s, size_t n)
{
	struct strbuf out = STRBUF_INIT;

	while (n-- > 0)
		strbuf_addstr(&out, s);
	return strbuf_detach(&out, NULL);
}

static void
test_bounds(void)
{
	static const struct {
		const char *head;
		const char *part;
		size_t times;
		const char *tail;
		const char *want; /* NULL: it is read */
	} rows[] = {
		{ "a: ", "[", YAML_MAX_DEPTH - 1, "", NULL },
		{ "a: ", "[", YAML_MAX_DEPTH, "", "o.yml:1: nested too deep" },
		{ "", "{a: ", YAML_MAX_DEPTH + 1, "",
		    "o.yml:1: nested too deep" },
		{ "a: ", "[", 65000, "", "o.yml:1: nested too deep" },
		{ "a:\n ", "- ", 32000, "b", "o.yml:2: nested too deep" },
		{ "", "? ", 32000, "b",
		    "o.yml:1: a key that is a list or a mapping" },
		{ "a: [", "b,", YAML_MAX_NODES - 2, "]", NULL },
		{ "a: [", "b,", YAML_MAX_NODES, "]",
		    "o.yml:1: too many values" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *parts = repeat(rows[i].part, rows[i].times);
		cleanup_free char *closing = repeat(
		    "]", rows[i].want == NULL && i == 0 ? rows[i].times : 0);
		cleanup_free char *text = xasprintf(
		    "%s%s%s%s", rows[i].head, parts, rows[i].tail, closing);
		enum diag_class class;
		cleanup_free char *got = read_text(text, strlen(text), &class);

		if (rows[i].want == NULL) {
			CHECK_INT(class, DIAG_NONE);
			continue;
		}
		CHECK_STR(got, rows[i].want);
		CHECK_INT(class, DIAG_CONFIG);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "mappings and lists of any style are one tree", test_shapes },
		{ "what dialects type differently is text", test_types },
		{ "scalars of any style and length", test_scalars },
		{ "only !reset and !override as written are kept", test_tags },
		{ "what hides its meaning is refused", test_hidden },
		{ "what cannot be read names its line", test_bad },
		{ "UTF-16 is refused", test_utf16 },
		{ "depth, values and time are bounded", test_bounds },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
