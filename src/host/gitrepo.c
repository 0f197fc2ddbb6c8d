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

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/knownprojects.h"
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

/* Returns false for a symlink, and if the file cannot be read. */
static bool
read_text(int dirfd, const char *name, size_t max, struct strbuf *text)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;

	return fs_open_nolinks(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
		   &fd, &ignored) == 0 &&
	    fs_read_fd(fd, name, max, text, &ignored) == 0;
}

/*
 * Reads a file with PREFIX, TEXT and an optional newline.  Returned: TEXT, or
 * NULL for other content.
 */
static char *
read_line(int dirfd, const char *name, const char *prefix)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t skip = strlen(prefix);

	if (!read_text(dirfd, name, PATH_MAX, &text))
		return NULL;
	if (text.len > 0 && text.buf[text.len - 1] == '\n')
		strbuf_setlen(&text, text.len - 1);
	if (strlen(text.buf) != text.len ||
	    strncmp(text.buf, prefix, skip) != 0)
		return NULL;
	return xstrdup(text.buf + skip);
}

/* Opens a directory by its real path; -1 if a component is a symlink. */
static int
open_real(const char *path)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = -1;

	if (fs_open_nolinks(
		root, path + 1, O_PATH | O_DIRECTORY, 0, &fd, &ignored) != 0)
		return -1;
	return fd;
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
	cleanup_free char *dir = read_line(project_fd, ".git", "gitdir: ");
	cleanup_free char *dot_git = xasprintf("%s/.git", project);
	cleanup_free char *back = NULL;
	cleanup_close int fd = -1;

	if (dir == NULL || dir[0] != '/' || dir[1] == '/')
		return NULL;
	fd = open_real(dir);
	if (fd < 0)
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

/*
 * Returned: path, which is relative to the real path dir, without "." and
 * ".."; NULL if it has more ".." than components.  No symlink is followed.
 */
static char *
join_plain(const char *dir, const char *path)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_free char *words =
	    path[0] == '/' ? xstrdup(path) : xasprintf("%s/%s", dir, path);
	char *save = NULL;

	for (char *w = strtok_r(words, "/", &save); w != NULL;
	     w = strtok_r(NULL, "/", &save)) {
		if (strcmp(w, ".") == 0)
			continue;
		if (strcmp(w, "..") != 0) {
			strbuf_addf(&out, "/%s", w);
			continue;
		}
		if (out.len == 0)
			return NULL;
		strbuf_setlen(&out, (size_t)(strrchr(out.buf, '/') - out.buf));
	}
	return out.len == 0 ? NULL : strbuf_detach(&out, NULL);
}

/* Returns true if the file's one line is the path "want", from dir. */
static bool
line_names(int dirfd, const char *dir, const char *name, const char *want)
{
	cleanup_free char *line = read_line(dirfd, name, "");
	cleanup_free char *path =
	    line == NULL || *line == '\0' ? NULL : join_plain(dir, line);

	return path != NULL && strcmp(path, want) == 0;
}

/*
 * Returned: the common directory of the worktree whose own git directory is
 * dir, or NULL.  It must hold dir as worktrees/NAME, and commondir must say the
 * same.
 */
static char *
common_dir(const char *project, int fd, const char *dir)
{
	cleanup_free char *dot_git = xasprintf("%s/.git", project);
	cleanup_free char *common = join_plain(dir, "../..");
	cleanup_free char *parent = join_plain(dir, "..");
	const char *last = parent == NULL ? NULL : strrchr(parent, '/');
	cleanup_close int common_fd = common == NULL ? -1 : open_real(common);

	if (common_fd < 0 || last == NULL || strcmp(last, "/worktrees") != 0 ||
	    !line_names(fd, dir, "gitdir", dot_git) ||
	    !line_names(fd, dir, "commondir", common) ||
	    !is_small_file(common_fd, "HEAD") ||
	    !is_small_file(common_fd, "config") ||
	    !is_absent(common_fd, "commondir"))
		return NULL;
	return steal_ptr(&common);
}

/*
 * Returned: the value of core.worktree as git writes it, or NULL.  A value in
 * quotes is not read.
 */
