/* SPDX-License-Identifier: MIT */
/* watched: the roots of a state, and how one file is read. */
#include "session/watched.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/protected.h"
#include "plan/plan.h"
#include "plan/role.h"
#include "session/moved.h"

void
watched_file_release(struct watched_file *file)
{
	free(file->path);
	free(file->stamp);
	free(file->data);
	*file = (struct watched_file){ .kind = WATCHED_ABSENT };
}

void
watched_files_release(struct watched_files *files)
{
	for (size_t i = 0; i < files->nr; i++)
		watched_file_release(&files->v[i]);
	free(files->v);
	free(files->missed);
	*files = (struct watched_files){ .v = NULL };
}

void
watched_release(struct watched *w)
{
	for (size_t i = 0; i < w->nroots; i++) {
		free(w->roots[i].path);
		free(w->roots[i].identity);
		cleanup_close_fn(&w->roots[i].fd);
	}
	free(w->roots);
	watched_files_release(&w->files);
	strbuf_release(&w->list_text);
	watchlist_release(&w->list);
	*w = (struct watched)WATCHED_INIT;
}

static void
add_root(struct watched *w, const char *path)
{
	w->roots = xreallocarray(w->roots, w->nroots + 1, sizeof(*w->roots));
	w->roots[w->nroots++] =
	    (struct watched_root){ .path = xstrdup(path), .fd = -1 };
}

/* Returns true if another of the agent's mounts contains this directory. */
static bool
is_contained(const struct plan_service *agent, const struct plan_mount *m)
{
	for (size_t i = 0; i < agent->nmounts; i++) {
		const struct plan_mount *other = &agent->mounts[i];

		if (strcmp(other->source, m->source) != 0 &&
		    !other->read_only && !mount_is_made(other) &&
		    protected_is_below(m->source, other->source))
			return true;
	}
	return false;
}

int
watched_of_plan(const struct plan *plan, const char *text, size_t len,
    struct watched *ret, struct diag *dg)
{
	const struct plan_service *agent = plan_find(plan, "agent");
	cleanup_watched struct watched w = WATCHED_INIT;

	strbuf_add(&w.list_text, text, len);
	if (watchlist_parse(text, len, &w.list, dg) != 0)
		return -1;
	/* The project is first: its files are shown by relative paths. */
	for (int project = 1; project >= 0; project--)
		for (size_t i = 0; i < agent->nmounts; i++) {
			const struct plan_mount *m = &agent->mounts[i];

			if ((m->role == &mount_roles[MOUNT_PROJECT]) ==
				(project == 1) &&
			    !m->read_only && !mount_is_made(m) &&
			    S_ISDIR(m->st.st_mode) && !is_contained(agent, m))
				add_root(&w, m->source);
		}
	*ret = w;
	w = (struct watched)WATCHED_INIT;
	return 0;
}

const char *
watched_kind_name(enum watched_kind kind)
{
	switch (kind) {
	case WATCHED_ABSENT:
		return "absent";
	case WATCHED_REGULAR:
		return "file";
	case WATCHED_LINK:
		return "symlink";
	case WATCHED_OTHER:
		return "fifo, socket or device";
	case WATCHED_UNREADABLE:
		return "unreadable";
	}
	return NULL;
}

int
watched_order(const struct watched_file *a, const struct watched_file *b)
{
	if (a->root != b->root)
		return a->root < b->root ? -1 : 1;
	return strcmp(a->path, b->path);
}

struct watched_file
watched_absent(const struct watched_file *like)
{
	return (struct watched_file){ .path = xstrdup(like->path),
		.root = like->root,
		.row = like->row,
		.kind = WATCHED_ABSENT,
		.stamp = xstrdup("-") };
}

void
watched_describe(const struct watched *w, const struct watched_file *file,
    struct strbuf *out)
{
	if (file->root > 0)
		strbuf_addf(out, "%s/", w->roots[file->root].path);
	strbuf_addstr(out, file->path);
}

static char *
stamp_of(const struct stat *st)
{
	return xasprintf("%jd.%jd.%ld.%jd.%ld.%ju", (intmax_t)st->st_size,
	    (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
	    (intmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec,
	    (uintmax_t)st->st_ino);
}

/* Reads the link's target, or what fits of it. */
static void
read_target(int fd, struct watched_file *file)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target));

	if (n < 0)
		return;
	file->data = xstrndup(target, (size_t)n);
	file->len = strlen(file->data);
}

/* Reads a regular file of at most max bytes.  A larger one has no data. */
static void
read_data(int path_fd, size_t max, struct watched_file *file)
{
	cleanup_free char *path = xasprintf("/proc/self/fd/%d", path_fd);
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd =
	    open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		file->kind = WATCHED_UNREADABLE;
		return;
	}
	free(file->stamp);
	file->stamp = stamp_of(&st);
	file->mode = st.st_mode & 07777;
	if ((uintmax_t)st.st_size > max ||
	    fs_read_fd(fd, path, max, &text, &ignored) != 0)
		return;
	strbuf_reserve(&text, 1);
	file->data = strbuf_detach(&text, &file->len);
}

struct watched_file
watched_read_fd(int fd, const char *path, const struct stat *st, size_t max)
{
	struct watched_file file = { .path = xstrdup(path),
		.kind = WATCHED_OTHER,
		.mode = st->st_mode & 07777,
		.stamp = stamp_of(st) };

	if (S_ISLNK(st->st_mode)) {
		file.kind = WATCHED_LINK;
		read_target(fd, &file);
	} else if (S_ISREG(st->st_mode)) {
		file.kind = WATCHED_REGULAR;
		read_data(fd, max, &file);
	}
	return file;
}

int
watched_open_roots(struct watched *w, struct diag *dg)
{
	for (size_t i = 0; i < w->nroots; i++) {
		struct watched_root *r = &w->roots[i];
		cleanup_close int top =
		    open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		cleanup_free char *identity = NULL;

		if (r->fd >= 0)
			continue;
		if (top < 0)
			return diag_set_errno(dg, DIAG_IO, errno, "open /");
		if (fs_open_nolinks(top, r->path + 1, O_RDONLY | O_DIRECTORY, 0,
			&r->fd, dg) != 0) {
			/* ENOENT means to callers: no state is stored. */
			dg->errnum = 0;
			return diag_wrap(dg, "%s", r->path);
		}
		identity = moved_identity(r->fd);
		if (identity == NULL)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "stat %s", r->path);
		if (r->identity == NULL)
			r->identity = steal_ptr(&identity);
		else if (strcmp(r->identity, identity) != 0)
			return diag_set(dg, DIAG_IO,
			    "%s is not the directory that the session had",
			    r->path);
	}
	return 0;
}

/* A file in place of a directory, and a link, lead to no watched file. */
static bool
proves_absence(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP;
}

struct watched_file
watched_read_one(const struct watched *w, const struct watched_file *like)
{
	cleanup_diag struct diag why = DIAG_INIT;
	cleanup_close int fd = -1;
	struct watched_file file;
	struct stat st;
	bool opened = fs_open_nolinks(w->roots[like->root].fd, like->path,
			  O_PATH | O_NOFOLLOW, 0, &fd, &why) == 0;

	if ((opened && fstat(fd, &st) != 0) ||
	    (!opened && !proves_absence(why.errnum))) {
		file = watched_absent(like);
		file.kind = WATCHED_UNREADABLE;
		return file;
	}
	if (!opened || S_ISDIR(st.st_mode))
		return watched_absent(like);
	file = watched_read_fd(fd, like->path, &st, WATCHED_DATA);
	file.root = like->root;
	file.row = like->row;
	return file;
}
