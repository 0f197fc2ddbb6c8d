/* SPDX-License-Identifier: MIT */
/* Small trees for tests. */
#include "tree-kit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"

int
tree_open(void)
{
	int fd = -1;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(fs_open_dir(check_tmpdir(), &fd, &dg), 0);
	return fd;
}

void
tree_file(int dir, const char *path, mode_t mode)
{
	cleanup_close int fd =
	    openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK_INT(write(fd, "text", 4), 4);
	CHECK_INT(fchmod(fd, mode), 0);
}

bool
tree_has(int dir, const char *path)
{
	struct stat st;

	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void
tree_nest(int dir, int depth)
{
	cleanup_close int at = dup(dir);

	for (int i = 0; i < depth; i++) {
		int next;

		if (mkdirat(at, "d", 0700) < 0)
			break;
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CHECK(next >= 0);
		(void)close(at);
		at = next;
		if (i % 50 == 0)
			tree_file(at, "f", 0600);
	}
}

int
tree_count(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_closedir DIR *d = fdopendir(fd);
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	return n - 2;
}

void
tree_put(int dir, const char *name, const char *text)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(fs_replace_file(dir, name, text, strlen(text), 0644, &dg), 0);
	CHECK_STR(dg.message, NULL);
}

void
tree_put_below(int dir, const char *path, const char *text)
{
	const char *slash = strrchr(path, '/');
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *above = NULL;
	cleanup_close int parent = -1;

	if (slash == NULL) {
		tree_put(dir, path, text);
		return;
	}
	above = xstrndup(path, (size_t)(slash - path));
	CHECK_INT(fs_make_dirs(dir, above, 0755, &parent, &dg), 0);
	tree_put(parent, slash + 1, text);
}

int
tree_make(const char *name)
{
	cleanup_close int top = tree_open();
	cleanup_diag struct diag dg = DIAG_INIT;
	int fd = -1;

	CHECK_INT(fs_remove_tree(top, name, &dg), 0);
	CHECK_INT(fs_make_dir(top, name, 0755, &fd, &dg), 0);
	CHECK_STR(dg.message, NULL);
	return fd;
}

void
tree_socket(int dir, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(
	    un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/%s", dir, path);
	CHECK_INT(bind(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
}

char *
tree_get(int dir, const char *name)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (fs_read_file(dir, name, 4096, &sb, &dg) < 0)
		return NULL;
	return strbuf_detach(&sb, NULL);
}

bool
tree_access_list(int dir, const char *path, uid_t user)
{
	const struct {
		uint32_t version;
		struct {
			uint16_t tag, bits;
			uint32_t id;
		} entry[5];
	} list = { 2,
		{ { 0x01, 7, UINT32_MAX }, { 0x02, 7, user },
		    { 0x04, 0, UINT32_MAX }, { 0x10, 7, UINT32_MAX },
		    { 0x20, 5, UINT32_MAX } } };
	cleanup_free char *name = xasprintf("/proc/self/fd/%d/%s", dir, path);

	return setxattr(name, "system.posix_acl_access", &list, sizeof(list),
		   0) == 0;
}
