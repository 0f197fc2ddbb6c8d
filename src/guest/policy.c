/* SPDX-License-Identifier: MIT */
/* Checks the guardrail files against the image's manifest. */
#include "guest/policy.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"

#define FILE_MAX ((size_t)1 << 20) /* a guardrail file or the manifest */
#define MOUNTINFO_MAX ((size_t)1 << 22)
#define ENTRIES_MAX 1024
#define DEPTH_MAX 8
#define DIGEST_LEN ((size_t)DIGEST_HEX_SIZE - 1)

/* The parsed manifest: line i is digests[i] and paths[i]. */
struct manifest {
	char *dir; /* owned; from the first line, or NULL */
	struct strvec digests;
	struct strvec paths;
};

struct check {
	const struct policy *policy;
	const char *dir; /* the directory of the guardrails */
	struct manifest manifest;
	struct strvec found; /* files found, relative to dir */
	size_t entries;
	struct diag *dg;
};

static int
read_all(
    int fd, const char *path, size_t max, struct strbuf *out, struct diag *dg)
{
	for (;;) {
		char buf[8192];
		ssize_t n = read(fd, buf, sizeof(buf));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return diag_set_errno(
			    dg, DIAG_POLICY, errno, "read %s", path);
		if (n == 0)
			return 0;
		strbuf_add(out, buf, (size_t)n);
		if (out->len > max)
			return diag_set(dg, DIAG_POLICY,
			    "%s: larger than %zu bytes", path, max);
	}
}

/* Checks every entry: file type, owner, mode, a read-only file system. */
static int
check_entry(
    const struct check *c, int fd, const char *path, mode_t kind, mode_t mode)
{
	struct stat st;
	struct statvfs vfs;
	if (fstat(fd, &st) == -1 || fstatvfs(fd, &vfs) == -1)
		return diag_set_errno(
		    c->dg, DIAG_POLICY, errno, "stat %s", path);
	if ((st.st_mode & S_IFMT) != kind)
		return diag_set(c->dg, DIAG_POLICY, "%s: not a %s", path,
		    kind == S_IFDIR ? "directory" : "regular file");
	if (st.st_uid != 0)
		return diag_set(c->dg, DIAG_POLICY,
		    "%s: owned by %ju, not by root", path,
		    (uintmax_t)st.st_uid);
	if ((st.st_mode & 07777) != mode)
		return diag_set(c->dg, DIAG_POLICY,
		    "%s: mode %04o instead of %04o", path,
		    (unsigned int)(st.st_mode & 07777), (unsigned int)mode);
	if (!c->policy->build && (vfs.f_flag & ST_RDONLY) == 0)
		return diag_set(c->dg, DIAG_POLICY,
		    "%s: on a file system that is writable", path);
	return 0;
}

