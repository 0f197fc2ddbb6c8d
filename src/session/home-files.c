/* SPDX-License-Identifier: MIT */
/* Checks all of home.d before it copies the first file. */
#include "session/home-files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/protected.h"
#include "host/settings.h"
#include "host/trusted.h"

#define KEPT_MODE ((mode_t)0755)

/* A walk through home.d; walk.path is relative to it. */
struct look {
	struct fs_walk walk;
	struct home_files *home_files;
	bool common; /* walk home.d itself, for its dot files */
	const struct paths *paths;
	const struct settings *settings;
	const struct agent *agent;
	const struct knownprojects *known;
};

static int
refuse(struct look *l, const char *why)
{
	return diag_set(l->walk.dg, DIAG_CONFIG, "%s%s: %s", l->walk.label,
	    l->walk.path.buf, why);
}

/* A file that one session could write must not reach the next session. */
static int
check_project(struct look *l, int fd)
{
	cleanup_free char *real = NULL;
	cleanup_free char *project = NULL;

	if (fs_real_path(fd, &real) < 0)
		return fs_walk_fail(&l->walk, "find");
	project = knownprojects_find(l->known, real);
	if (project == NULL)
		return 0;
	return diag_set(l->walk.dg, DIAG_POLICY,
	    "%s%s lies in %s, which a session can or could write: replace it "
	    "with a copy",
	    l->walk.label, l->walk.path.buf, project);
}

/* A longer name counts too: the file may be a copy of the document. */
static bool
is_account(const struct agent *agent, const char *path, const char *name)
{
	const struct agent_sources *documents = &agent->sync.documents;

	for (size_t i = 0; i < documents->nr; i++) {
		const char *to = documents->v[i].to;

		if (strncmp(path, to, strlen(to)) == 0)
			return true;
	}
	return agent_sync_is_document(&agent->sync, name);
}

static int
check_entry(struct look *l, const char *name, const struct stat *st)
{
	const char *path = l->walk.path.buf;

	if (S_ISLNK(st->st_mode))
		return refuse(l, "is a symbolic link");
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return refuse(l, "is neither a file nor a directory");
	if (agent_sync_is_credential(&l->agent->sync, name) ||
	    protected_is_credential(path))
		return refuse(l, "holds credentials");
	if (is_account(l->agent, path, name))
		return refuse(l, "is an account's file");
	if (l->agent->history_link != NULL &&
	    protected_is_below(path, l->agent->history_link))
		return refuse(l, "is where the conversations are");
	if (st->st_uid != l->paths->uid && st->st_uid != 0)
		return refuse(l, "belongs to another user");
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse(l, "can be written by others: chmod go-w it");
	/* The other link may be a secret, or lie in a project. */
	if (S_ISREG(st->st_mode) && st->st_nlink > 1)
		return refuse(l,
		    "has another name (a hard link): replace it with a copy");
	return 0;
}

static int
add_entry(struct look *l, const struct stat *st)
{
	struct scan *files = &l->home_files->files;
	struct scan_entry *e;

	if ((int64_t)files->nr >= l->settings->sync_max_files)
		return refuse(l,
		    "is over the limit of files (setting "
		    "sync_max_files)");
	e = scan_add(files, S_ISDIR(st->st_mode) ? SCAN_DIR : SCAN_FILE,
	    l->walk.path.buf);
	e->mode = st->st_mode & 07777;
	if (S_ISREG(st->st_mode))
		files->bytes += st->st_size;
	if (files->bytes > l->settings->sync_max_size)
		return refuse(l,
		    "is over the limit of bytes (setting "
		    "sync_max_size)");
	return 0;
}

