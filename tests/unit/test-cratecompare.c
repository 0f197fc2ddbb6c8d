/* SPDX-License-Identifier: MIT */
/* What a patch may change in the Cargo.toml of its crate. */
#include "check.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/cargomanifest.h"
#include "deps/crate.h"

#define CRATE                                                       \
	"[package]\nedition = \"2021\"\nname = \"foo\"\nversion = " \
	"\"1.0.0\"\n"
#define ORIGINAL                                              \
	"# made by cargo\n" CRATE "build = false\n"           \
	"description = \"\"\"\nlong\n\"\"\"\n\n"              \
	"[package.metadata.docs.rs]\nall-features = true\n\n" \
	"[lib]\nname = \"foo\"\npath = \"src/lib.rs\"\n\n"    \
	"[[bin]]\nname = \"foo\"\n\n"                         \
	"[features]\nstd = []\n\n"                            \
	"[dependencies.bar]\nversion = \"1\"\n\n"             \
	"[target.\"cfg(os = \\\"x\\\")\".dependencies.win]\n" \
	"version = \"2\"\n"

static int
compare(const char *before, const char *after, struct diag *dg)
{
	return crate_compare(
	    before, strlen(before), after, strlen(after), "foo 1.0.0", dg);
}

/* The original with its first OLD replaced; returned. */
static char *
edit(const char *old, const char *new)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const char *at = strstr(ORIGINAL, old);

	if (!CHECK(at != NULL))
		return xstrdup(ORIGINAL);
	strbuf_add(&out, ORIGINAL, (size_t)(at - ORIGINAL));
	strbuf_addstr(&out, new);
	strbuf_addstr(&out, at + strlen(old));
	return strbuf_detach(&out, NULL);
}

