/* SPDX-License-Identifier: MIT */
/* The entry of a patched crate in a Cargo.lock. */
#include "check.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/cargoredirect.h"

#define SOURCE \
	"source = \"registry+https://github.com/rust-lang/crates.io-index\""
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define APP \
	"version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\n"
#define NAMED "[[package]]\nname = \"dep\"\nversion = \"1.0.0\"\n"
#define PROVEN NAMED SOURCE "\nchecksum = \"" ZEROS "\""
#define TAIL "\ndependencies = [\n \"source\",\n]\n"

static int
add(const char *text, struct strbuf *out, struct strbuf *fragment,
    struct diag *dg)
{
	return cargoredirect_add(
	    text, strlen(text), "dep", "1.0.0", out, fragment, dg);
}

static int
take_back(
    const char *text, const char *fragment, struct strbuf *out, struct diag *dg)
{
	return cargoredirect_remove(
	    text, strlen(text), "dep", "1.0.0", fragment, out, dg);
}

static void
test_round_trip(void)
{
	static const struct {
		const char *text;
		const char *redirected;
	} rows[] = {
		{ APP PROVEN "\n", APP NAMED },
		{ APP PROVEN,
		    APP "[[package]]\nname = \"dep\"\n"
			"version = \"1.0.0\"" },
		{ APP PROVEN TAIL,
		    APP "[[package]]\nname = \"dep\"\n"
			"version = \"1.0.0\"" TAIL },
		{ APP PROVEN "\n\n[[package]]\nname = \"z\"\n"
			     "version = \"1.0.0\"\n",
		    APP NAMED "\n[[package]]\nname = \"z\"\n"
			      "version = \"1.0.0\"\n" },
		{ "version = 3\r\n[[package]]\r\nname = \"dep\"\r\n"
		  "version = \"1.0.0\"\r\n" SOURCE "\r\nchecksum = \"" ZEROS
		  "\"\r\n",
		    "version = 3\r\n[[package]]\r\nname = \"dep\"\r\n"
		    "version = \"1.0.0\"\r\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_strbuf struct strbuf fragment = STRBUF_INIT;
		cleanup_strbuf struct strbuf back = STRBUF_INIT;

		CHECK_INT(add(rows[i].text, &out, &fragment, &dg), 0);
		CHECK_STR(dg.message, NULL);
		CHECK_STR(out.buf, rows[i].redirected);
		CHECK_INT(take_back(out.buf, fragment.buf, &back, &dg), 0);
		CHECK_STR(back.buf, rows[i].text);
	}
}

static void
test_refused(void)
{
	static const struct {
		const char *text;
		enum diag_class class;
	} rows[] = {
		{ APP, DIAG_CONFIG },
		{ APP NAMED, DIAG_CONFIG },
		{ APP NAMED "source = \"registry+https://other.test/\"\n"
			    "checksum = \"" ZEROS "\"\n",
		    DIAG_CONFIG },
		{ APP NAMED SOURCE "\n", DIAG_CONFIG },
		{ APP PROVEN "\n\n" NAMED "source = \"git+https://a.test/\"\n",
		    DIAG_DATA },
		{ APP "[[package]]\n", DIAG_DATA },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_strbuf struct strbuf fragment = STRBUF_INIT;

		CHECK_INT(add(rows[i].text, &out, &fragment, &dg), -1);
		CHECK_INT(dg.class, rows[i].class);
		CHECK_INT(out.len + fragment.len, 0);
	}
}

static void
test_not_restored(void)
{
	static const struct {
		const char *text;
		const char *fragment;
		enum diag_class class;
	} rows[] = {
		{ APP PROVEN "\n", PROVEN, DIAG_NO },
		{ APP, PROVEN, DIAG_CONFIG },
		{ APP NAMED, NAMED, DIAG_DATA },
		{ APP NAMED, PROVEN "\n\n" PROVEN, DIAG_DATA },
		{ APP NAMED, PROVEN "\n# more", DIAG_DATA },
		{ APP NAMED, "", DIAG_DATA },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		CHECK_INT(
		    take_back(rows[i].text, rows[i].fragment, &out, &dg), -1);
		CHECK_INT(dg.class, rows[i].class);
		CHECK_INT(out.len, 0);
	}
}

/* Cargo may resolve the crate's dependencies anew while it is patched. */
static void
test_resolved_anew(void)
{
	static const struct {
		const char *text;
		const char *back;
	} rows[] = {
		{ APP NAMED "dependencies = [\n \"new\",\n]\n",
		    APP PROVEN "\ndependencies = [\n \"new\",\n]\n" },
		{ APP "[[package]]\r\nname = \"dep\"\r\n"
		      "version = \"1.0.0\"\r\n",
		    APP "[[package]]\r\nname = \"dep\"\r\n"
			"version = \"1.0.0\"\r\n" SOURCE
			"\r\nchecksum = \"" ZEROS "\"\r\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf back = STRBUF_INIT;

		CHECK_INT(take_back(rows[i].text,
			      PROVEN "\ndependencies = [\n \"source\",\n]",
			      &back, &dg),
		    0);
		CHECK_STR(dg.message, NULL);
		CHECK_STR(back.buf, rows[i].back);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "an entry is redirected and restored byte for byte",
		    test_round_trip },
		{ "only a proven crate of crates.io is redirected",
		    test_refused },
		{ "an entry that was resolved anew keeps its other lines",
		    test_resolved_anew },
		{ "an unredirected entry or a foreign fragment is not restored",
		    test_not_restored },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
