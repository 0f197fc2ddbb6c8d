/* SPDX-License-Identifier: MIT */
/* Toolchain files: those that are shipped, the user's own, and wrong ones. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/catalog.h"
#include "host/paths.h"
#include "host/toolchain.h"

#include "check.h"
#include "data-kit.h"

static int
parse(struct toolchain *tc, const char *text, struct diag *dg)
{
	return toolchain_parse(
	    tc, "x", "toolchains/x.json", text, strlen(text), dg);
}

static void
test_whole(void)
{
	static const char text[] =
	    "{\"packages\": {\"default\": [\"cargo\", \"rustc\"],"
	    "  \"bookworm\": [\"cargo-web\"]},"
	    " \"hosts\": [\"index.example\", \"b.example:8443\"],"
	    " \"caches\": [{\"path\": \"a/b\", \"variable\": \"A_CACHE\","
	    "   \"source\": \"https://a.example\"},"
	    "  {\"path\": \"c\", \"link\": \".c/registry\","
	    "   \"source\": \"c(1)\"}],"
	    " \"shown_by\": [\"Cargo.toml\"],"
	    " \"reserved_env\": [\"RUSTC_*\", \"*_RUNNER\"]}";
	cleanup_toolchain struct toolchain tc = TOOLCHAIN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (!CHECK_INT(parse(&tc, text, &dg), 0))
		CHECK_STR(dg.message, "");
	CHECK_STR(tc.name, "x");
	CHECK_INT(tc.nsuites, 2);
	CHECK_STR(tc.suites[0].name, "default");
	CHECK_STR(tc.suites[0].packages.v[1], "rustc");
	CHECK_STR(tc.suites[1].name, "bookworm");
	CHECK_STR(tc.suites[1].packages.v[0], "cargo-web");
	CHECK_STR(tc.hosts.v[1], "b.example:8443");
	CHECK_INT(tc.ncaches, 2);
	CHECK_STR(tc.caches[0].path, "a/b");
	CHECK_STR(tc.caches[0].variable, "A_CACHE");
	CHECK_STR(tc.caches[0].link, NULL);
	CHECK_STR(tc.caches[1].variable, NULL);
	CHECK_STR(tc.caches[1].link, ".c/registry");
	CHECK_STR(tc.shown_by.v[0], "Cargo.toml");
	CHECK_STR(tc.reserved_env.v[1], "*_RUNNER");
}

static void
test_short(void)
{
	cleanup_toolchain struct toolchain empty = TOOLCHAIN_INIT;
	cleanup_toolchain struct toolchain list = TOOLCHAIN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(parse(&empty, "{}", &dg), 0);
	CHECK_INT(empty.nsuites, 0);
	CHECK_INT(parse(&list, "{\"packages\": [\"g++\", \"gcc\"]}", &dg), 0);
	CHECK_INT(list.nsuites, 1);
	CHECK_STR(list.suites[0].name, "default");
	CHECK_STR(list.suites[0].packages.v[0], "g++");
}

#define CACHE(body) "{\"caches\": [{" body "}]}"
#define SOURCE ", \"source\": \"s\""

static void
test_bad(void)
{
	static const struct {
		const char *text;
		const char *want; /* behind "toolchains/x.json: "; NULL: any */
	} rows[] = {
		{ "", NULL },
		{ "{", NULL },
		{ "{\"hosts\":[],\"hosts\":[]}", NULL },
		{ "[]", "not an object" },
		{ "{\"package\": []}", "unknown key \"package\"" },
		{ "{\"command\": []}", "unknown key \"command\"" },
		{ "{\"packages\": \"gcc\"}",
		    "packages: neither a list nor an object" },
		{ "{\"packages\": [1]}",
		    "packages: entry 1 is not plain text" },
		{ "{\"packages\": [\"gcc;reboot\"]}",
		    "packages: \"gcc;reboot\" is not the name of a Debian "
		    "package" },
		{ "{\"packages\": [\"$(id)\"]}",
		    "packages: \"$(id)\" is not the name of a Debian package" },
		{ "{\"packages\": [\"gcc\", \"-o\"]}",
		    "packages: \"-o\" is not the name of a Debian package" },
		{ "{\"packages\": [\"gcc make\"]}",
		    "packages: \"gcc make\" is not the name of a Debian "
		    "package" },
		{ "{\"packages\": [\"../gcc\"]}",
		    "packages: \"../gcc\" is not the name of a Debian "
		    "package" },
		{ "{\"packages\": [\"gcc\\n\"]}",
		    "packages: entry 1 is not plain text" },
		{ "{\"packages\": {\"book worm\": [\"gcc\"]}}",
		    "packages: \"book worm\" is not the codename of a Debian "
		    "release" },
		{ "{\"packages\": {\"*\": [\"gcc\"]}}",
		    "packages: \"*\" is not the codename of a Debian release" },
		{ "{\"packages\": {\"default\": \"gcc\"}}",
		    "packages: not a list" },
		{ "{\"hosts\": \"a.example\"}", "hosts: not a list" },
		{ "{\"hosts\": [\"https://a.example\"]}", NULL },
		{ "{\"hosts\": [\"10.0.1\"]}",
		    "hosts:1: \"10.0.1\" ends in a number, "
		    "but is not an IPv4 address of four numbers" },
		{ "{\"hosts\": [\"a b c\"]}", NULL },
		{ "{\"caches\": {}}", "caches: not a list" },
		{ "{\"caches\": [1]}",
		    "caches: entry 1 is not an object of a path, a variable "
		    "or a link, and a source" },
		{ CACHE("\"path\": \"a\", \"variable\": \"A\""),
		    "caches: entry 1 is not an object of a path, a variable "
		    "or a link, and a source" },
		{ CACHE("\"path\": \"a\", \"variable\": \"A\", \"link\": "
			"\"b\"" SOURCE),
		    "caches: entry 1 is not an object of a path, a variable "
		    "or a link, and a source" },
		{ CACHE(
		      "\"path\": \"a\", \"variable\": \"A\", \"x\": 1" SOURCE),
		    "caches: entry 1 is not an object of a path, a variable "
		    "or a link, and a source" },
		{ CACHE("\"path\": \"../a\", \"variable\": \"A\"" SOURCE),
		    "caches: \"../a\" is not a path below the cache "
		    "directory" },
		{ CACHE("\"path\": \"/a\", \"variable\": \"A\"" SOURCE),
		    "caches: \"/a\" is not a path below the cache directory" },
		{ CACHE("\"path\": \"a\", \"variable\": \"A=B\"" SOURCE),
		    "caches: \"A=B\" is not the name of a variable" },
		{ CACHE("\"path\": \"a\", \"link\": \"a/../../b\"" SOURCE),
		    "caches: \"a/../../b\" is not a path below the home" },
		{ CACHE("\"path\": \"a\", \"link\": \"/etc\"" SOURCE),
		    "caches: \"/etc\" is not a path below the home" },
		{ "{\"shown_by\": [\"src/main.rs\"]}",
		    "shown_by: \"src/main.rs\" is not the name of a file" },
		{ "{\"shown_by\": [\"..\"]}",
		    "shown_by: \"..\" is not the name of a file" },
		{ "{\"shown_by\": [\"\"]}",
		    "shown_by: \"\" is not the name of a file" },
		{ "{\"shown_by\": {}}", "shown_by: not a list" },
		{ "{\"reserved_env\": [\"A*B\"]}",
		    "reserved_env: \"A*B\" is neither the name of a variable "
		    "nor one with * before or behind it" },
		{ "{\"reserved_env\": 1}", "reserved_env: not a list" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_toolchain struct toolchain tc = TOOLCHAIN_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *want = NULL;

		if (!CHECK_INT(parse(&tc, rows[i].text, &dg), -1))
			CHECK_STR(rows[i].text, "");
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK_STR(tc.name, NULL);
		if (rows[i].want == NULL)
			continue;
		want = xasprintf("toolchains/x.json: %s", rows[i].want);
		CHECK_STR(dg.message, want);
	}
}

