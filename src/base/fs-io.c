/* SPDX-License-Identifier: MIT */
/* Whole files: read within a bound, written, replaced, or never on disk. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-temp.h"
#include "base/fs.h"
#include "base/strbuf.h"

#define READ_STEP ((size_t)65536)

static int
too_large(const char *what, size_t max, struct diag *dg)
{
	(void)diag_set(dg, DIAG_DATA, "%s: larger than %zu bytes", what, max);
	dg->errnum = EFBIG;
	return -1;
}

/*
 * One byte over max is asked for: it tells a full file from a larger one.  size
 * is what the file should have; 0, as all in /proc have it, says nothing.
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
		/* There would have been room for more. */
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
	if (read_bounded(fd, what, (size_t)st.st_size, max, out, dg) < 0) {
		strbuf_setlen(out, start);
		return -1;
	}
	return 0;
}

int
fs_read_file(int dirfd, const char *path, size_t max, struct strbuf *out,
    struct diag *dg)
{
	int fd cleanup_close = -1;

	if (fs_open_beneath(
		dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, dg) < 0)
		return -1;
	return fs_read_fd(fd, path, max, out, dg);
}

int
fs_write_all(
    int fd, const void *data, size_t len, const char *what, struct diag *dg)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n >= 0) {
			p += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			(void)poll(&pfd, 1, -1);
		} else if (errno != EINTR) {
			return diag_set_errno(
			    dg, DIAG_IO, errno, "write %s", what);
		}
	}
	return 0;
}

/* Fills the temporary file and makes its bytes last. */
static int
fill_file(int fd, const void *data, size_t len, mode_t mode, const char *name,
    struct diag *dg)
{
	if (fs_write_all(fd, data, len, name, dg) < 0)
		return -1;
	if (fchmod(fd, mode) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "chmod %s", name);
	if (fsync(fd) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "sync %s", name);
	return 0;
}

int
fs_replace_file(int dirfd, const char *name, const void *data, size_t len,
    mode_t mode, struct diag *dg)
{
	char temp[FS_TEMP_SIZE];
	int fd cleanup_close = -1;
	int rc;

	if (!fs_is_component(name))
		return diag_set(
		    dg, DIAG_IO, "replace %s: not a plain name", name);
	if (fs_temp_create(dirfd, name, temp, &fd, dg) < 0)
		return -1;
	rc = fill_file(fd, data, len, mode, name, dg);
	if (rc == 0 && renameat(dirfd, temp, dirfd, name) < 0)
		rc = diag_set_errno(dg, DIAG_IO, errno, "replace %s", name);
	if (rc < 0) {
		(void)unlinkat(dirfd, temp, 0);
		return -1;
	}
	if (fsync(dirfd) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "sync the directory of %s", name);
	return 0;
}

int
fs_memfd(const char *name, const void *data, size_t len, int *ret_fd,
    struct diag *dg)
{
	int fd cleanup_close =
	    memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "memfd %s", name);
	if (fs_write_all(fd, data, len, name, dg) < 0)
		return -1;
	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "seal %s", name);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "rewind %s", name);
	*ret_fd = steal_fd(&fd);
	return 0;
}
