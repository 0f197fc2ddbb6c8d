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
#define BLOCK                                               \
	BEGIN "\n[patch.crates-io.dep]\npath = \"p/dep\"\n" \
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
	    "[patch.crates-io.dep]\r\npath = \"p/dep\"\r\n"
	    "# drydock patch: end\r\n");
	CHECK_INT(
	    set("[a]\n" BLOCK "# mine\n[b]\nc = 1\n", NULL, 0, &after, &dg), 0);
	/* The user's lines, and not the block's, decide its line ends. */
	CHECK_INT(set(BLOCK "[a]\r\n", dep, 1, &moved, &dg), 0);
	CHECK_INT(set(moved.buf, dep, 1, &same, &dg), 0);
	CHECK_STR(same.buf, moved.buf);
	CHECK_STR(after.buf, "[a]\n# mine\n[b]\nc = 1\n");
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
		{ "[a]\nb = \"c\n", DIAG_DATA },
		{ "[a]\nb = [\n", DIAG_DATA },
		{ "[a]\nb = \"\"\"\n", DIAG_DATA },
		{ "[a]\nb = \"\\", DIAG_DATA },
		{ "]\n", DIAG_DATA },
		{ BLOCK BLOCK, DIAG_DATA },
		{ "  " BLOCK, DIAG_DATA },
		{ BEGIN "\n[patch.crates-io.dep]\n", DIAG_DATA },
		{ BLOCK "version = \"1\"\n", DIAG_DATA },
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

int
main(void)
{
	static const struct check_test tests[] = {
		{ "removing the block gives the user's bytes back",
		    test_round_trip },
		{ "the block has the text's line ends", test_text },
		{ "what cannot be judged is refused", test_refused },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
