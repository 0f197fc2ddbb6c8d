/* SPDX-License-Identifier: MIT */
/* The record of a project's patched packages. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/patchledger.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UPPER "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA "\"sha256:" HEX "\""
#define DIGESTS "\"pristine\": " SHA ", \"patch\": " SHA ", \"tree\": " SHA
#define NAMED(ecosystem, name, version)                              \
	"\"ecosystem\": \"" ecosystem "\", \"name\": \"" name "\", " \
	"\"version\": \"" version "\""
#define ENTRY(ecosystem, name, version) \
	"{" NAMED(ecosystem, name, version) ", " DIGESTS ", \"lock\": \"x\"}"
#define FOO ENTRY("cargo", "foo", "1.0.0")
#define LEDGER(entries) "{\"version\": 1, \"patches\": [" entries "]}"

static int
parse(struct patchledger *ledger, const char *text, struct diag *dg)
{
	return patchledger_parse(ledger, text, strlen(text), dg);
}

/* Returned: the ledger as text; NULL if it is refused. */
static char *
written(const char *text)
{
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (!CHECK_INT(parse(&ledger, text, &dg), 0) ||
	    !CHECK_INT(patchledger_write(&ledger, &out, &dg), 0)) {
		CHECK_STR(dg.message, NULL);
		return NULL;
	}
	return strbuf_detach(&out, NULL);
}

static void
test_read(void)
{
	static const char text[] = LEDGER("{" NAMED("cargo", "foo",
	    "1.0.0-rc.1+b_2") ", \"pristine\": \"sha256:11" /**/
			      "23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""
			      ", \"patch\": " SHA ", \"tree\": \"sha256:22"
			      "23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""
			      ", \"lock\": \"[[package]]\\nname = \\\"foo\\\"\\r\\n\"}");
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *copy = NULL;
	cleanup_free char *patch = NULL;
	const struct patchledger_entry *e;

	if (!CHECK_INT(parse(&ledger, text, &dg), 0) ||
	    !CHECK_INT(ledger.nr, 1)) {
		CHECK_STR(dg.message, NULL);
		return;
	}
	e = &ledger.v[0];
	CHECK_STR(e->ecosystem, "cargo");
	CHECK_STR(e->name, "foo");
	CHECK_STR(e->version, "1.0.0-rc.1+b_2");
	CHECK_STR(e->fragment, "[[package]]\nname = \"foo\"\r\n");
	CHECK_INT(e->pristine.kind, DIGEST_SHA256);
	CHECK_INT(e->pristine.bytes[0], 0x11);
	CHECK_INT(e->patch.bytes[0], 0x01);
	CHECK_INT(e->tree.bytes[0], 0x22);
	copy = patchledger_copy_path(e);
	patch = patchledger_patch_path(e);
	CHECK_STR(
	    copy, ".drydock/patched/cargo/foo-1.0.0-rc.1+b_2-0123456789ab");
	CHECK_STR(patch, ".drydock/patches/cargo/foo@1.0.0-rc.1+b_2.patch");
}

static void
test_written_form(void)
{
	static const char want[] = "{\n"
				   "  \"version\": 1,\n"
				   "  \"patches\": [\n"
				   "    {\n"
				   "      \"ecosystem\": \"cargo\",\n"
				   "      \"name\": \"foo\",\n"
				   "      \"version\": \"1.0.0\",\n"
				   "      \"pristine\": " SHA ",\n"
				   "      \"patch\": " SHA ",\n"
				   "      \"tree\": " SHA ",\n"
				   "      \"lock\": \"x\"\n"
				   "    }\n"
				   "  ]\n"
				   "}\n";
	cleanup_free char *once = written(LEDGER(FOO));
	cleanup_free char *twice = written(want);
	cleanup_free char *none = written(LEDGER(""));

	CHECK_STR(once, want);
	CHECK_STR(twice, want);
	CHECK_STR(none, "{\n  \"version\": 1,\n  \"patches\": []\n}\n");
}

static void
test_sorted(void)
{
	cleanup_free char *sorted = written(LEDGER(ENTRY("cargo", "a",
	    "1.0.0") "," ENTRY("cargo", "a", "1.0.1") "," ENTRY("cargo", "b",
	    "0.1.0") "," ENTRY("pip", "a", "0.1.0")));
	cleanup_free char *mixed = written(LEDGER(ENTRY("pip", "a",
	    "0.1.0") "," ENTRY("cargo", "a", "1.0.1") "," ENTRY("cargo", "b",
	    "0.1.0") "," ENTRY("cargo", "a", "1.0.0")));

	CHECK_STR(mixed, sorted);
}

