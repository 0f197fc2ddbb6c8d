/* SPDX-License-Identifier: MIT */
/* The table of settings, drydock.conf and the environment. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"

#include "check.h"

/* Parses text into a printed form of everything, or the failure's message. */
static char *
parse(const char *text, size_t len)
{
	cleanup_settings struct settings s;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	settings_init(&s);
	if (settings_parse(&s, SETTINGS_FILE, "drydock.conf", text, len, &dg) <
	    0) {
		CHECK_INT(dg.class, DIAG_CONFIG);
		return xstrdup(dg.message);
	}
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		settings_print_row(&s, row, &out);
		strbuf_addch(&out, '\n');
	}
	return strbuf_detach(&out, NULL);
}

/* The line of one setting in what parse() returned. */
static char *
line_of(const char *printed, const char *name)
{
	cleanup_free char *start = xasprintf("\n%s = ", name);
	cleanup_free char *text = xasprintf("\n%s", printed);
	const char *at = strstr(text, start);

	if (at == NULL)
		return xstrdup(printed);
	at += strlen(start);
	return xstrndup(at, strcspn(at, "\n"));
}

static void
test_fallbacks(void)
{
	cleanup_settings struct settings s;

	settings_init(&s);
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		cleanup_settings struct settings again;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		settings_init(&again);
		CHECK_INT(settings_set(&again, SETTINGS_OPTION, row->name,
			      row->fallback, "test", &dg),
		    0);
		settings_print_value(&s, row, &out);
		CHECK_STR(out.buf, row->fallback);
	}
}

