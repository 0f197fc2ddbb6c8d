/* SPDX-License-Identifier: MIT */
/* Which directories may be projects, and what they are called. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/project.h"

#include "check.h"

/* TMP/home with state, config, data and a program in it; returned: TMP. */
static char *
make_world(struct paths *paths)
{
	char *tmp = realpath(check_tmpdir(), NULL);

	paths_init(paths);
	paths->uid = geteuid();
	paths->home = xasprintf("%s/users/home", tmp);
	paths->state_dir = xasprintf("%s/state/drydock", tmp);
	paths->config_dir = xasprintf("%s/.config/drydock", paths->home);
	paths->data_dir = xasprintf("%s/prefix/share/drydock", tmp);
	paths->libexec_dir = xasprintf("%s/prefix/libexec/drydock", tmp);
	paths->self = xasprintf("%s/prefix/bin/drydock", tmp);
	return tmp;
}

static char *
make_dir(const char *parent, const char *name)
{
	char *path = xasprintf("%s/%s", parent, name);

	for (char *p = path + strlen(parent) + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		(void)mkdir(path, 0700);
		*p = '/';
	}
	(void)mkdir(path, 0700);
	return path;
}

static void
test_names(void)
{
	static const struct {
		const char *dir;
		const char *name;
	} rows[] = {
		{ "plain", "plain" },
		{ "with space", "with-space" },
		{ "-dash", "dash" },
		{ "$HOME", "HOME" },
		{ "${X}$$", "X" },
		{ "it's \"q\"", "it-s-q" },
		{ "a,b%c#d{e}", "a-b-c-d-e" },
		{ "gr\xc3\xbc\xc3\x9f"
		  "e",
		    "gr-e" },
		{ "..x", "x" },
		{ ".git", "git" },
		{ "\xe2\x82\xac", "project" },
		{ "x-0123456789-0123456789-0123456789-0123456789-0123456789",
		    "x-0123456789-0123456789-0123456789-0123456789-01" },
	};
	cleanup_paths struct paths paths;
	cleanup_free char *tmp = make_world(&paths);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_project struct project project = PROJECT_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *path = make_dir(tmp, rows[i].dir);

		if (!CHECK_INT(project_open(&project, path, &paths, &dg), 0)) {
			CHECK_STR(dg.message, NULL);
			continue;
		}
		CHECK_STR(project.path, path);
		CHECK_STR(project.name, rows[i].name);
		CHECK_INT(strspn(project.key, "0123456789abcdef"), 16);
		CHECK_STR(project.key + 17, rows[i].name);
		CHECK(project.fd >= 0);
	}
}

static void
test_real_path(void)
{
	cleanup_project struct project a = PROJECT_INIT;
	cleanup_project struct project b = PROJECT_INIT;
	cleanup_project struct project c = PROJECT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_paths struct paths paths;
	cleanup_free char *tmp = make_world(&paths);
	cleanup_free char *path = make_dir(tmp, "work/-p");
	cleanup_free char *other = make_dir(tmp, "other/-p");
	cleanup_free char *link = xasprintf("%s/link", tmp);
	cleanup_free char *old = getcwd(NULL, 0);

	CHECK_INT(symlink(path, link), 0);
	CHECK_INT(chdir(path), 0);
	CHECK_INT(project_open(&a, NULL, &paths, &dg), 0);
	CHECK_INT(chdir(".."), 0);
	CHECK_INT(project_open(&b, "-p", &paths, &dg), 0);
	CHECK_STR(b.path, a.path);
	CHECK_INT(project_open(&c, link, &paths, &dg), 0);
	CHECK_INT(chdir(old), 0);
	CHECK_STR(c.path, path);
	CHECK_STR(c.key, a.key);
	project_release(&c);
	CHECK_INT(project_open(&c, other, &paths, &dg), 0);
	CHECK_STR(c.name, a.name);
	CHECK(strcmp(c.key, a.key) != 0);
}

static void
test_characters(void)
{
	static const struct {
		const char *dir;
		const char *why;
	} rows[] = {
		{ "a\nb", "has a newline" },
		{ "a:b", "has a colon" },
		{ "a\\b", "has a backslash" },
		{ "a\tb", "has a control character" },
		{ "a\033b", "has a control character" },
		{ "a\302\205b", "has a control character" },
		{ "a\302\233b", "has a control character" },
		{ "a\357\277\276b", "has a control character" },
		{ "a\xff", "bytes that are not UTF-8" },
	};
	cleanup_paths struct paths paths;
	cleanup_free char *tmp = make_world(&paths);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_project struct project project = PROJECT_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *path = make_dir(tmp, rows[i].dir);

		CHECK_INT(project_open(&project, path, &paths, &dg), -1);
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK(strstr(dg.message, rows[i].why) != NULL);
	}
}