#define INTEGRITY                                                            \
	"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNK" \
	"HfuwvY7kxvUdBeoGlODJ6+SfaPg=="
#define NPM(ecosystem, name, pristine, more)                            \
	"{" NAMED(ecosystem, name, "1.0.0") ", \"pristine\": " pristine \
					    ", \"patch\": " SHA         \
					    ", \"tree\": " SHA          \
					    ", \"lock\": \"{}\"" more "}"
#define SHA512 "\"sha512:" HEX HEX "\""
#define MORE ", \"integrity\": \"" INTEGRITY "\""

static void
test_npm(void)
{
	static const char *const refused[] = {
		LEDGER(NPM("npm", "a", SHA512, "")),
		LEDGER(NPM("npm", "a", SHA, MORE)),
		LEDGER(NPM("npm", "a", SHA512, ", \"integrity\": \"x\"")),
		LEDGER(NPM("npm", "@a", SHA512, MORE)),
		LEDGER(NPM("npm", "@a/", SHA512, MORE)),
		LEDGER(NPM("npm", "@/b", SHA512, MORE)),
		LEDGER(NPM("npm", "a/b", SHA512, MORE)),
		LEDGER(NPM("npm", "@a/b/c", SHA512, MORE)),
		LEDGER(NPM("npm", "@a/..", SHA512, MORE)),
		LEDGER(NPM("npm", "@../b", SHA512, MORE)),
		LEDGER(NPM("npm", "@a+b/c", SHA512, MORE)),
		LEDGER(NPM("cargo", "a", SHA, MORE)),
		LEDGER(NPM("cargo", "a", SHA512, "")),
		LEDGER(NPM("cargo", "@a/b", SHA, "")),
	};
	cleanup_free char *once =
	    written(LEDGER(NPM("npm", "@a/b", SHA512, MORE)));
	cleanup_free char *twice = once == NULL ? NULL : written(once);
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK(once != NULL && strstr(once, INTEGRITY) != NULL);
	CHECK_STR(twice, once);
	if (CHECK_INT(parse(&ledger, once, &dg), 0)) {
		cleanup_free char *file = patchledger_file_name(&ledger.v[0]);
		cleanup_free char *patch = patchledger_patch_path(&ledger.v[0]);
		cleanup_free char *copy = patchledger_copy_path(&ledger.v[0]);

		CHECK_STR(file, "@a+b@1.0.0");
		CHECK_STR(patch, ".drydock/patches/npm/@a+b@1.0.0.patch");
		CHECK_STR(copy, ".drydock/patched/npm/@a+b-1.0.0-0123456789ab");
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		cleanup_patchledger struct patchledger none = PATCHLEDGER_INIT;
		cleanup_diag struct diag why = DIAG_INIT;

		if (!CHECK_INT(parse(&none, refused[i], &why), -1))
			CHECK_STR(refused[i], NULL);
		CHECK_INT(why.class, DIAG_DATA);
	}
}

