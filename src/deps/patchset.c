/* SPDX-License-Identifier: MIT */
/* Opens a project's patches for one writer. */
#include "deps/patchset.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-temp.h"
#include "base/fs.h"
#include "base/lock.h"
#include "base/xalloc.h"
#include "deps/patchtext.h"

#define LOCK "patches.lock"
#define OPEN_DIR (O_RDONLY | O_DIRECTORY)

static const char ignored[] = "/edit/\n/patched/\n/patches.lock\n";

static int
read_file(int dirfd, struct patchset_file *file, size_t max, struct diag *dg)
{
	cleanup_diag struct diag mine = DIAG_INIT;
	cleanup_close int fd = -1;
	struct stat st;

	file->exists = true;
	if (fs_open_nolinks(dirfd, file->name, O_RDONLY | O_NONBLOCK | O_NOCTTY,
		0, &fd, &mine) != 0) {
		file->exists = mine.errnum != ENOENT;
		if (file->exists)
			diag_move(dg, &mine);
		return file->exists ? -1 : 0;
	}
	if (fstat(fd, &st) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "stat %s", file->name);
	file->mode = st.st_mode & 0777;
	return fs_read_fd(fd, file->name, max, &file->text, dg);
}

static int
read_texts(const struct patchset *set, const struct ecosystem *eco,
    struct patchset_files *files, struct diag *dg)
{
	if (read_file(
		set->project_fd, &files->manifest, eco->manifest_max, dg) != 0)
		return -1;
	return read_file(set->project_fd, &files->lock, eco->lock_max, dg);
}

/* Files without patches do not stop what is done to those of another one. */
static int
read_files(struct patchset *set, const struct ecosystem *eco, struct diag *dg)
{
	cleanup_diag struct diag failure = DIAG_INIT;
	struct patchset_files *files = patchset_files(set, eco);

	if (read_texts(set, eco, files, &failure) == 0)
		return 0;
	if (patchledger_part(&set->ledger, eco->name).nr > 0 ||
	    eco->has_mark(files->manifest.text.buf, files->manifest.text.len)) {
		diag_move(dg, &failure);
		return -1;
	}
	diag_move(&files->unreadable, &failure);
	files->manifest.exists = false;
	files->lock.exists = false;
	strbuf_reset(&files->manifest.text);
	strbuf_reset(&files->lock.text);
	return 0;
}

int
patchset_check_readable(
    struct patchset *set, const struct ecosystem *eco, struct diag *dg)
{
	const struct diag *failure = &patchset_files(set, eco)->unreadable;

	if (failure->class == DIAG_NONE)
		return 0;
	return diag_set(dg, failure->class, "%s", failure->message);
}

static int
take_lock(struct patchset *set, struct diag *dg)
{
	enum lock_answer answer = LOCK_GONE;

	for (int i = 0; i < 10 && answer == LOCK_GONE; i++) {
		if (set->dir_fd >= 0)
			(void)close(steal_fd(&set->dir_fd));
		if (fs_make_dir(set->project_fd, PATCHSET_DIR, 0755,
			&set->dir_fd, dg) != 0 ||
		    lock_try(set->dir_fd, LOCK, true, &answer, &set->lock_fd,
			dg) != 0)
			return -1;
	}
	if (answer == LOCK_WON)
		return 0;
	return diag_set(dg, DIAG_BUSY,
	    "another drydock changes the patches of %s; try again",
	    set->project->path);
}

int
patchset_open(struct patchset *ret_set, const struct patches_project *project,
    struct diag *dg)
{
	struct patchset *set = ret_set;

	*set = (struct patchset){
		.project = project,
		.project_fd = -1,
		.dir_fd = -1,
		.lock_fd = -1,
		.ledger = PATCHLEDGER_INIT,
		.tools = PATCHTOOLS_INIT,
	};
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		set->files[i].manifest.name = ecosystems[i]->manifest;
		set->files[i].lock.name = ecosystems[i]->lock;
		strbuf_init(&set->files[i].manifest.text);
		strbuf_init(&set->files[i].lock.text);
	}
	if (fs_open_nolinks(
		project->fd, ".", OPEN_DIR, 0, &set->project_fd, dg) != 0 ||
	    take_lock(set, dg) != 0)
		return -1;
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		fs_temp_clean(set->project_fd, set->files[i].manifest.name);
		fs_temp_clean(set->project_fd, set->files[i].lock.name);
	}
	fs_temp_clean(set->dir_fd, PATCHSET_LEDGER);
	fs_temp_clean(set->dir_fd, PATCHSET_IGNORE);
	if (patchledger_read(set->project_fd, &set->ledger, dg) != 0)
		return -1;
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		if (read_files(set, ecosystems[i], dg) != 0)
			return -1;
	return 0;
}

/* Removes the empty directories of all ecosystems below one of .drydock. */
static void
remove_empty(const struct patchset *set, const char *parent)
{
	cleanup_diag struct diag absent = DIAG_INIT;
	cleanup_close int fd = -1;

	if (fs_open_nolinks(set->dir_fd, parent, OPEN_DIR, 0, &fd, &absent) !=
	    0)
		return;
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		(void)unlinkat(fd, ecosystems[i]->name, AT_REMOVEDIR);
	(void)unlinkat(set->dir_fd, parent, AT_REMOVEDIR);
}