static void
test_values(void)
{
	static const struct {
		const char *line;
		const char *name;
		const char *want;
	} rows[] = {
		{ "memory = 4g", "memory", "4g" },
		{ "memory=4096M", "memory", "4g" },
		{ "memory = 67108865", "memory", "67108865" },
		{ "memory = 65537k", "memory", "65537k" },
		{ "cpus = 1.5", "cpus", "1.5" },
		{ "cpus = 0.125", "cpus", "0.125" },
		{ "cpus = 2", "cpus", "2" },
		{ "cpus = 1.010", "cpus", "1.01" },
		{ "pids = 100", "pids", "100" },
		{ "engine_timeout = 1500ms", "engine_timeout", "1500ms" },
		{ "engine_timeout = 120s", "engine_timeout", "2m" },
		{ "clipboard = yes", "clipboard", "yes" },
		{ "packages = vim, g++  libssl-dev,vim", "packages",
		    "\"vim g++ libssl-dev\"" },
		{ "packages = vim # an editor", "packages", "vim" },
		{ "packages = # none", "packages", "\"\"" },
		{ "pass_env = LANG LC_ALL", "pass_env", "\"LANG LC_ALL\"" },
		{ "engine = unix:///run/a b.sock", "engine",
		    "\"unix:///run/a b.sock\"" },
		{ "engine = \"/run/a #1.sock\" # comment", "engine",
		    "\"/run/a #1.sock\"" },
		{ "engine = \"/run/a \\\"b\\\\\"", "engine",
		    "\"/run/a \\\"b\\\\\"" },
		{ "engine = /run/a#b", "engine", "\"/run/a#b\"" },
		{ "detach_key = ctrl-\\", "detach_key", "ctrl-\\" },
		{ "detach_key = ctrl-a", "detach_key", "ctrl-a" },
		{ "detach_key = none", "detach_key", "none" },
		{ "upstream_proxy = http://p.example:3128/", "upstream_proxy",
		    "http://p.example:3128/" },
		{ "upstream_proxy = http://10.1.2.3:80", "upstream_proxy",
		    "http://10.1.2.3:80" },
		{ "upstream_proxy = http://[fd00::1]:80", "upstream_proxy",
		    "http://[fd00::1]:80" },
		{ "upstream_proxy = http://127.p.example:80", "upstream_proxy",
		    "http://127.p.example:80" },
		{ "mode = whatever", "mode", "whatever" },
		{ "\t memory = 1g\t\r", "memory", "1g" },
		{ "# memory = 1g\r\n\r\n  # x\npids = 99", "pids", "99" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *printed =
		    parse(rows[i].line, strlen(rows[i].line));
		cleanup_free char *got = line_of(printed, rows[i].name);

		CHECK_STR(got, rows[i].want);
	}
}

static const struct {
	const char *text;
	const char *want;
} failures[] = {
	{ "\n\nmemry = 4g",
	    "drydock.conf:3: unknown key \"memry\" "
	    "(nearest: memory)" },
	{ "bananas = 4", "drydock.conf:1: unknown key \"bananas\"" },
	{ "memory", "drydock.conf:1: not a \"key = value\" line" },
	{ "memory 4g", "drydock.conf:1: not a \"key = value\" line" },
	{ "= 4g", "drydock.conf:1: not a \"key = value\" line" },
	{ "pids = 100\n\npids = 200",
	    "drydock.conf:3: pids is already set in line 1" },
	{ "memory = lots",
	    "drydock.conf:1: memory: \"lots\" is not a size such as "
	    "512m or 4g" },
	{ "memory = 1m", "drydock.conf:1: memory: 1m is less than 64m" },
	{ "memory = 9999999t",
	    "drydock.conf:1: memory: \"9999999t\" is not a size such "
	    "as 512m or 4g" },
	{ "memory = 65t", "drydock.conf:1: memory: 65t is more than 64t" },
	{ "memory = -1g",
	    "drydock.conf:1: memory: \"-1g\" is not a size such as "
	    "512m or 4g" },
	{ "pids = 10", "drydock.conf:1: pids: 10 is less than 64" },
	{ "pids = 99999999999999999999",
	    "drydock.conf:1: pids: \"99999999999999999999\" is not a "
	    "whole number" },
	{ "cpus = 1.2345",
	    "drydock.conf:1: cpus: \"1.2345\" is not a number such as "
	    "2 or 1.5" },
	{ "cpus = 1.",
	    "drydock.conf:1: cpus: \"1.\" is not a number such as 2 "
	    "or 1.5" },
	{ "engine_timeout = 15",
	    "drydock.conf:1: engine_timeout: \"15\" is not a time "
	    "with its unit, such as 15s, 2m or 500ms" },
	{ "clipboard = true",
	    "drydock.conf:1: clipboard: \"true\" is not yes or no" },
	{ "engine = tcp://10.0.0.1:2375",
	    "drydock.conf:1: engine: \"tcp://10.0.0.1:2375\" is "
	    "refused: only an engine on this machine, reached by a "
	    "unix socket, shares its files and processes" },
	{ "engine = run/x",
	    "drydock.conf:1: engine: \"run/x\" is not the absolute "
	    "path of a socket" },
	{ "base_image = -x",
	    "drydock.conf:1: base_image: \"-x\" is not the name of an "
	    "image" },
	{ "base_image = \"a b\"",
	    "drydock.conf:1: base_image: \"a b\" is not the name of "
	    "an image" },
	{ "packages = vim --allow",
	    "drydock.conf:1: packages: \"--allow\" is not the name of "
	    "a Debian package" },
	{ "packages = vim;id",
	    "drydock.conf:1: packages: \"vim;id\" is not the name of "
	    "a Debian package" },
	{ "pass_env = A=B",
	    "drydock.conf:1: pass_env: \"A=B\" is not the name of a "
	    "variable" },
	{ "agent = ../x",
	    "drydock.conf:1: agent: \"../x\" is not the name of an "
	    "agent" },
	{ "upstream_proxy = p.example:3128",
	    "drydock.conf:1: upstream_proxy: \"p.example:3128\" is not "
	    "http://HOST:PORT" },
	{ "upstream_proxy = https://p.example:3128",
	    "drydock.conf:1: upstream_proxy: \"https://p.example:3128\" is not "
	    "http://HOST:PORT" },
	{ "upstream_proxy = http://p.example",
	    "drydock.conf:1: upstream_proxy: \"http://p.example\" has no "
	    "port" },
	{ "upstream_proxy = http://[fd00::1]",
	    "drydock.conf:1: upstream_proxy: \"http://[fd00::1]\" has no "
	    "port" },
	{ "upstream_proxy = http://",
	    "drydock.conf:1: upstream_proxy: \"http://\" has no port" },
	{ "upstream_proxy = http://u:p@p.example:3128",
	    "drydock.conf:1: upstream_proxy: \"http://u:p@p.example:3128\" has "
	    "credentials: drydock keeps none; use a proxy without a login" },
	{ "upstream_proxy = http://127.0.0.1:3128",
	    "drydock.conf:1: upstream_proxy: \"http://127.0.0.1:3128\" is the "
	    "loopback of the session's own proxy: use an address that "
	    "containers reach" },
	{ "upstream_proxy = http://*.p.example:3128",
	    "drydock.conf:1: upstream_proxy: \"http://*.p.example:3128\" is "
	    "not a single host" },
	{ "detach_key = ctrl-A",
	    "drydock.conf:1: detach_key: \"ctrl-A\" is neither none "
	    "nor ctrl- with a lower-case letter or one of @ \\\\ ] ^ "
	    "_" },
	{ "engine = \"/run", "drydock.conf:1: the quote is not closed" },
	{ "engine = \"/run\" x",
	    "drydock.conf:1: text after the closing quote" },
	{ "engine = \"/run\"#x",
	    "drydock.conf:1: text after the closing quote" },
	{ "engine = \"/run\\n\"",
	    "drydock.conf:1: a backslash in quotes must precede \" or "
	    "another backslash" },
	{ "\npids = \xff", "drydock.conf:2: not plain UTF-8 text" },
	{ "pids = \033[0m", "drydock.conf:1: not plain UTF-8 text" },
};

static void
test_failures(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		cleanup_free char *got =
		    parse(failures[i].text, strlen(failures[i].text));

		CHECK_STR(got, failures[i].want);
	}
}

