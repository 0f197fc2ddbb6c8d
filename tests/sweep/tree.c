/* SPDX-License-Identifier: MIT */
/* tree: a directory that is put back as it was, without what is untouched. */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "die.h"

void
tree_init(struct tree *t, const char *top)
{
	*t = (struct tree){ .top = xstrdup(top) };
}

static const char *
last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* Changes path while it looks, and sets it back. */
static void
walk(int fd, struct strbuf *path, tree_visit_fn *visit, void *arg)
{
	DIR *dir = fdopendir(fd);
	size_t len = path->len;

	if (dir == NULL)
		die("open %s", path->buf);
	for (struct dirent *d; (d = readdir(dir)) != NULL;) {
		struct stat st;
		int sub;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		/* What runs may still remove something of its own. */
		if (fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		strbuf_addf(path, "%s%s", len == 0 ? "" : "/", d->d_name);
		visit(arg, fd, path->buf, &st);
		if (S_ISDIR(st.st_mode)) {
			sub = openat(fd, d->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (sub != -1)
				walk(sub, path, visit, arg);
			else if (errno != ENOENT && errno != ENOTDIR)
				die("open %s", path->buf);
		}
		strbuf_setlen(path, len);
	}
	(void)closedir(dir);
}

void
tree_walk(
    const struct tree *t, const char *path, tree_visit_fn *visit, void *arg)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	cleanup_free char *full = xasprintf("%s/%s", t->top, path);
	int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 && errno == ENOENT)
		return;
	if (fd == -1)
		die("open %s", full);
	strbuf_addstr(&name, path);
	walk(fd, &name, visit, arg);
}

char *
tree_read(int dir_fd, const char *path, const struct stat *st, size_t *ret_len)
{
	size_t size = (size_t)st->st_size;
	char *data = xmalloc(size + 1);
	size_t len = 0;
	ssize_t n = 0;
	int fd;

	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(dir_fd, last_name(path), data, size);
		len = n < 0 ? 0 : (size_t)n;
	} else if (S_ISREG(st->st_mode) && size > 0) {
		fd = openat(dir_fd, last_name(path), O_RDONLY | O_CLOEXEC);
		if (fd == -1)
			die("open %s", path);
		while (len < size && (n = read(fd, data + len, size - len)) > 0)
			len += (size_t)n;
		(void)close(fd);
	}
	if (n < 0)
		die("read %s", path);
	data[len] = '\0';
	*ret_len = len;
	return data;
}

static void
keep_one(void *arg, int dir_fd, const char *path, const struct stat *st)
{
	struct tree *t = arg;
	struct tree_entry *e;

	if (t->nr == t->alloc) {
		t->alloc = t->alloc * 2 + 64;
		t->v = xreallocarray(t->v, t->alloc, sizeof(*t->v));
	}
	e = &t->v[t->nr++];
	*e = (struct tree_entry){ .path = xstrdup(path), .st = *st };
	e->data = tree_read(dir_fd, path, st, &e->len);
}

static int
compare(const void *a, const void *b)
{
	const struct tree_entry *x = a;
	const struct tree_entry *y = b;

	return strcmp(x->path, y->path);
}

void
tree_keep(struct tree *t)
{
	for (size_t i = 0; i < t->nr; i++) {
		free(t->v[i].path);
		free(t->v[i].data);
	}
	t->nr = 0;
	tree_walk(t, "", keep_one, t);
	if (t->nr > 0)
		qsort(t->v, t->nr, sizeof(*t->v), compare);
}

static struct tree_entry *
find(struct tree *t, const char *path)
{
	size_t low = 0;
	size_t high = t->nr;

	while (low < high) {
		size_t i = low + (high - low) / 2;
		int order = strcmp(path, t->v[i].path);

		if (order == 0)
			return &t->v[i];
		if (order < 0)
			high = i;
		else
			low = i + 1;
	}
	return NULL;
}

static bool
is_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Nothing can change an inode without a new change time. */
static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && is_time(a->st_ctim, b->st_ctim);
}

struct tree_entry *
tree_same(struct tree *t, const char *path, const struct stat *st)
{
	struct tree_entry *e = find(t, path);

	return e != NULL && is_same(&e->st, st) ? e : NULL;
}

static void
remove_all(int dir_fd, const char *name)
{
	int fd;
	DIR *dir;

	if (unlinkat(dir_fd, name, 0) == 0)
		return;
	if (errno != EISDIR)
		die("remove %s", name);
	if (fchmodat(dir_fd, name, 0700, 0) != 0)
		die("chmod %s", name);
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	dir = fd == -1 ? NULL : fdopendir(fd);
	if (dir == NULL)
		die("open %s", name);
	for (struct dirent *d; (d = readdir(dir)) != NULL;)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			remove_all(fd, d->d_name);
	(void)closedir(dir);
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) != 0)
		die("remove %s", name);
}

