/* SPDX-License-Identifier: MIT */
/* What git does not find in a session is known before it starts. */
#include "host/gitrepo.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"

#include "check.h"

/* Makes DIR/PATH with its parents; text is NULL for a directory. */
static void
make(const char *dir, const char *path, const char *text)
{
	cleanup_free char *whole = xasprintf("%s/%s", dir, path);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	for (char *at = whole + strlen(dir) + 1; (at = strchr(at, '/')) != NULL;
	     at++) {
		*at = '\0';
		(void)mkdir(whole, 0755);
		*at = '/';
	}
	if (text == NULL) {
		(void)mkdir(whole, 0755);
		return;
	}
	fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK(fd >= 0);
	CHECK_INT(fs_write_all(fd, text, strlen(text), whole, &dg), 0);
}

/* Returned: the notes on DIR/PROJECT, one a line, with DIR as @. */
static char *
notes(char *dir, const char *project)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, project);
	struct paths paths = { .home = dir };
	cleanup_strvec struct strvec list = STRVEC_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	gitrepo_check(path, NULL, &paths, &list);
	for (size_t i = 0; i < list.nr; i++) {
		const char *at = list.v[i];

		for (const char *hit; (hit = strstr(at, dir)) != NULL;
		     at = hit + strlen(dir)) {
			strbuf_add(&out, at, (size_t)(hit - at));
			strbuf_addch(&out, '@');
		}
		strbuf_addf(&out, "%s\n", at);
	}
	return strbuf_detach(&out, NULL);
}

static void
check_notes(char *dir, const char *project, const char *want)
{
	cleanup_free char *got = notes(dir, project);

	CHECK_STR(got, want);
}

static void
test_whole(void)
{
	cleanup_free char *dir = realpath(check_tmpdir(), NULL);

	make(dir, "p/.git/HEAD", "ref: refs/heads/main\n");
	make(dir, "p/sub/.git", "gitdir: ../.git/modules/sub\n");
	make(dir, "p/.git/modules/sub/HEAD", "");
	make(dir, "p/.git/objects/info/alternates",
	    "# one\n../../.git/modules/sub\n");
	make(dir, "plain/a", "");
	check_notes(dir, "p", "");
	check_notes(dir, "plain", "");
}

static void
test_elsewhere(void)
{
	cleanup_free char *dir = realpath(check_tmpdir(), NULL);
	cleanup_free char *tree =
	    xasprintf("gitdir: %s/r/.git/worktrees/w\n", dir);

	make(dir, "r/.git/worktrees/w/HEAD", "");
	make(dir, "r/.git/modules/m/HEAD", "");
	make(dir, "r/m/.git", "gitdir: ../.git/modules/m\n");
	make(dir, "r/sub/sub/a", "");
	make(dir, "w/.git", tree);
	make(dir, "gone/.git", "gitdir: /nowhere/\033[m\n");
	make(dir, "bare/.git/HEAD", "");
	make(dir, "bare/p/HEAD", "");
	check_notes(dir, "w",
	    "git does not work in the session, since the repository of @/w is "
	    "in @/r/.git/worktrees/w, outside of the project: start the "
	    "session on @/r\n");
	check_notes(dir, "r/m",
	    "git does not work in the session, since the repository of @/r/m "
	    "is in @/r/.git/modules/m, outside of the project: start the "
	    "session on @/r\n");
	check_notes(dir, "r/sub/sub",
	    "git does not work in the session, since the repository of "
	    "@/r/sub/sub is in @/r, outside of the project: start the session "
	    "on @/r\n");
	check_notes(dir, "gone",
	    "git does not work in the session, since the repository of @/gone "
	    "is in /nowhere/\033[m, outside of the project\n");
	check_notes(dir, "bare/p", "");
}

/* A home that is a repository is no project. */
static void
test_home(void)
{
	cleanup_free char *dir = realpath(check_tmpdir(), NULL);

	make(dir, ".git/HEAD", "");
	make(dir, "p/a", "");
	check_notes(dir, "p",
	    "git does not work in the session, since the repository of @/p is "
	    "in @, outside of the project\n");
}