/* Removes .drydock if it has only what drydock makes again. */
static void
remove_unused(struct patchset *set)
{
	static const char *const dirs[] = { "patches", "patched", "edit" };
	struct patchset_file ignore = { PATCHSET_IGNORE, false, 0,
		STRBUF_INIT };
	cleanup_diag struct diag dg = DIAG_INIT;
	struct stat st;
	bool mine;

	if (fstatat(set->dir_fd, PATCHSET_LEDGER, &st, AT_SYMLINK_NOFOLLOW) ==
		0 ||
	    errno != ENOENT)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		remove_empty(set, dirs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (fstatat(set->dir_fd, dirs[i], &st, AT_SYMLINK_NOFOLLOW) ==
		    0)
			return;
	mine = read_file(set->dir_fd, &ignore, PATH_MAX, &dg) == 0 &&
	    ignore.exists && strcmp(ignore.text.buf, ignored) == 0;
	if (mine)
		(void)unlinkat(set->dir_fd, PATCHSET_IGNORE, 0);
	if (mine || !ignore.exists)
		(void)unlinkat(set->dir_fd, LOCK, 0);
	(void)unlinkat(set->project_fd, PATCHSET_DIR, AT_REMOVEDIR);
	strbuf_release(&ignore.text);
}

void
patchset_close(struct patchset *set)
{
	if (set->lock_fd >= 0)
		remove_unused(set);
	patchtools_close(&set->tools);
	patchledger_release(&set->ledger);
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		diag_clear(&set->files[i].unreadable);
		strbuf_release(&set->files[i].manifest.text);
		strbuf_release(&set->files[i].lock.text);
	}
	cleanup_close_fn(&set->lock_fd);
	cleanup_close_fn(&set->dir_fd);
	cleanup_close_fn(&set->project_fd);
}

int
patchset_open_dir(const struct patchset *set, const char *path, bool create,
    int *ret_fd, struct diag *dg)
{
	if (!create)
		return fs_open_nolinks(
		    set->project_fd, path, OPEN_DIR, 0, ret_fd, dg);
	if (fs_make_dirs(set->project_fd, path, 0755, ret_fd, dg) != 0)
		return diag_wrap(dg, "make %s", path);
	return 0;
}

int
patchset_write_ignore(
    const struct patchset *set, struct patches_report *report, struct diag *dg)
{
	struct stat st;

	if (fstatat(set->dir_fd, PATCHSET_IGNORE, &st, AT_SYMLINK_NOFOLLOW) ==
	    0)
		return 0;
	if (fs_replace_file(set->dir_fd, PATCHSET_IGNORE, ignored,
		sizeof(ignored) - 1, 0644, dg) != 0)
		return diag_wrap(dg, PATCHSET_DIR);
	if (report != NULL)
		strvec_push(
		    &report->steps, "wrote " PATCHSET_DIR "/" PATCHSET_IGNORE);
	return 0;
}

struct patchset_files *
patchset_files(struct patchset *set, const struct ecosystem *eco)
{
	size_t i = 0;

	while (ecosystems[i] != eco)
		i++;
	return &set->files[i];
}

char *
patchset_edit_path(const struct patchledger_entry *entry)
{
	cleanup_free char *file = patchledger_file_name(entry);

	return xasprintf(PATCHSET_EDIT "%s/%s", entry->ecosystem, file);
}

int
patchset_keep(const struct patchset *set, const struct ecosystem *eco,
    int from_fd, const char *label, const char *name,
    struct patches_report *report, struct diag *dg)
{
	cleanup_free char *dir = xasprintf(PATCHSET_EDIT "%s", eco->name);
	cleanup_free char *kept = NULL;
	cleanup_close int fd = -1;
	char random[9];

	fs_random_name(random, sizeof(random));
	kept = xasprintf("%s.%s", name, random);
	if (patchset_open_dir(set, dir, true, &fd, dg) != 0)
		return -1;
	if (renameat2(from_fd, name, fd, kept, RENAME_NOREPLACE) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "keep %s/%s", label, name);
	strvec_pushf(
	    &report->steps, "kept %s/%s as %s/%s", label, name, dir, kept);
	return 0;
}

void
patchset_add_base(struct strbuf *out, const struct patchledger_entry *entry)
{
	if (entry->patch.kind == DIGEST_NONE)
		strbuf_addstr(out, "none");
	else
		digest_add_hex(out, &entry->patch);
	strbuf_addch(out, '\n');
}