/* Names that are no longer what they were, one after the other. */
struct extras {
	struct tree *t;
	struct strbuf names; /* each with its terminator */
	bool replaces; /* one is what should be another */
};

static void
note_extra(void *arg, int dir_fd, const char *path, const struct stat *st)
{
	struct extras *x = arg;
	struct tree_entry *e = find(x->t, path);

	(void)dir_fd;
	if (e != NULL && ((e->st.st_mode ^ st->st_mode) & S_IFMT) == 0 &&
	    (!S_ISSOCK(st->st_mode) || e->st.st_ino == st->st_ino)) {
		e->seen = true;
		e->untouched = is_same(st, &e->st);
		return;
	}
	x->replaces = x->replaces || e != NULL;
	strbuf_add(&x->names, path, strlen(path) + 1);
}

static bool
write_file(int fd, const char *path, const struct tree_entry *e)
{
	int file =
	    openat(fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = file != -1 && write(file, e->data, e->len) == (ssize_t)e->len;

	if (file != -1)
		(void)close(file);
	return ok;
}

/* A socket is one that nobody listens at: for dead that does. */
static bool
make_again(int fd, const struct tree_entry *e, bool dead)
{
	const char *path = e->path;

	if (e->seen && (S_ISREG(e->st.st_mode) || S_ISLNK(e->st.st_mode)) &&
	    unlinkat(fd, path, 0) != 0)
		return false;
	switch (e->st.st_mode & S_IFMT) {
	case S_IFDIR:
		return e->seen || mkdirat(fd, path, 0700) == 0;
	case S_IFREG:
		return write_file(fd, path, e);
	case S_IFLNK:
		return symlinkat(e->data, fd, path) == 0;
	case S_IFIFO:
		return e->seen || mkfifoat(fd, path, 0600) == 0;
	case S_IFSOCK:
		return e->seen ||
		    (dead && mknodat(fd, path, S_IFSOCK | 0600, 0) == 0);
	default:
		return e->seen;
	}
}

/* Of all that is not as it was: mode and times, a directory's after what is in
 * it; then it counts as untouched. */
static void
set_facts(int fd, struct tree_entry *e)
{
	const struct timespec times[] = { e->st.st_atim, e->st.st_mtim };
	struct stat st;

	if (fstatat(fd, e->path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		die("look at %s", e->path);
	if (is_same(&st, &e->st))
		return;
	if (!S_ISLNK(st.st_mode) && st.st_mode != e->st.st_mode &&
	    fchmodat(fd, e->path, e->st.st_mode & 07777, 0) != 0)
		die("chmod %s", e->path);
	if (!is_time(st.st_mtim, e->st.st_mtim) &&
	    utimensat(fd, e->path, times, AT_SYMLINK_NOFOLLOW) != 0)
		die("set the times of %s", e->path);
	if (fstatat(fd, e->path, &e->st, AT_SYMLINK_NOFOLLOW) != 0)
		die("look at %s", e->path);
}

static void
make_writable(int fd, const struct tree_entry *e)
{
	struct stat st;

	if (e->untouched && (e->st.st_mode & 0700) == 0700)
		return;
	if (e->seen && S_ISDIR(e->st.st_mode) &&
	    fstatat(fd, e->path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (st.st_mode & 0700) != 0700 && fchmodat(fd, e->path, 0700, 0) != 0)
		die("chmod %s", e->path);
}

bool
tree_restore(struct tree *t, bool dead, char **ret_path)
{
	struct extras x = { t, STRBUF_INIT, false };
	int fd = open(t->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *lost = NULL;
	struct stat st;

	if (fd == -1)
		die("open %s", t->top);
	for (size_t i = 0; i < t->nr; i++)
		t->v[i].seen = t->v[i].untouched = false;
	tree_walk(t, "", note_extra, &x);
	for (size_t i = 0; i < t->nr; i++)
		make_writable(fd, &t->v[i]);
	for (const char *name = x.names.buf; name < x.names.buf + x.names.len;
	     name += strlen(name) + 1)
		/* Its directory may have gone already. */
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			remove_all(fd, name);
	strbuf_release(&x.names);
	for (size_t i = 0; i < t->nr; i++) {
		struct tree_entry *e = &t->v[i];

		/* What changes here changes directories. */
		if (x.replaces || S_ISDIR(e->st.st_mode))
			e->untouched = false;
		if (e->untouched)
			continue;
		if (e->seen &&
		    fstatat(fd, e->path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    is_same(&st, &e->st))
			continue;
		if (make_again(fd, e, dead)) {
			e->seen = true;
			continue;
		}
		if (!S_ISSOCK(e->st.st_mode))
			die("make %s/%s again", t->top, e->path);
		if (lost == NULL)
			lost = xstrdup(e->path);
	}
	for (size_t i = t->nr; i-- > 0;)
		if (t->v[i].seen && !t->v[i].untouched)
			set_facts(fd, &t->v[i]);
	(void)close(fd);
	*ret_path = lost;
	return lost == NULL;
}