static void
test_split(void)
{
	static const struct {
		const char *ecosystem;
		const char *text;
		const char *name; /* NULL: no package's */
		const char *version;
	} rows[] = {
		{ "cargo", "foo", "foo", NULL },
		{ "cargo", "foo@1.0.0", "foo", "1.0.0" },
		{ "npm", "@a/b", "@a/b", NULL },
		{ "npm", "@a/b@1.0.0-rc.1", "@a/b", "1.0.0-rc.1" },
		{ "npm", "@a+b@1.0.0", "@a/b", "1.0.0" },
		{ NULL, "@a/b@1", "@a/b", "1" },
		{ "cargo", "@a/b", NULL, NULL },
		{ "npm", "", NULL, NULL },
		{ "npm", "@", NULL, NULL },
		{ "npm", "@a", NULL, NULL },
		{ "npm", "a@", NULL, NULL },
		{ "npm", "a@1@2", NULL, NULL },
		{ "npm", "@a/../b", NULL, NULL },
		{ "npm", "../a", NULL, NULL },
		{ "npm", "a/b", NULL, NULL },
		{ "npm", "a@1/2", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *name = NULL;
		cleanup_free char *version = NULL;
		bool found = patchledger_split(
		    rows[i].ecosystem, rows[i].text, &name, &version);

		if (!CHECK(found == (rows[i].name != NULL)))
			CHECK_STR(rows[i].text, NULL);
		CHECK_STR(name, rows[i].name);
		CHECK_STR(version, rows[i].version);
	}
}

static void
test_refused(void)
{
	static const struct {
		const char *text;
		const char *why; /* a part of the message */
	} rows[] = {
		{ "", "" },
		{ "{", "" },
		{ "[]", "not an object" },
		{ "null", "not an object" },
		{ LEDGER(FOO) " x", "" },
		{ "{}", "version: not a version" },
		{ "{\"version\": 1}", "patches: not a list" },
		{ "{\"patches\": []}", "version: not a version" },
		{ "{\"version\": 0, \"patches\": []}", "not a version" },
		{ "{\"version\": -1, \"patches\": []}", "not a version" },
		{ "{\"version\": \"1\", \"patches\": []}", "not a version" },
		{ "{\"version\": 1.0, \"patches\": []}", "not a version" },
		{ "{\"version\": 1e0, \"patches\": []}", "not a version" },
		{ "{\"version\": 2, \"patches\": []}", "a newer drydock" },
		{ "{\"version\": 2, \"new\": 1}", "a newer drydock" },
		{ "{\"version\": 1, \"patches\": [], \"more\": 1}",
		    "more: an unknown key" },
		{ "{\"version\": 1, \"patches\": [], \"patches\": []}",
		    "patches" },
		{ "{\"version\": 1, \"version\": 1, \"patches\": []}",
		    "version" },
		{ "{\"version\": 1, \"patches\": {}}", "not a list" },
		{ "{\"version\": 1, \"patches\": null}", "not a list" },
		{ LEDGER("1"), "not an object" },
		{ LEDGER("[]"), "not an object" },
		{ LEDGER("{}"), "ecosystem: missing" },
		{ LEDGER("{" NAMED("cargo", "foo", "1") ", " DIGESTS "}"),
		    "lock: missing" },
		{ LEDGER("{" NAMED("cargo", "foo", "1") ", \"lock\": \"x\"}"),
		    "pristine: missing" },
		{ LEDGER("{" NAMED("cargo", "foo",
		      "1") ", " DIGESTS
			   ", \"lock\": \"x\", \"Name\": \"foo\"}"),
		    "Name: an unknown key" },
		{ LEDGER("{" NAMED("cargo", "foo",
		      "1") ", " DIGESTS
			   ", \"lock\": \"x\", \"name\": \"foo\"}"),
		    "name" },
		{ LEDGER("{" NAMED("cargo", "foo", "1") ", " DIGESTS
							", \"lock\": \"\"}"),
		    "lock: not an entry" },
		{ LEDGER("{" NAMED("cargo", "foo", "1") ", " DIGESTS
							", \"lock\": 1}"),
		    "lock: not an entry" },
		{ LEDGER("{" NAMED("cargo", "foo",
		      "1") ", " DIGESTS ", \"lock\": \"a\\u0000b\"}"),
		    "" },
		{ LEDGER("{" NAMED("cargo", "foo",
		      "1") ", " DIGESTS ", \"lock\": \"\\ud800\"}"),
		    "" },
		{ LEDGER("{" NAMED("cargo", "foo",
		      "1") ", " DIGESTS ", \"lock\": \"\xff\"}"),
		    "" },
		{ LEDGER(FOO "," FOO), "foo 1.0.0 occurs twice" },
		{ LEDGER(FOO "," ENTRY("cargo", "bar", "1") "," FOO),
		    "foo 1.0.0 occurs twice" },
		{ LEDGER(ENTRY("cargo", "a-1", "2") "," ENTRY(
		      "cargo", "a", "1-2")),
		    "two entries have the copy .drydock/patched/cargo/a-1-2-" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_patchledger struct patchledger ledger =
		    PATCHLEDGER_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		if (!CHECK_INT(parse(&ledger, rows[i].text, &dg), -1))
			CHECK_STR("accepted", rows[i].text);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK(ledger.v == NULL && ledger.nr == 0);
		if (dg.message != NULL &&
		    !CHECK(strstr(dg.message, rows[i].why) != NULL))
			CHECK_STR(dg.message, rows[i].why);
	}
}

/* The same text is refused as ecosystem, as name and as version. */
static void
test_words(void)
{
	static const struct {
		const char *word;
		bool good;
	} rows[] = {
		{ "foo", true },
		{ "_foo", true },
		{ "+", true },
		{ "F.o-O_9+z", true },
		{ "a..b", true },
		{ "", false },
		{ ".", false },
		{ "..", false },
		{ ".foo", false },
		{ "-x", false },
		{ "a/b", false },
		{ "../b", false },
		{ "/b", false },
		{ "a b", false },
		{ "a@b", false },
		{ "a\\\\b", false },
		{ "a\\nb", false },
		{ "a\\\"b", false },
		{ "a:b", false },
		{ "\xc3\xa4", false },
	};
	static const char *const keys[] = { "ecosystem", "name", "version" };

	for (size_t i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(keys); i++) {
		const char *word = rows[i / ARRAY_SIZE(keys)].word;
		bool good = rows[i / ARRAY_SIZE(keys)].good;
		cleanup_patchledger struct patchledger ledger =
		    PATCHLEDGER_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		strbuf_addstr(&text, "{\"version\": 1, \"patches\": [{");
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			strbuf_addf(&text, "\"%s\": \"%s\", ", keys[k],
			    k == i % ARRAY_SIZE(keys) ? word : "x");
		strbuf_addstr(&text, DIGESTS ", \"lock\": \"x\"}]}");
		if (!CHECK_INT(parse(&ledger, text.buf, &dg), good ? 0 : -1))
			CHECK_STR(text.buf, dg.message);
		CHECK_INT(dg.class, good ? DIAG_NONE : DIAG_DATA);
		if (strchr(word, '\\') == NULL)
			CHECK_INT(patchledger_is_word(word), good);
	}
	CHECK(!patchledger_is_word("a\nb"));
	CHECK(!patchledger_is_word("a\\b"));
}

static void
test_long_words(void)
{
	char word[102];

	memset(word, 'x', sizeof(word));
	word[101] = '\0';
	CHECK(!patchledger_is_word(word));
	word[100] = '\0';
	CHECK(patchledger_is_word(word));
}

static void
test_digests(void)
{
	static const struct {
		const char *digest;
		bool good;
	} rows[] = {
		{ "\"sha256:" HEX "\"", true },
		{ "\"sha256:" UPPER "\"", false },
		{ "\"SHA256:" HEX "\"", false },
		{ "\"" HEX "\"", false },
		{ "\"sha256:" HEX "0\"", false },
		{ "\"sha256:" HEX " \"", false },
		{ "\"sha256: " HEX "\"", false },
		{ "\"sha256:\"", false },
		{ "\"sha512:" HEX HEX "\"", false },
		{ "\"sha512:" HEX "\"", false },
		{ "1", false },
		{ "null", false },
	};
	static const char *const keys[] = { "pristine", "patch", "tree" };

	for (size_t i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(keys); i++) {
		bool good = rows[i / ARRAY_SIZE(keys)].good;
		cleanup_patchledger struct patchledger ledger =
		    PATCHLEDGER_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		strbuf_addstr(&text, "{\"version\": 1, \"patches\": [{");
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			strbuf_addf(&text, "\"%s\": %s, ", keys[k],
			    k == i % ARRAY_SIZE(keys)
				? rows[i / ARRAY_SIZE(keys)].digest
				: SHA);
		strbuf_addstr(
		    &text, NAMED("cargo", "foo", "1") ", \"lock\": \"x\"}]}");
		if (!CHECK_INT(parse(&ledger, text.buf, &dg), good ? 0 : -1))
			CHECK_STR(text.buf, dg.message);
		CHECK_INT(dg.class, good ? DIAG_NONE : DIAG_DATA);
	}
}

/* Fills an entry whose strings the ledger may take. */
static struct patchledger_entry
entry(const char *name, const char *version, const char *fragment)
{
	struct patchledger_entry e = {
		.ecosystem = xstrdup(PATCHLEDGER_CARGO),
		.name = xstrdup(name),
		.version = xstrdup(version),
		.fragment = xstrdup(fragment),
	};

	CHECK(digest_parse_hex(DIGEST_SHA256, HEX, 64, &e.pristine));
	e.patch = e.pristine;
	e.tree = e.pristine;
	return e;
}

static void
put(struct patchledger *ledger, const char *name, const char *version,
    const char *fragment)
{
	struct patchledger_entry e = entry(name, version, fragment);

	patchledger_put(ledger, &e);
	CHECK(e.name == NULL && e.fragment == NULL);
}

/* The limit holds for the text, and for what would be written. */
static void
test_limit(void)
{
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;
	cleanup_patchledger struct patchledger again = PATCHLEDGER_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	char name[16];

	for (int i = 0; i < PATCHLEDGER_MAX; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		put(&ledger, name, "1.0.0", "x");
	}
	CHECK_INT(patchledger_write(&ledger, &out, &dg), 0);
	CHECK_INT(parse(&again, out.buf, &dg), 0);
	CHECK_INT(again.nr, PATCHLEDGER_MAX);
	put(&ledger, "more", "1.0.0", "x");
	strbuf_reset(&out);
	CHECK_INT(patchledger_write(&ledger, &out, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	CHECK_INT(out.len, 0);
	diag_clear(&dg);
	patchledger_release(&again);
	strbuf_addstr(&text, "{\"version\": 1, \"patches\": [");
	for (int i = 0; i <= PATCHLEDGER_MAX; i++)
		strbuf_addf(&text,
		    "%s{\"ecosystem\": \"cargo\", "
		    "\"name\": \"p%d\", \"version\": \"1\", " DIGESTS
		    ", \"lock\": \"x\"}",
		    i > 0 ? "," : "", i);
	strbuf_addstr(&text, "]}");
	CHECK_INT(parse(&again, text.buf, &dg), -1);
	CHECK_STR(dg.message, ".drydock/patches.json: more than 1000 patches");
	CHECK(again.v == NULL);
}

static void
test_sizes(void)
{
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_free char *large = xmalloc(PATCHLEDGER_MAX_SIZE + 2);

	memset(large, ' ', PATCHLEDGER_MAX_SIZE + 1);
	large[PATCHLEDGER_MAX_SIZE + 1] = '\0';
	memcpy(large, LEDGER(FOO), strlen(LEDGER(FOO)));
	CHECK_INT(parse(&ledger, large, &dg), -1);
	CHECK_STR(
	    dg.message, ".drydock/patches.json: more than 16777216 bytes");
	diag_clear(&dg);
	large[PATCHLEDGER_MAX_SIZE] = '\0';
	CHECK_INT(parse(&ledger, large, &dg), 0);
	put(&ledger, "large", "1.0.0", large);
	strbuf_addstr(&out, "before");
	CHECK_INT(patchledger_write(&ledger, &out, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	CHECK_STR(out.buf, "before");
}

static void
test_not_utf8(void)
{
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	put(&ledger, "foo", "1.0.0", "# \xff\n");
	CHECK_INT(patchledger_write(&ledger, &out, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK_INT(out.len, 0);
}

static void
test_find(void)
{
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;
	const struct patchledger_entry *e;

	CHECK(patchledger_find(&ledger, "cargo", "foo", NULL) == NULL);
	put(&ledger, "foo", "2.0.0", "x");
	put(&ledger, "bar", "1.0.0", "x");
	e = patchledger_find(&ledger, "cargo", "foo", NULL);
	CHECK_STR(e == NULL ? NULL : e->version, "2.0.0");
	CHECK(patchledger_find(&ledger, "npm", "foo", NULL) == NULL);
	CHECK(patchledger_find(&ledger, "cargo", "fo", NULL) == NULL);
	CHECK(patchledger_find(&ledger, "cargo", "foo", "1.0.0") == NULL);
	put(&ledger, "foo", "1.0.0", "x");
	CHECK(patchledger_find(&ledger, "cargo", "foo", NULL) == NULL);
	e = patchledger_find(&ledger, "cargo", "foo", "1.0.0");
	CHECK_STR(e == NULL ? NULL : e->version, "1.0.0");
	CHECK_STR(ledger.v[0].name, "bar");
	CHECK_STR(ledger.v[1].version, "1.0.0");
	CHECK_STR(ledger.v[2].version, "2.0.0");
}

static void
test_replace_and_drop(void)
{
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;

	put(&ledger, "b", "1", "old");
	put(&ledger, "c", "1", "c");
	put(&ledger, "a", "1", "a");
	put(&ledger, "b", "1", "new");
	if (!CHECK_INT(ledger.nr, 3))
		return;
	CHECK_STR(ledger.v[1].fragment, "new");
	patchledger_drop(&ledger, &ledger.v[1]);
	if (!CHECK_INT(ledger.nr, 2))
		return;
	CHECK_STR(ledger.v[0].name, "a");
	CHECK_STR(ledger.v[1].name, "c");
	patchledger_drop(&ledger, &ledger.v[1]);
	patchledger_drop(&ledger, &ledger.v[0]);
	CHECK_INT(ledger.nr, 0);
	put(&ledger, "d", "1", "d");
	CHECK_STR(ledger.v[0].name, "d");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a ledger is read", test_read },
		{ "a ledger is written in one form", test_written_form },
		{ "entries in any order are sorted", test_sorted },
		{ "an entry of npm has its own digests and names", test_npm },
		{ "a package is a name with or without version", test_split },
		{ "a malformed ledger is refused", test_refused },
		{ "words are parts of file names", test_words },
		{ "a word has at most 100 characters", test_long_words },
		{ "a digest is 64 lower-case digits", test_digests },
		{ "1000 entries are the limit", test_limit },
		{ "16 MiB are the limit", test_sizes },
		{ "a fragment that is not UTF-8 is not written",
		    test_not_utf8 },
		{ "an entry is found by name or version", test_find },
		{ "entries are replaced and dropped", test_replace_and_drop },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