int
patchset_write_base(int edit_fd, const struct patchledger_entry *entry,
    const struct strbuf *lines, struct diag *dg)
{
	cleanup_free char *file = patchledger_file_name(entry);
	cleanup_free char *name = xasprintf("%s" PATCHSET_BASE_SUFFIX, file);
	cleanup_strbuf struct strbuf now = STRBUF_INIT;
	cleanup_diag struct diag other = DIAG_INIT;

	fs_temp_clean(edit_fd, name);
	if (fs_read_file(edit_fd, name, PATCHSET_BASE_MAX, &now, &other) == 0 &&
	    now.len == lines->len && memcmp(now.buf, lines->buf, now.len) == 0)
		return 0;
	return fs_replace_file(edit_fd, name, lines->buf, lines->len, 0644, dg);
}

int
patchset_set_base(
    int edit_fd, const struct patchledger_entry *entry, struct diag *dg)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	patchset_add_base(&line, entry);
	return patchset_write_base(edit_fd, entry, &line, dg);
}

void
patchset_tree_release(struct patchset_tree *tree)
{
	cleanup_close_fn(&tree->fd);
	patchtree_release(&tree->files);
}

int
patchset_tools(struct patchset *set, struct diag *dg)
{
	if (set->tools.dir_fd >= 0)
		return 0;
	return patchtools_open(&set->tools, set->project->paths, dg);
}

static int
apply_patch(struct patchset *set, const struct patchledger_entry *entry,
    const struct strbuf *patch, struct patchset_tree *tree, struct diag *dg)
{
	cleanup_strbuf struct strbuf before = STRBUF_INIT;
	cleanup_strbuf struct strbuf after = STRBUF_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_free char *what =
	    xasprintf("%s %s", entry->name, entry->version);
	const struct ecosystem *eco = ecosystem_find(entry->ecosystem);

	if (eco->judge_names != NULL &&
	    (patchtext_judge(patch->buf, patch->len, what, &names, dg) != 0 ||
		eco->judge_names(&names, what, dg) != 0))
		return -1;
	if (fs_read_file(
		tree->fd, eco->manifest, eco->manifest_max, &before, dg) != 0)
		return diag_wrap(dg, "%s", what);
	if (patchtools_apply(
		&set->tools, tree->name, patch->buf, patch->len, dg) != 0 ||
	    fs_read_file(
		tree->fd, eco->manifest, eco->manifest_max, &after, dg) != 0)
		return diag_wrap(dg, "the patch of %s", what);
	return eco->compare(
	    before.buf, before.len, after.buf, after.len, what, dg);
}

int
patchset_build(struct patchset *set, const struct patchledger_entry *entry,
    const struct strbuf *patch, const char *name, struct patchset_tree *ret,
    struct diag *dg)
{
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
	const struct ecosystem *eco = ecosystem_find(entry->ecosystem);

	if (patchset_tools(set, dg) != 0 ||
	    eco->read(set->project->sources, entry->name, entry->version,
		&entry->pristine, &bytes, dg) != 0)
		return -1;
	if (name != NULL)
		(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	else
		(void)snprintf(
		    ret->name, sizeof(ret->name), "tree%zu", set->ntrees++);
	if (patchtools_make_dir(&set->tools, ret->name, &ret->fd, dg) != 0 ||
	    eco->unpack(bytes.buf, bytes.len, entry->name, entry->version,
		ret->fd, dg) != 0)
		return -1;
	if (patch != NULL && apply_patch(set, entry, patch, ret, dg) != 0)
		return -1;
	return patchtree_read(ret->fd, &ret->files, dg);
}

int
patchset_pack(struct patchset *set, const struct ecosystem *eco,
    struct patchset_tree *tree, int modes_fd, struct digest *ret_integrity,
    struct diag *dg)
{
	cleanup_patchset_tree struct patchset_tree packed = PATCHSET_TREE_INIT;
	struct patchset_tree files = *tree;

	*ret_integrity = (struct digest){ .kind = DIGEST_NONE };
	if (eco->pack == NULL)
		return 0;
	(void)snprintf(
	    packed.name, sizeof(packed.name), "tree%zu", set->ntrees++);
	if (patchtools_make_dir(&set->tools, packed.name, &packed.fd, dg) !=
		0 ||
	    eco->pack(tree->fd, &tree->files, modes_fd, packed.fd,
		ret_integrity, dg) != 0 ||
	    patchtree_read(packed.fd, &packed.files, dg) != 0)
		return -1;
	*tree = packed;
	packed = files; /* released */
	return 0;
}

int
patchset_read_patch(const struct patchset *set,
    const struct patchledger_entry *entry, struct strbuf *out, struct diag *dg)
{
	cleanup_free char *path = patchledger_patch_path(entry);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag failure = DIAG_INIT;
	cleanup_close int fd = -1;

	if (fs_open_nolinks(set->project_fd, path,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, &failure) != 0) {
		if (failure.errnum == ENOENT)
			return diag_set(dg, DIAG_NO,
			    "%s is missing: restore it, or run: drydock patch "
			    "remove %s@%s",
			    path, entry->name, entry->version);
		diag_move(dg, &failure);
		return -1;
	}
	if (fs_read_fd(fd, path, PATCHTEXT_MAX_SIZE, out, dg) != 0)
		return -1;
	return patchtext_judge(out->buf, out->len, path, &names, dg);
}