static void
test_nul_and_size(void)
{
	static const char nul[] = "pids = 100\nmemory = 1g\0x\n";
	cleanup_free char *got = parse(nul, sizeof(nul) - 1);
	cleanup_strbuf struct strbuf large = STRBUF_INIT;
	cleanup_free char *over = NULL;

	CHECK_STR(got, "drydock.conf:2: not plain UTF-8 text");
	for (size_t i = 0; i < ((size_t)64 << 10); i++)
		strbuf_addch(&large, '#');
	strbuf_addch(&large, '\n');
	over = parse(large.buf, large.len);
	CHECK_STR(over, "drydock.conf: larger than 65536 bytes");
}

static void
test_round_trip(void)
{
	static const char text[] = "engine = \"/run/a \\\"#\\\\ b.sock\"\n"
				   "memory = 3g\n"
				   "cpus = 0.5\n"
				   "packages = vim g++\n"
				   "engine_timeout = 1234ms\n"
				   "mode = \"  dood \"\n"
				   "detach_key = ctrl-]\n";
	cleanup_free char *once = parse(text, strlen(text));
	cleanup_free char *twice = parse(once, strlen(once));

	CHECK(strstr(once, "mode = \"  dood \"\n") != NULL);
	CHECK_STR(twice, once);
}

/* A home with a configuration directory, and paths into it. */
static void
make_home(struct paths *paths)
{
	paths_init(paths);
	paths->uid = geteuid();
	paths->gid = getegid();
	paths->home = xstrdup(check_tmpdir());
	paths->config_dir = xasprintf("%s/config", paths->home);
	CHECK_INT(mkdir(paths->config_dir, 0700), 0);
}

static void
write_conf(const struct paths *paths, const char *text, mode_t mode)
{
	cleanup_free char *path =
	    xasprintf("%s/drydock.conf", paths->config_dir);
	cleanup_close int fd = -1;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
	CHECK_INT(fchmod(fd, mode), 0);
}