static void
test_shared(void)
{
	cleanup_free char *dir = realpath(check_tmpdir(), NULL);
	cleanup_free char *fifo =
	    xasprintf("%s/p/.git/objects/info/alternates", dir);

	make(dir, "p/.git/objects/info/alternates", "/elsewhere/objects\n");
	check_notes(dir, "p",
	    "git does not find all objects in the session, since @/p shares "
	    "those in /elsewhere/objects: a clone without --shared and "
	    "--reference has its own\n");
	CHECK_INT(unlink(fifo), 0);
	CHECK_INT(mkfifo(fifo, 0600), 0);
	check_notes(dir, "p", "");
}

/* The directory outside of DIR/PROJECT that git needs, with DIR as @. */
static void
check_outer(const char *dir, const char *project, const char *want)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, project);
	cleanup_free char *outer = gitrepo_find_outer(path);
	cleanup_free char *whole =
	    want == NULL ? NULL : xasprintf("%s/%s", dir, want);

	CHECK_STR(outer, whole);
}

/* Each file of a worktree and of a submodule, changed in turn. */
static void
test_outer(void)
{
	static const struct {
		const char *path, *text;
	} whole[] = {
		{ "w/.git", "gitdir: ../r/.git/worktrees/w\n" },
		{ "r/.git/HEAD", "" },
		{ "r/.git/config", "" },
		{ "r/.git/worktrees/w/gitdir", "../../../../w/.git\n" },
		{ "r/.git/worktrees/w/commondir", "../..\n" },
		{ "r/m/.git", "gitdir: ../.git/modules/m\n" },
		{ "r/.git/modules/m/HEAD", "" },
		{ "r/.git/modules/m/config",
		    "[core]\n\tworktree = ../../../m\n[x]\n" },
	}, worktree[] = {
		{ "w/.git", "gitdir: ../r/.git/worktrees/v\n" },
		{ "w/.git", "gitdir: ../../../../../../../../../..\n" },
		{ "w/.git", "gitdir: \n" },
		{ "r/.git/worktrees/w/gitdir", "../../../../v/.git\n" },
		{ "r/.git/worktrees/w/gitdir", "\n" },
		{ "r/.git/worktrees/w/commondir", "../../..\n" },
		{ "r/.git/worktrees/w/commondir", "/etc\n" },
		{ "r/.git/commondir", "/etc\n" },
	}, submodule[] = {
		{ "r/.git/modules/m/config",
		    "[core]\n\tworktree = ../../../n\n" },
		{ "r/.git/modules/m/config",
		    "[x]\n\tworktree = ../../../m\n" },
		{ "r/.git/modules/m/config",
		    "[core]\n\tworktree = \"../../../m\"\n" },
		{ "r/.git/modules/m/config",
		    "[core]\n\tworktree = ../../../m\n"
		    "\tworktree = ../../../n\n" },
		{ "r/.git/modules/m/commondir", "/etc\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(worktree) + ARRAY_SIZE(submodule);
	     i++) {
		size_t n = i - ARRAY_SIZE(worktree);
		bool is_tree = i < ARRAY_SIZE(worktree);
		cleanup_free char *tmp = realpath(check_tmpdir(), NULL);
		cleanup_free char *dir = xasprintf("%s/%zu", tmp, i);

		CHECK_INT(mkdir(dir, 0755), 0);
		for (size_t k = 0; k < ARRAY_SIZE(whole); k++)
			make(dir, whole[k].path, whole[k].text);
		check_outer(dir, "w", "r/.git");
		check_outer(dir, "r/m", "r/.git/modules/m");
		check_outer(dir, "r", NULL);
		if (is_tree)
			make(dir, worktree[i].path, worktree[i].text);
		else
			make(dir, submodule[n].path, submodule[n].text);
		check_outer(dir, is_tree ? "w" : "r/m", NULL);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a repository that is all there needs no note", test_whole },
		{ "one that lies elsewhere is named", test_elsewhere },
		{ "a home is not proposed", test_home },
		{ "objects that lie elsewhere are named", test_shared },
		{ "a git directory counts when both sides name each other",
		    test_outer },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