static void
write_file(const char *path, const char *text)
{
	cleanup_close int fd =
	    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* The shipped files, and toolchains/NAME of the user's own for each pair. */
static void
make_paths(struct paths *paths, const char *const *pairs)
{
	cleanup_free char *dir = NULL;

	data_kit_paths(paths);
	dir = xasprintf("%s/toolchains", paths->config_dir);
	CHECK_INT(mkdir(dir, 0700), 0);
	for (; *pairs != NULL; pairs += 2) {
		cleanup_free char *path = xasprintf("%s/%s", dir, pairs[0]);

		write_file(path, pairs[1]);
	}
}

static void
test_shipped(void)
{
	static const char *const none[] = { NULL };
	cleanup_paths struct paths paths;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	make_paths(&paths, none);
	CHECK_INT(catalog_list(&catalog_toolchains, &paths, &names, &dg), 0);
	CHECK_INT(names.nr, 6);
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_toolchain struct toolchain tc = TOOLCHAIN_INIT;
		cleanup_diag struct diag failure = DIAG_INIT;

		if (!CHECK_INT(
			toolchain_load(&tc, names.v[i], &paths, &failure), 0))
			CHECK_STR(failure.message, "");
		CHECK(tc.nsuites > 0 && tc.shown_by.nr > 0);
		CHECK(tc.reserved_env.nr > 0);
		CHECK_STR(tc.replacement, NULL);
	}
}

