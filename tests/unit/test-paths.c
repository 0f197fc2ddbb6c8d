/* SPDX-License-Identifier: MIT */
/* Where things live: HOME and the XDG directories. */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "host/paths.h"

#include "check.h"
#include "home-kit.h"

/* Returned: the message of the failure that paths_find() must be. */
static char *
find_failure(void)
{
	cleanup_paths struct paths paths;
	cleanup_diag struct diag dg = DIAG_INIT;

	paths_init(&paths);
	CHECK_INT(paths_find(&paths, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	return xstrdup(dg.message != NULL ? dg.message : "");
}

static void
test_defaults(void)
{
	cleanup_free char *home = home_enter();
	cleanup_free char *config = home_below(home, ".config/drydock");
	cleanup_free char *state = home_below(home, ".local/state/drydock");
	cleanup_paths struct paths paths;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct stat st;

	paths_init(&paths);
	CHECK_INT(setenv("XDG_STATE_HOME", "", 1), 0);
	CHECK_INT(paths_find(&paths, &dg), 0);
	CHECK_STR(paths.home, home);
	CHECK_STR(paths.config_dir, config);
	CHECK_STR(paths.state_dir, state);
	CHECK_INT(paths.uid, geteuid());
	CHECK(paths.user != NULL && *paths.user != '\0');
	CHECK(strstr(paths.self, "-paths") != NULL);
	CHECK_INT(paths.state_fd, -1);
	/* Nothing was made. */
	CHECK_INT(stat(config, &st), -1);
	CHECK_INT(stat(state, &st), -1);
}

static void
test_links(void)
{
	cleanup_free char *home = home_enter();
	cleanup_free char *link = xasprintf("%s-link", home);
	cleanup_free char *state = home_below(home, "disk");
	cleanup_free char *state_link = home_below(home, "state-link");
	cleanup_free char *want = home_below(home, "disk/drydock");
	cleanup_paths struct paths paths;
	cleanup_diag struct diag dg = DIAG_INIT;

	paths_init(&paths);
	CHECK_INT(symlink(home, link), 0);
	CHECK_INT(mkdir(state, 0700), 0);
	CHECK_INT(symlink("disk", state_link), 0);
	CHECK_INT(setenv("HOME", link, 1), 0);
	CHECK_INT(setenv("XDG_STATE_HOME", state_link, 1), 0);
	CHECK_INT(paths_find(&paths, &dg), 0);
	CHECK_STR(paths.home, home);
	CHECK_STR(paths.state_dir, want);
}

static void
test_bad_variables(void)
{
	static const struct {
		const char *variable;
		const char *value; /* NULL: unset */
		const char *want; /* in the message */
	} rows[] = {
		{ "HOME", NULL, "HOME is not set" },
		{ "HOME", "", "HOME is not set" },
		{ "HOME", "home/me", "HOME: \"home/me\" is not an absolute" },
		{ "HOME", "/", "HOME is /" },
		{ "HOME", "/no/such/home", "HOME: /no/such/home: No such" },
		{ "HOME", "/etc/passwd", "HOME: /etc/passwd" },
		{ "HOME", "/a:b", "a colon" },
		{ "HOME", "/a\nb", "\"/a\\nb\" has a newline" },
		{ "HOME", "/a\\b", "a backslash" },
		{ "HOME", "/a\xff", "not UTF-8" },
		{ "XDG_STATE_HOME", "state", "is not an absolute path" },
		{ "XDG_CONFIG_HOME", "./x", "is not an absolute path" },
		{ "XDG_STATE_HOME", "/a:b", "a colon" },
		{ "XDG_STATE_HOME", "/no/such/../x", "leads nowhere" },
		{ "XDG_STATE_HOME", "/etc/passwd", "Not a directory" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *home = i == 0 ? home_enter() : NULL;
		cleanup_free char *got = NULL;
		cleanup_free char *saved = NULL;

		if (home == NULL) {
			saved = xasprintf("%s/home", check_tmpdir());
			CHECK_INT(setenv("HOME", saved, 1), 0);
			(void)unsetenv("XDG_CONFIG_HOME");
			(void)unsetenv("XDG_STATE_HOME");
		}
		if (rows[i].value == NULL)
			CHECK_INT(unsetenv(rows[i].variable), 0);
		else
			CHECK_INT(
			    setenv(rows[i].variable, rows[i].value, 1), 0);
		got = find_failure();
		if (!CHECK(strstr(got, rows[i].want) != NULL))
			CHECK_STR(got, rows[i].want);
	}
}

static void
test_foreign_home(void)
{
	cleanup_free char *home = home_enter();
	cleanup_free char *got = NULL;

	if (geteuid() != 0) {
		check_skip("only root can give a directory away");
		return;
	}
	CHECK_INT(chown(home, 12345, 12345), 0);
	got = find_failure();
	CHECK(strstr(got, "belongs to uid 12345") != NULL);
}

static void
test_dangling_state(void)
{
	cleanup_free char *home = home_enter();
	cleanup_free char *link = home_below(home, "state");
	cleanup_free char *got = NULL;

	CHECK_INT(symlink("/no/such/disk", link), 0);
	CHECK_INT(setenv("XDG_STATE_HOME", link, 1), 0);
	got = find_failure();
	CHECK(strstr(got, "leads nowhere") != NULL);
}

/* As sudo keeps the variable: what is there is not ours to use. */
static void
test_foreign_runtime(void)
{
	cleanup_free char *home = home_enter();
	char own[] = "/tmp/drydock-test.XXXXXX";
	cleanup_free char *inside = NULL;
	cleanup_free char *other =
	    xasprintf("/tmp/drydock-%ld", (long)geteuid());
	cleanup_paths struct paths here;
	cleanup_paths struct paths there;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK(home != NULL && mkdtemp(own) != NULL);
	inside = home_below(own, "drydock");
	CHECK_INT(setenv("XDG_RUNTIME_DIR", own, 1), 0);
	CHECK_INT(paths_find(&here, &dg), 0);
	CHECK_STR(here.short_dir, other);
	CHECK_STR(here.runtime_dir, inside);
	if (geteuid() == 0)
		CHECK_INT(chown(own, 1, 1), 0);
	else
		CHECK_INT(setenv("XDG_RUNTIME_DIR", "/", 1), 0);
	CHECK_INT(paths_find(&there, &dg), 0);
	CHECK_STR(there.short_dir, other);
	CHECK_STR(there.runtime_dir, NULL);
	CHECK_INT(rmdir(own), 0);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "without XDG variables all is below HOME, and nothing is "
		  "made",
		    test_defaults },
		{ "a symlinked HOME and state directory are taken by their "
		  "real paths",
		    test_links },
		{ "bad variables are refused by name", test_bad_variables },
		{ "somebody else's HOME is refused", test_foreign_home },
		{ "somebody else's runtime directory is not used",
		    test_foreign_runtime },
		{ "a dangling state directory is refused",
		    test_dangling_state },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
