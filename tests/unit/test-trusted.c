/* SPDX-License-Identifier: MIT */
/* What decides a launch is read from where nobody else can put it. */
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/statedir.h"
#include "host/trusted.h"

#include "check.h"
#include "home-kit.h"
#include "tree-kit.h"

/* A home with an empty configuration and state; dots/ is beside them. */
static int
enter(struct paths *paths)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	char *home = home_enter();
	int fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(home);
	CHECK_INT(mkdirat(fd, ".config", 0700), 0);
	CHECK_INT(mkdirat(fd, ".config/drydock", 0700), 0);
	CHECK_INT(mkdirat(fd, "dots", 0700), 0);
	CHECK_INT(mkdirat(fd, "other", 0700), 0);
	paths_init(paths);
	CHECK_INT(paths_find(paths, &dg), 0);
	CHECK_INT(statedir_open(paths, &dg), 0);
	CHECK_STR(dg.message, NULL);
	return fd;
}

/* Returned: the failure of reading allowlist, without the home, or NULL. */
static char *
try_read(const struct paths *paths)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	size_t len = strlen(paths->home);

	if (paths_open_config(paths, "allowlist", 0, &fd, &dg) == 0)
		return fd < 0 ? xstrdup("absent") : NULL;
	CHECK_INT(dg.class, DIAG_CONFIG);
	for (char *at; (at = strstr(dg.message, paths->home)) != NULL;)
		memmove(at, at + len, strlen(at + len) + 1);
	return xstrdup(dg.message);
}

static void
expect(const struct paths *paths, const char *want)
{
	cleanup_free char *got = try_read(paths);

	CHECK_STR(got, want);
}

static void
expect_check(const struct paths *paths, const char *project, const char *want)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = trusted_check(paths, project, &dg);

	CHECK_INT(rc, want == NULL ? 0 : -1);
	if (want == NULL) {
		CHECK_STR(dg.message, NULL);
		return;
	}
	CHECK_INT(dg.class, DIAG_POLICY);
	if (!CHECK(dg.message != NULL && strstr(dg.message, want) != NULL))
		CHECK_STR(dg.message, want);
}

static void
test_parents(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_paths struct paths paths;
	cleanup_close int home = enter(&paths);

	expect(&paths, "absent");
	tree_file(home, "dots/list", 0644);
	CHECK_INT(
	    symlinkat("../../dots/list", home, ".config/drydock/allowlist"), 0);
	expect(&paths, NULL);
	CHECK_INT(fchmodat(home, "dots", 0777, 0), 0);
	expect(&paths,
	    "/dots can be written by others: chmod go-w it, or "
	    "/.config/drydock/allowlist is not safe there");
	/* As /tmp is. */
	CHECK_INT(fchmodat(home, "dots", 01777, 0), 0);
	expect(&paths, NULL);
	CHECK_INT(fchmodat(home, "dots/list", 0666, 0), 0);
	expect(&paths,
	    "/.config/drydock/allowlist (/dots/list) can be written by "
	    "others: chmod go-w it");
	CHECK_INT(fchmodat(home, "dots/list", 0600, 0), 0);
	CHECK_INT(fchmodat(home, ".config", 0777, 0), 0);
	paths_release(&paths);
	CHECK_INT(paths_find(&paths, &dg), 0);
	expect(&paths,
	    "/.config can be written by others: chmod go-w it, or "
	    "/.config/drydock is not safe there");
}

/* The group that the test's user is in, whose name the test chooses. */
static struct group own_group;

struct group *
getgrgid(gid_t gid)
{
	return gid == getegid() ? &own_group : NULL;
}

/* A parent may be the group's to write that the caller alone is in. */
static void
test_groups(void)
{
	static char other[] = "other";
	static char *alone[] = { NULL };
	static char *more[] = { other, NULL };
	static const char refused[] =
	    "/dots can be written by others: chmod go-w it, or "
	    "/.config/drydock/allowlist is not safe there";
	cleanup_paths struct paths paths;
	cleanup_close int home = enter(&paths);

	own_group = (struct group){ .gr_name = paths.user, .gr_mem = alone };
	tree_file(home, "dots/list", 0644);
	CHECK_INT(
	    symlinkat("../../dots/list", home, ".config/drydock/allowlist"), 0);
	CHECK_INT(fchmodat(home, "dots", 0775, 0), 0);
	expect(&paths, NULL);
	own_group.gr_mem = more;
	expect(&paths, refused);
	own_group.gr_mem = alone;
	own_group.gr_name = other;
	expect(&paths, refused);
	own_group.gr_name = paths.user;
	expect(&paths, NULL);
	if (CHECK(tree_access_list(home, "dots", 12345)))
		expect(&paths, refused);
}

/* A directory that a link leads to need not have all that is looked for. */
static void
test_absent(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_paths struct paths paths;
	cleanup_close int home = enter(&paths);
	cleanup_close int fd = -1;

	CHECK_INT(symlinkat("../../dots", home, ".config/drydock/home.d"), 0);
	CHECK_INT(paths_open_config(&paths, "home.d/a/b", 0, &fd, &dg), 0);
	CHECK_INT(fd, -1);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(unlinkat(home, "dots", AT_REMOVEDIR), 0);
	CHECK_INT(paths_open_config(&paths, "home.d/a/b", 0, &fd, &dg), -1);
	CHECK(strstr(dg.message, "is a link that leads nowhere") != NULL);
}