static void
test_places(void)
{
	static const struct {
		const char *dir; /* NULL: / */
		const char *why; /* NULL: allowed */
	} rows[] = {
		{ NULL, "is the whole host" },
		{ "users/home", "is your home" },
		{ "users", "holds your home" },
		{ "state/drydock", "drydock's state" },
		{ "state/drydock/sessions/x/home", "is in drydock's state" },
		{ "state", "holds drydock's state" },
		{ "users/home/.config", "holds drydock's configuration" },
		{ "users/home/.config/drydock/x", "drydock's configuration" },
		{ "prefix", "holds drydock's images and policy" },
		{ "prefix/bin", "holds drydock itself" },
		{ "prefix/share/drydock/images", "is in drydock's images" },
		{ "users/home/project", NULL },
		{ "state/drydock2", NULL },
		{ "users/home2", NULL },
		{ "prefix/src", NULL },
	};
	cleanup_paths struct paths paths;
	cleanup_free char *tmp = make_world(&paths);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_project struct project project = PROJECT_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *path = rows[i].dir != NULL
		    ? make_dir(tmp, rows[i].dir)
		    : xstrdup("/");
		int rc = project_open(&project, path, &paths, &dg);

		if (rows[i].why == NULL) {
			CHECK_INT(rc, 0);
			continue;
		}
		CHECK_INT(rc, -1);
		CHECK_INT(dg.class, DIAG_POLICY);
		if (!CHECK(dg.message != NULL &&
			strstr(dg.message, rows[i].why) != NULL))
			CHECK_STR(dg.message, rows[i].why);
	}
}

static void
test_absent(void)
{
	cleanup_project struct project project = PROJECT_INIT;
	cleanup_diag struct diag absent = DIAG_INIT;
	cleanup_diag struct diag file = DIAG_INIT;
	cleanup_paths struct paths paths;
	cleanup_free char *tmp = make_world(&paths);
	cleanup_free char *path = xasprintf("%s/absent", tmp);

	CHECK_INT(project_open(&project, path, &paths, &absent), -1);
	CHECK_INT(absent.class, DIAG_CONFIG);
	CHECK_INT(project_open(&project, "/etc/passwd", &paths, &file), -1);
	CHECK_INT(file.class, DIAG_CONFIG);
	CHECK_STR(file.message, "project /etc/passwd: Not a directory");
}

/* A link that an agent may have planted leads nowhere. */
static void
test_planted(void)
{
	cleanup_paths struct paths paths;
	cleanup_free char *tmp = make_world(&paths);
	cleanup_free char *mine = make_dir(tmp, "mine");
	cleanup_free char *other = make_dir(tmp, "other");
	cleanup_free char *plain = xasprintf("%s/plain", tmp);
	cleanup_free char *planted = xasprintf("%s/sub", mine);
	cleanup_free char *within = xasprintf("%s/current", mine);
	cleanup_free char *theirs = xasprintf("%s/theirs", tmp);
	cleanup_free char *want = xasprintf("%s/sub is a link that a session "
					    "on %s can have made, and leads "
					    "to %s: name that directory "
					    "itself if you mean it",
	    mine, mine, other);
	const struct {
		const char *dir;
		const char *pwd;
		const char *want;
	} rows[] = {
		{ plain, NULL, NULL },
		{ within, NULL, NULL },
		{ other, NULL, NULL },
		{ planted, NULL, want },
		/* As after cd, which the kernel does not tell. */
		{ NULL, planted, want },
		{ NULL, other, NULL },
	};
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *old = getcwd(NULL, 0);

	free(make_dir(tmp, "state/drydock"));
	free(make_dir(mine, "v2"));
	paths.state_fd = open(paths.state_dir, O_RDONLY | O_CLOEXEC);
	CHECK_INT(knownprojects_add(&paths, mine, &dg), 0);
	CHECK_INT(symlink(other, plain), 0);
	CHECK_INT(symlink(other, planted), 0);
	CHECK_INT(symlink("v2", within), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_project struct project project = PROJECT_INIT;
		cleanup_diag struct diag failure = DIAG_INIT;

		CHECK_INT(chdir(rows[i].pwd != NULL ? rows[i].pwd : tmp), 0);
		CHECK_INT(
		    setenv("PWD", rows[i].pwd != NULL ? rows[i].pwd : "", 1),
		    0);
		(void)project_open(&project, rows[i].dir, &paths, &failure);
		CHECK_STR(failure.message, rows[i].want);
	}
	if (geteuid() == 0) {
		cleanup_project struct project project = PROJECT_INIT;

		CHECK_INT(symlink(other, theirs), 0);
		CHECK_INT(lchown(theirs, 1234, 1234), 0);
		CHECK_INT(project_open(&project, theirs, &paths, &dg), -1);
		CHECK_INT(dg.class, DIAG_POLICY);
		CHECK(strstr(dg.message, "is a link of uid 1234") != NULL);
	}
	CHECK_INT(chdir(old), 0);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "any plain name works and has a tame short form",
		    test_names },
		{ "a project is its real path", test_real_path },
		{ "what the engine cannot mount is refused by name",
		    test_characters },
		{ "home, what holds it and what is drydock's are refused",
		    test_places },
		{ "a link that an agent may have planted leads nowhere",
		    test_planted },
		{ "an absent directory or a file is an error", test_absent },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