/* O_NONBLOCK: the entry may be a fifo, which fstat detects afterwards. */
static int
open_entry(const struct check *c, int dirfd, const char *name, const char *path,
    int *ret_fd)
{
	*ret_fd = openat(dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (*ret_fd != -1)
		return 0;
	if (errno == ELOOP)
		return diag_set(
		    c->dg, DIAG_POLICY, "%s: a symbolic link", path);
	return diag_set_errno(c->dg, DIAG_POLICY, errno, "open %s", path);
}

static bool
path_is_plain(const char *path)
{
	if (path[0] == '\0' || path[0] == '/')
		return false;
	for (const char *at = path;; at++) {
		size_t len = strcspn(at, "/");
		if (len == 0 || (len == 1 && at[0] == '.') ||
		    (len == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += len;
		if (*at == '\0')
			return true;
	}
}

/* "64 hex digits, two blanks, path" or, for binary mode, a blank and a star. */
static int
parse_line(struct check *c, const char *line, size_t number)
{
	struct manifest *m = &c->manifest;
	size_t hex = strspn(line, "0123456789abcdef");
	if (hex != DIGEST_LEN || line[hex] != ' ' ||
	    (line[hex + 1] != ' ' && line[hex + 1] != '*') ||
	    !path_is_plain(line + hex + 2))
		return diag_set(c->dg, DIAG_POLICY, "%s:%zu: malformed",
		    c->policy->manifest, number);
	const char *path = line + hex + 2;
	if (m->paths.nr > 0 && strcmp(m->paths.v[m->paths.nr - 1], path) >= 0)
		return diag_set(c->dg, DIAG_POLICY, "%s:%zu: not sorted",
		    c->policy->manifest, number);
	if (m->paths.nr >= ENTRIES_MAX)
		return diag_set(c->dg, DIAG_POLICY, "%s: over %d lines",
		    c->policy->manifest, ENTRIES_MAX);
	strvec_push_given(&m->digests, xstrndup(line, hex));
	strvec_push(&m->paths, path);
	return 0;
}

/* The first line: "# DIR" or "# none". */
static int
parse_dir(struct check *c, const char *line)
{
	const char *dir = line + 2;
	if (strncmp(line, "# ", 2) != 0 ||
	    (strcmp(dir, POLICY_NONE) != 0 &&
		(dir[0] != '/' || !path_is_plain(dir + 1))))
		return diag_set(c->dg, DIAG_POLICY, "%s:1: names no directory",
		    c->policy->manifest);
	c->manifest.dir = xstrdup(dir);
	return 0;
}

static bool
has_none(const struct check *c)
{
	return strcmp(c->dir, POLICY_NONE) == 0;
}

/* text is terminated at len; it is cut into lines in place. */
static int
parse_manifest(struct check *c, char *text, size_t len)
{
	if (strlen(text) != len || len == 0 || text[len - 1] != '\n')
		return diag_set(c->dg, DIAG_POLICY,
		    "%s: empty, cut off or not text", c->policy->manifest);
	size_t number = 1;
	for (char *line = text; *line != '\0'; number++) {
		char *end = line + strcspn(line, "\n");
		*end = '\0';
		bool first =
		    number == 1 && (c->policy->dir == NULL || line[0] == '#');
		if ((first ? parse_dir(c, line)
			   : parse_line(c, line, number)) == -1)
			return -1;
		line = end + 1;
	}
	c->dir = c->policy->dir != NULL ? c->policy->dir : c->manifest.dir;
	assert(c->dir != NULL); /* the text has a first line */
	if ((c->manifest.paths.nr == 0) != has_none(c))
		return diag_set(c->dg, DIAG_POLICY, "%s: %s",
		    c->policy->manifest,
		    has_none(c) ? "names files of no directory"
				: "names no file");
	return 0;
}

static int
read_manifest(struct check *c, char ret_digest[DIGEST_HEX_SIZE])
{
	const char *path = c->policy->manifest;
	cleanup_close int fd = -1;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	if (open_entry(c, AT_FDCWD, path, path, &fd) == -1 ||
	    check_entry(c, fd, path, S_IFREG, 0444) == -1 ||
	    read_all(fd, path, FILE_MAX, &text, c->dg) != 0)
		return -1;
	digest_bytes(text.buf, text.len, ret_digest);
	return parse_manifest(c, text.buf, text.len);
}

static int
check_file(struct check *c, int dirfd, const char *name, const char *rel,
    const char *path)
{
	const struct manifest *m = &c->manifest;
	size_t i = 0;
	while (i < m->paths.nr && strcmp(m->paths.v[i], rel) != 0)
		i++;
	if (i == m->paths.nr)
		return diag_set(c->dg, DIAG_POLICY,
		    "%s: not one of the image's guardrail files", path);

	cleanup_close int fd = -1;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char digest[DIGEST_HEX_SIZE];
	if (open_entry(c, dirfd, name, path, &fd) == -1 ||
	    check_entry(c, fd, path, S_IFREG, 0444) == -1 ||
	    read_all(fd, path, FILE_MAX, &text, c->dg) != 0)
		return -1;
	digest_bytes(text.buf, text.len, digest);
	if (strcmp(digest, m->digests.v[i]) != 0)
		return diag_set(c->dg, DIAG_POLICY,
		    "%s: changed since the image was made", path);
	strvec_push(&c->found, rel);
	return 0;
}

static int check_dir(
    struct check *c, int dirfd, const char *name, const char *rel, int depth);

static int
check_child(struct check *c, int dirfd, const char *name, const char *rel_dir,
    int depth)
{
	cleanup_free char *rel = rel_dir[0] == '\0'
	    ? xstrdup(name)
	    : xasprintf("%s/%s", rel_dir, name);
	cleanup_free char *path = xasprintf("%s/%s", c->dir, rel);
	struct stat st;
	if (++c->entries > ENTRIES_MAX)
		return diag_set(c->dg, DIAG_POLICY, "%s: over %d entries",
		    c->dir, ENTRIES_MAX);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return diag_set_errno(
		    c->dg, DIAG_POLICY, errno, "stat %s", path);
	if (S_ISDIR(st.st_mode))
		return check_dir(c, dirfd, name, rel, depth + 1);
	return check_file(c, dirfd, name, rel, path);
}

/* rel is "" for the top directory, whose name is an absolute path. */
static int
check_dir(
    struct check *c, int dirfd, const char *name, const char *rel, int depth)
{
	cleanup_free char *path =
	    rel[0] == '\0' ? xstrdup(c->dir) : xasprintf("%s/%s", c->dir, rel);
	cleanup_close int fd = -1;
	if (depth > DEPTH_MAX)
		return diag_set(c->dg, DIAG_POLICY, "%s: too deep", path);
	if (open_entry(c, dirfd, name, path, &fd) == -1 ||
	    check_entry(c, fd, path, S_IFDIR, 0555) == -1)
		return -1;
	cleanup_closedir DIR *dir = fdopendir(fd);
	if (dir == NULL)
		return diag_set_errno(
		    c->dg, DIAG_POLICY, errno, "read %s", path);
	int held = steal_fd(&fd);
	for (;;) {
		errno = 0;
		const struct dirent *e = readdir(dir);
		if (e == NULL && errno != 0)
			return diag_set_errno(
			    c->dg, DIAG_POLICY, errno, "read %s", path);
		if (e == NULL)
			return 0;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (check_child(c, held, e->d_name, rel, depth) == -1)
			return -1;
	}
}

static int
check_none_missing(const struct check *c)
{
	const struct manifest *m = &c->manifest;
	for (size_t i = 0; i < m->paths.nr; i++) {
		if (!strvec_has(&c->found, m->paths.v[i]))
			return diag_set(c->dg, DIAG_POLICY, "%s/%s: missing",
			    c->dir, m->paths.v[i]);
	}
	return 0;
}

/* The kernel writes blanks and backslashes in a path as three octal digits. */
static void
unescape_octal(char *s)
{
	char *to = s;
	for (const char *at = s; *at != '\0'; to++) {
		if (at[0] == '\\' && strspn(at + 1, "01234567") >= 3) {
			*to = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 +
			    (at[3] - '0'));
			at += 4;
		} else {
			*to = *at++;
		}
	}
	*to = '\0';
}

static bool
is_at_or_below(const char *path, const char *top)
{
	size_t len = strlen(top);
	return strncmp(path, top, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/');
}

static bool
mount_covers(const char *mount, const char *place, bool above_too)
{
	return is_at_or_below(mount, place) ||
	    (above_too && strcmp(mount, "/") != 0 &&
		is_at_or_below(place, mount));
}

/*
 * A mount over the guardrails could replace them under the same name.  For the
 * default places, only the root may be mounted above; elsewhere (tests) a mount
 * for temporary files is accepted.  table is mountinfo's text, which is cut
 * into fields in place.
 */
static int
check_mount_table(const struct check *c, char *table)
{
	const struct policy *p = c->policy;
	bool above =
	    p->dir == NULL && strcmp(p->manifest, POLICY_MANIFEST) == 0;
	cleanup_free char *manifest = xstrdup(p->manifest);
	const char *manifest_dir = dirname(manifest);
	char *rest = table;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char *mount = NULL;
		if (*line == '\0')
			continue;
		for (int i = 0; i < 5; i++)
			mount = strsep(&line, " ");
		if (mount == NULL)
			return diag_set(c->dg, DIAG_POLICY,
			    "mountinfo: a line that cannot be read");
		unescape_octal(mount);
		if ((!has_none(c) && mount_covers(mount, c->dir, above)) ||
		    mount_covers(mount, manifest_dir, above))
			return diag_set(c->dg, DIAG_POLICY,
			    "%s: a mount over guardrail files", mount);
	}
	return 0;
}

static int
check_mounts(const struct check *c)
{
	static const char table[] = "/proc/self/mountinfo";
	cleanup_close int fd = open(table, O_RDONLY | O_CLOEXEC);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	if (fd == -1)
		return diag_set_errno(
		    c->dg, DIAG_POLICY, errno, "open %s", table);
	if (read_all(fd, table, MOUNTINFO_MAX, &text, c->dg) != 0)
		return -1;
	return check_mount_table(c, text.buf);
}

int
policy_check(const struct policy *policy, char ret_digest[DIGEST_HEX_SIZE],
    struct diag *dg)
{
	struct check c = { .policy = policy,
		.manifest = { NULL, STRVEC_INIT, STRVEC_INIT },
		.found = STRVEC_INIT,
		.dg = dg };
	char digest[DIGEST_HEX_SIZE];
	int rc = -1;
	if (read_manifest(&c, digest) == 0 &&
	    (has_none(&c) || check_dir(&c, AT_FDCWD, c.dir, "", 0) == 0) &&
	    check_none_missing(&c) == 0 && check_mounts(&c) == 0) {
		memcpy(ret_digest, digest, sizeof(digest));
		rc = 0;
	}
	free(c.manifest.dir);
	strvec_release(&c.manifest.digests);
	strvec_release(&c.manifest.paths);
	strvec_release(&c.found);
	return rc;
}
