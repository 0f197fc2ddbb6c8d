/* SPDX-License-Identifier: MIT */
/* resolve: path resolution as in the kernel, one component at a time. */
#include "base/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

/* Limit for the rest of a path, including the targets of symlinks. */
#define REST_MAX ((size_t)4 * PATH_MAX)

static int
go_to(int *fd, int dirfd, const char *name)
{
	int next =
	    openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (next < 0)
		return -1;
	cleanup_close_fn(fd);
	*fd = next;
	return 0;
}

/* Puts the target of the symlink fd before the rest of the path. */
static int
splice_link(struct resolve *r, int fd, const char *after, struct strbuf *rest)
{
	char target[PATH_MAX];
	cleanup_strbuf struct strbuf joined = STRBUF_INIT;
	ssize_t n;

	if (++r->links > RESOLVE_MAX_LINKS) {
		errno = ELOOP;
		return -1;
	}
	n = readlinkat(fd, "", target, sizeof(target));
	if (n < 0)
		return -1;
	strbuf_add(&joined, target, (size_t)n);
	strbuf_addstr(&joined, after);
	if (n == 0 || (size_t)n == sizeof(target) || joined.len > REST_MAX) {
		errno = n == 0 ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	strbuf_reset(rest);
	strbuf_add(rest, joined.buf, joined.len);
	return 0;
}

/* Resolves the first component of rest in the directory *at. */
static int
take_step(struct resolve *r, int *at, struct strbuf *rest)
{
	size_t len = strcspn(rest->buf, "/");
	cleanup_free char *name = xstrndup(rest->buf, len);
	cleanup_free char *after = xstrdup(rest->buf + len);
	cleanup_close int fd = -1;
	struct stat st;
	int rc;

	strbuf_reset(rest);
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		strbuf_addstr(rest, after);
		return go_to(at, *at, name);
	}
	fd = openat(*at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	rc = r->judge(r->arg, *at, name, &st);
	if (rc != 0)
		return rc;
	if (S_ISLNK(st.st_mode)) {
		if (splice_link(r, fd, after, rest) < 0)
			return -1;
		return rest->buf[0] == '/' ? go_to(at, AT_FDCWD, "/") : 0;
	}
	/* A trailing slash requires a directory, as in the kernel. */
	if (*after != '\0' && !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	strbuf_addstr(rest, after);
	cleanup_close_fn(at);
	*at = steal_fd(&fd);
	return 0;
}

int
resolve_open(struct resolve *r, int dirfd, const char *path, int *ret_fd)
{
	cleanup_strbuf struct strbuf rest = STRBUF_INIT;
	cleanup_close int at = -1;
	int rc;

	if (*path == '\0') {
		errno = ENOENT;
		return -1;
	}
	if (*path == '/')
		rc = go_to(&at, AT_FDCWD, "/");
	else
		rc = go_to(&at, dirfd, ".");
	strbuf_addstr(&rest, path);
	while (rc == 0) {
		size_t slashes = strspn(rest.buf, "/");

		memmove(rest.buf, rest.buf + slashes, rest.len - slashes + 1);
		strbuf_setlen(&rest, rest.len - slashes);
		if (rest.len == 0)
			break;
		rc = take_step(r, &at, &rest);
	}
	if (rc == 0)
		*ret_fd = steal_fd(&at);
	return rc;
}
