/* SPDX-License-Identifier: MIT */
/* Which lines are hosts. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/allowlist.h"
#include "host/catalog.h"
#include "host/packagehosts.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/toolchain.h"

#include "check.h"
#include "data-kit.h"

#define LABEL_63 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* Writes the file dir/name, and makes the two directories in name. */
static void
write_file(const char *dir, const char *name, const char *text)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, name);
	cleanup_close int fd = -1;

	for (char *p = path + strlen(dir) + 1; (p = strchr(p, '/')) != NULL;
	     *p++ = '/') {
		*p = '\0';
		(void)mkdir(path, 0700);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK_INT(write(fd, text, strlen(text)), (int)strlen(text));
}

/* Returned: "[http://][*.]host:port[+] ..."; + is private. */
static char *
show(const struct allowlist *list)
{
	struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < list->nr; i++)
		strbuf_addf(&out, "%s%s%s%s:%u%s", i > 0 ? " " : "",
		    list->v[i].plain_http ? "http://" : "",
		    list->v[i].kind == ALLOW_BELOW ? "*." : "", list->v[i].host,
		    (unsigned)list->v[i].port,
		    list->v[i].private_ok ? "+" : "");
	return strbuf_detach(&out, NULL);
}

static char *
parse(const char *text)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (allowlist_parse(&list, ALLOW_GLOBAL, NULL, "allowlist", text,
		strlen(text), &dg) < 0) {
		CHECK_INT(dg.class, DIAG_CONFIG);
		return xstrdup(dg.message);
	}
	return show(&list);
}

static void
test_good(void)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ "", "" },
		{ "# nothing\n\n \t\n", "" },
		{ "example.com", "example.com:443" },
		{ "Example.COM.", "example.com:443" },
		{ "example.com:8443", "example.com:8443" },
		{ "example.com:65535", "example.com:65535" },
		{ "example.com. private", "example.com:443+" },
		{ "git:22\tprivate # inside", "git:22+" },
		{ "a.b#c",
		    "allowlist:1: \"a.b#c\" is not a host name "
		    "(letters, digits, hyphens and dots)" },
		{ "a.example\r\nb.example\r\n", "a.example:443 b.example:443" },
		{ "a.example\nA.EXAMPLE private\na.example:80",
		    "a.example:443+ a.example:80" },
		{ "1.2.3.4.example", "1.2.3.4.example:443" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example:443" },
		{ LABEL_63 ".example", LABEL_63 ".example:443" },
		{ "*.Example.com.", "*.example.com:443" },
		{ "*.example.com:8443 private\nexample.com",
		    "*.example.com:8443+ example.com:443" },
		{ "http://a.example\nHTTP://a.example:8080\na.example:80",
		    "http://a.example:80 http://a.example:8080 a.example:80" },
		{ "http://*.a.example", "http://*.a.example:80" },
		{ "192.0.2.1\n192.0.2.1:80\nhttp://192.0.2.1",
		    "192.0.2.1:443 192.0.2.1:80 http://192.0.2.1:80" },
		{ "[2001:DB8:0::1]:8443 private\n[2001:db8::2]",
		    "[2001:db8::1]:8443+ [2001:db8::2]:443" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *got = parse(rows[i].text);

		CHECK_STR(got, rows[i].want);
	}
}

