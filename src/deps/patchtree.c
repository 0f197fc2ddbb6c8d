/* SPDX-License-Identifier: MIT */
/* Reads, lists, compares and places the files of a patched copy. */
#include "deps/patchtree.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "deps/packagetar.h"

#define MAX_DEPTH 64
#define MAX_PATH ((size_t)1024)
#define RANDOM_LEN ((size_t)12) /* also of fs_temp_create() */
#define FILE_MODE ((mode_t)0444)
#define DIR_MODE ((mode_t)0755)
#define CHUNK ((size_t)65536)

static bool
is_text(const char *path)
{
	size_t len = strlen(path);

	for (size_t at = 0; at < len;) {
		uint32_t cp;
		size_t n = utf8_decode(path + at, len - at, &cp);

		if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
		    cp == '\\')
			return false;
		at += n;
	}
	return len <= MAX_PATH;
}

bool
patchtree_is_path(const char *path)
{
	int depth = 0;

	if (!is_text(path))
		return false;
	for (const char *p = path;; p++) {
		size_t len = strcspn(p, "/");

		if (len == 0 || len > NAME_MAX || depth++ > MAX_DEPTH ||
		    (len == 1 && p[0] == '.') ||
		    (len == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += len;
		if (*p == '\0')
			return true;
	}
}

static struct patchtree_file *
add_file(struct patchtree *tree, const char *path)
{
	struct patchtree_file *f;

	/* The size doubles. */
	if ((tree->nr & (tree->nr - 1)) == 0)
		tree->v = xreallocarray(
		    tree->v, tree->nr > 0 ? tree->nr * 2 : 1, sizeof(*tree->v));
	f = &tree->v[tree->nr++];
	*f = (struct patchtree_file){ .path = xstrdup(path) };
	return f;
}

struct reading {
	struct patchtree tree;
	off_t left; /* bytes that the tree may still have */
};

static int
refuse(struct fs_walk *walk, const char *why)
{
	return diag_set(
	    walk->dg, DIAG_DATA, "%s%s: %s", walk->label, walk->path.buf, why);
}

static int
read_file(struct fs_walk *walk, int dirfd, const char *name)
{
	struct reading *r = walk->arg;
	cleanup_close int fd = openat(dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct digest digest;
	struct stat before;
	struct stat after;

	if (fd < 0 && errno == ELOOP)
		return refuse(walk, "it changed while it was read");
	if (fd < 0 || fstat(fd, &before) < 0)
		return fs_walk_fail(walk, "open");
	if (!S_ISREG(before.st_mode))
		return refuse(walk, "it changed while it was read");
	if (r->tree.nr == PACKAGETAR_MAX_FILES)
		return refuse(walk, "there are too many files");
	if (before.st_size > r->left)
		return refuse(walk, "the files are too large");
	r->left -= before.st_size;
	if (digest_file(fd, before.st_size, DIGEST_SHA256, &digest) != 0)
		return errno == ENODATA
		    ? refuse(walk, "it changed while it was read")
		    : fs_walk_fail(walk, "read");
	if (fstat(fd, &after) < 0)
		return fs_walk_fail(walk, "stat");
	if (after.st_size != before.st_size)
		return refuse(walk, "it changed while it was read");
	add_file(&r->tree, walk->path.buf)->digest = digest;
	return 0;
}

static int
read_entry(struct fs_walk *walk, int dirfd, const char *name)
{
	const struct reading *r = walk->arg;
	size_t before = r->tree.nr;
	struct stat st;
	int fd;

	if (!patchtree_is_path(walk->path.buf))
		return refuse(walk, "a file may not have such a path");
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fs_walk_fail(walk, "stat");
	if (S_ISREG(st.st_mode))
		return read_file(walk, dirfd, name);
	if (!S_ISDIR(st.st_mode))
		return refuse(walk, "it is neither a file nor a directory");
	fd = fs_walk_open(dirfd, name);
	if (fd < 0)
		return fs_walk_fail(walk, "open");
	if (fs_walk_read(walk, fd) != 0)
		return -1;
	return r->tree.nr > before ? 0
				   : refuse(walk, "a directory without files");
}

static int
compare_paths(const void *a, const void *b)
{
	const struct patchtree_file *x = a;
	const struct patchtree_file *y = b;

	return strcmp(x->path, y->path);
}

int
patchtree_read(int dir_fd, struct patchtree *ret_tree, struct diag *dg)
{
	struct reading r = {
		.tree = PATCHTREE_INIT,
		.left = (off_t)PACKAGETAR_MAX_UNPACKED,
	};
	cleanup_fs_walk struct fs_walk walk = {
		.visit = read_entry,
		.arg = &r,
		.dg = dg,
		.label = "",
		.path = STRBUF_INIT,
		.max_depth = MAX_DEPTH,
		.too_deep = DIAG_DATA,
	};
	/* A new open file description, since reading moves the offset. */
	int fd = fs_walk_open(dir_fd, ".");

	if (fd < 0)
		return fs_walk_fail(&walk, "open the tree");
	if (fs_walk_read(&walk, fd) != 0) {
		patchtree_release(&r.tree);
		return -1;
	}
	if (r.tree.nr > 0)
		qsort(r.tree.v, r.tree.nr, sizeof(*r.tree.v), compare_paths);
	*ret_tree = r.tree;
	return 0;
}

void
patchtree_release(struct patchtree *tree)
{
	for (size_t i = 0; i < tree->nr; i++)
		free(tree->v[i].path);
	free(tree->v);
	*tree = (struct patchtree)PATCHTREE_INIT;
}

void
patchtree_list(const struct patchtree *tree, struct strbuf *out)
{
	for (size_t i = 0; i < tree->nr; i++) {
		digest_add_hex(out, &tree->v[i].digest);
		strbuf_addf(out, "  %s\n", tree->v[i].path);
	}
}

/* Adds the file of a line, which has no newline. */
static bool
parse_line(struct patchtree *tree, const char *line, size_t len)
{
	static const size_t hex = DIGEST_HEX_SIZE - 1;
	cleanup_free char *path = NULL;
	struct digest digest;

	if (len < hex + 2 ||
	    !digest_parse_hex(DIGEST_SHA256, line, hex, &digest) ||
	    memcmp(line + hex, "  ", 2) != 0 || memchr(line, '\0', len) != NULL)
		return false;
	path = xstrndup(line + hex + 2, len - hex - 2);
	if (!patchtree_is_path(path) || tree->nr == PACKAGETAR_MAX_FILES ||
	    (tree->nr > 0 && strcmp(tree->v[tree->nr - 1].path, path) >= 0))
		return false;
	add_file(tree, path)->digest = digest;
	return true;
}

int
patchtree_parse_list(
    struct patchtree *ret_tree, const char *text, size_t len, struct diag *dg)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	size_t line = 1;

	for (size_t at = 0; at < len; line++) {
		const char *end = memchr(text + at, '\n', len - at);

		if (end == NULL ||
		    !parse_line(&tree, text + at, (size_t)(end - text) - at))
			return diag_set(dg, DIAG_DATA,
			    "line %zu is not a line of a list of files", line);
		at = (size_t)(end - text) + 1;
	}
	*ret_tree = tree;
	tree = (struct patchtree)PATCHTREE_INIT;
	return 0;
}

void
patchtree_digest(const struct patchtree *tree, struct digest *ret_digest)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;

	patchtree_list(tree, &list);
	digest_of(DIGEST_SHA256, list.buf, list.len, ret_digest);
}

void
patchtree_compare(const struct patchtree *want, const struct patchtree *got,
    void (*differs)(void *arg, const char *path, enum patchtree_difference how),
    void *arg)
{
	size_t w = 0;
	size_t g = 0;

	while (w < want->nr || g < got->nr) {
		int order = w == want->nr ? 1
		    : g == got->nr        ? -1
				   : strcmp(want->v[w].path, got->v[g].path);

		if (order < 0)
			differs(arg, want->v[w++].path, PATCHTREE_MISSING);
		else if (order > 0)
			differs(arg, got->v[g++].path, PATCHTREE_EXTRA);
		else if (!digest_equal(
			     &want->v[w++].digest, &got->v[g++].digest))
			differs(arg, want->v[w - 1].path, PATCHTREE_CHANGED);
	}
}

/* A copy in work. */
struct placing {
	int src_fd; /* borrowed */
	int parent_fd; /* owned; the directory of the copies */
	const char *name; /* of the copy in it */
	int stage_fd; /* owned */
	char stage[FS_TEMP_SIZE]; /* its name */
	struct strvec dirs; /* in the stage */
	struct diag *dg;
};

int
patchtree_copy_file(const struct patchtree_file *f, int in, int out,
    off_t *ret_size, struct diag *dg)
{
	cleanup_free char *buf = xmalloc(CHUNK);
	struct digest_stream *stream = digest_begin(DIGEST_SHA256);
	struct digest digest;
	off_t size = 0;
	ssize_t n;
	int rc = 0;

	while (rc == 0 && (n = read(in, buf, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = diag_set_errno(
			    dg, DIAG_IO, errno, "read %s", f->path);
			break;
		}
		digest_add(stream, buf, (size_t)n);
		size += n;
		rc = fs_write_all(out, buf, (size_t)n, f->path, dg);
	}
	digest_end(stream, &digest);
	if (rc == 0 && !digest_equal(&digest, &f->digest))
		rc = diag_set(dg, DIAG_DATA,
		    "%s: it changed while it was copied", f->path);
	if (rc == 0)
		*ret_size = size;
	return rc;
}

/* Makes the directories of a file in the stage, and notes them. */
static int
make_parents(struct placing *p, const char *path)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *dir = NULL;
	cleanup_close int fd = -1;

	if (slash == NULL)
		return 0;
	dir = xstrndup(path, (size_t)(slash - path));
	if (p->dirs.nr > 0 && strcmp(p->dirs.v[p->dirs.nr - 1], dir) == 0)
		return 0;
	for (char *s = strchr(dir, '/'); s != NULL; s = strchr(s + 1, '/')) {
		*s = '\0';
		strvec_push(&p->dirs, dir);
		*s = '/';
	}
	strvec_push(&p->dirs, dir);
	return fs_make_dirs(p->stage_fd, dir, DIR_MODE, &fd, p->dg);
}

static int
copy_file(struct placing *p, const struct patchtree_file *f)
{
	cleanup_close int in = -1;
	cleanup_close int out = -1;
	off_t size;

	if (fs_open_nolinks(p->src_fd, f->path,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &in, p->dg) != 0 ||
	    make_parents(p, f->path) != 0 ||
	    fs_open_nolinks(p->stage_fd, f->path,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, &out,
		p->dg) != 0 ||
	    patchtree_copy_file(f, in, out, &size, p->dg) != 0)
		return -1;
	if (fchmod(out, FILE_MODE) < 0)
		return diag_set_errno(
		    p->dg, DIAG_IO, errno, "chmod %s", f->path);
	return 0;
}

static int
flush(struct placing *p, const char *path)
{
	cleanup_close int fd = -1;

	if (fs_open_nolinks(p->stage_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY,
		0, &fd, p->dg) != 0)
		return -1;
	if (fsync(fd) < 0)
		return diag_set_errno(p->dg, DIAG_IO, errno, "sync %s", path);
	return 0;
}

/*
 * Flushes the stage when all of it is written: the first flushes do most of the
 * work of the others.
 */
static int
flush_all(struct placing *p, const struct patchtree *tree)
{
	for (size_t i = 0; i < tree->nr; i++)
		if (flush(p, tree->v[i].path) != 0)
			return -1;
	strvec_sort(&p->dirs);
	for (size_t i = 0; i < p->dirs.nr; i++)
		if ((i == 0 || strcmp(p->dirs.v[i - 1], p->dirs.v[i]) != 0) &&
		    flush(p, p->dirs.v[i]) != 0)
			return -1;
	return flush(p, ".");
}

/*
 * Gives an entry in work its final name.  What had the name, of whatever type,
 * then has the name of the entry in work.
 */
static int
exchange(struct placing *p, const char *temp, const char *name)
{
	if (renameat2(p->parent_fd, temp, p->parent_fd, name,
		RENAME_NOREPLACE) == 0 ||
	    (errno == EEXIST &&
		renameat2(p->parent_fd, temp, p->parent_fd, name,
		    RENAME_EXCHANGE) == 0))
		return 0;
	return diag_set_errno(p->dg, DIAG_IO, errno, "rename %s", name);
}

static int
sync_parent(struct placing *p)
{
	if (fsync(p->parent_fd) < 0)
		return diag_set_errno(
		    p->dg, DIAG_IO, errno, "sync the directory of %s", p->name);
	return 0;
}

/* Removes an entry in work, or what had its final name before. */
static int
remove_old(struct placing *p, const char *temp, int rc)
{
	cleanup_diag struct diag failure = DIAG_INIT;

	if (fs_remove_tree(p->parent_fd, temp, &failure) != 0 && rc == 0)
		return diag_move(p->dg, &failure);
	return rc;
}

static int
place_list(struct placing *p, const struct patchtree *tree)
{
	cleanup_free char *name =
	    xasprintf("%s" PATCHTREE_LIST_SUFFIX, p->name);
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	char temp[FS_TEMP_SIZE];
	cleanup_close int fd = -1;
	int rc;

	patchtree_list(tree, &list);
	if (fs_temp_create(p->parent_fd, name, temp, &fd, p->dg) != 0)
		return -1;
	rc = fs_write_all(fd, list.buf, list.len, name, p->dg);
	if (rc == 0 && fchmod(fd, FILE_MODE) < 0)
		rc = diag_set_errno(p->dg, DIAG_IO, errno, "chmod %s", name);
	if (rc == 0 && fsync(fd) < 0)
		rc = diag_set_errno(p->dg, DIAG_IO, errno, "sync %s", name);
	if (rc == 0)
		rc = exchange(p, temp, name);
	if (rc == 0)
		rc = sync_parent(p);
	return remove_old(p, temp, rc);
}

static int
remove_leftovers(struct placing *p)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (fs_list_names(p->parent_fd, "the directory of the copies", &names,
		p->dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		/* ".NAME.RANDOM", which no copy is called */
		const char *name = names.v[i];
		size_t len = strlen(name);

		if (name[0] == '.' && len > RANDOM_LEN + 2 &&
		    name[len - RANDOM_LEN - 1] == '.' &&
		    strspn(name + len - RANDOM_LEN,
			"abcdefghijklmnopqrstuvwxyz0123456789") == RANDOM_LEN &&
		    fs_remove_tree(p->parent_fd, name, p->dg) != 0)
			return -1;
	}
	return 0;
}

/* Opens the directory of the copies; an agent may have put a link there. */
static int
open_parent(struct placing *p, int project_fd, const char *path)
{
	cleanup_diag struct diag failure = DIAG_INIT;
	cleanup_diag struct diag link = DIAG_INIT;
	cleanup_close int fd = -1;

	if (fs_make_dirs(project_fd, path, DIR_MODE, &p->parent_fd, &failure) ==
	    0)
		return 0;
	if (fs_open_nolinks(
		project_fd, path, O_PATH | O_DIRECTORY, 0, &fd, &link) != 0 &&
	    link.errnum == ELOOP)
		return diag_move(p->dg, &link);
	return diag_move(p->dg, &failure);
}

int
patchtree_place(int src_fd, const struct patchtree *tree, int project_fd,
    const char *copy_path, struct diag *dg)
{
	const char *slash = strrchr(copy_path, '/');
	cleanup_free char *dir = NULL;
	struct placing p = {
		.src_fd = src_fd,
		.parent_fd = -1,
		.name = slash + 1,
		.stage_fd = -1,
		.dirs = STRVEC_INIT,
		.dg = dg,
	};
	char random[RANDOM_LEN + 1];
	int rc = -1;

	assert(slash != NULL);
	dir = xstrndup(copy_path, (size_t)(slash - copy_path));
	if (open_parent(&p, project_fd, dir) == 0 &&
	    remove_leftovers(&p) == 0) {
		fs_random_name(random, sizeof(random));
		(void)snprintf(
		    p.stage, sizeof(p.stage), ".%.200s.%s", p.name, random);
		rc = fs_make_dir(
		    p.parent_fd, p.stage, DIR_MODE, &p.stage_fd, dg);
		for (size_t i = 0; rc == 0 && i < tree->nr; i++)
			rc = copy_file(&p, &tree->v[i]);
		if (rc == 0)
			rc = flush_all(&p, tree);
		if (rc == 0)
			rc = exchange(&p, p.stage, p.name);
		if (rc == 0)
			rc = sync_parent(&p);
		if (rc == 0)
			rc = place_list(&p, tree);
		rc = remove_old(&p, p.stage, rc);
	}
	cleanup_close_fn(&p.stage_fd);
	cleanup_close_fn(&p.parent_fd);
	strvec_release(&p.dirs);
	return rc == 0 ? 0 : diag_wrap(dg, "place %s", copy_path);
}
