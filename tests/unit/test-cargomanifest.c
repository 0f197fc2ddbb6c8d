/* SPDX-License-Identifier: MIT */
/* The managed block of a Cargo.toml. */
#include "check.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/cargomanifest.h"

#define BEGIN "# drydock patch: begin; \"drydock patch\" writes this block"
#define BLOCK                                              \
	BEGIN "\n[patch.crates-io.dep]\npath = \"p/dep\" " \
	      "# drydock patch: end\n"

static const struct cargomanifest_patch dep[] = { { "dep", "p/dep" } };
static const struct cargomanifest_patch two[] = { { "dep", "p/dep" },
	{ "other", "p/other" } };

static int
set(const char *text, const struct cargomanifest_patch *patches, size_t nr,
    struct strbuf *out, struct diag *dg)
{
	return cargomanifest_set(text, strlen(text), patches, nr, out, dg);
}

static void
test_round_trip(void)
{
	static const char *const texts[] = {
		"",
		"\n",
		"[package]\nname = \"a\"\n",
		"[package]\nname = \"a\"",
		"[package]\nname = \"a\"\n\n\n# a comment",
		"[package]\r\nname = \"a\"\r\n",
		"[package]\r\nname = \"a\"",
		"[workspace]\nmembers = [\n \"a\", # ]\n \"b\"\n]\n",
		"[package]\nd = \"\"\"\n" BLOCK "\"\"\"\n",
		"[package]\nd = '''\n[patch.crates-io.dep]\n'''''\n",
		"[patch.crates-io]\nmine = { path = \"m\" }\n",
		"[patch.crates-io.dep2]\npath = \"m\"\n",
		"[dependencies]\nd = { package = \"dep\", version = \"1\" }\n",
		"[patch.crates-io]\nx = { package = \"dep2\", path = \"m\" }\n",
		"[target.\"cfg(a = \\\"b\\\")\".dependencies]\nc = \"1\"\n",
		"\xef\xbb\xbf[package]\nname = \"a\"\n",
		"\xef\xbb\xbf",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf with = STRBUF_INIT;
		cleanup_strbuf struct strbuf again = STRBUF_INIT;
		cleanup_strbuf struct strbuf more = STRBUF_INIT;
		cleanup_strbuf struct strbuf back = STRBUF_INIT;

		CHECK_INT(set(texts[i], dep, 1, &with, &dg), 0);
		CHECK_STR(dg.message, NULL);
		CHECK(strncmp(with.buf, texts[i], strlen(texts[i])) == 0);
		CHECK(with.len > strlen(texts[i]));
		CHECK_INT(set(with.buf, dep, 1, &again, &dg), 0);
		CHECK_STR(again.buf, with.buf);
		CHECK_INT(set(again.buf, two, 2, &more, &dg), 0);
		CHECK(more.len > again.len);
		CHECK_INT(set(more.buf, NULL, 0, &back, &dg), 0);
		CHECK_STR(back.buf, texts[i]);
	}
}

static void
test_text(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf lf = STRBUF_INIT;
	cleanup_strbuf struct strbuf crlf = STRBUF_INIT;
	cleanup_strbuf struct strbuf after = STRBUF_INIT;
	cleanup_strbuf struct strbuf moved = STRBUF_INIT;
	cleanup_strbuf struct strbuf same = STRBUF_INIT;

	CHECK_INT(set("[a]\n", dep, 1, &lf, &dg), 0);
	CHECK_STR(lf.buf, "[a]\n" BLOCK);
	CHECK_INT(set("[a]\r\nb = 1", dep, 1, &crlf, &dg), 0);
	CHECK_STR(crlf.buf,
	    "[a]\r\nb = 1\r\n" BEGIN " (no newline before it)\r\n"
	    "[patch.crates-io.dep]\r\npath = \"p/dep\" "
	    "# drydock patch: end\r\n");
	CHECK_INT(
	    set("[a]\n" BLOCK "# mine\n[b]\nc = 1\n", NULL, 0, &after, &dg), 0);
	/* The user's lines, and not the block's, decide its line ends. */
	CHECK_INT(set(BLOCK "[a]\r\n", dep, 1, &moved, &dg), 0);
	CHECK_INT(set(moved.buf, dep, 1, &same, &dg), 0);
	CHECK_STR(same.buf, moved.buf);
	CHECK_STR(after.buf, "[a]\n# mine\n[b]\nc = 1\n");
}

