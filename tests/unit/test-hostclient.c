/* SPDX-License-Identifier: MIT */
/* The version of a client on the host, and which of two is older. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "host/hostclient.h"

#include "check.h"

static void
put(const char *path, const char *text)
{
	cleanup_free char *full = xasprintf("%s/%s", check_tmpdir(), path);
	cleanup_free char *dir =
	    xstrndup(full, (size_t)(strrchr(full, '/') - full));
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dirfd = -1;
	cleanup_close int fd = -1;

	CHECK_INT(fs_make_path(dir, 0700, &dirfd, &dg), 0);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void
point(const char *from, const char *to)
{
	cleanup_free char *full = xasprintf("%s/%s", check_tmpdir(), from);

	CHECK_INT(symlink(to, full), 0);
}

static void
check_version(const char *dirs, const char *command, const char *want)
{
	const char *top = check_tmpdir();
	cleanup_free char *path =
	    xasprintf("relative:%s/none:%s/%s:%s/npm/bin", top, top, dirs, top);
	cleanup_free char *project = xasprintf("%s/project", top);
	cleanup_free char *got =
	    hostclient_version(path, command, "@a/tool", project);

	CHECK_STR(got, want);
}

static void
test_find(void)
{
	static const char module[] = "npm/lib/node_modules/@a/tool";
	cleanup_free char *manifest = xasprintf("%s/package.json", module);
	cleanup_free char *cli = xasprintf("%s/bin/cli.js", module);

	put(manifest, "{\"version\": \"1.20.3\"}");
	put(cli, "");
	put("npm/bin/other", "");
	put("native/versions/2.1.9", "");
	put("native/bin/x", "");
	put("project/bin/tool", "");
	put("project/versions/9.9.9", "");
	put("linked/x", "");
	point("npm/bin/tool", "../lib/node_modules/@a/tool/bin/cli.js");
	point("native/bin/tool", "../versions/2.1.9");
	point("linked/tool", "../project/versions/9.9.9");
	check_version("none", "tool", "1.20.3");
	check_version("native/bin", "tool", "2.1.9");
	check_version("none", "other", NULL);
	check_version("none", "absent", NULL);
	check_version("project/bin", "tool", NULL);
	check_version("linked", "tool", NULL);
	put(manifest, "{\"version\": \"1.0.0;id\"}");
	check_version("none", "tool", NULL);
	put(manifest, "{\"version\": \"latest\"}");
	check_version("none", "tool", NULL);
	put(manifest, "{");
	check_version("none", "tool", NULL);
}

static void
test_older(void)
{
	static const struct {
		const char *a;
		const char *b;
		bool older;
	} rows[] = {
		{ "2.1.9", "2.1.10", true },
		{ "2.1.10", "2.1.9", false },
		{ "2.1.9", "2.1.9", false },
		{ "1.9", "2.0.0", true },
		{ "2.1", "2.1.1", false },
		{ "2.1.9-rc", "2.1.9", false },
		{ "99999999999999999999.1", "1.0", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_INT(
		    hostclient_is_older(rows[i].a, rows[i].b), rows[i].older);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "the version is found without running the client",
		    test_find },
		{ "versions are compared by their numbers", test_older },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