static void
test_bad(void)
{
	static const struct {
		const char *text;
		const char *why; /* somewhere in the message */
	} rows[] = {
		{ "127.0.0.1.1", "ends in a number" },
		{ "127.000.0.1", "ends in a number" },
		{ "0177.0.0.1", "ends in a number" },
		{ "127.1:443", "ends in a number" },
		{ "2130706433", "ends in a number" },
		{ "0x7f000001", "ends in a number" },
		{ "0x7F.1", "ends in a number" },
		{ "host.0x7f", "ends in a number" },
		{ "[::1", "is not an IPv6 address" },
		{ "[::1].", "is not an IPv6 address" },
		{ "[fe80::1%eth0]", "is not an IPv6 address" },
		{ "[1.2.3.4]", "is not an IPv6 address" },
		{ "[]", "is not an IPv6 address" },
		{ "[::ffff:192.0.2.1]", "contains an IPv4 address" },
		{ "::1", "address in brackets" },
		{ "fe80::1:443", "address in brackets" },
		{ "*.com", "top-level domain" },
		{ "*", "a * only in" },
		{ "*.", "a * only in" },
		{ "*example.com", "a * only in" },
		{ "a.*.example.com", "a * only in" },
		{ "*.*.example.com", "a * only in" },
		{ "*.192.0.2.1", "ends in a number" },
		{ "*.[2001:db8::1]", "is not a host" },
		{ "http://", "has an empty label" },
		{ "http://a.example/", "leave out the path" },
		{ "http://a.example:80/x", "leave out the path" },
		{ "http://http://a.example", "leave out the path" },
		{ "@npm", "a bundle is not allowed here" },
		{ "@npm private", "a bundle is not allowed here" },
		{ "@npm privat", "only \"private\" may follow" },
		{ "@@npm", "a bundle is not allowed here" },
		{ ".example.com", "has an empty label" },
		{ "example..com", "has an empty label" },
		{ "example.com..", "has an empty label" },
		{ ".", "has an empty label" },
		{ "https://example.com", "leave out the path" },
		{ "https://example.com:8443/", "leave out the path" },
		{ "example.com/path", "leave out the path" },
		{ "user@example.com", "is not a host name" },
		{ "exam_ple.com", "is not a host name" },
		{ "b\xc3\xbc"
		  "cher.example",
		    "is not a host name" },
		{ "-x.example", "starts or ends with a hyphen" },
		{ "x-.example", "starts or ends with a hyphen" },
		{ LABEL_63 "a.example", "more than 63" },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 ".x",
		    "more than 253" },
		{ "example.com:", "no port" },
		{ "example.com:0", "no port" },
		{ "example.com:080", "no port" },
		{ "example.com:65536", "no port" },
		{ "example.com:443x", "no port" },
		{ "example.com:-1", "no port" },
		{ "example.com Private", "only \"private\"" },
		{ "example.com private x", "only \"private\"" },
		{ "a.example b.example", "only \"private\"" },
		{ "localhost", "loopback" },
		{ "x.localhost", "loopback" },
		{ "a.example\033", "not plain UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *text =
		    xasprintf("# first\n\n%s\n", rows[i].text);
		cleanup_free char *got = parse(text);

		if (!CHECK(strncmp(got, "allowlist:3: ", 13) == 0) ||
		    !CHECK(strstr(got, rows[i].why) != NULL))
			CHECK_STR(got, rows[i].why);
	}
}

/*
 * What a list of all kinds of lines allows: a request that is not listed in its
 * own words never matches.
 */
