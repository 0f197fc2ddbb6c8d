/* SPDX-License-Identifier: MIT */
/* context: collects the sources of an image and packs them reproducibly. */
#include "engine/context.h"

#include <assert.h>
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
#include "host/agent.h"
#include "host/paths.h"

#define FILE_MAX ((size_t)64 * 1024 * 1024)
#define FILES_MAX 256
#define DEPTH_MAX 8

#define LIB_DIR "lib/"
#define HOLDER "holder"
#define POLICY_DIR "policy/"
#define MANIFEST "policy.sha256"

struct file {
	char *path; /* owned; below images/; a directory ends in a slash */
	struct strbuf data;
	char digest[DIGEST_HEX_SIZE]; /* digest of data */
};

struct context_files {
	struct file v[FILES_MAX];
	size_t nr;
};

struct entry {
	const char *path; /* borrowed; path in the tar */
	const struct file *file;
};

/* The entries of one image, sorted. */
struct entries {
	struct entry *v; /* owned */
	size_t nr;
	struct file *made; /* owned; generated files, not installed ones */
	size_t nmade;
};

#define ENTRIES_INIT             \
	{                        \
		NULL, 0, NULL, 0 \
	}

static void
release_files(struct file *v, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(v[i].path);
		strbuf_release(&v[i].data);
	}
}

static void
entries_release(struct entries *entries)
{
	release_files(entries->made, entries->nmade);
	free(entries->made);
	free(entries->v);
}

#define cleanup_entries __attribute__((cleanup(entries_release)))

void
context_files_freep(struct context_files **filesp)
{
	if (*filesp != NULL)
		release_files((*filesp)->v, (*filesp)->nr);
	free(*filesp);
	*filesp = NULL;
}

/* path is given. */
static int
add_file(struct context_files *files, char *path, struct file **ret_file,
    struct diag *dg)
{
	cleanup_free char *owned = path;
	struct file *file;

	if (files->nr == FILES_MAX)
		return diag_set(dg, DIAG_DATA,
		    "%s: the images have more than %d files", path, FILES_MAX);
	file = &files->v[files->nr++];
	file->path = steal_ptr(&owned);
	strbuf_init(&file->data);
	*ret_file = file;
	return 0;
}

/* fd is borrowed.  name is for messages. */
static int
add_data(struct context_files *files, const char *path, int fd,
    const char *name, struct diag *dg)
{
	struct file *file = NULL;

	if (add_file(files, xstrdup(path), &file, dg) != 0 ||
	    fs_read_fd(fd, name, FILE_MAX, &file->data, dg) != 0)
		return -1;
	assert(file != NULL);
	digest_bytes(file->data.buf, file->data.len, file->digest);
	return 0;
}

