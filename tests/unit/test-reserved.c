/* SPDX-License-Identifier: MIT */
/* What neither overlays nor pass_env may set: the table, and what files add. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/reserved.h"

#include "check.h"
#include "data-kit.h"

static void
write_own(const struct paths *paths, const char *folder, const char *name,
    const char *text)
{
	cleanup_free char *dir = xasprintf("%s/%s", paths->config_dir, folder);
	cleanup_free char *path = xasprintf("%s/%s", dir, name);

	cleanup_close int fd = -1;

	(void)mkdir(dir, 0700);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void
test_passed(void)
{
	static const struct {
		const char *name;
		bool reserved;
	} rows[] = {
		{ "LANG", false },
		{ "EDITOR", false },
		{ "PATHS", false },
		{ "GIT_AUTHOR_NAME", false },
		/* In dood the caller's is the one there is. */
		{ "HTTPS_PROXY", false },
		{ "CARGO_TARGET_DIR", false },
		{ "GOOS", false },
		{ "TOOLS", false },
		{ "HOOK", false },
		{ "PATH", true },
		{ "path", true },
		{ "LD_", true },
		{ "LD_PRELOAD", true },
		{ "BASH_ENV", true },
		{ "BASH_FUNC_ls", true },
		{ "NODE_OPTIONS", true },
		{ "npm_config_node_options", true },
		{ "PYTHONSTARTUP", true },
		{ "PERL5OPT", true },
		{ "GIT_CONFIG_COUNT", true },
		{ "GIT_SSH_COMMAND", true },
		/* Of a shipped agent, and of shipped toolchains. */
		{ "CLAUDE_CONFIG_DIR", true },
		{ "RUSTC_WRAPPER", true },
		{ "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", true },
		{ "GOFLAGS", true },
		{ "JAVA_TOOL_OPTIONS", true },
		{ "MAKEFLAGS", true },
		{ "PIP_INDEX_URL", true },
		{ "NODE_TLS_REJECT_UNAUTHORIZED", true },
		/* Of the user's own. */
		{ "TOOL_X", true },
		{ "MY_HOOK", true },
		{ "ZIG_LIB_DIR", true },
	};
	cleanup_paths struct paths paths;

	data_kit_paths(&paths);
	write_own(&paths, "agents", "tool.json",
	    "{\"command\": [\"tool\"],"
	    " \"reserved_env\": [\"TOOL_*\", \"*_HOOK\"]}");
	write_own(&paths, "toolchains", "zig.json",
	    "{\"reserved_env\": [\"ZIG_LIB_DIR\"]}");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strvec struct strvec names = STRVEC_INIT;
		cleanup_diag struct diag failure = DIAG_INIT;

		strvec_push(&names, "TERM_PROGRAM");
		strvec_push(&names, rows[i].name);
		if (!CHECK_INT(reserved_check_passed(&names, &paths, &failure),
			rows[i].reserved ? -1 : 0))
			CHECK_STR(rows[i].name, "");
		if (rows[i].reserved)
			CHECK(strstr(failure.message, rows[i].name) != NULL);
	}
}

static void
test_all(void)
{
	cleanup_paths struct paths paths;
	cleanup_strvec struct strvec patterns = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	data_kit_paths(&paths);
	write_own(&paths, "toolchains", "zig.json",
	    "{\"reserved_env\": [\"ZIG_*\"]}");
	if (!CHECK_INT(reserved_load(&paths, &patterns, &dg), 0))
		CHECK_STR(dg.message, "");
	CHECK(strvec_has(&patterns, "PATH"));
	CHECK(strvec_has(&patterns, "OPENSSL_MODULES"));
	CHECK(strvec_has(&patterns, "*PROXY"));
	CHECK(strvec_has(&patterns, "CLAUDE_CONFIG_DIR"));
	CHECK(strvec_has(&patterns, "RUSTC_WRAPPER"));
	CHECK(strvec_has(&patterns, "ZIG_*"));
	for (size_t i = 0; i < patterns.nr; i++)
		if (!CHECK(reserved_check_pattern(patterns.v[i]) == NULL))
			CHECK_STR(patterns.v[i], "");
}

/* A list that cannot be read in full reserves nothing: that is a failure. */
static void
test_broken(void)
{
	cleanup_paths struct paths paths;
	cleanup_strvec struct strvec patterns = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *want = NULL;

	data_kit_paths(&paths);
	write_own(
	    &paths, "toolchains", "zig.json", "{\"reserved_env\": [\"A*B\"]}");
	CHECK_INT(reserved_load(&paths, &patterns, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	want = xasprintf("%s/toolchains/zig.json: reserved_env: \"A*B\" is "
			 "neither the name of a variable nor one with * before "
			 "or behind it",
	    paths.config_dir);
	CHECK_STR(dg.message, want);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "pass_env names nothing that loads code", test_passed },
		{ "all files of agents and toolchains count", test_all },
		{ "a file that cannot be read is a failure", test_broken },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