static void
test_requests(void)
{
	static const char lines[] = "a.example\n*.b.example\nc.example:8443\n"
				    "http://d.example\n192.0.2.1\n"
				    "[2001:db8::1]\nxn--bcher-kva.example\n";
	static const struct {
		const char *method;
		const char *target;
		const char *line; /* NULL: no line could allow it */
		bool allowed;
	} rows[] = {
		{ "CONNECT", "a.example:443", "a.example", true },
		{ "CONNECT", "A.EXAMPLE.:443", "a.example", true },
		{ "CONNECT", "a.example", "a.example", true },
		{ "CONNECT", "a.example:80", "a.example:80", false },
		{ "CONNECT", "xa.example:443", "xa.example", false },
		{ "CONNECT", "a.example.x:443", "a.example.x", false },
		{ "CONNECT", "a-example:443", "a-example", false },
		{ "CONNECT", "aXexample:443", "axexample", false },
		{ "CONNECT", "x.a.example:443", "x.a.example", false },
		{ "CONNECT", "a.example..:443", NULL, false },
		{ "CONNECT", ".a.example:443", NULL, false },
		{ "CONNECT", "b.example:443", "b.example", false },
		{ "CONNECT", "x.b.example:443", "x.b.example", true },
		{ "CONNECT", "y.x.b.example:443", "y.x.b.example", true },
		{ "CONNECT", "xb.example:443", "xb.example", false },
		{ "CONNECT", "x.b.example:8443", "x.b.example:8443", false },
		{ "CONNECT", "*.b.example:443", NULL, false },
		{ "CONNECT", "*.example:443", NULL, false },
		{ "CONNECT", "c.example:443", "c.example", false },
		{ "CONNECT", "c.example:8443", "c.example:8443", true },
		{ "CONNECT", "d.example:80", "d.example:80", false },
		{ "GET", "http://d.example/x?y", "http://d.example", true },
		{ "GET", "http://d.example:8080/", "http://d.example:8080",
		    false },
		{ "GET", "http://x@d.example/", NULL, false },
		{ "GET", "http://d.example@evil.example/", NULL, false },
		{ "GET", "http://evil.example#@d.example/",
		    "http://evil.example", false },
		{ "GET", "http://a.example/", "http://a.example", false },
		{ "GET", "https://d.example/", NULL, false },
		{ "GET", "/", NULL, false },
		{ "GET", "a.example:443", NULL, false },
		{ "CONNECT", "http://d.example", NULL, false },
		{ "CONNECT", "192.0.2.1:443", "192.0.2.1", true },
		{ "CONNECT", "192.0.2.01:443", NULL, false },
		{ "CONNECT", "3221225985:443", NULL, false },
		{ "CONNECT", "0xc0000201:443", NULL, false },
		{ "CONNECT", "0300.0.2.1:443", NULL, false },
		{ "CONNECT", "192.0.513:443", NULL, false },
		{ "CONNECT", "192.0.2.2:443", "192.0.2.2", false },
		{ "CONNECT", "[2001:db8::1]:443", "[2001:db8::1]", true },
		{ "CONNECT", "[2001:DB8:0:0::1]:443", "[2001:db8::1]", true },
		{ "CONNECT", "[::ffff:192.0.2.1]:443", NULL, false },
		{ "CONNECT", "2001:db8::1:443", NULL, false },
		{ "CONNECT", "xn--bcher-kva.example:443",
		    "xn--bcher-kva.example", true },
		{ "CONNECT",
		    "b\xc3\xbc"
		    "cher.example:443",
		    NULL, false },
		{ "CONNECT", "user@a.example:443", NULL, false },
		{ "CONNECT", "user:x@a.example:443", NULL, false },
		{ "CONNECT", "a.example\r\nx:443", NULL, false },
		{ "CONNECT", "a.example:443 private", NULL, false },
		{ "CONNECT", "a.example:443#", NULL, false },
		{ "CONNECT", "@npm", NULL, false },
		{ "CONNECT", "x;rm${IFS}-rf:443", NULL, false },
		{ "CONNECT", "", NULL, false },
		{ "CONNECT", LABEL_63 "a.example:443", NULL, false },
		{ "CONNECT",
		    LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 ".x:443",
		    NULL, false },
	};
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_allowlist struct allowlist empty = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(allowlist_parse(&list, ALLOW_GLOBAL, NULL, "list", lines,
		      strlen(lines), &dg),
	    0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_allow_entry struct allow_entry e = { .host = NULL };
		cleanup_strbuf struct strbuf line = STRBUF_INIT;
		bool any =
		    allow_entry_of_request(&e, rows[i].method, rows[i].target);

		if (any)
			allow_entry_print(&e, &line);
		CHECK_STR(any ? line.buf : NULL, rows[i].line);
		CHECK_INT(
		    any && allowlist_find(&list, &e) != NULL, rows[i].allowed);
		CHECK(!any || allowlist_find(&empty, &e) == NULL);
		CHECK_INT(any && allowlist_find_line(&list, line.buf) != NULL,
		    rows[i].allowed);
	}
	CHECK(allowlist_find_line(&list, "*.x.b.example") != NULL);
	CHECK(allowlist_find_line(&list, "a.example private") == NULL);
	CHECK(allowlist_find_line(&list, "@npm") == NULL);
	CHECK(allowlist_find_line(&list, "") == NULL);
}

/* Every bundle that is shipped parses, and an unknown one is named. */
static void
test_bundles(void)
{
	cleanup_paths struct paths paths;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_free char *dir = NULL;
	cleanup_close int dirfd = -1;
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	size_t before = 0;

	data_kit_paths(&paths);
	dir = xasprintf("%s/bundles", paths.data_dir);
	CHECK_INT(fs_open_dir(dir, &dirfd, &dg), 0);
	CHECK_INT(fs_list_names(dirfd, dir, &names, &dg), 0);
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *line = xasprintf("@%s", names.v[i]);

		/* In the source tree the directory also has files.mk. */
		if (!catalog_is_name(names.v[i]))
			continue;
		CHECK_INT(allowlist_parse(&list, ALLOW_GLOBAL, &paths, "list",
			      line, strlen(line), &dg),
		    0);
		CHECK(list.nr > before);
		before = list.nr;
	}
	CHECK(list.nr > 0);
	CHECK_INT(allowlist_parse(
		      &list, ALLOW_GLOBAL, &paths, "list", "x.y\n@np", 7, &dg),
	    -1);
	CHECK(strstr(dg.message,
		  "list:2: unknown bundle \"@np\" (@crates, @debian") != NULL);
	diag_clear(&dg);
	CHECK_INT(allowlist_parse(&list, ALLOW_GLOBAL, &paths, "list",
		      "@../agents/claude.json", 22, &dg),
	    -1);
	CHECK(strstr(dg.message, "unknown bundle") != NULL);
}

