/* SPDX-License-Identifier: MIT */
/* Homes for tests of host/paths.h. */
#include "home-kit.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/xalloc.h"

#include "check.h"

char *
home_enter(void)
{
	cleanup_free char *tmp = realpath(check_tmpdir(), NULL);
	char *home = xasprintf("%s/home", tmp);

	CHECK_INT(mkdir(home, 0700), 0);
	CHECK_INT(setenv("HOME", home, 1), 0);
	CHECK_INT(unsetenv("XDG_CONFIG_HOME"), 0);
	CHECK_INT(unsetenv("XDG_STATE_HOME"), 0);
	return home;
}

char *
home_below(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}
