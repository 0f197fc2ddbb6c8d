/* SPDX-License-Identifier: MIT */
/* Opening and creating files beneath a directory that is held open. */
#include "base/fs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"

/*
 * openat2(2) fails with EAGAIN during a concurrent rename.  That many failures
 * in a row are an attack.
 */
#define OPEN_TRIES 128
/* Bounds the race against a process that removes the permissions again. */
#define RIGHTS_TRIES 1000

int
fs_openat2(
    int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.resolve = resolve,
	};
	long fd = -1;

	/* openat2(2) refuses a mode without O_CREAT. */
	if ((flags & O_CREAT) != 0)
		how.mode = mode & 07777;
	for (int i = 0; i < OPEN_TRIES; i++) {
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EINTR && errno != EAGAIN))
			break;
	}
	return (int)fd;
}

static int
open_checked(int dirfd, const char *path, int flags, mode_t mode,
    uint64_t resolve, int *ret_fd, struct diag *dg)
{
	int fd = fs_openat2(dirfd, path, flags, mode, resolve);
	int errnum;

	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	errnum = errno;
	if (errnum == EXDEV)
		(void)diag_set(
		    dg, DIAG_IO, "open %s: leaves the directory", path);
	else if (errnum == ELOOP && (resolve & RESOLVE_NO_SYMLINKS) != 0)
		(void)diag_set(dg, DIAG_IO,
		    "open %s: a symbolic link is in the way", path);
	else
		return diag_set_errno(dg, DIAG_IO, errnum, "open %s", path);
	dg->errnum = errnum;
	return -1;
}

int
fs_open_beneath(int dirfd, const char *path, int flags, mode_t mode,
    int *ret_fd, struct diag *dg)
{
	return open_checked(dirfd, path, flags, mode,
	    RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, ret_fd, dg);
}

int
fs_open_nolinks(int dirfd, const char *path, int flags, mode_t mode,
    int *ret_fd, struct diag *dg)
{
	return open_checked(dirfd, path, flags, mode,
	    RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	    ret_fd, dg);
}

bool
fs_is_absent(const struct diag *failure)
{
	return failure->errnum == ENOENT || failure->errnum == ENOTDIR;
}

int
fs_open_dir(const char *path, int *ret_fd, struct diag *dg)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open %s", path);
	*ret_fd = fd;
	return 0;
}

bool
fs_is_component(const char *name)
{
	return *name != '\0' && strchr(name, '/') == NULL &&
	    strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int
fs_chmod_fd(int fd, mode_t mode)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode);
}

int
fs_real_path(int fd, char **ret_path)
{
	char link[64];
	char path[PATH_MAX];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	if (len < 0)
		return -1;
	if ((size_t)len == sizeof(path) || path[0] != '/') {
		errno = path[0] == '/' ? ENAMETOOLONG : ENOENT;
		return -1;
	}
	*ret_path = xstrndup(path, (size_t)len);
	return 0;
}

/* Creates name with exactly mode unless it exists; returns -1 with errno. */
static int
make_exactly(int dirfd, const char *name, mode_t mode)
{
	cleanup_close int fd = -1;

	if (mkdirat(dirfd, name, mode) < 0)
		return errno == EEXIST ? 0 : -1;
	fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 || fs_chmod_fd(fd, mode) < 0 ? -1 : 0;
}

static int
check_owned(int fd, const char *what, struct stat *ret_st, struct diag *dg)
{
	if (fstat(fd, ret_st) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "stat %s", what);
	if (ret_st->st_uid != geteuid())
		return diag_set(dg, DIAG_IO,
		    "%s: belongs to uid %u and not to you (uid %u)", what,
		    (unsigned int)ret_st->st_uid, (unsigned int)geteuid());
	return 0;
}

/*
 * An agent may remove the permissions of a directory that later sessions share.
 * The owner's permissions are restored.
 */
static int
give_rights_back(int dirfd, const char *name, struct diag *dg)
{
	cleanup_close int fd =
	    openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open %s", name);
	if (check_owned(fd, name, &st, dg) != 0)
		return -1;
	if (fs_chmod_fd(fd, (st.st_mode & 07777) | S_IRWXU) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "chmod %s", name);
	return 0;
}

int
fs_open_own_dir(int dirfd, const char *name, int *ret_fd, struct diag *dg)
{
	if (!fs_is_component(name))
		return diag_set(dg, DIAG_IO, "open %s: not a plain name", name);
	for (int i = 0;; i++) {
		cleanup_close int fd = openat(dirfd, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		struct stat st;

		if (fd < 0 && errno != EACCES)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "open %s", name);
		if (fd >= 0 && fstat(fd, &st) < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "stat %s", name);
		if (fd >= 0 &&
		    ((st.st_mode & S_IRWXU) == S_IRWXU ||
			st.st_uid != geteuid() || i == RIGHTS_TRIES)) {
			*ret_fd = steal_fd(&fd);
			return 0;
		}
		if (i == RIGHTS_TRIES)
			return diag_set_errno(
			    dg, DIAG_IO, EACCES, "open %s", name);
		cleanup_close_fn(&fd);
		if (give_rights_back(dirfd, name, dg) != 0)
			return -1;
	}
}

