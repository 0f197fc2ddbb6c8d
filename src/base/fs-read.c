/* SPDX-License-Identifier: MIT */
/* Reads whole files: bounded, and never blocked by a fifo. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"

#define READ_STEP ((size_t)65536)
#define READ_FILE (O_RDONLY | O_NONBLOCK | O_NOCTTY)

static int
too_large(const char *what, size_t max, struct diag *dg)
{
	(void)diag_set(dg, DIAG_DATA, "%s: larger than %zu bytes", what, max);
	dg->errnum = EFBIG;
	return -1;
}

/*
 * Asks for one byte over max, to tell a full file from a larger one.  size is
 * the file's expected size; 0 is unknown, as for the files in /proc.
 */
static int
read_bounded(int fd, const char *what, size_t size, size_t max,
    struct strbuf *out, struct diag *dg)
{
	size_t start = out->len;

	for (;;) {
		size_t got = out->len - start;
		size_t room = max - got;
		size_t step =
		    size > 0 && got <= size ? size - got + 1 : READ_STEP;
		size_t want = room < step ? room + 1 : step;
		ssize_t n;

		strbuf_reserve(out, want);
		n = read(fd, out->buf + out->len, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "read %s", what);
		if (n == 0)
			return 0;
		if ((size_t)n > room)
			return too_large(what, max, dg);
		out->len += (size_t)n;
		out->buf[out->len] = '\0';
		/* A short read at the expected size is the end of the file. */
		if ((size_t)n < want && got + (size_t)n == size)
			return 0;
	}
}

int
fs_read_fd(
    int fd, const char *what, size_t max, struct strbuf *out, struct diag *dg)
{
	size_t start = out->len;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "stat %s", what);
	if (S_ISDIR(st.st_mode))
		return diag_set_errno(dg, DIAG_IO, EISDIR, "read %s", what);
	if (!S_ISREG(st.st_mode))
		return diag_set(dg, DIAG_IO, "%s: not a regular file", what);
	if (st.st_size > 0 && (size_t)st.st_size > max)
		return too_large(what, max, dg);
	if (read_bounded(fd, what, (size_t)st.st_size, max, out, dg) != 0) {
		strbuf_setlen(out, start);
		return -1;
	}
	return 0;
}

int
fs_read_file(int dirfd, const char *path, size_t max, struct strbuf *out,
    struct diag *dg)
{
	cleanup_close int fd = -1;

	if (fs_open_beneath(dirfd, path, READ_FILE, 0, &fd, dg) != 0)
		return -1;
	return fs_read_fd(fd, path, max, out, dg);
}

int
fs_read_nolinks(int dirfd, const char *path, size_t max, struct strbuf *out,
    struct diag *dg)
{
	cleanup_close int fd = -1;

	if (fs_open_nolinks(dirfd, path, READ_FILE, 0, &fd, dg) != 0)
		return -1;
	return fs_read_fd(fd, path, max, out, dg);
}

int
fs_read_present(int dirfd, const char *path, size_t max, struct strbuf *out,
    bool *ret_there, struct diag *dg)
{
	cleanup_diag struct diag failure = DIAG_INIT;

	*ret_there = fs_read_nolinks(dirfd, path, max, out, &failure) == 0;
	if (*ret_there || fs_is_absent(&failure))
		return 0;
	return diag_move(dg, &failure);
}

bool
fs_try_read(const char *path, size_t max, struct strbuf *out)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = open(path, READ_FILE | O_CLOEXEC);

	return fd != -1 && fs_read_fd(fd, path, max, out, &ignored) == 0;
}

bool
fs_try_read_text(const char *path, size_t max, struct strbuf *out)
{
	size_t start = out->len;

	if (!fs_try_read(path, max, out))
		return false;
	if (memchr(out->buf + start, '\0', out->len - start) == NULL)
		return true;
	strbuf_setlen(out, start);
	return false;
}
