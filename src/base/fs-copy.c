/* SPDX-License-Identifier: MIT */
/* Copies a tree of directories, regular files and symlinks. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/xalloc.h"

#define COPY_STEP ((size_t)65536)
#define SPARSE_MIN ((off_t)65536)
#define COPY_MODE ((mode_t)0755)

struct copier {
	struct fs_walk walk;
	bool (*wanted)(void *arg, const char *path, const struct stat *st);
	void *arg;
	int dst; /* borrowed; the copy of the current directory */
};

/* An entry to copy; name is the same in both directories. */
struct entry {
	int src;
	int dst;
	const char *name;
	struct stat st;
};

static int
copy_by_hand(int in, int out, off_t left, const char *what, struct diag *dg)
{
	cleanup_free char *buf = xmalloc(COPY_STEP);

	while (left > 0) {
		ssize_t n = read(in, buf, COPY_STEP);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "read %s", what);
		if (n == 0)
			break;
		if (fs_write_all(out, buf, (size_t)n, what, dg) != 0)
			return -1;
		left -= n;
	}
	return 0;
}

/* Returns true if the error only means that the call is not supported here. */
static bool
is_unsupported(int errnum)
{
	return errnum == EXDEV || errnum == ENOSYS || errnum == EOPNOTSUPP ||
	    errnum == EINVAL || errnum == EPERM;
}

static int
copy_range(int in, int out, off_t left, const char *what, struct diag *dg)
{
	while (left > 0) {
		size_t want =
		    left < SSIZE_MAX / 2 ? (size_t)left : SSIZE_MAX / 2;
		ssize_t n = copy_file_range(in, NULL, out, NULL, want, 0);

		if (n < 0 && errno == EINTR)
			continue;
		/* The last success left both offsets after the copied bytes. */
		if (n == 0 || (n < 0 && is_unsupported(errno)))
			return copy_by_hand(in, out, left, what, dg);
		if (n < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "copy %s", what);
		left -= n;
	}
	return 0;
}

/* Small files are not checked: the saving is not worth the system calls. */
static bool
has_holes(int fd, off_t size)
{
	struct stat st;

	return size >= SPARSE_MIN && fstat(fd, &st) == 0 &&
	    st.st_blocks * 512 < size;
}

/* Copies the data extents, from the start of both files. */
static int
copy_data(int in, int out, off_t size, const char *what, struct diag *dg)
{
	off_t hole;

	for (off_t at = 0; at < size; at = hole) {
		off_t data = lseek(in, at, SEEK_DATA);

		if (data < 0 && errno == ENXIO)
			break;
		hole = data < 0 ? -1 : lseek(in, data, SEEK_HOLE);
		if (hole < 0 || lseek(in, data, SEEK_SET) < 0 ||
		    lseek(out, data, SEEK_SET) < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "copy %s", what);
		if (data >= size)
			break;
		if (hole > size)
			hole = size;
		if (copy_range(in, out, hole - data, what, dg) != 0)
			return -1;
	}
	if (ftruncate(out, size) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "copy %s", what);
	return 0;
}

int
fs_copy_bytes(int in, int out, off_t left, const char *what, struct diag *dg)
{
	if (ioctl(out, FICLONE, in) == 0)
		return 0;
	if (has_holes(in, left))
		return copy_data(in, out, left, what, dg);
	return copy_range(in, out, left, what, dg);
}

static int
copy_file(struct copier *c, const struct entry *e)
{
	cleanup_close int in = -1;
	cleanup_close int out = -1;
	struct stat st;

	in = openat(e->src, e->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (in < 0 || fstat(in, &st) < 0)
		return fs_walk_fail(&c->walk, "open");
	if (!S_ISREG(st.st_mode) || !fs_same(&st, &e->st))
		return diag_set(c->walk.dg, DIAG_DATA,
		    "copy %s: changed while it was copied", c->walk.path.buf);
	out = openat(e->dst, e->name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return fs_walk_fail(&c->walk, "create");
	if (fs_copy_bytes(in, out, st.st_size, c->walk.path.buf, c->walk.dg) !=
	    0)
		return -1;
	if (fchmod(out, st.st_mode & COPY_MODE) < 0)
		return fs_walk_fail(&c->walk, "chmod");
	return 0;
}

static int
copy_link(struct copier *c, const struct entry *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(e->src, e->name, target, sizeof(target));

	if (n < 0)
		return fs_walk_fail(&c->walk, "read link");
	if ((size_t)n == sizeof(target)) {
		errno = ENAMETOOLONG;
		return fs_walk_fail(&c->walk, "read link");
	}
	target[n] = '\0';
	if (symlinkat(target, e->dst, e->name) < 0)
		return fs_walk_fail(&c->walk, "create link");
	return 0;
}

static int
copy_subdir(struct copier *c, const struct entry *e)
{
	cleanup_close int src = fs_walk_open(e->src, e->name);
	cleanup_close int dst = -1;
	int rc;

	if (src < 0)
		return fs_walk_fail(&c->walk, "open");
	if (fs_make_dir(e->dst, e->name, 0700, &dst, c->walk.dg) != 0)
		return -1;
	c->dst = dst;
	rc = fs_walk_read(&c->walk, steal_fd(&src));
	c->dst = e->dst;
	if (rc < 0)
		return -1;
	/* The mode is set last: a read-only directory could not be filled. */
	if (fchmod(dst, e->st.st_mode & COPY_MODE) < 0)
		return fs_walk_fail(&c->walk, "chmod");
	return 0;
}

static int
copy_entry(struct fs_walk *walk, int dirfd, const char *name)
{
	struct copier *c = walk->arg;
	struct entry e = { .src = dirfd, .dst = c->dst, .name = name };
	const char *path = walk->path.buf;

	if (fstatat(dirfd, name, &e.st, AT_SYMLINK_NOFOLLOW) < 0)
		return fs_walk_fail(walk, "stat");
	if (c->wanted != NULL && !c->wanted(c->arg, path, &e.st))
		return 0;
	if (S_ISREG(e.st.st_mode))
		return copy_file(c, &e);
	if (S_ISLNK(e.st.st_mode))
		return copy_link(c, &e);
	if (S_ISDIR(e.st.st_mode))
		return copy_subdir(c, &e);
	return diag_set(walk->dg, DIAG_DATA,
	    "copy %s: not a file, directory or symbolic link", path);
}

int
fs_copy_wanted(int src_fd, int dst_fd,
    bool (*wanted)(void *arg, const char *path, const struct stat *st),
    void *arg, struct diag *dg)
{
	struct copier c = {
		.wanted = wanted,
		.arg = arg,
		.dst = dst_fd,
		.walk = {
			.visit = copy_entry,
			.dg = dg,
			.label = "",
			.path = STRBUF_INIT,
			.max_depth = FS_COPY_DEPTH,
			.too_deep = DIAG_DATA,
		},
	};
	/* A new open file description, since reading moves the offset. */
	int top = fs_walk_open(src_fd, ".");
	int rc;

	c.walk.arg = &c;
	rc = top < 0 ? fs_walk_fail(&c.walk, "open")
		     : fs_walk_read(&c.walk, top);
	fs_walk_release(&c.walk);
	return rc;
}