static void
test_environment(void)
{
	static const struct {
		const char *env[3];
		const char *want; /* memory, or the failure */
	} rows[] = {
		{ { NULL }, "2g" },
		{ { "DRYDOCK_MEMORY=3g", NULL }, "3g" },
		{ { "DRYDOCK_MEMORY=", NULL }, "2g" },
		{ { "MEMORY=3g", "DRYDOCKX=1", NULL }, "2g" },
		{ { "DRYDOCK=1", "DRYDOCK_VERSION=9", NULL }, "2g" },
		{ { "DRYDOCK_SESSION=x", "DRYDOCK_TEST_X=1", NULL }, "2g" },
		{ { "DRYDOCK_MEMRY=3g", NULL },
		    "environment: unknown variable DRYDOCK_MEMRY "
		    "(nearest: DRYDOCK_MEMORY)" },
		{ { "DRYDOCK_memory=3g", NULL },
		    "environment: unknown variable DRYDOCK_memory" },
		{ { "DRYDOCK_MEMORY=x", NULL },
		    "DRYDOCK_MEMORY: memory: \"x\" is not a size such as 512m "
		    "or 4g" },
		{ { "DRYDOCK_ENGINE=/a\nb", NULL },
		    "DRYDOCK_ENGINE: engine: \"/a\\nb\" is not plain UTF-8 "
		    "text" },
	};
	cleanup_paths struct paths paths;

	make_home(&paths);
	write_conf(&paths, "memory = 2g\n", 0644);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_settings struct settings s;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		settings_init(&s);
		if (settings_load(&s, &paths, rows[i].env, &dg) < 0) {
			CHECK_INT(dg.class, DIAG_CONFIG);
			CHECK_STR(dg.message, rows[i].want);
			continue;
		}
		settings_print_value(&s, settings_find("memory"), &out);
		CHECK_STR(out.buf, rows[i].want);
	}
}

/* The message of loading, with the temporary directory cut off, or NULL. */
static char *
load_failure(const struct paths *paths)
{
	static const char *const none[] = { NULL };
	cleanup_settings struct settings s;
	cleanup_diag struct diag dg = DIAG_INIT;
	size_t len = strlen(paths->home);

	settings_init(&s);
	if (settings_load(&s, paths, none, &dg) == 0)
		return NULL;
	CHECK_INT(dg.class, DIAG_CONFIG);
	if (strncmp(dg.message, paths->home, len) == 0)
		return xstrdup(dg.message + len);
	return xstrdup(dg.message);
}

static void
test_file_access(void)
{
	cleanup_paths struct paths paths;
	cleanup_free char *conf = NULL;
	cleanup_free char *target = NULL;
	cleanup_free char *absent = NULL;
	cleanup_free char *writable = NULL;
	cleanup_free char *linked = NULL;
	cleanup_free char *dangling = NULL;
	cleanup_free char *large = NULL;
	cleanup_free char *fifo = NULL;
	cleanup_free char *directory = NULL;

	make_home(&paths);
	conf = xasprintf("%s/drydock.conf", paths.config_dir);
	target = xasprintf("%s/dotfile", paths.home);
	absent = load_failure(&paths);
	CHECK_STR(absent, NULL);
	write_conf(&paths, "memory = 2g\n", 0664);
	writable = load_failure(&paths);
	CHECK_STR(writable,
	    "/config/drydock.conf can be written by others: chmod go-w it");
	CHECK_INT(chmod(conf, 0600), 0);
	CHECK_INT(rename(conf, target), 0);
	CHECK_INT(symlink(target, conf), 0);
	linked = load_failure(&paths);
	CHECK_STR(linked, NULL);
	CHECK_INT(unlink(target), 0);
	dangling = load_failure(&paths);
	CHECK_STR(dangling,
	    "/config/drydock.conf is a link that leads nowhere: No "
	    "such file or directory");
	CHECK_INT(unlink(conf), 0);
	write_conf(&paths, "", 0600);
	CHECK_INT(truncate(conf, (64 << 10) + 1), 0);
	large = load_failure(&paths);
	CHECK(strstr(large, "drydock.conf") != NULL);
	CHECK_INT(unlink(conf), 0);
	CHECK_INT(mkfifo(conf, 0600), 0);
	fifo = load_failure(&paths);
	CHECK_STR(fifo, "/config/drydock.conf is not a regular file");
	CHECK_INT(unlink(conf), 0);
	CHECK_INT(chmod(paths.config_dir, 0777), 0);
	directory = load_failure(&paths);
	CHECK_STR(directory, "/config can be written by others: chmod go-w it");
}