static void
write_npmrc(const struct paths *paths, const char *text)
{
	cleanup_free char *path = xasprintf("%s/.npmrc", paths->home);
	FILE *f = fopen(path, "we");

	if (CHECK(f != NULL)) {
		(void)fputs(text, f);
		(void)fclose(f);
		CHECK_INT(chmod(path, 0600), 0);
	}
}

/* Returns the entry for the line, or NULL. */
static const struct allow_entry *
find(const struct allowlist *list, const char *line)
{
	return allowlist_find_line(list, line);
}

/* The hosts of a bundle that the user's own configuration names. */
static void
test_configured(void)
{
	static const char text[] =
	    "; mine\nregistry = https://old.example/\n"
	    "//npm.example:8443/:_authToken=secret\n"
	    "registry=https://u:p@npm.example:8443/path/\n"
	    "@a:registry=http://plain.example\n"
	    "@b:registry=https://npm.example:8443\n"
	    "@c:registry=file:///tmp\n@d:registry=https://${HOST}/\n";
	cleanup_paths struct paths paths;
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_allowlist struct allowlist none = ALLOWLIST_INIT;
	cleanup_packagehosts struct packagehosts found = PACKAGEHOSTS_INIT;
	cleanup_free char *settings = NULL;
	cleanup_free char *notes = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;

	data_kit_paths(&paths);
	paths.home = xasprintf("%s/home", check_tmpdir());
	CHECK_INT(mkdir(paths.home, 0700), 0);
	CHECK_INT(allowlist_parse(
		      &none, ALLOW_PROJECT, &paths, "list", "@npm", 4, &dg),
	    0);
	if (CHECK_INT(none.notes.nr, 1))
		CHECK(
		    strstr(none.notes.v[0], "npm config get registry") != NULL);
	write_npmrc(&paths, text);
	CHECK_INT(allowlist_parse(&list, ALLOW_PROJECT, &paths, "list",
		      "@npm private", 12, &dg),
	    0);
	CHECK_INT(list.nr, none.nr + 2);
	if (CHECK(find(&list, "npm.example:8443") != NULL)) {
		CHECK_STR(find(&list, "npm.example:8443")->origin, "~/.npmrc");
		CHECK(find(&list, "npm.example:8443")->private_ok);
	}
	CHECK(find(&list, "http://plain.example") != NULL);
	CHECK(find(&list, "npm.example") == NULL);
	CHECK(find(&list, "old.example") == NULL);
	/* "private" is not for what the bundle itself names. */
	CHECK(!list.v[list.nr - 1].private_ok);
	CHECK(list.v[list.nr - 1].origin == NULL);
	CHECK(list.npm);
	CHECK_INT(packagehosts_read(&found, "npm", &paths, &dg), 0);
	settings = strvec_join(&found.settings, "\n");
	CHECK_STR(settings,
	    "registry=https://npm.example:8443/path/\n"
	    "@a:registry=http://plain.example\n"
	    "@b:registry=https://npm.example:8443\n"
	    "@d:registry=https://${HOST}/");
	notes = strvec_join(&list.notes, "; ");
	CHECK(strstr(notes, "not reached by http or https") != NULL);
	CHECK(strstr(notes, "\"${HOST}\", which is not a host") != NULL);
	CHECK(strstr(notes, "secret") == NULL);
	CHECK(strstr(notes, "u:p") == NULL);
	CHECK_INT(allowlist_parse(&list, ALLOW_PROJECT, &paths, "list",
		      "@pypi private", 13, &dg),
	    -1);
	CHECK(strstr(dg.message, "cannot apply to \"@pypi\"") != NULL);
}

/* What npm uses without a configuration counts if nothing else is set. */
static void
test_npm_default(void)
{
	cleanup_paths struct paths paths;
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_allowlist struct allowlist own = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_diag struct diag bad = DIAG_INIT;

	data_kit_paths(&paths);
	paths.home = xasprintf("%s/home", check_tmpdir());
	paths.state_dir = xasprintf("%s/state", check_tmpdir());
	CHECK(
	    mkdir(paths.home, 0700) == 0 && mkdir(paths.state_dir, 0700) == 0);
	CHECK_INT(fs_open_dir(paths.state_dir, &paths.state_fd, &dg), 0);
	CHECK_INT(packagehosts_keep_npm(&paths, "gcc\nsh", &bad), -1);
	CHECK_INT(
	    packagehosts_keep_npm(&paths, "https://default.example/", &dg), 0);
	CHECK_INT(allowlist_parse(
		      &list, ALLOW_PROJECT, &paths, "list", "@npm", 4, &dg),
	    0);
	CHECK(find(&list, "default.example") != NULL);
	CHECK_INT(list.notes.nr, 0);
	write_npmrc(&paths, "registry=https://npm.example/\n");
	CHECK_INT(allowlist_parse(
		      &own, ALLOW_PROJECT, &paths, "list", "@npm", 4, &dg),
	    0);
	CHECK(find(&own, "default.example") == NULL);
	CHECK(find(&own, "npm.example") != NULL);
}