static void
test_own(void)
{
	static const char *const own[] = { "zig.json",
		"{\"packages\": [\"zig\"]}", "rust.json",
		"{\"packages\": [\"rustup\"]}", "README", "no toolchain",
		NULL };
	cleanup_paths struct paths paths;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_toolchains struct toolchains list = TOOLCHAINS_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *want = NULL;

	make_paths(&paths, own);
	strvec_push(&names, "zig");
	strvec_push(&names, "c");
	strvec_push(&names, "rust");
	if (!CHECK_INT(toolchains_load(&list, &names, &paths, &dg), 0))
		CHECK_STR(dg.message, "");
	CHECK_INT(list.nr, 3);
	CHECK_STR(list.v[0].name, "c");
	CHECK_STR(list.v[0].replacement, NULL);
	CHECK_STR(list.v[1].name, "rust");
	CHECK_STR(list.v[1].suites[0].packages.v[0], "rustup");
	want = xasprintf("%s/toolchains/rust.json", paths.config_dir);
	CHECK_STR(list.v[1].replacement, want);
	CHECK_STR(list.v[2].name, "zig");
	CHECK_STR(list.v[2].replacement, NULL);
}

static void
test_unknown(void)
{
	static const char *const own[] = { "zig.json", "{}", NULL };
	static const char *const bad[] = { "cobol", "../c", "", "-c", "C", "c/",
		NULL };
	cleanup_paths struct paths paths;

	make_paths(&paths, own);
	for (size_t i = 0; bad[i] != NULL; i++) {
		cleanup_toolchain struct toolchain tc = TOOLCHAIN_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *want =
		    xasprintf("unknown toolchain \"%s\" (there is: c, go, "
			      "java, node, python, rust, zig)",
			bad[i]);

		CHECK_INT(toolchain_load(&tc, bad[i], &paths, &dg), -1);
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK_STR(dg.message, want);
	}
}

/* Whoever else can write to it decides what a session's image is made of. */
static void
test_untrusted(void)
{
	static const char *const own[] = { "zig.json", "{}", NULL };
	cleanup_paths struct paths paths;
	cleanup_toolchain struct toolchain tc = TOOLCHAIN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_diag struct diag hard = DIAG_INIT;
	cleanup_free char *path = NULL;
	cleanup_free char *other = NULL;

	make_paths(&paths, own);
	path = xasprintf("%s/toolchains/zig.json", paths.config_dir);
	other = xasprintf("%s/other", check_tmpdir());
	CHECK_INT(chmod(path, 0666), 0);
	CHECK_INT(toolchain_load(&tc, "zig", &paths, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	CHECK_INT(chmod(path, 0600), 0);
	CHECK_INT(link(path, other), 0);
	CHECK_INT(toolchain_load(&tc, "zig", &paths, &hard), -1);
	CHECK_INT(hard.class, DIAG_CONFIG);
}

static void
test_shown(void)
{
	static const char *const own[] = { "zig.json",
		"{\"shown_by\": [\"build.zig\"]}", NULL };
	static const char *const files[] = { "Cargo.toml", "build.zig", NULL };
	cleanup_paths struct paths paths;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *project = NULL;
	cleanup_free char *dir = NULL;
	cleanup_free char *link = NULL;
	cleanup_close int fd = -1;

	make_paths(&paths, own);
	project = xasprintf("%s/project", check_tmpdir());
	dir = xasprintf("%s/go.mod", project);
	link = xasprintf("%s/package.json", project);
	CHECK_INT(mkdir(project, 0700), 0);
	for (size_t i = 0; files[i] != NULL; i++) {
		cleanup_free char *path = xasprintf("%s/%s", project, files[i]);

		write_file(path, "");
	}
	/* Neither of them is a file of the project. */
	CHECK_INT(mkdir(dir, 0700), 0);
	CHECK_INT(symlink("Cargo.toml", link), 0);
	CHECK_INT(fs_open_dir(project, &fd, &dg), 0);
	CHECK_INT(toolchains_shown(&paths, fd, &names, &dg), 0);
	CHECK_INT(names.nr, 2);
	CHECK_STR(names.v[0], "rust");
	CHECK_STR(names.v[1], "zig");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "every key is read", test_whole },
		{ "nothing is required, and a list is for each release",
		    test_short },
		{ "anything unknown, wrong or hostile is refused by its key",
		    test_bad },
		{ "the toolchains that are shipped are read", test_shipped },
		{ "the user's own are found, and replace shipped ones",
		    test_own },
		{ "an unknown one is refused, and those there are listed",
		    test_unknown },
		{ "a file that others can change is refused", test_untrusted },
		{ "a project shows by its files what it uses", test_shown },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
