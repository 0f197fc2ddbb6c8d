/* SPDX-License-Identifier: MIT */
/* gitident: asks git about the user's own files. */
#include "host/gitident.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/text.h"

/* A user's include may be a fifo. */
#define GIT_TIMEOUT_MS 5000
#define GIT_MAX_OUTPUT ((size_t)64 << 10)
/* Of what git reads in a project. */
#define FILE_MAX ((size_t)1 << 20)
#define NO_REPOSITORY "/dev/null"

/* A value that reaches a commit: one line, and not endless. */
static bool
is_identity(const char *value)
{
	size_t len = strlen(value);

	return len > 0 && len <= 512 && utf8_valid(value, len) &&
	    text_is_plain(value);
}

static void
take_value(struct gitident *ident, const char *key, const char *value)
{
	char **field = NULL;

	if (strcmp(key, "user.name") == 0)
		field = &ident->name;
	else if (strcmp(key, "user.email") == 0)
		field = &ident->email;
	if (field == NULL || !is_identity(value))
		return;
	free(*field);
	*field = xstrdup(value);
}

/* Of "KEY\nVALUE\0" each the last; a key alone is a truth, and no name. */
static void
take_answer(struct gitident *ident, const struct strbuf *out)
{
	const char *end = out->buf + out->len;

	for (const char *at = out->buf; at < end; at += strlen(at) + 1) {
		const char *newline = strchr(at, '\n');
		cleanup_free char *key = NULL;

		if (newline == NULL)
			continue;
		key = xstrndup(at, (size_t)(newline - at));
		take_value(ident, key, newline + 1);
	}
}

/* Whether git may read it: it would wait for a fifo, and follow a link. */
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

/* Reads "PREFIX" "TEXT\n"; returns TEXT, or NULL when it is something else. */
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
 * The git directory of a linked worktree, which lies elsewhere: believed only
 * when it names the project too, so that who writes to the project cannot
 * choose another repository's identity.
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

/*
 * Returned: the project's git directory, for the user's includeIf conditions.
 * One whose files would make git wait or read elsewhere counts as none.
 */
static char *
find_git_dir(const char *project)
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
 * One file a child: when both exist, what --global reads depends on git's
 * version.  With --file git takes values from no other configuration, such as
 * the project's; `config` cannot be an alias, and there is no pager.
 */
static int
ask_git(struct gitident *ident, const char *git, const char *file,
    const char *const *envp, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	const char *const argv[] = { git, "--no-pager", "config", "--file",
		file, "--includes", "--null", "--get-regexp",
		"^user\\.(name|email)$", NULL };
	struct proc_spec spec = PROC_SPEC_INIT;

	spec.argv = argv;
	spec.envp = envp;
	spec.timeout_ms = GIT_TIMEOUT_MS;
	spec.max_output = GIT_MAX_OUTPUT;
	if (proc_run(&spec, &result, dg) != 0)
		return -1;
	if (result.timed_out)
		return diag_set(dg, DIAG_CONFIG,
		    "git did not read %s within %d seconds", file,
		    GIT_TIMEOUT_MS / 1000);
	/* 1: the file says neither. */
	if (result.truncated || (result.status != 0 && result.status != 1)) {
		(void)diag_set(dg, DIAG_CONFIG, "git cannot read %s: %.*s",
		    file, (int)strcspn(result.err.buf, "\n"), result.err.buf);
		return -1;
	}
	take_answer(ident, &result.out);
	return 0;
}

static int
ask_about(struct gitident *ident, const char *const *files, size_t n,
    const char *const *envp, struct diag *dg)
{
	cleanup_free char *git = NULL;

	for (size_t i = 0; i < n; i++) {
		if (faccessat(AT_FDCWD, files[i], F_OK, AT_EACCESS) != 0 &&
		    (errno == ENOENT || errno == ENOTDIR))
			continue;
		if (git == NULL)
			git = proc_find_program("git", PROC_SYSTEM_PATH);
		if (git == NULL)
			return diag_set(dg, DIAG_CONFIG,
			    "it is not carried into the session, since git is "
			    "not installed (%s)",
			    PROC_SYSTEM_PATH);
		if (ask_git(ident, git, files[i], envp, dg) != 0)
			return -1;
	}
	return 0;
}

int
gitident_load(struct gitident *ident, const struct paths *paths,
    const char *project, struct diag *dg)
{
	/* The configuration directory is $XDG_CONFIG_HOME/drydock. */
	int len = (int)(strrchr(paths->config_dir, '/') - paths->config_dir);
	cleanup_free char *xdg =
	    xasprintf("%.*s/git/config", len, paths->config_dir);
	cleanup_free char *own = xasprintf("%s/.gitconfig", paths->home);
	cleanup_free char *git_dir = find_git_dir(project);
	cleanup_free char *dir_env = xasprintf("GIT_DIR=%s", git_dir);
	cleanup_free char *home_env = xasprintf("HOME=%s", paths->home);
	cleanup_free char *xdg_env =
	    xasprintf("XDG_CONFIG_HOME=%.*s", len, paths->config_dir);
	const char *const files[] = { xdg, own };
	const char *const envp[] = { home_env, xdg_env, dir_env,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"LC_ALL=C", "PATH=" PROC_SYSTEM_PATH, NULL };

	return ask_about(ident, files, ARRAY_SIZE(files), envp, dg);
}

static void
add_value(struct strbuf *out, const char *key, const char *value)
{
	if (value == NULL)
		return;
	strbuf_addf(out, "\t%s = \"", key);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			strbuf_addch(out, '\\');
		strbuf_addch(out, *value);
	}
	strbuf_addstr(out, "\"\n");
}

void
gitident_write(const struct gitident *ident, struct strbuf *out)
{
	if (ident->name == NULL && ident->email == NULL)
		return;
	strbuf_addstr(out, "[user]\n");
	add_value(out, "name", ident->name);
	add_value(out, "email", ident->email);
	/* The keys stay on the host. */
	strbuf_addstr(
	    out, "[commit]\n\tgpgSign = false\n[tag]\n\tgpgSign = false\n");
}

void
gitident_release(struct gitident *ident)
{
	free(ident->name);
	free(ident->email);
	*ident = (struct gitident)GITIDENT_INIT;
}