/* An editor may have changed some line ends, or removed lines. */
static void
test_mixed_line_ends(void)
{
	static const char crlf[] = " (no newline before it)\r\n"
				   "[patch.crates-io.dep]\r\n"
				   "path = \"p\" # drydock patch: end\r\n";
	static const char lf[] = " (no newline before it)\n"
				 "[patch.crates-io.dep]\r\n"
				 "path = \"p\" # drydock patch: end\n";
	static const struct {
		const char *front;
		const char *behind;
		const char *own;
	} rows[] = {
		{ "a = 1\n", crlf, "a = 1" },
		{ "a = 1\r\n", crlf, "a = 1" },
		{ "a = 1\r\n", lf, "a = 1" },
		{ "\n", crlf, "" },
		{ "\n", lf, "" },
		{ "", crlf, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		strbuf_addf(
		    &text, "%s" BEGIN "%s", rows[i].front, rows[i].behind);
		CHECK_INT(set(text.buf, NULL, 0, &out, &dg), 0);
		CHECK_STR(dg.message, NULL);
		CHECK_STR(out.buf, rows[i].own);
	}
}

static void
test_refused(void)
{
	static const struct {
		const char *text;
		enum diag_class class;
	} rows[] = {
		{ "[patch.crates-io]\ndep = { path = \"m\" }\n", DIAG_CONFIG },
		{ "[patch.crates-io]\ndep.path = \"m\"\n", DIAG_CONFIG },
		{ "[patch.'crates-io'.\"dep\"]\npath = \"m\"\n", DIAG_CONFIG },
		{ "[patch]\ncrates-io = { dep = { path = \"m\" } }\n",
		    DIAG_CONFIG },
		{ "patch = { crates-io = { } }\n", DIAG_CONFIG },
		{ "patch.crates-io.dep.path = \"m\"\n", DIAG_CONFIG },
		{ "[\"p\\u0061tch\"]\n", DIAG_DATA },
		{ "[patch.crates-io.x]\npackage = \"dep\"\n", DIAG_CONFIG },
		{ "[patch]\ncrates-io.x = { package = 'dep' }\n", DIAG_CONFIG },
		{ "[patch.crates-io.x]\npackage = \"d\\u0065p\"\n",
		    DIAG_CONFIG },
		{ "[patch.\"https://github.com/rust-lang/crates.io-index\"]\n"
		  "dep = { path = \"m\" }\n",
		    DIAG_CONFIG },
		{ "[patch.mine.dep]\npath = \"m\"\n", DIAG_CONFIG },
		{ "\xef\xbb\xbf[patch.crates-io.dep]\n", DIAG_CONFIG },
		{ "[package]\nworkspace = \"r\"\n", DIAG_CONFIG },
		{ "package = { workspace = \"r\" }\n", DIAG_CONFIG },
		{ "[replace]\n\"a:1.0.0\" = { path = \"m\" }\n", DIAG_CONFIG },
		{ "[patch]\ncrates-io = 1\n", DIAG_CONFIG },
		{ "[a]\nb = 1 # c\r[patch.crates-io.dep]\n", DIAG_DATA },
		{ "[a]\nb = \"c\n", DIAG_DATA },
		{ "[a]\nb = [\n", DIAG_DATA },
		{ "[a]\nb = \"\"\"\n", DIAG_DATA },
		{ "[a]\nb = \"\\", DIAG_DATA },
		{ "]\n", DIAG_DATA },
		{ BLOCK BLOCK, DIAG_DATA },
		{ "  " BLOCK, DIAG_DATA },
		{ BEGIN "\n[patch.crates-io.dep]\n", DIAG_DATA },
		{ BLOCK "version = \"1\"\n", DIAG_DATA },
		/* The user's lines in the block are not lost. */
		{ BEGIN "\n[patch.crates-io.dep]\npath = \"p\"\n[b]\n"
			"[patch.crates-io.a]\npath = \"p\" "
			"# drydock patch: end\n",
		    DIAG_DATA },
		{ BEGIN "\n[patch.crates-io.dep]\n# mine\n"
			"path = \"p\" # drydock patch: end\n",
		    DIAG_DATA },
		{ BEGIN "\n[patch.crates-io.dep]\nversion = \"1\"\n"
			"path = \"p\" # drydock patch: end\n",
		    DIAG_DATA },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		if (!CHECK_INT(set(rows[i].text, dep, 1, &out, &dg), -1) ||
		    !CHECK_INT(dg.class, rows[i].class))
			(void)check_str(
			    __FILE__, __LINE__, "row", rows[i].text, "refused");
		CHECK_INT(out.len, 0);
	}
}

static void
add_found(void *arg, const char *name, const char *why)
{
	struct strbuf *out = arg;

	strbuf_addf(out, "%s: %s\n", name != NULL ? name : "*", why);
}

static void
test_read(void)
{
	static const struct {
		const char *text;
		enum cargomanifest_state state;
		const char *found; /* of "dep" and "other" */
	} rows[] = {
		{ "", CARGOMANIFEST_NONE, "" },
		{ "[a]\n", CARGOMANIFEST_NONE, "" },
		{ "[a]\n" BLOCK, CARGOMANIFEST_OURS, "" },
		{ BLOCK, CARGOMANIFEST_OURS, "" },
		{ "[a]\n" BLOCK "[b]\nc = 1\n", CARGOMANIFEST_OURS, "" },
		{ "[a]\n" BEGIN " (no newline before it)\n"
		  "[patch.crates-io.dep]\n"
		  "path = \"p/dep\" # drydock patch: end\n",
		    CARGOMANIFEST_OURS, "" },
		{ "[a]\r\n" BEGIN "\r\n[patch.crates-io.dep]\r\n"
		  "path = \"p/dep\" # drydock patch: end\r\n",
		    CARGOMANIFEST_OURS, "" },
		{ "[a]\n" BEGIN "\n[patch.crates-io.dep]\r\n"
		  "path = \"p/dep\" # drydock patch: end\n",
		    CARGOMANIFEST_FOREIGN, "" },
		{ "[a]\n" BEGIN "\n# drydock patch: end\n",
		    CARGOMANIFEST_FOREIGN, "" },
		{ "[a]\n" BEGIN
		  "\n[patch.crates-io.dep] # drydock patch: end\n",
		    CARGOMANIFEST_FOREIGN, "" },
		{ "[a]\n" BEGIN "\n[patch.crates-io.dep]\n"
		  "path = \"p/dep\" # drydock patch: end",
		    CARGOMANIFEST_FOREIGN, "" },
		{ "[a]\n" BEGIN "\n[patch.crates-io.dep]\n"
		  "path =  \"p/dep\" # drydock patch: end\n",
		    CARGOMANIFEST_FOREIGN, "" },
		{ "[a]\n" BEGIN "\n[patch.crates-io.dep]\npath = \"p/dep\"\n"
		  "# drydock patch: end\n",
		    CARGOMANIFEST_FOREIGN, "" },
		{ "[a]\n" BEGIN "\n[patch.crates-io.dep]\n"
		  "path = \"p d\" # drydock patch: end\n",
		    CARGOMANIFEST_FOREIGN, "" },
		{ "[a]\n" BLOCK BLOCK, CARGOMANIFEST_FOREIGN, "" },
		{ "[a]\n " BLOCK, CARGOMANIFEST_FOREIGN, "" },
		{ BLOCK "path = 1\n", CARGOMANIFEST_FOREIGN, "" },
		{ "[a]\n" BEGIN "\n[patch.crates-io.dep]\n",
		    CARGOMANIFEST_FOREIGN, "" },
		{ "[patch.mine]\nother.path = \"x\"\n" BLOCK,
		    CARGOMANIFEST_OURS,
		    "other: your own [patch.mine] has other; remove that, or "
		    "do not patch this crate here\n" },
		{ "[package]\nworkspace = \"..\"\n" BLOCK, CARGOMANIFEST_OURS,
		    "*: package.workspace leads to another root, whose [patch] "
		    "cargo takes instead; patch in that directory\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf found = STRBUF_INIT;
		cleanup_cargomanifest_block struct cargomanifest_block block =
		    CARGOMANIFEST_BLOCK_INIT;
		const struct cargomanifest_conflicts conflicts = { two, 2,
			add_found, &found };

		CHECK_INT(cargomanifest_read(rows[i].text, strlen(rows[i].text),
			      &conflicts, &block, &dg),
		    0);
		CHECK_STR(dg.message, NULL);
		CHECK_STR(found.buf, rows[i].found);
		if (!CHECK_INT(block.state, rows[i].state))
			CHECK_STR(rows[i].text, "read");
		CHECK_INT(
		    block.nr, rows[i].state == CARGOMANIFEST_OURS ? 1 : 0);
		if (block.nr == 1) {
			CHECK_STR(block.v[0].name, "dep");
			CHECK_STR(block.v[0].path, "p/dep");
		}
	}
}

/* The reader and the writer agree. */
static void
test_read_written(void)
{
	static const char *const texts[] = { "", "[a]", "[a]\n", "[a]\r\n",
		"[a]\r\nb = 1" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_cargomanifest_block struct cargomanifest_block block =
		    CARGOMANIFEST_BLOCK_INIT;

		CHECK_INT(set(texts[i], two, 2, &out, &dg), 0);
		CHECK(cargomanifest_has_mark(out.buf, out.len));
		CHECK_INT(
		    cargomanifest_read(out.buf, out.len, NULL, &block, &dg), 0);
		CHECK_INT(block.state, CARGOMANIFEST_OURS);
		if (CHECK_INT(block.nr, 2)) {
			CHECK_STR(block.v[1].name, "other");
			CHECK_STR(block.v[1].path, "p/other");
		}
	}
}

static void
test_read_malformed(void)
{
	static const char *const texts[] = { "[a]\nb = \"c\n", "a = \x01\n",
		"[a]\nb = [\n" BLOCK, "[\"\\u0061\"]\n", "a\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf found = STRBUF_INIT;
		cleanup_cargomanifest_block struct cargomanifest_block block =
		    CARGOMANIFEST_BLOCK_INIT;
		const struct cargomanifest_conflicts conflicts = { two, 2,
			add_found, &found };

		CHECK_INT(cargomanifest_read(texts[i], strlen(texts[i]),
			      &conflicts, &block, &dg),
		    -1);
		CHECK_INT(dg.class, DIAG_DATA);
	}
}

static void
test_config(void)
{
	static const struct {
		const char *text;
		const char *who; /* NULL: no conflict */
	} rows[] = {
		{ "", NULL },
		{ "[build]\njobs = 1\n", NULL },
		{ "[source.crates-io]\nreplace-with = \"v\"\n", NULL },
		{ "[patch.crates-io]\nmine = { path = \"m\" }\n", NULL },
		{ "[patch]\n", NULL },
		{ "patch = {}\n", NULL },
		{ "[resolver]\nincompatible-rust-versions = \"allow\"\n",
		    NULL },
		{ "[patch.crates-io]\ndep = { path = \"m\" }\n", "dep" },
		{ "[patch]\ncrates-io = { dep.path = \"m\" }\n", "dep" },
		{ "patch.crates-io.dep.path = \"m\"\n", "dep" },
		{ "patch = { 'crates-io' = { \"dep\" = { path = \"m\" } } }\n",
		    "dep" },
		{ "[patch.\"https://x\".other]\npath = \"m\"\n", "other" },
		{ "[patch.crates-io.x]\npackage = 'other'\n", "other" },
		{ "[patch.x]\ny = { path = \"m\", package = \"dep\" }\n",
		    "dep" },
		{ "[patch.x]\ny = { path = \"m\", package = 1 }\n", "*" },
		{ "[patch.x]\ny.package = \"\"\"dep\"\"\"\n", "*" },
		{ "[patch]\nx = [ { dep = 1 } ]\n", "*" },
		{ "paths = [\"m\"]\n", "*" },
		{ "'paths' = []\n", "*" },
		{ "include = [\"m\"]\n", "*" },
		{ "[[include]]\npath = \"m\"\n", "*" },
		{ "[[paths]]\n", "*" },
		{ "[resolver]\nlockfile-path = \"x\"\n", "*" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf found = STRBUF_INIT;
		const struct cargomanifest_conflicts conflicts = { two, 2,
			add_found, &found };
		size_t n = rows[i].who == NULL ? 0 : strlen(rows[i].who);

		CHECK_INT(cargomanifest_judge_config(rows[i].text,
			      strlen(rows[i].text), "c", &conflicts, &dg),
		    0);
		if (rows[i].who == NULL
			? !CHECK_STR(found.buf, "")
			: !CHECK(found.len > n && found.buf[n] == ':' &&
			      memcmp(found.buf, rows[i].who, n) == 0))
			CHECK_STR(rows[i].text, "judged");
	}
}

static void
test_config_malformed(void)
{
	static const char *const texts[] = { "[a]\nb = \"c\n", "a\n",
		"\"\\u0070atch\".x.dep = 1\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf found = STRBUF_INIT;
		const struct cargomanifest_conflicts conflicts = { two, 2,
			add_found, &found };

		CHECK_INT(cargomanifest_judge_config(
			      texts[i], strlen(texts[i]), "c", &conflicts, &dg),
		    -1);
		CHECK_INT(dg.class, DIAG_DATA);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "removing the block gives the user's bytes back",
		    test_round_trip },
		{ "the block has the text's line ends", test_text },
		{ "mixed line ends lose no byte", test_mixed_line_ends },
		{ "what cannot be judged is refused", test_refused },
		{ "the block is ours, another's or not there", test_read },
		{ "a written block is read as ours", test_read_written },
		{ "a malformed text has no state", test_read_malformed },
		{ "a config's conflicts are told", test_config },
		{ "a malformed config is refused", test_config_malformed },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