/* A link on the way is as good as the file. */
static void
test_links(void)
{
	cleanup_paths struct paths paths;
	cleanup_close int home = enter(&paths);

	tree_file(home, "dots/list", 0644);
	CHECK_INT(symlinkat("../dots/list", home, "other/link"), 0);
	CHECK_INT(
	    symlinkat("../../other/link", home, ".config/drydock/allowlist"),
	    0);
	expect(&paths, NULL);
	CHECK_INT(fchmodat(home, "other", 0777, 0), 0);
	expect(&paths,
	    "/other can be written by others: chmod go-w it, or "
	    "/.config/drydock/allowlist is not safe there");
	CHECK_INT(unlinkat(home, "dots/list", 0), 0);
	CHECK_INT(fchmodat(home, "other", 0700, 0), 0);
	expect(&paths,
	    "/.config/drydock/allowlist is a link that leads nowhere: No such "
	    "file or directory");
	CHECK_INT(symlinkat("../other/link", home, "dots/list"), 0);
	expect(&paths,
	    "/.config/drydock/allowlist: Too many levels of symbolic links");
}

static void
test_owners(void)
{
	cleanup_paths struct paths paths;
	cleanup_close int home = -1;

	if (geteuid() != 0) {
		check_skip("only root can give files away");
		return;
	}
	home = enter(&paths);
	tree_file(home, "dots/list", 0644);
	CHECK_INT(
	    symlinkat("../../dots/list", home, ".config/drydock/allowlist"), 0);
	CHECK_INT(fchownat(home, "dots", 1234, 1234, 0), 0);
	expect(&paths, "/dots belongs to uid 1234: it must be yours");
	CHECK_INT(fchownat(home, "dots", 0, 0, 0), 0);
	CHECK_INT(fchownat(home, ".config/drydock/allowlist", 1234, 1234,
		      AT_SYMLINK_NOFOLLOW),
	    0);
	expect(&paths,
	    "/.config/drydock/allowlist belongs to uid 1234: it must be "
	    "yours");
}

static void
test_hard_link(void)
{
	cleanup_paths struct paths paths;
	cleanup_close int home = enter(&paths);

	tree_file(home, "dots/list", 0644);
	CHECK_INT(
	    linkat(home, "dots/list", home, ".config/drydock/allowlist", 0), 0);
	expect(&paths,
	    "/.config/drydock/allowlist has a second hard link, through "
	    "which it can be changed: replace it with a copy");
	/* Nor where a link leads to one of the names. */
	CHECK_INT(unlinkat(home, ".config/drydock/allowlist", 0), 0);
	CHECK_INT(linkat(home, "dots/list", home, "dots/second", 0), 0);
	CHECK_INT(
	    symlinkat("../../dots/second", home, ".config/drydock/allowlist"),
	    0);
	expect(&paths,
	    "/.config/drydock/allowlist (/dots/second) has a second hard link, "
	    "through which it can be changed: replace it with a copy");
}

/* The project at hand, one of the past, and links that one holds. */
static void
test_projects(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_paths struct paths paths;
	cleanup_close int home = enter(&paths);
	cleanup_free char *dots = xasprintf("%s/dots", paths.home);
	cleanup_free char *other = xasprintf("%s/other", paths.home);
	cleanup_free char *third = xasprintf("%s/third", paths.home);

	tree_file(home, "dots/list", 0644);
	CHECK_INT(symlinkat("../dots/list", home, "other/link"), 0);
	CHECK_INT(
	    symlinkat("../../other/link", home, ".config/drydock/allowlist"),
	    0);
	expect(&paths, NULL);
	expect_check(&paths, third, NULL);
	expect_check(&paths, dots, "file ");
	expect_check(&paths, other, "a link in ");
	/* A session on it long ago is enough. */
	CHECK_INT(knownprojects_add(&paths, other, &dg), 0);
	expect_check(&paths, third, other);
	expect_check(&paths, NULL, "replace the link with a copy");
}

/* The configuration itself lies in a project that there was. */
static void
test_configuration(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_paths struct paths paths;
	cleanup_close int home = enter(&paths);
	cleanup_free char *config = xasprintf("%s/.config", paths.home);

	(void)home;
	expect_check(&paths, NULL, NULL);
	CHECK_INT(knownprojects_add(&paths, config, &dg), 0);
	expect_check(&paths, NULL, "set XDG_CONFIG_HOME to another directory");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "who can replace a parent can replace the file",
		    test_parents },
		{ "a group may write to a parent that is the caller's own",
		    test_groups },
		{ "what is absent behind a link is absent, its end is not",
		    test_absent },
		{ "each link on the way is looked at", test_links },
		{ "a parent or a link of somebody else's is refused",
		    test_owners },
		{ "a file with another name is refused", test_hard_link },
		{ "what lies in a project, or did, decides nothing",
		    test_projects },
		{ "nor does a configuration in what was a project",
		    test_configuration },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
