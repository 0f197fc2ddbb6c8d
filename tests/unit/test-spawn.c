/* SPDX-License-Identifier: MIT */
/* Variables that name what an image lacks. */
#include "guest/spawn.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strvec.h"
#include "base/xalloc.h"

#include "check.h"

static void
check_one(const char *given, const char *want)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;

	strvec_push(&env, given);
	spawn_correct_env(&env);
	CHECK_INT(env.nr, 1);
	CHECK_STR(env.v[0], want);
}

static void
test_rows(void)
{
	check_one("TERM=no-such-terminal", "TERM=xterm-256color");
	check_one("TERM=../../etc/passwd", "TERM=xterm-256color");
	check_one("TERM=", "TERM=");
	check_one("TERM=linux", "TERM=linux");
	check_one("LANG=xx_XX.UTF-8", "LANG=C.UTF-8");
	check_one("LC_TIME=xx_XX.UTF-8", "LC_TIME=C.UTF-8");
	check_one("LC_ALL=C", "LC_ALL=C");
	check_one("LANG=C.UTF-8", "LANG=C.UTF-8");
	check_one("LANGUAGE=xx", "LANGUAGE=xx");
	check_one("TZ=No/Such_Zone", "TZ=UTC0");
	check_one(
	    "TZ=CET-1CEST,M3.5.0,M10.5.0/3", "TZ=CET-1CEST,M3.5.0,M10.5.0/3");
	check_one("TZ=CET-1", "TZ=CET-1");
	check_one("COLORTERM=truecolor", "COLORTERM=truecolor");
}

static void
test_own_entry(void)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;
	const char *tmp = check_tmpdir();
	cleanup_free char *dir = xasprintf("%s/.terminfo", tmp);
	cleanup_free char *sub = xasprintf("%s/78", dir);
	cleanup_free char *entry = xasprintf("%s/xterm-mine", sub);

	(void)mkdir(dir, 0755);
	(void)mkdir(sub, 0755);
	(void)close(open(entry, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	strvec_pushf(&env, "HOME=%s", tmp);
	strvec_push(&env, "TERM=xterm-mine");
	spawn_correct_env(&env);
	CHECK_STR(env.v[1], "TERM=xterm-mine");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "what is not there has something else in its place",
		    test_rows },
		{ "a terminal of the home's own counts", test_own_entry },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
