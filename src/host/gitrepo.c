/* SPDX-License-Identifier: MIT */
/* gitrepo: reads the files by which git finds other directories. */
#include "host/gitrepo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
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
#include "host/protected.h"

/* Size limit of a file in a project that git reads. */
#define FILE_MAX ((size_t)1 << 20)
#define NO_REPOSITORY "/dev/null"
#define ALTERNATES "objects/info/alternates"

/*
 * Returns true if git can read the file without blocking (FIFO) and without
 * following a symlink.
 */
static bool
is_small_file(int dirfd, const char *name)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;
	struct stat st;

	return fs_open_nolinks(dirfd, name, O_PATH, 0, &fd, &ignored) == 0 &&
	    fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size <= (off_t)FILE_MAX;
}

static bool
is_absent(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
	    errno == ENOENT;
}

/*
 * Reads a file with PREFIX, TEXT and an optional newline.  Returned: TEXT, or
 * NULL for other content.
 */
static char *
read_line(int dirfd, const char *name, const char *prefix)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -1;
	size_t skip = strlen(prefix);

	if (fs_open_nolinks(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
		&fd, &ignored) != 0 ||
	    fs_read_fd(fd, name, PATH_MAX, &text, &ignored) != 0)
		return NULL;
	if (text.len > 0 && text.buf[text.len - 1] == '\n')
		strbuf_setlen(&text, text.len - 1);
	if (strlen(text.buf) != text.len ||
	    strncmp(text.buf, prefix, skip) != 0)
		return NULL;
	return xstrdup(text.buf + skip);
}

/*
 * Returned: the git directory of a linked worktree, which lies outside of the
 * project, or NULL.  The directory is trusted only if its gitdir file names the
 * project.  Otherwise an agent that writes to the project could select the
 * identity of another repository.
 */
static char *
worktree_git_dir(const char *project, int project_fd)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_free char *dir = read_line(project_fd, ".git", "gitdir: ");
	cleanup_free char *dot_git = xasprintf("%s/.git", project);
	cleanup_free char *back = NULL;
	cleanup_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fd = -1;

	if (dir == NULL || dir[0] != '/' || dir[1] == '/' ||
	    fs_open_nolinks(
		root, dir + 1, O_PATH | O_DIRECTORY, 0, &fd, &ignored) != 0)
		return NULL;
	back = read_line(fd, "gitdir", "");
	if (back == NULL || strcmp(back, dot_git) != 0 ||
	    !is_small_file(fd, "HEAD"))
		return NULL;
	return steal_ptr(&dir);
}

char *
gitrepo_find_dir(const char *project)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int project_fd =
	    open(project, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int fd = -1;
	char *dir = NULL;

	if (project_fd == -1)
		return xstrdup(NO_REPOSITORY);
	if (fs_open_nolinks(project_fd, ".git", O_PATH | O_DIRECTORY, 0, &fd,
		&ignored) != 0)
		dir = worktree_git_dir(project, project_fd);
	else if (is_small_file(fd, "HEAD") && is_small_file(fd, "config") &&
	    is_absent(fd, "commondir"))
		dir = xasprintf("%s/.git", project);
	return dir != NULL ? dir : xstrdup(NO_REPOSITORY);
}

/* Returned: the nearest parent directory with a .git, or NULL. */
static char *
top_above(const char *project)
{
	cleanup_free char *dir = xstrdup(project);

	for (char *slash; (slash = strrchr(dir, '/')) != NULL && slash > dir;) {
		cleanup_free char *dot_git = NULL;
		struct stat st;

		*slash = '\0';
		dot_git = xasprintf("%s/.git", dir);
		if (lstat(dot_git, &st) == 0)
			return steal_ptr(&dir);
	}
	return NULL;
}

/*
 * Returned: advice to start the session on top, the directory of the
 * repository.  "" when top is NULL or contains the home, which cannot be a
 * project.
 */
static char *
advice(const char *top, const struct paths *paths)
{
	if (top == NULL || protected_is_below(paths->home, top))
		return xstrdup("");
	return xasprintf(": start it on %s", top);
}

/*
 * Returned: the directory of the repository that contains the git directory of
 * a worktree or submodule, or NULL.
 */
static char *
top_of_git_dir(const char *git_dir)
{
	cleanup_free char *top = xstrdup(git_dir);
	char *dot_git = strstr(top, "/.git/");

	if (dot_git == NULL || dot_git == top)
		return NULL;
	*dot_git = '\0';
	return steal_ptr(&top);
}

static void
check_git_file(const char *project, int project_fd, const struct paths *paths,
    struct strvec *notes)
{
	cleanup_free char *named = read_line(project_fd, ".git", "gitdir: ");
	cleanup_free char *path = NULL;
	cleanup_free char *real = NULL;
	cleanup_free char *top = NULL;
	cleanup_free char *what_to_do = NULL;

	if (named == NULL)
		return;
	path = named[0] == '/' ? xstrdup(named)
			       : xasprintf("%s/%s", project, named);
	real = realpath(path, NULL);
	if (real != NULL && protected_is_below(real, project))
		return;
	if (real != NULL)
		top = top_of_git_dir(real);
	what_to_do = advice(top, paths);
	strvec_pushf(notes,
	    "git does not work in the session, since the repository of %s is "
	    "in %s, outside of the project%s",
	    project, real != NULL ? real : path, what_to_do);
}

/* Notes objects that the repository shares with another one. */
static void
check_alternates(const char *project, int git_fd, struct strvec *notes)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -1;
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	if (fs_open_nolinks(git_fd, ALTERNATES,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, &ignored) != 0 ||
	    fs_read_fd(fd, ALTERNATES, FILE_MAX, &text, &ignored) != 0)
		return;
	strvec_split(&lines, text.buf, '\n');
	for (size_t i = 0; i < lines.nr; i++) {
		const char *line = lines.v[i];
		cleanup_free char *path = line[0] == '/'
		    ? xstrdup(line)
		    : xasprintf("%s/.git/objects/%s", project, line);
		cleanup_free char *real = realpath(path, NULL);

		if (line[0] == '#' ||
		    (real != NULL && protected_is_below(real, project)))
			continue;
		strvec_pushf(notes,
		    "git does not find all objects in the session, since %s "
		    "shares those in %s: a clone without --shared and "
		    "--reference has its own",
		    project, path);
		return;
	}
}

void
gitrepo_check(
    const char *project, const struct paths *paths, struct strvec *ret_notes)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int project_fd =
	    open(project, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int git_fd = -1;
	struct stat st;

	if (project_fd < 0)
		return;
	if (fstatat(project_fd, ".git", &st, AT_SYMLINK_NOFOLLOW) != 0) {
		cleanup_free char *top = top_above(project);
		cleanup_free char *what_to_do = advice(top, paths);

		/* A bare repository has HEAD in its top directory. */
		if (top != NULL && !is_small_file(project_fd, "HEAD"))
			strvec_pushf(ret_notes,
			    "git finds no repository in the session, which has "
			    "%s and not %s around it%s",
			    project, top, what_to_do);
		return;
	}
	if (S_ISREG(st.st_mode))
		check_git_file(project, project_fd, paths, ret_notes);
	else if (fs_open_nolinks(project_fd, ".git", O_PATH | O_DIRECTORY, 0,
		     &git_fd, &ignored) == 0)
		check_alternates(project, git_fd, ret_notes);
}