/* The project's file, in the order of who has a say. */
static void
test_project(void)
{
	static const struct {
		const char *text; /* of the project's file; NULL: none */
		const char *env[2], *option; /* memory */
		const char *want; /* memory, or the failure behind the file */
	} rows[] = {
		{ NULL, { NULL }, NULL, "2g" },
		{ "", { NULL }, NULL, "2g" },
		{ "toolchains = rust node\n", { NULL }, NULL, "2g" },
		{ "memory = 3g\n", { NULL }, NULL, "3g" },
		{ "memory = 3g\n", { "DRYDOCK_MEMORY=4g" }, NULL, "4g" },
		{ "memory = 3g\n", { NULL }, "5g", "5g" },
		{ "memory = 3g\n", { "DRYDOCK_MEMORY=4g" }, "5g", "5g" },
		{ "memory = 8g\n", { NULL }, NULL, "8g" },
		{ "memory = x\n", { "DRYDOCK_MEMORY=4g" }, NULL,
		    ":1: memory: \"x\" is not a size such as 512m or 4g" },
		{ "engine = /x\n", { NULL }, NULL,
		    ":1: engine cannot be set for one project: set it in "
		    "drydock.conf" },
		{ "\nmemori = 1g\n", { NULL }, NULL,
		    ":2: unknown key \"memori\" (nearest: memory)" },
		{ "toolchains = ../x\n", { NULL }, NULL,
		    ":1: toolchains: \"../x\" is not the name of a "
		    "toolchain" },
	};
	static char key[] = "0123456789abcdef-p";
	static char config[] = "projects/0123456789abcdef-p";
	const struct project project = { .key = key, .config = config };
	cleanup_paths struct paths paths;
	cleanup_free char *dir = NULL;
	cleanup_free char *file = NULL;

	make_home(&paths);
	write_conf(&paths, "memory = 2g\n", 0644);
	dir = xasprintf("%s/projects", paths.config_dir);
	CHECK_INT(mkdir(dir, 0700), 0);
	free(dir);
	dir = xasprintf("%s/projects/%s", paths.config_dir, key);
	CHECK_INT(mkdir(dir, 0700), 0);
	file = xasprintf("%s/drydock.conf", dir);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_settings struct settings s;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		const char *name = strrchr(file, '/') + 1;
		cleanup_close int fd = -1;

		CHECK_INT(fs_open_dir(dir, &fd, &dg), 0);
		if (rows[i].text != NULL)
			CHECK_INT(fs_replace_file(fd, name, rows[i].text,
				      strlen(rows[i].text), 0600, &dg),
			    0);
		settings_init(&s);
		CHECK_INT(settings_load(&s, &paths, rows[i].env, &dg), 0);
		if (rows[i].option != NULL)
			CHECK_INT(settings_set(&s, SETTINGS_OPTION, "memory",
				      rows[i].option, "--memory", &dg),
			    0);
		if (settings_load_project(&s, &paths, &project, &dg) < 0) {
			CHECK_INT(dg.class, DIAG_CONFIG);
			CHECK(strncmp(dg.message, file, strlen(file)) == 0);
			CHECK_STR(dg.message + strlen(file), rows[i].want);
			continue;
		}
		settings_print_value(&s, settings_find("memory"), &out);
		CHECK_STR(out.buf, rows[i].want);
		CHECK_INT(s.of_project,
		    rows[i].text != NULL && *rows[i].text != '\0');
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "every default parses and prints as itself", test_fallbacks },
		{ "each type is read and printed in its shortest form",
		    test_values },
		{ "a bad line is refused with file, line and reason",
		    test_failures },
		{ "NUL bytes and large files are refused", test_nul_and_size },
		{ "what is printed parses to itself", test_round_trip },
		{ "the environment beats the file and is as strict",
		    test_environment },
		{ "drydock.conf must be yours alone to write",
		    test_file_access },
		{ "a project's own file beats drydock.conf, and nothing else",
		    test_project },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
