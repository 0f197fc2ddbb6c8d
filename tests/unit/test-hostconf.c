/* SPDX-License-Identifier: MIT */
/* What of a host's package sources and npm settings reaches a build. */

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/hostconf.h"
#include "host/aptsources.h"
#include "host/npmrc.h"

#include "check.h"

/* Returned: the lines, each with its end. */
static char *
sources(const char *name, const char *text)
{
	cleanup_strvec struct strvec lines = STRVEC_INIT;
	struct strbuf out = STRBUF_INIT;

	aptsources_parse(name, text, "bookworm", &lines);
	for (size_t i = 0; i < lines.nr; i++)
		strbuf_addf(&out, "%s\n", lines.v[i]);
	return strbuf_detach(&out, NULL);
}

static void
test_list(void)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ "", "" },
		{ "deb http://m.example/debian bookworm main contrib\n",
		    "|http://m.example/debian @ main contrib\n" },
		{ "deb\thttps://m.example/d  bookworm-updates\tmain",
		    "|https://m.example/d @-updates main\n" },
		{ "deb http://m.example/d bookworm/updates main # x\n",
		    "|http://m.example/d @/updates main\n" },
		{ "deb http://m.example/d bookwormish main\n",
		    "|http://m.example/d bookwormish main\n" },
		{ "deb http://m.example/d trixie main\n",
		    "|http://m.example/d trixie main\n" },
		{ "deb [arch=amd64 signed-by=/k/a.gpg] http://m/d bookworm m\n",
		    "/k/a.gpg|http://m/d @ m\n" },
		{ "deb [ signed-by=/k/a.gpg,/k/b.gpg ] http://m/d bookworm m",
		    "/k/a.gpg|http://m/d @ m\n" },
		{ "deb [trusted=yes] http://m/d bookworm m\n",
		    "trusted|http://m/d @ m\n" },
		{ "deb-src http://m/d bookworm main\n", "" },
		{ "#deb http://m/d bookworm main\n", "" },
		{ "deb file:/srv/d bookworm main\n", "" },
		{ "deb cdrom:[x]/ bookworm main\n", "" },
		{ "deb http://m/flat ./\n", "" },
		{ "deb http://m/d bookworm\n", "" },
		{ "deb [signed-by=/k http://m/d bookworm main\n", "" },
		{ "deb [signed-by=/k|x] http://m/d bookworm main\n", "" },
		{ "nonsense\n\n\n", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *got = sources("a.list", rows[i].text);

		CHECK_STR(got, rows[i].want);
	}
}

static void
test_deb822(void)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ "", "" },
		{ "Types: deb deb-src\nURIs: http://a/d http://b/d\n"
		  "Suites: bookworm bookworm-updates\nComponents: main x\n"
		  "Signed-By: /k/a.gpg\n",
		    "/k/a.gpg|http://a/d @ main x\n"
		    "/k/a.gpg|http://a/d @-updates main x\n"
		    "/k/a.gpg|http://b/d @ main x\n"
		    "/k/a.gpg|http://b/d @-updates main x\n" },
		{ "# c\nTypes: deb\nURIs:\n http://a/d\n# inside\n\thttp://b/d\n"
		  "Suites: bookworm\nComponents: main\n\n\n"
		  "types: deb\nuris: http://c/d\nsuites: trixie\n"
		  "components: main\n",
		    "|http://a/d @ main\n|http://b/d @ main\n"
		    "|http://c/d trixie main\n" },
		{ "Enabled: no\nTypes: deb\nURIs: http://a/d\nSuites: x\n"
		  "Components: main\n",
		    "" },
		{ "Types: deb-src\nURIs: http://a/d\nSuites: x\n"
		  "Components: main\n",
		    "" },
		{ "Types: deb\nURIs: http://a/d\nSuites: ./\n", "" },
		{ "Types: deb\nURIs: mirror+file:/etc/m\nSuites: bookworm\n"
		  "Components: main\n",
		    "" },
		{ "Types: deb\nURIs: http://a/d\nSuites: bookworm\n"
		  "Components: main\nTrusted: yes\nUnknown: field\n",
		    "trusted|http://a/d @ main\n" },
		/* A key that stands inside is no path. */
		{ "Types: deb\nURIs: http://a/d\nSuites: bookworm\n"
		  "Components: main\nSigned-By:\n -----BEGIN PGP\n .\n x\n",
		    "|http://a/d @ main\n" },
		{ " continued from nothing\n", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *got = sources("a.sources", rows[i].text);

		CHECK_STR(got, rows[i].want);
	}
}