static char *
core_worktree(int git_fd)
{
	static const char key[] = "worktree = ";
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *value = NULL;
	bool in_core = false;
	char *rest;

	if (!read_text(git_fd, "config", FILE_MAX, &text))
		return NULL;
	for (char *line = strtok_r(text.buf, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		line += strspn(line, " \t");
		if (*line == '[')
			in_core = strcmp(line, "[core]") == 0;
		if (!in_core || strncmp(line, key, strlen(key)) != 0)
			continue;
		free(value);
		value = xstrdup(line + strlen(key));
	}
	return value != NULL && strpbrk(value, "\"\\#;") == NULL
	    ? steal_ptr(&value)
	    : NULL;
}

static bool
is_submodule_of(int fd, const char *dir, const char *project)
{
	cleanup_free char *worktree = core_worktree(fd);
	cleanup_free char *path =
	    worktree == NULL ? NULL : join_plain(dir, worktree);

	return path != NULL && strcmp(path, project) == 0 &&
	    is_small_file(fd, "HEAD") && is_absent(fd, "commondir");
}

char *
gitrepo_find_outer(const char *project)
{
	cleanup_close int project_fd =
	    open(project, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_free char *named =
	    project_fd < 0 ? NULL : read_line(project_fd, ".git", "gitdir: ");
	cleanup_free char *dir =
	    named == NULL ? NULL : join_plain(project, named);
	cleanup_close int fd = dir == NULL ? -1 : open_real(dir);
	cleanup_free char *outer = NULL;

	if (fd < 0)
		return NULL;
	if (is_submodule_of(fd, dir, project))
		outer = steal_ptr(&dir);
	else
		outer = common_dir(project, fd, dir);
	/* A directory that holds the other needs no bind, or hides it. */
	if (outer == NULL || protected_is_below(outer, project) ||
	    protected_is_below(project, outer))
		return NULL;
	return steal_ptr(&outer);
}

/* In the state directory: a file per project, named by its path's digest. */
#define KEPT "gitdirs"

static int
read_kept(const char *project, const struct paths *paths, struct strbuf *text,
    struct diag *dg)
{
	cleanup_free char *path = NULL;
	cleanup_close int state_fd =
	    open(paths->state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[DIGEST_HEX_SIZE];

	digest_bytes(project, strlen(project), name);
	path = xasprintf(KEPT "/%s", name);
	if (state_fd < 0 && errno == ENOENT)
		return 0;
	if (state_fd < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "open %s", paths->state_dir);
	return fs_read_file(state_fd, path, PATH_MAX, text, dg) == 0
	    ? 0
	    : diag_ignore(dg, ENOENT);
}

int
gitrepo_outer_is_safe(const char *project, const char *dir,
    const struct paths *paths, bool *ret_safe, struct diag *dg)
{
	cleanup_knownprojects struct knownprojects *known = NULL;
	cleanup_strbuf struct strbuf kept = STRBUF_INIT;
	cleanup_free char *holder = NULL;

	if (knownprojects_load(paths, &known, dg) != 0 ||
	    read_kept(project, paths, &kept, dg) != 0)
		return -1;
	holder = knownprojects_find(known, project);
	*ret_safe = holder == NULL || strcmp(kept.buf, dir) == 0 ||
	    protected_is_below(dir, holder);
	return 0;
}

int
gitrepo_keep_outer(const char *project, const char *dir,
    const struct paths *paths, struct diag *dg)
{
	cleanup_knownprojects struct knownprojects *known = NULL;
	cleanup_free char *holder = NULL;
	cleanup_close int fd = -1;
	char name[DIGEST_HEX_SIZE];

	if (knownprojects_load(paths, &known, dg) != 0)
		return -1;
	holder = knownprojects_find(known, project);
	if (holder != NULL)
		return 0;
	digest_bytes(project, strlen(project), name);
	if (fs_make_dir(paths->state_fd, KEPT, 0700, &fd, dg) != 0)
		return -1;
	return fs_replace_file(fd, name, dir, strlen(dir), 0600, dg);
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
 * Notes that the repository of the project is in dir.  top is the directory of
 * the repository; NULL if it is unknown.  One that contains the home cannot be a
 * project.
 */
static void
note_outside(const char *project, const char *dir, const char *top,
    const struct paths *paths, struct strvec *notes)
{
	bool usable = top != NULL && !protected_is_below(paths->home, top);

	strvec_pushf(notes,
	    "git does not work in the session, since the repository of %s is "
	    "in %s, outside of the project%s%s",
	    project, dir, usable ? ": start the session on " : "",
	    usable ? top : "");
}

static void
check_git_file(const char *project, int project_fd, const char *outer,
    const struct paths *paths, struct strvec *notes)
{
	cleanup_free char *named = read_line(project_fd, ".git", "gitdir: ");
	cleanup_free char *path = NULL;
	cleanup_free char *real = NULL;
	cleanup_free char *top = NULL;
	const char *dot_git;

	if (named == NULL)
		return;
	path = named[0] == '/' ? xstrdup(named)
			       : xasprintf("%s/%s", project, named);
	real = realpath(path, NULL);
	if (real != NULL &&
	    (protected_is_below(real, project) ||
		(outer != NULL && protected_is_below(real, outer))))
		return;
	/* The repository around the git directory of a worktree or submodule. */
	dot_git = real != NULL ? strstr(real, "/.git/") : NULL;
	if (dot_git != NULL && dot_git > real)
		top = xstrndup(real, (size_t)(dot_git - real));
	note_outside(project, real != NULL ? real : path, top, paths, notes);
}

/* Notes objects that the repository shares with another one. */
static void
check_alternates(const char *project, int git_fd, struct strvec *notes)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	if (!read_text(git_fd, ALTERNATES, FILE_MAX, &text))
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
gitrepo_check(const char *project, const char *outer, const struct paths *paths,
    struct strvec *ret_notes)
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

		/* A bare repository has HEAD in its top directory. */
		if (top != NULL && !is_small_file(project_fd, "HEAD"))
			note_outside(project, top, top, paths, ret_notes);
		return;
	}
	if (S_ISREG(st.st_mode))
		check_git_file(project, project_fd, outer, paths, ret_notes);
	else if (fs_open_nolinks(project_fd, ".git", O_PATH | O_DIRECTORY, 0,
		     &git_fd, &ignored) == 0)
		check_alternates(project, git_fd, ret_notes);
}