static int
look_entry(struct fs_walk *walk, int dirfd, const char *name)
{
	struct look *l = walk->arg;
	struct stat st;
	int fd;

	/* The other names in home.d are the agents' directories. */
	if (l->common && strchr(l->walk.path.buf, '/') == NULL &&
	    (name[0] != '.' || strcmp(name, ".git") == 0))
		return 0;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fs_walk_fail(walk, "stat");
	if (check_entry(l, name, &st) < 0 || add_entry(l, &st) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd = fs_walk_open(dirfd, name);
	if (fd < 0)
		return fs_walk_fail(walk, "open");
	if (check_project(l, fd) < 0) {
		(void)close(fd);
		return -1;
	}
	return fs_walk_read(walk, fd);
}

/* home.d itself may be a symlink.  Nothing below it may be one. */
static int
open_home_files(struct look *l)
{
	cleanup_free char *name = xasprintf("home.d/%s", l->agent->name);
	cleanup_close int above = -1;
	struct stat st;

	if (l->common)
		return paths_open_config(l->paths, "home.d", TRUSTED_DIRECTORY,
		    &l->home_files->fd, l->walk.dg);
	if (paths_open_config(
		l->paths, "home.d", TRUSTED_DIRECTORY, &above, l->walk.dg) < 0)
		return -1;
	if (above < 0)
		return 0;
	if (fstatat(above, l->agent->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode))
		return diag_set_errno(l->walk.dg, DIAG_CONFIG, ELOOP,
		    "open %s/%s", l->paths->config_dir, name);
	return paths_open_config(
	    l->paths, name, TRUSTED_DIRECTORY, &l->home_files->fd, l->walk.dg);
}

int
home_files_open(struct home_files *ret, bool common, const struct paths *paths,
    const struct settings *settings, const struct agent *agent, struct diag *dg)
{
	cleanup_free char *label =
	    common ? xstrdup("home.d/") : xasprintf("home.d/%s/", agent->name);
	struct look l = {
		.home_files = ret,
		.common = common,
		.paths = paths,
		.settings = settings,
		.agent = agent,
		.walk = {
			.visit = look_entry,
			.dg = dg,
			.label = label,
			.path = STRBUF_INIT,
			.max_depth = SCAN_MAX_DEPTH,
			.too_deep = DIAG_CONFIG,
		},
	};
	cleanup_knownprojects struct knownprojects *known = NULL;
	int rc;

	l.walk.arg = &l;
	rc = open_home_files(&l);
	if (rc == 0 && ret->fd >= 0)
		rc = knownprojects_load(paths, &known, dg);
	l.known = known;
	if (rc == 0 && ret->fd >= 0) {
		int fd = fcntl(ret->fd, F_DUPFD_CLOEXEC, 3);

		rc = fd < 0 ? fs_walk_fail(&l.walk, "open")
			    : fs_walk_read(&l.walk, fd);
	}
	fs_walk_release(&l.walk);
	return rc;
}

/* Checks that an entry can be copied to its path in the home. */
static int
check_place(const struct scan_entry *e, int home_fd, struct diag *dg)
{
	cleanup_diag struct diag mine = DIAG_INIT;
	cleanup_close int fd = -1;
	struct stat st;

	/*
	 * A symlink in a parent directory fails the open.  A symlink at the
	 * path itself is opened, and refused below.
	 */
	if (fs_open_nolinks(
		home_fd, e->path, O_PATH | O_NOFOLLOW, 0, &fd, &mine) != 0) {
		if (mine.errnum == ENOENT)
			return 0;
		if (mine.errnum == ELOOP)
			return diag_set(dg, DIAG_CONFIG,
			    "home.d: %s: a link is in the way", e->path);
		if (mine.errnum == ENOTDIR)
			return diag_set(dg, DIAG_CONFIG,
			    "home.d: %s: a file is in the way", e->path);
		return diag_move(dg, &mine);
	}
	if (fstat(fd, &st) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "stat %s", e->path);
	if (S_ISLNK(st.st_mode))
		return diag_set(dg, DIAG_CONFIG,
		    "home.d: %s: a link is in the way", e->path);
	if (S_ISDIR(st.st_mode) != (e->kind == SCAN_DIR))
		return diag_set(dg, DIAG_CONFIG, "home.d: %s: a %s is there",
		    e->path, S_ISDIR(st.st_mode) ? "directory" : "file");
	return 0;
}

static int
copy_file(const struct home_files *home_files, const struct scan_entry *e,
    int parent, const char *name, struct diag *dg)
{
	cleanup_close int in = -1;
	cleanup_close int out = -1;
	struct stat st;

	if (fs_open_nolinks(home_files->fd, e->path,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &in, dg) != 0)
		return diag_wrap(dg, "home.d");
	if (fstat(in, &st) < 0 || !S_ISREG(st.st_mode))
		return diag_set(dg, DIAG_CONFIG,
		    "home.d: %s: changed while it was copied", e->path);
	if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "replace %s", e->path);
	out = openat(parent, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "create %s", e->path);
	if (fs_copy_bytes(in, out, st.st_size, e->path, dg) != 0)
		return -1;
	if (fchmod(out, e->mode & KEPT_MODE) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "chmod %s", e->path);
	return 0;
}

static int
copy_entry(const struct home_files *home_files, const struct scan_entry *e,
    int home_fd, struct diag *dg)
{
	const char *slash = strrchr(e->path, '/');
	const char *name = slash == NULL ? e->path : slash + 1;
	cleanup_free char *above = slash == NULL
	    ? xstrdup(".")
	    : xstrndup(e->path, (size_t)(slash - e->path));
	cleanup_close int parent = -1;
	cleanup_close int made = -1;

	if (fs_open_nolinks(
		home_fd, above, O_RDONLY | O_DIRECTORY, 0, &parent, dg) != 0)
		return -1;
	if (e->kind == SCAN_FILE)
		return copy_file(home_files, e, parent, name, dg);
	/* The directory must be writable to be filled. */
	return fs_make_dir(
	    parent, name, (e->mode & KEPT_MODE) | 0700, &made, dg);
}

int
home_files_copy(
    const struct home_files *home_files, int home_fd, struct diag *dg)
{
	const struct scan *files = &home_files->files;

	for (size_t i = 0; i < files->nr; i++) {
		if (check_place(&files->v[i], home_fd, dg) != 0)
			return -1;
	}
	for (size_t i = 0; i < files->nr; i++) {
		if (copy_entry(home_files, &files->v[i], home_fd, dg) != 0)
			return -1;
	}
	return 0;
}

void
home_files_release(struct home_files *home_files)
{
	cleanup_close_fn(&home_files->fd);
	scan_release(&home_files->files);
}