static void
test_npmrc(void)
{
	static const char *const env[] = { "TOKEN=s3cret", NULL };
	static const struct {
		const char *text;
		const char *want;
		const char *cafile;
	} rows[] = {
		{ "", "", NULL },
		{ "registry=https://r.example/\n",
		    "registry=https://r.example/\n", NULL },
		{ " registry = \"https://r.example/\" \r\n",
		    "registry=https://r.example/\n", NULL },
		{ "@a:registry=https://a.example/\n",
		    "@a:registry=https://a.example/\n", NULL },
		{ "//r.example/:_authToken=${TOKEN}\n",
		    "//r.example/:_authToken=s3cret\n", NULL },
		{ "//r.example/:_authToken=${NONE}x\n",
		    "//r.example/:_authToken=${NONE}x\n", NULL },
		{ "https-proxy=http://p\nstrict-ssl=false\n",
		    "https-proxy=http://p\nstrict-ssl=false\n", NULL },
		{ "cafile=/etc/ca.pem\n", "", "/etc/ca.pem" },
		{ "prefix=/opt\nscript-shell=/bin/x\n;registry=a\n#x=y\n"
		  "[section]\nignore-scripts\n@x=1\n",
		    "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_free char *cafile = NULL;

		npmrc_parse(rows[i].text, env, &out, &cafile);
		CHECK_STR(out.buf, rows[i].want);
		CHECK_STR(cafile, rows[i].cafile);
	}
}

static void
test_npm_credentials(void)
{
	static const struct {
		const char *npmrc;
		const char *want;
		bool complete;
	} rows[] = {
		{ "", "", true },
		{ "proxy=http://p\n", "proxy=http://p\n", true },
		/* Without registry= npm's own default is used. */
		{ "//r.example/:_authToken=a\n//x.example/:_auth=b\n", "",
		    false },
		{ "registry=\n//r.example/:_authToken=a\n//:_auth=b\n",
		    "registry=\n", false },
		{ "registry=https://r.example:8443/npm\n"
		  "//r.example:8443/npm/:_authToken=a\n"
		  "//r.example:8443/:_authToken=b\n"
		  "//r.example:8443/npm/other/:_authToken=c\n"
		  "//r.example/:_authToken=d\n"
		  "//r.example:8443/np/:_authToken=e\n"
		  "//x.example/:_authToken=f\n",
		    "registry=https://r.example:8443/npm\n"
		    "//r.example:8443/npm/:_authToken=a\n"
		    "//r.example:8443/:_authToken=b\n",
		    true },
		/* The last one counts. */
		{ "registry=https://a.example/\n//a.example/:_password=a\n"
		  "registry=https://b.example/\n//b.example/:username=b\n",
		    "registry=https://a.example/\n"
		    "registry=https://b.example/\n"
		    "//b.example/:username=b\n",
		    true },
		{ "@s:registry=https://s.example/\n//s.example/:_authToken=a\n"
		  "//t.example/:keyfile=/k\nproxy=http://p\n",
		    "@s:registry=https://s.example/\n"
		    "//s.example/:_authToken=a\nproxy=http://p\n",
		    false },
		{ "@s:registry=https://s.example\n//s.example/:_authToken=a\n",
		    "@s:registry=https://s.example\n"
		    "//s.example/:_authToken=a\n",
		    true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf npmrc = STRBUF_INIT;

		strbuf_addstr(&npmrc, rows[i].npmrc);
		CHECK_INT(npmrc_keep_used(&npmrc), rows[i].complete);
		CHECK_STR(npmrc.buf, rows[i].want);
	}
}

static void
test_npm_environment(void)
{
	static const char *const env[] = { "npm_config_registry=https://a/",
		"NPM_CONFIG_HTTPS_PROXY=http://p", "npm_config_cafile=/c",
		"npm_config_prefix=/x", "npm_config_=1",
		"npm_config_proxy=", "npm_config_//R.example/:_authToken=Ab_c",
		"npm_config_//r.example/:always_auth=1",
		"npm_config_@My_Scope:registry=https://b/", NULL };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_free char *cafile = NULL;

	npmrc_from_environment(env, &out, &cafile);
	CHECK_STR(out.buf,
	    "registry=https://a/\nhttps-proxy=http://p\n"
	    "//R.example/:_authToken=Ab_c\n//r.example/:always_auth=1\n"
	    "@my-scope:registry=https://b/\n");
	CHECK_STR(cafile, "/c");
}

static void
test_local(void)
{
	static const struct {
		const char *proxy;
		bool want;
	} rows[] = {
		{ "http_proxy=http://127.0.0.1:3128", true },
		{ "http_proxy=http://localhost:3128", true },
		{ "http_proxy=http://[::1]:3128", true },
		{ "http_proxy=http://10.0.0.1:3128", false },
		{ "no_proxy=127.0.0.1,localhost", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_hostconf struct hostconf hc = HOSTCONF_INIT;

		strvec_push(&hc.proxies, rows[i].proxy);
		CHECK_INT(hostconf_is_local(&hc), rows[i].want);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "one-line sources are reduced to key, place and suite",
		    test_list },
		{ "deb822 sources are multiplied out", test_deb822 },
		{ "of an npmrc only what says where packages are is taken",
		    test_npmrc },
		{ "credentials of a registry that is not named are removed",
		    test_npm_credentials },
		{ "npm's variables count like its file", test_npm_environment },
		{ "a proxy on the host's loopback is known as one",
		    test_local },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
