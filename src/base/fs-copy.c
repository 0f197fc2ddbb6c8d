/* SPDX-License-Identifier: MIT */
/* Copying a tree of directories, regular files and links, sharing no inode. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#define COPY_STEP ((size_t)65536)
#define COPY_MODE ((mode_t)0755)

struct copier {
	struct strbuf path; /* of the entry at hand */
	bool (*wanted)(void *arg, const char *path, const struct stat *st);
	void *arg;
	struct diag *dg; /* borrowed */
};

/* One entry on its way: name in both directories. */
struct entry {
	int src;
	int dst;
	const char *name;
	struct stat st;
};

static int
failed(struct copier *c, const char *doing)
{
	return diag_set_errno(
	    c->dg, DIAG_IO, errno, "%s %s", doing, c->path.buf);
}

static int
copy_by_hand(int in, int out, off_t left, const char *what, struct diag *dg)
{
	char *buf cleanup_free = xmalloc(COPY_STEP);

	while (left > 0) {
		ssize_t n = read(in, buf, COPY_STEP);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "read %s", what);
		if (n == 0)
			break;
		if (fs_write_all(out, buf, (size_t)n, what, dg) < 0)
			return -1;
		left -= n;
	}
	return 0;
}

/* Whether the kernel only says that it cannot do this in one call. */
static bool
is_unsupported(int errnum)
{
	return errnum == EXDEV || errnum == ENOSYS || errnum == EOPNOTSUPP ||
	    errnum == EINVAL || errnum == EPERM;
}

int
fs_copy_bytes(int in, int out, off_t left, const char *what, struct diag *dg)
{
	if (ioctl(out, FICLONE, in) == 0)
		return 0;
	while (left > 0) {
		size_t want =
		    left < SSIZE_MAX / 2 ? (size_t)left : SSIZE_MAX / 2;
		ssize_t n = copy_file_range(in, NULL, out, NULL, want, 0);

		if (n < 0 && errno == EINTR)
			continue;
		/* Both offsets stand where the last success left them. */
		if (n == 0 || (n < 0 && is_unsupported(errno)))
			return copy_by_hand(in, out, left, what, dg);
		if (n < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "copy %s", what);
		left -= n;
	}
	return 0;
}

static int
copy_file(struct copier *c, const struct entry *e)
{
	int in cleanup_close = -1;
	int out cleanup_close = -1;
	struct stat st;

	in = openat(e->src, e->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (in < 0 || fstat(in, &st) < 0)
		return failed(c, "open");
	if (!S_ISREG(st.st_mode) || !fs_same(&st, &e->st))
		return diag_set(c->dg, DIAG_DATA,
		    "copy %s: changed while it was copied", c->path.buf);
	out = openat(e->dst, e->name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return failed(c, "create");
	if (fs_copy_bytes(in, out, st.st_size, c->path.buf, c->dg) < 0)
		return -1;
	if (fchmod(out, st.st_mode & COPY_MODE) < 0)
		return failed(c, "chmod");
	return 0;
}

static int
copy_link(struct copier *c, const struct entry *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(e->src, e->name, target, sizeof(target));

	if (n < 0)
		return failed(c, "read link");
	if ((size_t)n == sizeof(target)) {
		errno = ENAMETOOLONG;
		return failed(c, "read link");
	}
	target[n] = '\0';
	if (symlinkat(target, e->dst, e->name) < 0)
		return failed(c, "create link");
	return 0;
}

static int copy_dir(struct copier *c, int src, int dst, int level);

static int
copy_subdir(struct copier *c, const struct entry *e, int level)
{
	int src cleanup_close = -1;
	int dst cleanup_close = -1;

	if (level >= FS_COPY_DEPTH)
		return diag_set(c->dg, DIAG_DATA,
		    "copy %s: more than %d directories deep", c->path.buf,
		    FS_COPY_DEPTH);
	src = openat(
	    e->src, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (src < 0)
		return failed(c, "open");
	if (fs_make_dir(e->dst, e->name, 0700, &dst, c->dg) < 0)
		return -1;
	if (copy_dir(c, src, dst, level + 1) < 0)
		return -1;
	/* Last: a directory without write permission could not be filled. */
	if (fchmod(dst, e->st.st_mode & COPY_MODE) < 0)
		return failed(c, "chmod");
	return 0;
}

static int
copy_entry(struct copier *c, int src, int dst, const char *name, int level)
{
	struct entry e = { .src = src, .dst = dst, .name = name };

	if (fstatat(src, name, &e.st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(c, "stat");
	if (c->wanted != NULL && !c->wanted(c->arg, c->path.buf, &e.st))
		return 0;
	if (S_ISREG(e.st.st_mode))
		return copy_file(c, &e);
	if (S_ISLNK(e.st.st_mode))
		return copy_link(c, &e);
	if (S_ISDIR(e.st.st_mode))
		return copy_subdir(c, &e, level);
	return diag_set(c->dg, DIAG_DATA,
	    "copy %s: not a file, directory or symbolic link", c->path.buf);
}

static int
copy_dir(struct copier *c, int src, int dst, int level)
{
	DIR *dir cleanup_closedir = NULL;
	size_t base = c->path.len;
	/* A description of its own, since reading moves the offset. */
	int fd = openat(src, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return failed(c, "open");
	dir = fdopendir(fd);
	if (dir == NULL) {
		(void)failed(c, "read");
		(void)close(fd);
		return -1;
	}
	for (;;) {
		const struct dirent *de;

		errno = 0;
		de = readdir(dir);
		if (de == NULL)
			return errno == 0 ? 0 : failed(c, "read");
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (base > 0)
			strbuf_addch(&c->path, '/');
		strbuf_addstr(&c->path, de->d_name);
		if (copy_entry(c, src, dst, de->d_name, level) < 0)
			return -1;
		strbuf_setlen(&c->path, base);
	}
}

int
fs_copy_tree(int src_fd, int dst_fd, struct diag *dg)
{
	return fs_copy_wanted(src_fd, dst_fd, NULL, NULL, dg);
}

int
fs_copy_wanted(int src_fd, int dst_fd,
    bool (*wanted)(void *arg, const char *path, const struct stat *st),
    void *arg, struct diag *dg)
{
	struct copier c = { .wanted = wanted, .arg = arg, .dg = dg };
	int rc;

	strbuf_init(&c.path);
	rc = copy_dir(&c, src_fd, dst_fd, 0);
	strbuf_release(&c.path);
	return rc;
}
