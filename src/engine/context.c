/* SPDX-License-Identifier: MIT */
/* context: collects an image's sources and packs them in one fixed way. */
#include "engine/context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/tarball.h"
#include "host/paths.h"

#define FILE_MAX ((size_t)64 * 1024 * 1024)
#define FILES_MAX 256
#define DEPTH_MAX 8

#define POLICY_DIR "policy/"
#define MANIFEST "policy.sha256"

struct file {
	char *path; /* owned; in the tar; a directory's ends in a slash */
	struct strbuf data;
};

struct files {
	struct file v[FILES_MAX];
	size_t nr;
};

static void
files_free(struct files **filesp)
{
	struct files *files = *filesp;

	for (size_t i = 0; i < files->nr; i++) {
		free(files->v[i].path);
		strbuf_release(&files->v[i].data);
	}
	free(files);
}

#define cleanup_files __attribute__((cleanup(files_free)))

/* path is given. */
static int
add_file(
    struct files *files, char *path, struct file **ret_file, struct diag *dg)
{
	cleanup_free char *owned = path;
	struct file *file;

	if (files->nr == FILES_MAX)
		return diag_set(dg, DIAG_DATA,
		    "%s: an image has more than %d files", path, FILES_MAX);
	file = &files->v[files->nr++];
	file->path = steal_ptr(&owned);
	strbuf_init(&file->data);
	*ret_file = file;
	return 0;
}

/* Adds what walk->path names, and what is in it. */
static int
add_entry(struct fs_walk *walk, int dirfd, const char *name)
{
	struct files *files = walk->arg;
	const char *path = walk->path.buf;
	int fd cleanup_close = -1;
	struct file *file = NULL;
	struct stat st;

	if (fs_open_nolinks(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
		&fd, walk->dg) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return fs_walk_fail(walk, "stat");
	if (S_ISDIR(st.st_mode)) {
		if (add_file(files, xasprintf("%s/", path), &file, walk->dg) <
		    0)
			return -1;
		return fs_walk_read(walk, steal_fd(&fd));
	}
	if (add_file(files, xstrdup(path), &file, walk->dg) < 0)
		return -1;
	return fs_read_fd(fd, name, FILE_MAX, &file->data, walk->dg);
}

/* dirfd is given; at is where its contents are in the tar, or empty. */
static int
add_tree(struct files *files, int dirfd, const char *at, struct diag *dg)
{
	struct fs_walk walk cleanup_fs_walk = {
		.visit = add_entry,
		.arg = files,
		.dg = dg,
		.label = "",
		.path = STRBUF_INIT,
		.max_depth = DEPTH_MAX,
		.too_deep = DIAG_DATA,
	};

	strbuf_addstr(&walk.path, at);
	return fs_walk_read(&walk, dirfd);
}

static int
add_images_dir(struct files *files, const struct paths *paths, const char *name,
    const char *at, struct diag *dg)
{
	cleanup_free char *path =
	    xasprintf("%s/images/%s", paths->data_dir, name);
	struct file *file;
	int fd = -1;

	if (*at != '\0' && add_file(files, xasprintf("%s/", at), &file, dg) < 0)
		return -1;
	if (fs_open_dir(path, &fd, dg) < 0)
		return -1;
	if (add_tree(files, fd, at, dg) < 0)
		return diag_wrap(dg, "%s", path);
	return 0;
}

static int
add_holder(struct files *files, const struct paths *paths, struct diag *dg)
{
	int dirfd cleanup_close = -1;
	struct file *file = NULL;

	if (fs_open_dir(paths->libexec_dir, &dirfd, dg) < 0 ||
	    add_file(files, xstrdup("holder"), &file, dg) < 0)
		return -1;
	if (fs_read_file(dirfd, "holder", FILE_MAX, &file->data, dg) < 0)
		return diag_wrap(dg, "%s", paths->libexec_dir);
	return 0;
}

static int
compare_files(const void *a, const void *b)
{
	return strcmp(
	    ((const struct file *)a)->path, ((const struct file *)b)->path);
}

static void
sort_files(struct files *files)
{
	qsort(files->v, files->nr, sizeof(files->v[0]), compare_files);
}

static bool
is_dir(const struct file *file)
{
	return file->path[strlen(file->path) - 1] == '/';
}

/* As sha256sum(1) prints it, relative to where the policy is installed. */
static int
add_manifest(struct files *files, struct diag *dg)
{
	cleanup_strbuf struct strbuf manifest = STRBUF_INIT;
	const size_t skip = strlen(POLICY_DIR);
	struct file *file;

	for (size_t i = 0; i < files->nr; i++) {
		char hex[DIGEST_HEX_SIZE];

		file = &files->v[i];
		if (strncmp(file->path, POLICY_DIR, skip) != 0 || is_dir(file))
			continue;
		digest_bytes(file->data.buf, file->data.len, hex);
		strbuf_addf(&manifest, "%s  %s\n", hex, file->path + skip);
	}
	if (manifest.len == 0)
		return 0;
	if (add_file(files, xstrdup(MANIFEST), &file, dg) < 0)
		return -1;
	strbuf_add(&file->data, manifest.buf, manifest.len);
	sort_files(files);
	return 0;
}

static mode_t
mode_of(const struct file *file)
{
	if (is_dir(file) || strcmp(file->path, "holder") == 0 ||
	    strncmp(file->path, "lib/", 4) == 0)
		return 0555;
	return 0444;
}

static int
pack(const struct files *files, struct strbuf *out, struct diag *dg)
{
	struct tarball *tar = tarball_new(out, false);

	for (size_t i = 0; i < files->nr; i++) {
		const struct file *file = &files->v[i];

		if (is_dir(file))
			tarball_add_dir(tar, file->path, mode_of(file));
		else
			tarball_add_file(tar, file->path, mode_of(file),
			    file->data.buf, file->data.len);
	}
	return tarball_finish(tar, dg);
}

int
context_pack(const char *kind, const struct paths *paths, struct strbuf *out,
    struct diag *dg)
{
	cleanup_files struct files *files = xcalloc(1, sizeof(*files));

	if (add_images_dir(files, paths, kind, "", dg) < 0 ||
	    add_images_dir(files, paths, "lib", "lib", dg) < 0 ||
	    add_holder(files, paths, dg) < 0)
		return -1;
	sort_files(files);
	if (add_manifest(files, dg) < 0)
		return -1;
	return pack(files, out, dg);
}