static void
test_free(void)
{
	static const struct {
		const char *old;
		const char *new;
	} rows[] = {
		{ "", "" },
		{ "# made by cargo\n", "" },
		{ "[features]", "# why\n\n[ features ] # this" },
		{ "std = []", "std = [ # none\n]" },
		{ "build = false", "build = \"b.rs\"\nreadme = false" },
		{ "build = false\n", "" },
		{ "\nlong\n", "\nlong\n[dependencies]\nbaz = 1\n" },
		{ "all-features = true", "a.b.c = { d = 1 }" },
		{ "path = \"src/lib.rs\"",
		    "path = \"x.rs\"\nproc-macro = true" },
		{ "[[bin]]\n", "[[bin]]\nname = \"b\"\n[[bin]]\n" },
		{ "[features]",
		    "[lints.rust]\nx = \"deny\"\n[[test]]\nname = \"t\"\n"
		    "[features]" },
		{ "[features]",
		    "[profile.dev]\nopt-level = 3\n[badges]\n[[example]]\n"
		    "[[bench]]\n[features]" },
		{ "[features]", "[package.metadata]\nx = 1\n[features]" },
		{ "[lib]\nname = \"foo\"\n", "['lib']\n\"name\" = 'f'\n" },
		{ "# made by cargo\n",
		    "bin = [ { name = \"b\" } ]\nexample.a.b = 1\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *after = edit(rows[i].old, rows[i].new);

		CHECK_INT(compare(ORIGINAL, after, &dg), 0);
		CHECK_STR(dg.message, NULL);
		CHECK_INT(compare(after, ORIGINAL, &dg), 0);
	}
}

static void
test_refused(void)
{
	static const struct {
		const char *old;
		const char *new;
		const char *key; /* that the message names */
	} rows[] = {
		{ "1.0.0", "1.0.1", "package.version" },
		{ "name = \"foo\"", "name = \"oof\"", "package.name" },
		{ "2021", "2024", "package.edition" },
		{ "build = false", "links = \"z\"", "package.links" },
		{ "build = false", "rust-version = \"1.0\"",
		    "package.rust-version" },
		{ "build = false", "workspace = \"..\"", "package.workspace" },
		{ "build = false", "resolver = \"1\"", "package.resolver" },
		{ "build = false", "name2 = 1", "package.name2" },
		{ "std = []", "std = [\"bar/x\"]", "features.std" },
		{ "std = []", "std = []\nx = []", "features.x" },
		{ "std = []\n", "", "features.std" },
		{ "std = []", "std = []\nbuild = []", "features.build" },
		{ "version = \"2\"\n", "version = \"2\"\n[dependencies.z]\n",
		    "dependencies.z" },
		{ "version = \"1\"", "version = \"2\"",
		    "dependencies.bar.version" },
		{ "version = \"1\"", "version = \"1\"\noptional = true",
		    "dependencies.bar.optional" },
		{ "version = \"2\"", "version = \"3\"",
		    "target.cfg(os = \\\\\"x\\\\\").dependencies.win.version" },
		{ "[features]", "[dependencies]\nbaz = \"1\"\n[features]",
		    "dependencies" },
		{ "[features]", "[dependencies.baz]\n[features]",
		    "dependencies.baz" },
		{ "[features]", "[build-dependencies]\n[features]",
		    "build-dependencies" },
		{ "[features]", "[dev-dependencies]\n[features]",
		    "dev-dependencies" },
		{ "[features]", "[dev_dependencies]\n[features]",
		    "dev_dependencies" },
		{ "[features]",
		    "[target.'cfg(unix)'.dependencies]\nb = \"1\"\n[features]",
		    "target.cfg(unix).dependencies" },
		{ "[features]", "[workspace]\n[features]", "workspace" },
		{ "[features]", "[patch.crates-io]\n[features]",
		    "patch.crates-io" },
		{ "[features]", "[replace]\n[features]", "replace" },
		{ "[features]", "[project]\n[features]", "project" },
		{ "[features]", "[unknown]\n[features]", "unknown" },
		{ "# made by cargo\n", "cargo-features = [\"x\"]\n",
		    "cargo-features" },
		{ "# made by cargo\n", "dependencies.baz = \"1\"\n",
		    "dependencies.baz" },
		{ "# made by cargo\n", "'dependencies' . \"baz\" = '1'\n",
		    "dependencies.baz" },
		{ "# made by cargo\n",
		    "dependencies = { baz = \"1\", lib = { } }\n",
		    "dependencies" },
		{ "# made by cargo\n", "package.version = \"1\"\n",
		    "package.version" },
		{ "# made by cargo\n",
		    "target.x = { dependencies = { baz = \"1\" } }\n",
		    "target.x" },
		/* A string that ends early, and a header in a free value. */
		{ "\nlong\n", "\nlong\"\"\"\n[dependencies]\nbaz = \"\"\"\n",
		    "dependencies" },
		{ "path = \"src/lib.rs\"",
		    "path = '''\n'''\n[dependencies]\nx = ''' '''",
		    "dependencies" },
		/* A dependency that is moved into a free table, and away. */
		{ "[dependencies.bar]\nversion = \"1\"\n",
		    "[dependencies.bar]\n[lib.x]\nversion = \"1\"\n",
		    "dependencies.bar.version" },
		{ "[dependencies.bar]", "[lib.bar]", "dependencies.bar" },
		{ "[lib]\nname = \"foo\"\n", "[features]\nname = \"foo\"\n",
		    "features.name" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_diag struct diag back = DIAG_INIT;
		cleanup_free char *after = edit(rows[i].old, rows[i].new);
		cleanup_free char *want = xasprintf(
		    "foo 1.0.0: the patch changes \"%s\" in Cargo.toml, which "
		    "can change what cargo resolves; take that out of the "
		    "patch",
		    rows[i].key);

		CHECK_INT(compare(ORIGINAL, after, &dg), -1);
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK_STR(dg.message, want);
		CHECK_INT(compare(after, ORIGINAL, &back), -1);
		CHECK_INT(back.class, DIAG_CONFIG);
	}
}

static void
test_malformed(void)
{
	static const char *const texts[] = {
		CRATE "[\"d\\u0065pendencies\"]\nbaz = \"1\"\n",
		CRATE "x = \"a\n",
		CRATE "x = [\n",
		CRATE "]\n",
		CRATE "# a\r[dependencies]\n",
		CRATE "# \x01\n",
		CRATE "[lib] [dependencies]\n",
		CRATE "# \xff\n",
		CRATE "x\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_diag struct diag back = DIAG_INIT;

		if (!CHECK_INT(compare(CRATE, texts[i], &dg), -1) ||
		    !CHECK_INT(dg.class, DIAG_DATA))
			CHECK_STR(texts[i], "refused");
		CHECK_INT(compare(texts[i], CRATE, &back), -1);
		CHECK_INT(back.class, DIAG_DATA);
	}
}

static void
test_large(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *text = xmalloc(CARGOMANIFEST_MAX_SIZE + 2);

	memset(text, '\n', CARGOMANIFEST_MAX_SIZE + 1);
	text[CARGOMANIFEST_MAX_SIZE + 1] = '\0';
	CHECK_INT(compare("", text, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	text[CARGOMANIFEST_MAX_SIZE] = '\0';
	diag_clear(&dg);
	CHECK_INT(compare("", text, &dg), 0);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "what cannot change the resolution is free", test_free },
		{ "what can change the resolution is refused", test_refused },
		{ "a malformed manifest is refused", test_malformed },
		{ "a large manifest is refused", test_large },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
