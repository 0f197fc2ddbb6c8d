/* SPDX-License-Identifier: MIT */
/* The redirects of patched packages in package.json and package-lock.json. */
#include "check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "deps/ecosystem.h"
#include "deps/npmfragment.h"
#include "deps/npmlock.h"
#include "deps/npmredirect.h"
#include "deps/patchledger.h"

#define A86                                           \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ZERO "\"sha512-" A86 "==\""
#define URL "\"https://r.test/dep/-/dep-1.0.0.tgz\""
#define OLD_PATH ".drydock/patched/npm/dep-1.0.0-000000000000/package.tar"
#define COPY ".drydock/patched/npm/dep-1.0.0-0123456789ab/package.tar"
#define COPY2 ".drydock/patched/npm/dep-2.0.0-0123456789ab/package.tar"
#define SPEC "\"file:" COPY "\""
#define OURS "\"dep@1.0.0\": " SPEC
#define FRAGMENT "{\"resolved\":" URL ",\"integrity\":" ZERO "}"
#define DIRECT                                      \
	"{\"resolved\":" URL ",\"integrity\":" ZERO \
	",\"dependencies\":\"^1.0.0\"}"

/* SHA-512 of the copy: a one, and zeros. */
static const struct digest copy_digest = { DIGEST_SHA512, { 1 } };
#define ONE                                         \
	"\"sha512-AQ"                               \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\""

static struct npmredirect
redirect(const char *fragment)
{
	return (
	    struct npmredirect){ "dep", "1.0.0", COPY, &copy_digest, fragment };
}

typedef int set_fn(const struct strbuf *text, const struct npmredirects *had,
    const struct npmredirects *want, struct strbuf *out, struct diag *dg);

static int
set(set_fn *fn, const char *text, const struct npmredirect *had, size_t nhad,
    const struct npmredirect *want, size_t nwant, struct strbuf *out,
    struct diag *dg)
{
	const struct npmredirects old = { (struct npmredirect *)(uintptr_t)had,
		nhad, STRVEC_INIT };
	const struct npmredirects new = { (struct npmredirect *)(uintptr_t)want,
		nwant, STRVEC_INIT };
	cleanup_strbuf struct strbuf in = STRBUF_INIT;

	strbuf_addstr(&in, text);
	return fn(&in, had == NULL ? NULL : &old, want == NULL ? NULL : &new,
	    out, dg);
}

struct round {
	const char *fragment;
	const char *text;
	const char *redirected;
};

