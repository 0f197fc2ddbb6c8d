/* SPDX-License-Identifier: MIT */
/* Which lines are hosts. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/allowlist.h"
#include "host/paths.h"
#include "host/toolchain.h"

#include "check.h"

#define LABEL_63 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* Returned: "host:port[ private] ..." or the message of the failure. */
static char *
show(const struct allowlist *list)
{
	struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < list->nr; i++)
		strbuf_addf(&out, "%s%s:%u%s", i > 0 ? " " : "",
		    list->v[i].host, (unsigned)list->v[i].port,
		    list->v[i].private_ok ? "+" : "");
	return strbuf_detach(&out, NULL);
}

static char *
parse(const char *text)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (allowlist_parse(&list, "allowlist", text, strlen(text), &dg) < 0) {
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
		{ "127.0.0.1", "is an address" },
		{ "127.1:443", "is an address" },
		{ "2130706433", "is an address" },
		{ "0x7f000001", "is an address" },
		{ "0x7F.1", "is an address" },
		{ "host.0x7f", "is an address" },
		{ "[::1]", "is an address" },
		{ "::1", "is an address" },
		{ "fe80::1:443", "is an address" },
		{ "*.example.com", "is a wildcard" },
		{ ".example.com", "has an empty label" },
		{ "example..com", "has an empty label" },
		{ "example.com..", "has an empty label" },
		{ ".", "has an empty label" },
		{ "https://example.com", "leave out the scheme" },
		{ "https://example.com:8443/", "leave out the scheme" },
		{ "example.com/path", "leave out the scheme" },
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
	cleanup_paths struct paths paths;
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
	CHECK_INT(allowlist_load(&alone, &agent, &none, &paths, &dg), 0);
	CHECK_INT(alone.nr, 1);
	CHECK_INT(mkdir(paths.config_dir, 0700), 0);
	file = xasprintf("%s/allowlist", paths.config_dir);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(write(fd, "b.example\napi.example\n", 22), 22);
	CHECK_INT(allowlist_load(&list, &agent, &one, &paths, &dg), 0);
	got = show(&list);
	CHECK_STR(got, "api.example:443 crates.example:443 b.example:443");
	CHECK_INT(write(fd, "!\n", 2), 2);
	CHECK_INT(allowlist_load(&list, &agent, &one, &paths, &dg), -1);
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
		{ "the number of hosts is bounded", test_many },
		{ "the agent's and toolchains' hosts come before the user's",
		    test_load },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
