/* SPDX-License-Identifier: MIT */
/* context: collects an image's sources and packs them in one fixed way. */
#include "engine/context.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
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

static int add_tree(struct files *files, int dirfd, const char *prefix,
    int depth, struct diag *dg);

static int
add_one(struct files *files, int dirfd, const char *prefix, const char *name,
    int depth, struct diag *dg)
{
	int fd cleanup_close = -1;
	struct file *file = NULL;
	struct stat st;

	if (fs_open_nolinks(
		dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, dg) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "stat %s", name);
	if (S_ISDIR(st.st_mode)) {
		cleanup_free char *dir = xasprintf("%s%s/", prefix, name);

		if (add_file(files, xstrdup(dir), &file, dg) < 0)
			return -1;
		return add_tree(files, steal_fd(&fd), dir, depth + 1, dg);
	}
	if (add_file(files, xasprintf("%s%s", prefix, name), &file, dg) < 0)
		return -1;
	return fs_read_fd(fd, name, FILE_MAX, &file->data, dg);
}

/* dirfd is given. */
static int
add_tree(struct files *files, int dirfd, const char *prefix, int depth,
    struct diag *dg)
{
	DIR *dir cleanup_closedir = fdopendir(dirfd);
	struct dirent *entry;

	if (dir == NULL) {
		cleanup_close_fn(&dirfd);
		return diag_set_errno(dg, DIAG_IO, errno, "read %s", prefix);
	}
	if (depth > DEPTH_MAX)
		return diag_set(
		    dg, DIAG_DATA, "%s: more than %d deep", prefix, DEPTH_MAX);
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (add_one(files, dirfd, prefix, name, depth, dg) < 0)
			return -1;
	}
	if (errno != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "read %s", prefix);
	return 0;
}

static int
add_images_dir(struct files *files, const struct paths *paths, const char *name,
    const char *prefix, struct diag *dg)
{
	cleanup_free char *path =
	    xasprintf("%s/images/%s", paths->data_dir, name);
	struct file *file;
	int fd = -1;

	if (*prefix != '\0' && add_file(files, xstrdup(prefix), &file, dg) < 0)
		return -1;
	if (fs_open_dir(path, &fd, dg) < 0)
		return -1;
	if (add_tree(files, fd, prefix, 0, dg) < 0)
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
	    add_images_dir(files, paths, "lib", "lib/", dg) < 0 ||
	    add_holder(files, paths, dg) < 0)
		return -1;
	sort_files(files);
	if (add_manifest(files, dg) < 0)
		return -1;
	return pack(files, out, dg);
}