/* The text becomes the other one, stays so, and comes back. */
static void
check_round(set_fn *fn, const struct round *row)
{
	const struct npmredirect r = redirect(row->fragment);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf again = STRBUF_INIT;
	cleanup_strbuf struct strbuf back = STRBUF_INIT;

	CHECK_INT(set(fn, row->text, NULL, 0, &r, 1, &out, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_STR(out.buf, row->redirected);
	CHECK_INT(set(fn, out.buf, &r, 1, &r, 1, &again, &dg), 0);
	CHECK_STR(again.buf, out.buf);
	CHECK_INT(set(fn, out.buf, &r, 1, NULL, 0, &back, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_STR(back.buf, row->text);
}

static void
test_manifest(void)
{
	static const struct round rows[] = {
		{ FRAGMENT, "{\n  \"name\": \"a\"\n}\n",
		    "{\n  \"name\": \"a\",\n  \"overrides\": {\n    " OURS
		    "\n  }\n}\n" },
		{ FRAGMENT, "{\r\n\t\"name\": \"a\"\r\n}",
		    "{\r\n\t\"name\": \"a\",\r\n\t\"overrides\": {\r\n\t\t" OURS
		    "\r\n\t}\r\n}" },
		{ FRAGMENT, "{\"name\":\"a\"}",
		    "{\"name\":\"a\",\"overrides\":{\"dep@1.0.0\":" SPEC "}}" },
		{ FRAGMENT, "{\"name\" : \"a\" } ",
		    "{\"name\" : \"a\",\"overrides\":{\"dep@1.0.0\":" SPEC
		    "} } " },
		{ FRAGMENT, "{\n\"name\": \"a\"\n}",
		    "{\n\"name\": \"a\",\n\"overrides\": {\n" OURS "\n}\n}" },
		{ FRAGMENT, "{}", "{\"overrides\":{\"dep@1.0.0\":" SPEC "}}" },
		{ FRAGMENT, "{ }",
		    "{\"overrides\":{\"dep@1.0.0\":" SPEC "} }" },
		{ FRAGMENT,
		    "{\n  \"overrides\": {\n    \"x\": {\"y\": \"1\"}\n  },\n"
		    "  \"name\": \"a\"\n}\n",
		    "{\n  \"overrides\": {\n    \"x\": {\"y\": \"1\"},\n    " OURS
		    "\n  },\n  \"name\": \"a\"\n}\n" },
		{ DIRECT,
		    "{\n  \"dependencies\": {\n    \"dep\" :  \"^1.0.0\"\n  }\n"
		    "}\n",
		    "{\n  \"dependencies\": {\n    \"dep\" :  " SPEC
		    "\n  },\n  \"overrides\": {\n    " OURS "\n  }\n}\n" },
		/* The other section has a range that does not admit it. */
		{ DIRECT,
		    "{\"dependencies\":{\"dep\":\"^1.0.0\"},"
		    "\"peerDependencies\":{\"dep\":\"2\"}}",
		    "{\"dependencies\":{\"dep\":" SPEC "},"
		    "\"peerDependencies\":{\"dep\":\"2\"},"
		    "\"overrides\":{\"dep@1.0.0\":" SPEC "}}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_round(npmredirect_set_manifest, &rows[i]);
}

#define HEAD "{\"lockfileVersion\": 3, \"packages\": {"
#define ENTRY(resolved, integrity)                              \
	"\"node_modules/dep\": {\"version\": \"1.0.0\", "       \
	"\"resolved\": " resolved ", \"integrity\": " integrity \
	", \"dev\": true}"
#define LEGACY(version, resolved, integrity)                           \
	"}, \"dependencies\": {\n \"dep\": {\n  \"version\": " version \
	    resolved ",\n  \"integrity\": " integrity "\n },\n"
#define RESOLVED(url) ",\n  \"resolved\": " url
#define USER(range)                                                 \
	" \"user\": {\n  \"version\": \"3.0.0\",\n  \"requires\": " \
	"{ \"dep\": " range " }\n }}}"
#define USER_ENTRY                                                     \
	", \"node_modules/user\": {\"version\": \"3.0.0\", "           \
	"\"resolved\": \"https://r.test/u.tgz\", \"integrity\": " ZERO \
	", \"dependencies\": {\"dep\": \"~1.0.0\"}}"

#define ENTRY2                                          \
	"node_modules/dep\": {\"version\": \"1.0.0\", " \
	"\"resolved\": " URL ", \"integrity\": " ZERO "}"
#define USER2(range)                                          \
	", \"node_modules/a\": {\"dependencies\": {\"dep\": " \
	"\"" range "\"}}"

static void
test_lock(void)
{
	static const struct round rows[] = {
		{ FRAGMENT, HEAD ENTRY(URL, ZERO) "}}\n",
		    HEAD ENTRY(SPEC, ONE) "}}\n" },
		/* Twice in the tree, and another version. */
		{ FRAGMENT,
		    HEAD ENTRY(URL,
			ZERO) ", \"node_modules/b/node_modules/dep\": {"
			      "\"version\": \"1.0.0\",\r\n\"resolved\": " URL
			      ",\"integrity\": " ZERO "},"
			      "\"node_modules/c/node_modules/dep\": {"
			      "\"version\": \"2.0.0\", \"resolved\": " URL
			      "}}}",
		    HEAD ENTRY(SPEC,
			ONE) ", \"node_modules/b/node_modules/dep\": {"
			     "\"version\": \"1.0.0\",\r\n\"resolved\": " SPEC
			     ",\"integrity\": " ONE "},"
			     "\"node_modules/c/node_modules/dep\": {"
			     "\"version\": \"2.0.0\", \"resolved\": " URL
			     "}}}" },
		{ DIRECT,
		    HEAD
		    "\"\": {\"dependencies\": {\"dep\": \"^1.0.0\"}}, " ENTRY(
			URL, ZERO) "}}",
		    HEAD "\"\": {\"dependencies\": {\"dep\": " SPEC
			 "}}, " ENTRY(SPEC, ONE) "}}" },
		{ FRAGMENT,
		    HEAD ENTRY(URL, ZERO) USER_ENTRY LEGACY(
			"\"1.0.0\"", RESOLVED(URL), ZERO) USER("\"~1.0.0\""),
		    HEAD ENTRY(SPEC, ONE) USER_ENTRY LEGACY(
			SPEC, RESOLVED(SPEC), ONE) USER("\"~1.0.0\"") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_round(npmredirect_set_lock, &rows[i]);
}

/* What npm leaves of a redirect, and what it is without it. */
static void
test_rewritten(void)
{
	static const char npm[] =
	    HEAD ENTRY(SPEC, ONE) USER_ENTRY LEGACY(SPEC, "", ONE) USER(SPEC);
	static const char original[] = HEAD ENTRY(URL, ZERO) USER_ENTRY LEGACY(
	    "\"1.0.0\"", RESOLVED(URL), ZERO) USER("\"~1.0.0\"");
	const struct npmredirect r = redirect(FRAGMENT);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf same = STRBUF_INIT;
	cleanup_strbuf struct strbuf back = STRBUF_INIT;

	CHECK_INT(set(npmredirect_set_lock, npm, &r, 1, &r, 1, &same, &dg), 0);
	CHECK_STR(same.buf, npm);
	CHECK_INT(
	    set(npmredirect_set_lock, npm, &r, 1, NULL, 0, &back, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_STR(back.buf, original);
}

/* npm drops the notice of an entry that it reads from a tarball. */
static void
test_deprecated(void)
{
	const struct npmredirect r =
	    redirect("{\"resolved\":" URL ",\"integrity\":" ZERO
		     ",\"deprecated\":\"old\"}");
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf back = STRBUF_INIT;

	CHECK_INT(set(npmredirect_set_lock, HEAD ENTRY(SPEC, ONE) "}}", &r, 1,
		      NULL, 0, &back, &dg),
	    0);
	CHECK_STR(back.buf,
	    HEAD
	    "\"node_modules/dep\": {\"version\": \"1.0.0\", \"resolved\": " URL
	    ", \"integrity\": " ZERO
	    ", \"deprecated\": \"old\", \"dev\": true}}}");
}

/* A copy of an older patch is led to the new one. */
static void
test_new_patch(void)
{
	static const char old_spec[] = "\"file:" OLD_PATH "\"";
	const struct npmredirect new = redirect(DIRECT);
	struct npmredirect old = new;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf first = STRBUF_INIT;
	cleanup_strbuf struct strbuf second = STRBUF_INIT;
	cleanup_strbuf struct strbuf fresh = STRBUF_INIT;
	static const char text[] = "{\n \"dependencies\": {\"dep\": "
				   "\"^1.0.0\"}\n}";

	old.path = OLD_PATH;
	CHECK_INT(
	    set(npmredirect_set_manifest, text, NULL, 0, &old, 1, &first, &dg),
	    0);
	CHECK(strstr(first.buf, old_spec) != NULL);
	CHECK_INT(set(npmredirect_set_manifest, first.buf, &old, 1, &new, 1,
		      &second, &dg),
	    0);
	CHECK_INT(
	    set(npmredirect_set_manifest, text, NULL, 0, &new, 1, &fresh, &dg),
	    0);
	CHECK_STR(second.buf, fresh.buf);
}

/* What the user wrote beside a redirect stays. */
static void
test_users_own(void)
{
	static const struct {
		const char *text;
		const char *back;
	} rows[] = {
		{ "{\"overrides\":{" OURS ",\"b\":\"1\"}}",
		    "{\"overrides\":{\"b\":\"1\"}}" },
		{ "{\"overrides\":{\"a\":\"1\", " OURS ", \"b\":\"1\"}}",
		    "{\"overrides\":{\"a\":\"1\", \"b\":\"1\"}}" },
		{ "{\"overrides\":{" OURS ", \"dep@9.0.0\": " SPEC
		  ", \"b\":\"1\", \"dep@8.0.0\": " SPEC " } }",
		    "{\"overrides\":{\"b\":\"1\" } }" },
		{ "{ \"overrides\":{" OURS "} , \"b\":1 }", "{ \"b\":1 }" },
		{ "{ \"a\":1, \"overrides\":{" OURS "} , \"b\":1 }",
		    "{ \"a\":1 , \"b\":1 }" },
		/* A range of the user's instead of ours. */
		{ "{\"dependencies\":{\"dep\":\"2\"}}",
		    "{\"dependencies\":{\"dep\":\"2\"}}" },
		{ "{\"dependencies\":{\"dep\":" SPEC "}}",
		    "{\"dependencies\":{\"dep\":\"^1.0.0\"}}" },
	};
	const struct npmredirect r = redirect(DIRECT);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf back = STRBUF_INIT;

		CHECK_INT(set(npmredirect_set_manifest, rows[i].text, &r, 1,
			      NULL, 0, &back, &dg),
		    0);
		CHECK_STR(dg.message, NULL);
		CHECK_STR(back.buf, rows[i].back);
	}
}

/* npm takes the first override of a name for a spec that is a file. */
static void
test_direct_first(void)
{
	static const char text[] = "{\"dependencies\":{\"dep\":\"^2.0.0\"}}";
	const struct npmredirect both[] = {
		redirect(FRAGMENT),
		{ "dep", "2.0.0", COPY2, &copy_digest,
		    "{\"resolved\":" URL ",\"integrity\":" ZERO
		    ",\"dependencies\":\"^2.0.0\"}" },
	};
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf one = STRBUF_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf back = STRBUF_INIT;

	CHECK_INT(
	    set(npmredirect_set_manifest, text, NULL, 0, both, 1, &one, &dg),
	    0);
	CHECK_INT(
	    set(npmredirect_set_manifest, one.buf, both, 1, both, 2, &out, &dg),
	    0);
	CHECK_STR(dg.message, NULL);
	CHECK_STR(out.buf,
	    "{\"dependencies\":{\"dep\":\"file:" COPY2 "\"},\"overrides\":{"
	    "\"dep@2.0.0\":\"file:" COPY2 "\",\"dep@1.0.0\":" SPEC "}}");
	CHECK_INT(set(npmredirect_set_manifest, out.buf, both, 2, NULL, 0,
		      &back, &dg),
	    0);
	CHECK_STR(back.buf, text);
}

static void
test_set_refused(void)
{
	static const struct {
		set_fn *fn;
		const char *text;
		enum diag_class class;
		const char *why;
	} rows[] = {
		{ npmredirect_set_manifest, "[]", DIAG_DATA, "not an object" },
		{ npmredirect_set_manifest, "{\"a\":1,\"a\":2}", DIAG_DATA,
		    "duplicate key" },
		{ npmredirect_set_manifest, "\xef\xbb\xbf{}", DIAG_CONFIG,
		    "byte order mark" },
		{ npmredirect_set_manifest, "{\"overrides\":{}}", DIAG_CONFIG,
		    "is empty" },
		{ npmredirect_set_manifest, "{\"overrides\":\"x\"}",
		    DIAG_CONFIG, "not an object" },
		{ npmredirect_set_manifest, "{\"overrides\":{\"dep\":\"1\"}}",
		    DIAG_CONFIG, "has \"dep\"" },
		{ npmredirect_set_manifest,
		    "{\"overrides\":{\"a\":{\"dep@^1\":\"1\"}}}", DIAG_CONFIG,
		    "has \"dep@^1\"" },
		{ npmredirect_set_manifest,
		    "{\"overrides\":{\"a\":{\"dep\":" SPEC "}}}", DIAG_CONFIG,
		    "has \"dep\"" },
		{ npmredirect_set_manifest, "{\"overrides\":{\"a\":\"$dep\"}}",
		    DIAG_CONFIG, "has \"a\"" },
		{ npmredirect_set_manifest,
		    "{\"overrides\":{\"a\":\"npm:dep@1\"}}", DIAG_CONFIG,
		    "has \"a\"" },
		{ npmredirect_set_manifest,
		    "{\"overrides\":{\"dep@1.0.0\":\"1.0.0\"}}", DIAG_CONFIG,
		    "has \"dep@1.0.0\"" },
		{ npmredirect_set_manifest,
		    "{\"dependencies\":{\"dep\":\"~1.0.0\"}}", DIAG_CONFIG,
		    "in another way" },
		{ npmredirect_set_manifest,
		    "{\"devDependencies\":{\"dep\":\"~1.0.0\"}}", DIAG_CONFIG,
		    "in another way" },
		{ npmredirect_set_manifest,
		    "{\"dependencies\":{\"other\":" SPEC "}}", DIAG_CONFIG,
		    "patches.json does not have" },
		{ npmredirect_set_lock, "{\"lockfileVersion\": 1}", DIAG_DATA,
		    "not 2 or 3" },
		{ npmredirect_set_lock,
		    HEAD ENTRY("\"https://o.test/\"", ZERO) "}}", DIAG_CONFIG,
		    "in another way" },
		{ npmredirect_set_lock, HEAD ENTRY(URL, ONE) "}}", DIAG_CONFIG,
		    "in another way" },
		{ npmredirect_set_lock,
		    HEAD "\"node_modules/dep\": {\"version\": \"3.0.0\", "
			 "\"resolved\": " SPEC "}}}",
		    DIAG_CONFIG, "patches.json does not have" },
		{ npmredirect_set_lock,
		    HEAD ENTRY(URL, ZERO) LEGACY("\"1.0.0\"", "", ZERO)
			USER("\"1\""),
		    DIAG_CONFIG, "in another way" },
	};
	const struct npmredirect r = redirect(DIRECT);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		CHECK_INT(
		    set(rows[i].fn, rows[i].text, NULL, 0, &r, 1, &out, &dg),
		    -1);
		CHECK_HAS(dg.message, rows[i].why);
		CHECK_INT(dg.class, rows[i].class);
		CHECK_INT(out.len, 0);
	}
}

static int
fragment(
    const char *manifest, const char *lock, struct strbuf *out, struct diag *dg)
{
	cleanup_strbuf struct strbuf m = STRBUF_INIT;
	cleanup_strbuf struct strbuf l = STRBUF_INIT;

	strbuf_addstr(&m, manifest);
	strbuf_addstr(&l, lock);
	return npmfragment_make(&m, &l, "dep", "1.0.0", out, dg);
}

static void
test_fragment(void)
{
	static const struct {
		const char *manifest;
		const char *lock;
		const char *want;
	} rows[] = {
		{ "{}", HEAD ENTRY(URL, ZERO) "}}", FRAGMENT },
		{ "{\"dependencies\":{\"dep\":\"^1.0.0\"}}",
		    HEAD
		    "\"\": {\"dependencies\": {\"dep\": \"^1.0.0\"}}, " ENTRY(
			URL, ZERO) "}}",
		    DIRECT },
		{ "{\"peerDependencies\":{\"dep\":\">=1 <2\"},"
		  "\"devDependencies\":{\"dep\":\"\\u005e1.0\"}}",
		    HEAD ENTRY(URL, ZERO) "}}",
		    "{\"resolved\":" URL ",\"integrity\":" ZERO
		    ",\"devDependencies\":\"\\u005e1.0\""
		    ",\"peerDependencies\":\">=1 <2\"}" },
		/* The project has another version. */
		{ "{\"dependencies\":{\"dep\":\"^2.0.0\"}}",
		    HEAD "\"\": {\"dependencies\": {\"dep\": \"^2.0.0\"}}, "
			 "\"node_modules/dep\": {\"version\": \"2.0.0\"}, "
			 "\"node_modules/a/" ENTRY2 USER2("~1.0.0") "}}",
		    FRAGMENT },
		{ "{\"overrides\":{\"other\":{\"depend\":\"1\"}}}",
		    HEAD "\"node_modules/dep\": {\"version\": \"1.0.0\", "
			 "\"resolved\": " URL ", \"integrity\": " ZERO
			 ", \"deprecated\": \"old\"}}}",
		    "{\"resolved\":" URL ",\"integrity\":" ZERO
		    ",\"deprecated\":\"old\"}" },
		/* An entry that never had a notice gets none back. */
		{ "{}",
		    HEAD "\"node_modules/dep\": {\"version\": \"1.0.0\", "
			 "\"resolved\": " URL ", \"integrity\": " ZERO
			 ", \"deprecated\": \"old\"}, "
			 "\"node_modules/a/" ENTRY2 "}}",
		    FRAGMENT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		struct digest zero = { DIGEST_SHA512, { 0 } };

		CHECK_INT(
		    fragment(rows[i].manifest, rows[i].lock, &out, &dg), 0);
		CHECK_STR(dg.message, NULL);
		CHECK_STR(out.buf, rows[i].want);
		CHECK_INT(
		    npmfragment_judge(out.buf, "dep", "1.0.0", &zero, &dg), 0);
	}
}

static void
test_fragment_refused(void)
{
	static const struct {
		const char *manifest;
		const char *lock;
		const char *why;
	} rows[] = {
		{ "{}", HEAD "}}", "does not have dep 1.0.0" },
		{ "{}", HEAD ENTRY(SPEC, ONE) "}}", "patched already" },
		{ "{}", HEAD ENTRY("\"file:../x.tgz\"", ZERO) "}}",
		    "not from a registry" },
		{ "{}", HEAD ENTRY("\"git+ssh://a.test/b.git#1\"", ZERO) "}}",
		    "not from a registry" },
		{ "{}", HEAD ENTRY(URL, "\"sha1-AAAA\"") "}}", "no SHA-512" },
		{ "{}",
		    HEAD "\"node_modules/dep\": {\"link\": true, \"resolved\": "
			 "\"packages/dep\"}}}",
		    "is a directory or link" },
		{ "{}",
		    HEAD "\"packages/dep\": {\"name\": \"dep\", \"version\": "
			 "\"1.0.0\"}}}",
		    "is a directory or link" },
		{ "{}",
		    HEAD "\"node_modules/x\": {\"name\": \"dep\", "
			 "\"version\": \"1.0.0\", \"resolved\": " URL "}}}",
		    "is an alias" },
		{ "{}",
		    HEAD "\"node_modules/dep\": {\"name\": \"x\", "
			 "\"version\": \"1.0.0\", \"resolved\": " URL "}}}",
		    "is an alias" },
		{ "{}",
		    HEAD "\"node_modules/dep\": {\"version\": \"1.0.0\", "
			 "\"resolved\": " URL ", \"integrity\": " ZERO
			 ", \"inBundle\": true}}}",
		    "is bundled" },
		{ "{}",
		    HEAD "\"node_modules/a\": {\"version\": \"1.0.0\", "
			 "\"hasShrinkwrap\": true}, \"node_modules/a/" ENTRY2
			 "}}",
		    "brings its own lock file" },
		{ "{}",
		    HEAD ENTRY(URL,
			ZERO) ", \"node_modules/a/node_modules/dep\": {\"version\": "
			      "\"1.0.0\", \"resolved\": " URL
			      ", \"integrity\": " ONE "}}}",
		    "differs from another entry" },
		{ "{\"dependencies\":{\"dep\":\"file:x\"}}",
		    HEAD ENTRY(URL, ZERO) "}}", "cannot judge" },
		{ "{\"dependencies\":{\"dep\":1}}", HEAD ENTRY(URL, ZERO) "}}",
		    "cannot judge" },
		{ "{\"dependencies\":{\"dep\":\"^1.0.0\"}}",
		    HEAD "\"\": {\"dependencies\": {\"dep\": \"1\"}}, " ENTRY(
			URL, ZERO) "}}",
		    "another range than package.json" },
		{ "{\"overrides\":{\"dep\":\"1.0.0\"}}",
		    HEAD ENTRY(URL, ZERO) "}}", "\"overrides\" has" },
		/* A dependent of another version could get the copy. */
		{ "{}",
		    HEAD ENTRY(URL,
			ZERO) ", \"node_modules/a\": {\"dependencies\": {\"dep\": "
			      "\">=1\"}}, \"node_modules/a/node_modules/dep\": {"
			      "\"version\": \"2.0.0\"}}}",
		    "may also admit" },
		/* A dependent has the version without npm's consent. */
		{ "{}",
		    HEAD ENTRY(URL,
			ZERO) ", \"node_modules/a\": {\"peerDependencies\": {"
			      "\"dep\": \"2\"}}}}",
		    "does not lead to another place" },
		/* npm 10 applies no override there. */
		{ "{}",
		    HEAD ENTRY(URL, ZERO) ", \"one\": {\"dependencies\": {"
					  "\"dep\": \"^1.0.0\"}}}}",
		    "one, a member of the workspace, depends on dep" },
		{ "{}",
		    HEAD ENTRY(URL,
			ZERO) ", \"one/node_modules/a\": {\"dependencies\": {"
			      "\"dep\": \"^1.0.0\"}}}}",
		    "one/node_modules/a, in a member of the workspace, depends "
		    "on dep" },
		{ "[]", HEAD "}}", "not an object" },
		{ "{}", "{}", "lockfileVersion" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		CHECK_INT(
		    fragment(rows[i].manifest, rows[i].lock, &out, &dg), -1);
		CHECK_HAS(dg.message, rows[i].why);
		CHECK_INT(out.len, 0);
	}
}

static void
test_judge(void)
{
	static const char *const refused[] = { "", "[]", "{}",
		"{\"resolved\":" URL "}", "{\"integrity\":" ZERO "}",
		"{\"resolved\":" URL ",\"integrity\":" ONE "}",
		"{\"resolved\":" URL ",\"integrity\":\"sha512-x\"}",
		"{\"resolved\":" SPEC ",\"integrity\":" ZERO "}",
		"{\"resolved\":1,\"integrity\":" ZERO "}",
		"{\"resolved\":" URL ",\"integrity\":" ZERO ",\"x\":\"1\"}",
		"{\"resolved\":" URL ",\"integrity\":" ZERO
		",\"dependencies\":{}}",
		"{\"resolved\":" URL ",\"integrity\":" ZERO
		",\"dependencies\":\"2\"}",
		"{\"resolved\":" URL ",\"integrity\":" ZERO
		",\"dependencies\":" SPEC "}" };
	const struct digest zero = { DIGEST_SHA512, { 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(
		    npmfragment_judge(refused[i], "dep", "1.0.0", &zero, &dg),
		    -1);
		CHECK_INT(dg.class, DIAG_DATA);
	}
}

static void
test_find(void)
{
	static const struct {
		const char *lock;
		enum ecosystem_locked want;
		const char *path;
	} rows[] = {
		{ HEAD "}}", ECOSYSTEM_ABSENT, NULL },
		{ HEAD "\"\": {\"name\": \"dep\", \"version\": \"1.0.0\"}}}",
		    ECOSYSTEM_ABSENT, NULL },
		{ HEAD "\"node_modules/dep\": {\"version\": \"2.0.0\"}}}",
		    ECOSYSTEM_ABSENT, NULL },
		{ HEAD ENTRY(URL, ZERO) "}}", ECOSYSTEM_ORIGINAL, NULL },
		{ HEAD ENTRY(SPEC, ONE) "}}", ECOSYSTEM_REDIRECTED, COPY },
		{ HEAD ENTRY(SPEC,
		      ONE) ", \"node_modules/a/node_modules/dep\": {\"version\": "
			   "\"1.0.0\", \"resolved\": " URL
			   ", \"integrity\": " ZERO "}}}",
		    ECOSYSTEM_OTHER, NULL },
		{ HEAD ENTRY("\"file:.drydock/patched/cargo/x\"", ONE) "}}",
		    ECOSYSTEM_OTHER, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf lock = STRBUF_INIT;
		cleanup_json struct json *root = NULL;
		enum ecosystem_locked locked;
		struct npmlock_found f;
		struct digest integrity;

		strbuf_addstr(&lock, rows[i].lock);
		CHECK_INT(npmpatch.find(
			      &lock, "dep", "1.0.0", &locked, &integrity, &dg),
		    0);
		CHECK_INT(locked, rows[i].want);
		CHECK_INT(
		    npmlock_parse_json(lock.buf, lock.len, "", &root, &dg), 0);
		npmlock_find(json_get(root, "packages"), "dep", "1.0.0", &f);
		CHECK_STR(f.resolved, rows[i].path);
		if (locked == ECOSYSTEM_REDIRECTED)
			CHECK(digest_equal(&integrity, &copy_digest));
		else
			CHECK_INT(integrity.kind,
			    locked == ECOSYSTEM_ORIGINAL ? DIGEST_SHA512
							 : DIGEST_NONE);
	}
}

/* The time for a lock with many versions of one package is bounded. */
static void
test_versions(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf lock = STRBUF_INIT;
	cleanup_strvec struct strvec versions = STRVEC_INIT;
	char name[] = "dep";
	char version[] = "1.0.499";
	struct patchledger_entry entry = { .ecosystem = NULL };
	struct patchledger patched = { .v = &entry, .nr = 1 };

	entry.name = name;
	entry.version = version;
	strbuf_addstr(&lock, HEAD "\"\": {}");
	for (int i = 0; i < 500; i++)
		strbuf_addf(&lock,
		    ", \"node_modules/a%d/node_modules/dep\": {\"version\": "
		    "\"1.0.%d\", \"resolved\": " URL ", \"integrity\": " ZERO
		    "}",
		    i, i);
	strbuf_addstr(&lock, "}}");
	CHECK_INT(
	    npmpatch.list_versions(&lock, "dep", &patched, &versions, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(versions.nr, 101);
	CHECK(strvec_has(&versions, "1.0.99"));
	CHECK(strvec_has(&versions, "1.0.499"));
}

static void
test_mark(void)
{
	CHECK(npmredirect_has_mark(SPEC, strlen(SPEC)));
	CHECK(!npmredirect_has_mark(SPEC, strlen("\"file:.drydock/p")));
	CHECK(!npmredirect_has_mark("", 0));
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "package.json gets redirects and loses them", test_manifest },
		{ "package-lock.json gets redirects and loses them",
		    test_lock },
		{ "what npm rewrote is kept, and taken back", test_rewritten },
		{ "a notice that npm dropped comes back", test_deprecated },
		{ "not all of many versions are listed", test_versions },
		{ "a new patch takes the place of the old one",
		    test_new_patch },
		{ "what the user wrote beside redirects stays",
		    test_users_own },
		{ "the override of a direct dependency comes first",
		    test_direct_first },
		{ "a text that stands in the way is refused",
		    test_set_refused },
		{ "the original values are kept", test_fragment },
		{ "a package that npm would not redirect is refused",
		    test_fragment_refused },
		{ "kept values that are not the package's are refused",
		    test_judge },
		{ "a package is found in a lock", test_find },
		{ "a redirect is seen in any text", test_mark },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