/* Adds the file or directory at walk->path, and the contents of a directory. */
static int
add_entry(struct fs_walk *walk, int dirfd, const char *name)
{
	struct context_files *files = walk->arg;
	const char *path = walk->path.buf;
	cleanup_close int fd = -1;
	struct file *file = NULL;
	struct stat st;

	if (fs_open_nolinks(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
		&fd, walk->dg) != 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return fs_walk_fail(walk, "stat");
	if (S_ISDIR(st.st_mode)) {
		if (add_file(files, xasprintf("%s/", path), &file, walk->dg) !=
		    0)
			return -1;
		return fs_walk_read(walk, steal_fd(&fd));
	}
	return add_data(files, path, fd, name, walk->dg);
}

int
context_read(const struct paths *paths, struct context_files **ret_files,
    struct diag *dg)
{
	cleanup_context_files struct context_files *files =
	    xcalloc(1, sizeof(*files));
	cleanup_fs_walk struct fs_walk walk = {
		.visit = add_entry,
		.arg = files,
		.dg = dg,
		.label = "",
		.path = STRBUF_INIT,
		.max_depth = DEPTH_MAX,
		.too_deep = DIAG_DATA,
	};
	cleanup_free char *images = xasprintf("%s/images", paths->data_dir);
	cleanup_close int libexec_fd = -1;
	cleanup_close int holder_fd = -1;
	int images_fd = -1;

	if (fs_open_dir(images, &images_fd, dg) != 0)
		return -1;
	if (fs_walk_read(&walk, images_fd) < 0)
		return diag_wrap(dg, "%s", images);
	if (fs_open_dir(paths->libexec_dir, &libexec_fd, dg) != 0)
		return -1;
	if (fs_open_nolinks(libexec_fd, HOLDER,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &holder_fd, dg) != 0 ||
	    add_data(files, HOLDER, holder_fd, HOLDER, dg) != 0)
		return diag_wrap(dg, "%s", paths->libexec_dir);
	*ret_files = steal_ptr(&files);
	return 0;
}

static bool
is_dir(const char *path)
{
	return path[strlen(path) - 1] == '/';
}

static bool
is_below(const char *path, const char *dir)
{
	return strncmp(path, dir, strlen(dir)) == 0;
}

/* path is given. */
static struct file *
make_file(struct entries *entries, char *path)
{
	struct file *file;

	entries->made = xreallocarray(
	    entries->made, entries->nmade + 1, sizeof(*entries->made));
	file = &entries->made[entries->nmade++];
	file->path = path;
	strbuf_init(&file->data);
	return file;
}

static bool
has_made(const struct entries *entries, const char *path)
{
	for (size_t i = 0; i < entries->nmade; i++)
		if (strcmp(entries->made[i].path, path) == 0)
			return true;
	return false;
}

static void
make_guardrail(struct entries *entries, const struct agent_guardrail *g)
{
	cleanup_free char *path = xasprintf(POLICY_DIR "%s", g->path);
	struct file *file;

	for (const char *p = path; *p != '\0'; p++) {
		cleanup_free char *dir = xstrndup(path, (size_t)(p - path) + 1);

		if (*p == '/' && !has_made(entries, dir))
			(void)make_file(entries, steal_ptr(&dir));
	}
	file = make_file(entries, steal_ptr(&path));
	strbuf_add(&file->data, g->data.buf, g->data.len);
	digest_bytes(file->data.buf, file->data.len, file->digest);
}

static int
compare_entries(const void *a, const void *b)
{
	return strcmp(
	    ((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static int
compare_files(const void *a, const void *b)
{
	return strcmp(
	    ((const struct file *)a)->path, ((const struct file *)b)->path);
}

/* Makes the guardrails and their manifest.  The manifest's lines are sorted. */
static void
make_policy(struct entries *entries, const struct agent *agent)
{
	const struct agent_guardrails *g = &agent->guardrails;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct file *manifest;

	for (size_t i = 0; i < g->nr; i++)
		make_guardrail(entries, &g->v[i]);
	if (entries->nmade > 0)
		qsort(entries->made, entries->nmade, sizeof(*entries->made),
		    compare_files);
	strbuf_addf(&text, "# %s\n", g->dir != NULL ? g->dir : "none");
	for (size_t i = 0; i < entries->nmade; i++) {
		const struct file *file = &entries->made[i];

		if (!is_dir(file->path))
			strbuf_addf(&text, "%s  %s\n", file->digest,
			    file->path + strlen(POLICY_DIR));
	}
	manifest = make_file(entries, xstrdup(MANIFEST));
	strbuf_add(&manifest->data, text.buf, text.len);
	digest_bytes(text.buf, text.len, manifest->digest);
}

/* Selects the entries of one image: images/KIND and the files of all images. */
static int
choose(const struct context_files *files, const char *kind,
    const struct agent *agent, struct entries *entries, struct diag *dg)
{
	cleanup_free char *own = xasprintf("%s/", kind);
	bool known = false;

	if (agent != NULL)
		make_policy(entries, agent);
	entries->v = xcalloc(files->nr + entries->nmade, sizeof(*entries->v));
	for (size_t i = 0; i < files->nr; i++) {
		const struct file *file = &files->v[i];
		const char *path = file->path;

		if (is_below(path, own)) {
			known = true;
			path += strlen(own);
		} else if (!is_below(path, LIB_DIR) &&
		    strcmp(path, HOLDER) != 0) {
			continue;
		}
		/*
		 * A policy/ directory left by an older version's installation
		 * is ignored.
		 */
		if (*path != '\0' && !is_below(path, POLICY_DIR))
			entries->v[entries->nr++] =
			    (struct entry){ path, file };
	}
	if (!known)
		return diag_set_errno(
		    dg, DIAG_IO, ENOENT, "open images/%s", kind);
	for (size_t i = 0; i < entries->nmade; i++)
		entries->v[entries->nr++] =
		    (struct entry){ entries->made[i].path, &entries->made[i] };
	qsort(entries->v, entries->nr, sizeof(entries->v[0]), compare_entries);
	return 0;
}

static mode_t
mode_of(const char *path)
{
	if (is_dir(path) || strcmp(path, HOLDER) == 0 ||
	    is_below(path, LIB_DIR))
		return 0555;
	return 0444;
}

int
context_pack(const struct context_files *files, const char *kind,
    const struct agent *agent, struct strbuf *out, struct diag *dg)
{
	cleanup_entries struct entries entries = ENTRIES_INIT;
	struct tarball *tar;

	if (choose(files, kind, agent, &entries, dg) != 0)
		return -1;
	tar = tarball_new(out, false);
	for (size_t i = 0; i < entries.nr; i++) {
		const char *path = entries.v[i].path;
		const struct strbuf *data = &entries.v[i].file->data;

		if (is_dir(path))
			tarball_add_dir(tar, path, mode_of(path));
		else
			tarball_add_file(
			    tar, path, mode_of(path), data->buf, data->len);
	}
	return tarball_finish(tar, dg);
}

int
context_list(const struct context_files *files, const char *kind,
    const struct agent *agent, struct strbuf *out, struct diag *dg)
{
	cleanup_entries struct entries entries = ENTRIES_INIT;

	if (choose(files, kind, agent, &entries, dg) != 0)
		return -1;
	for (size_t i = 0; i < entries.nr; i++) {
		const struct entry *e = &entries.v[i];

		strbuf_addf(out, "%04o %s %s\n", mode_of(e->path),
		    is_dir(e->path) ? "-" : e->file->digest, e->path);
	}
	return 0;
}