/* A file that others can change decides nothing. */
static void
test_configured_by_others(void)
{
	cleanup_paths struct paths paths;
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_free char *path = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;

	data_kit_paths(&paths);
	paths.home = xasprintf("%s/home", check_tmpdir());
	path = xasprintf("%s/.npmrc", paths.home);
	CHECK_INT(mkdir(paths.home, 0700), 0);
	write_npmrc(&paths, "registry=https://evil.example/\n");
	CHECK_INT(chmod(path, 0666), 0);
	CHECK_INT(allowlist_parse(
		      &list, ALLOW_PROJECT, &paths, "list", "@npm", 4, &dg),
	    -1);
	CHECK(strstr(dg.message, ".npmrc") != NULL);
}

static void
test_many(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *got = NULL;

	for (int i = 0; i < 1025; i++)
		strbuf_addf(&text, "h%d.example\n", i);
	got = parse(text.buf);
	CHECK_STR(got, "allowlist: more than 1024 hosts");
}

static void
test_load(void)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_allowlist struct allowlist alone = ALLOWLIST_INIT;
	cleanup_agent struct agent agent = AGENT_INIT;
	struct toolchain rust = TOOLCHAIN_INIT;
	const struct toolchains none = TOOLCHAINS_INIT;
	const struct toolchains one = { &rust, 1 };
	static char config[] = "projects/k";
	const struct project project = { .config = config };
	cleanup_paths struct paths paths;
	const struct allow_spec spec = { &agent, &one, &paths, &project };
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *got = NULL;
	cleanup_free char *file = NULL;
	cleanup_free char *want = NULL;
	cleanup_close int fd = -1;

	paths_init(&paths);
	paths.uid = geteuid();
	paths.config_dir = xasprintf("%s/config", check_tmpdir());
	strvec_push(&agent.hosts, "api.example");
	strvec_push(&rust.hosts, "crates.example");
	CHECK_INT(allowlist_load(&alone,
		      &(struct allow_spec){ &agent, &none, &paths, NULL }, &dg),
	    0);
	CHECK_INT(alone.nr, 1);
	CHECK_INT(mkdir(paths.config_dir, 0700), 0);
	file = xasprintf("%s/allowlist", paths.config_dir);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(write(fd, "b.example\napi.example\n", 22), 22);
	write_file(paths.config_dir, "projects/k/allowlist",
	    "own.example\n*.example\n");
	CHECK_INT(allowlist_load(&list, &spec, &dg), -1);
	allowlist_release(&list);
	diag_clear(&dg);
	write_file(paths.config_dir, "projects/k/allowlist",
	    "own.example\ncrates.example\n");
	CHECK_INT(allowlist_load(&list, &spec, &dg), 0);
	got = show(&list);
	CHECK_STR(got,
	    "api.example:443 crates.example:443 b.example:443 "
	    "own.example:443");
	CHECK_INT(list.v[0].sources, ALLOW_AGENT | ALLOW_GLOBAL);
	CHECK_INT(list.v[1].sources, ALLOW_TOOLCHAIN | ALLOW_PROJECT);
	CHECK_INT(list.v[2].sources, ALLOW_GLOBAL);
	CHECK_INT(list.v[3].sources, ALLOW_PROJECT);
	CHECK_INT(write(fd, "!\n", 2), 2);
	CHECK_INT(allowlist_load(&list, &spec, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	want = xasprintf(
	    "%s:3: \"!\" is not a host name (letters, digits, hyphens and dots)",
	    file);
	CHECK_STR(dg.message, want);
	toolchain_release(&rust);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "whole names are taken, folded, once", test_good },
		{ "what is not a whole name is refused with its line",
		    test_bad },
		{ "a request matches a line that has its own host alone",
		    test_requests },
		{ "bundles are read from the installed data", test_bundles },
		{ "the user's npm names hosts of a bundle", test_configured },
		{ "npm's default is the last resort", test_npm_default },
		{ "a file that others can change names none",
		    test_configured_by_others },
		{ "the number of hosts is bounded", test_many },
		{ "the agent's and toolchains' hosts come before the user's",
		    test_load },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