int
fs_make_dir(
    int dirfd, const char *name, mode_t mode, int *ret_fd, struct diag *dg)
{
	cleanup_close int fd = -1;
	struct stat st;
	bool made;

	if (!fs_is_component(name))
		return diag_set(dg, DIAG_IO, "make %s: not a plain name", name);
	made = mkdirat(dirfd, name, mode) == 0;
	if (!made && errno != EEXIST)
		return diag_set_errno(dg, DIAG_IO, errno, "make %s", name);
	fd = openat(
	    dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno != EACCES)
		return diag_set_errno(dg, DIAG_IO, errno, "open %s", name);
	if (fd < 0 && fs_open_own_dir(dirfd, name, &fd, dg) != 0)
		return -1;
	if (check_owned(fd, name, &st, dg) != 0)
		return -1;
	/* The umask cleared bits of the mode. */
	if (made && (st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "make %s", name);
	*ret_fd = steal_fd(&fd);
	return 0;
}

/*
 * Removes the first component from *rest and returns it (returned); NULL if
 * none is left.
 */
static char *
next_component(const char **rest)
{
	size_t len;
	char *name;

	*rest += strspn(*rest, "/");
	len = strcspn(*rest, "/");
	if (len == 0)
		return NULL;
	name = xstrndup(*rest, len);
	*rest += len;
	return name;
}

int
fs_make_dirs(
    int dirfd, const char *path, mode_t mode, int *ret_fd, struct diag *dg)
{
	cleanup_close int at = -1;

	for (const char *rest = path;;) {
		cleanup_free char *name = next_component(&rest);
		int next;

		if (name == NULL)
			break;
		if (fs_make_dir(at < 0 ? dirfd : at, name, mode, &next, dg) !=
		    0)
			return -1;
		cleanup_close_fn(&at);
		at = next;
	}
	assert(at >= 0);
	*ret_fd = steal_fd(&at);
	return 0;
}

/* Opens name in dirfd; creates it if absent.  Returns -1 with errno. */
static int
step_into(int dirfd, const char *name, mode_t mode)
{
	int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (make_exactly(dirfd, name, mode) < 0)
		return -1;
	return openat(dirfd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Creates the missing components of path one by one, and opens the last. */
static int
make_steps(const char *path, mode_t mode, int *ret_fd, struct diag *dg)
{
	cleanup_close int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *rest = path;

	if (at < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open /");
	for (;;) {
		cleanup_free char *name = next_component(&rest);
		int next;

		if (name == NULL)
			break;
		next = step_into(at, name, mode);
		if (next < 0)
			return diag_set_errno(dg, DIAG_IO, errno, "make %.*s",
			    (int)(rest - path), path);
		(void)close(at);
		at = next;
	}
	*ret_fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open %s", path);
	return 0;
}

int
fs_make_path(const char *path, mode_t mode, int *ret_fd, struct diag *dg)
{
	cleanup_close int end = -1;
	struct stat st;

	if (*path != '/')
		return diag_set(
		    dg, DIAG_IO, "make %s: not an absolute path", path);
	end = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (end < 0 && make_steps(path, mode, &end, dg) != 0)
		return -1;
	if (check_owned(end, path, &st, dg) != 0)
		return -1;
	*ret_fd = steal_fd(&end);
	return 0;
}

bool
fs_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
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

/* Fills the temporary file and flushes it to disk. */
static int
fill_file(int fd, const void *data, size_t len, mode_t mode, const char *name,
    struct diag *dg)
{
	if (fs_write_all(fd, data, len, name, dg) != 0)
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
	cleanup_close int fd = -1;
	int rc;

	if (!fs_is_component(name))
		return diag_set(
		    dg, DIAG_IO, "replace %s: not a plain name", name);
	if (fs_temp_create(dirfd, name, temp, &fd, dg) != 0)
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
	cleanup_close int fd =
	    memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "memfd %s", name);
	if (fs_write_all(fd, data, len, name, dg) != 0)
		return -1;
	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "seal %s", name);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "rewind %s", name);
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* Restores permissions that another process removed, if the caller owns fd. */
static bool
regain_rights(int fd, const struct stat *st, mode_t rights)
{
	return st->st_uid == geteuid() && (st->st_mode & rights) != rights &&
	    fs_chmod_fd(fd, (st->st_mode & 07777) | rights) == 0;
}

/* Opening the socket needs search permission to its directory. */
static int
open_socket(int dirfd, const char *name)
{
	static const int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags);
	struct stat st;

	if (fd >= 0 || errno != EACCES)
		return fd;
	if (fstat(dirfd, &st) != 0 || !regain_rights(dirfd, &st, S_IRWXU)) {
		errno = EACCES;
		return -1;
	}
	return openat(dirfd, name, flags);
}

int
fs_connect_socket(int dirfd, const char *name, int *ret_fd)
{
	struct stat st;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	cleanup_close int at = open_socket(dirfd, name);
	cleanup_close int fd = -1;

	if (at < 0 || fstat(at, &st) != 0)
		return -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* The name could be replaced; the descriptor cannot. */
	(void)snprintf(
	    un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d", at);
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) != 0 &&
	    (errno != EACCES || !regain_rights(at, &st, S_IRUSR | S_IWUSR) ||
		connect(fd, (const struct sockaddr *)&un, sizeof(un)) != 0))
		return -1;
	*ret_fd = steal_fd(&fd);
	return 0;
}
