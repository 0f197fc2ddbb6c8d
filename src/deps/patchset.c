/* SPDX-License-Identifier: MIT */
/* Opens a project's patches for one writer. */
#include "deps/patchset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/lock.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/patchtext.h"

#define LOCK "patches.lock"
#define IGNORE ".gitignore"
#define OPEN_DIR (O_RDONLY | O_DIRECTORY)

static const char ignored[] = "/edit/\n/patched/\n/patches.lock\n";

static int
read_file(const struct patchset *set, struct patchset_file *file, size_t max,
    struct diag *dg)
{
	cleanup_close int fd = -1;
	struct stat st;

	file->exists = true;
	if (fs_open_nolinks(set->project_fd, file->name,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, dg) != 0) {
		file->exists = dg->errnum != ENOENT;
		return diag_ignore(dg, ENOENT);
	}
	if (fstat(fd, &st) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "stat %s", file->name);
	file->mode = st.st_mode & 0777;
	return fs_read_fd(fd, file->name, max, &file->text, dg);
}

struct patchset_files *
patchset_files(struct patchset *set, const struct ecosystem *eco)
{
	size_t i = 0;

	while (ecosystems[i] != eco)
		i++;
	return &set->files[i];
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

/* Files without patches do not stop what is done to those of another one. */
static int
read_files(struct patchset *set, const struct ecosystem *eco, struct diag *dg)
{
	cleanup_diag struct diag failure = DIAG_INIT;
	struct patchset_files *files = patchset_files(set, eco);

	if (read_file(set, &files->manifest, eco->manifest_max, &failure) ==
		0 &&
	    read_file(set, &files->lock, eco->lock_max, &failure) == 0)
		return 0;
	if (patchledger_part(&set->ledger, eco->name).nr > 0 ||
	    eco->has_mark(files->manifest.text.buf, files->manifest.text.len))
		return diag_move(dg, &failure);
	diag_move(&files->unreadable, &failure);
	files->manifest.exists = false;
	files->lock.exists = false;
	strbuf_reset(&files->manifest.text);
	strbuf_reset(&files->lock.text);
	return 0;
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

static void
copy_ledger(const struct patchledger *ledger, struct patchledger *ret_copy)
{
	for (size_t i = 0; i < ledger->nr; i++) {
		const struct patchledger_entry *e = &ledger->v[i];
		struct patchledger_entry copy = *e;

		copy.ecosystem = xstrdup(e->ecosystem);
		copy.name = xstrdup(e->name);
		copy.version = xstrdup(e->version);
		copy.fragment = xstrdup(e->fragment);
		patchledger_put(ret_copy, &copy);
	}
}

int
patchset_open(struct patchset *ret_set, const struct patches_project *project,
    struct diag *dg)
{
	struct patchset *set = ret_set;

	*set = (struct patchset)PATCHSET_INIT;
	set->project = project;
	if (fs_open_nolinks(
		project->fd, ".", OPEN_DIR, 0, &set->project_fd, dg) != 0 ||
	    take_lock(set, dg) != 0)
		return -1;
	fs_temp_clean(set->dir_fd, PATCHSET_LEDGER);
	fs_temp_clean(set->dir_fd, IGNORE);
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		struct patchset_files *files = &set->files[i];

		files->manifest.name = ecosystems[i]->manifest;
		files->lock.name = ecosystems[i]->lock;
		strbuf_init(&files->manifest.text);
		strbuf_init(&files->lock.text);
		fs_temp_clean(set->project_fd, files->manifest.name);
		fs_temp_clean(set->project_fd, files->lock.name);
	}
	if (patchledger_read(set->project_fd, &set->ledger, dg) != 0)
		return -1;
	copy_ledger(&set->ledger, &set->want);
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		if (read_files(set, ecosystems[i], dg) != 0)
			return -1;
	return 0;
}

/* Removes .drydock if it has only what drydock makes again. */
static void
remove_unused(struct patchset *set)
{
	static const char *const dirs[] = { "patches", "patched", "edit" };
	bool is_used = false;
	struct stat st;

	if (fstatat(set->dir_fd, PATCHSET_LEDGER, &st, AT_SYMLINK_NOFOLLOW) ==
		0 ||
	    errno != ENOENT)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_diag struct diag absent = DIAG_INIT;
		cleanup_close int fd = -1;

		if (fs_open_nolinks(
			set->dir_fd, dirs[i], OPEN_DIR, 0, &fd, &absent) == 0)
			for (size_t k = 0; k < ECOSYSTEM_NR; k++)
				(void)unlinkat(
				    fd, ecosystems[k]->name, AT_REMOVEDIR);
		(void)unlinkat(set->dir_fd, dirs[i], AT_REMOVEDIR);
		if (fstatat(set->dir_fd, dirs[i], &st, AT_SYMLINK_NOFOLLOW) ==
		    0)
			is_used = true;
	}
	if (is_used)
		return;
	/* A user's own stays, and with it the lock. */
	if (patchset_has_text(set->dir_fd, IGNORE, ignored, strlen(ignored)))
		(void)unlinkat(set->dir_fd, IGNORE, 0);
	if (fstatat(set->dir_fd, IGNORE, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
	    errno == ENOENT)
		(void)unlinkat(set->dir_fd, LOCK, 0);
	(void)unlinkat(set->project_fd, PATCHSET_DIR, AT_REMOVEDIR);
}

void
patchset_close(struct patchset *set)
{
	if (set->lock_fd >= 0)
		remove_unused(set);
	patchtools_close(&set->tools);
	patchledger_release(&set->ledger);
	patchledger_release(&set->want);
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		diag_clear(&set->files[i].unreadable);
		strbuf_release(&set->files[i].manifest.text);
		strbuf_release(&set->files[i].lock.text);
	}
	cleanup_close_fn(&set->lock_fd);
	cleanup_close_fn(&set->dir_fd);
	cleanup_close_fn(&set->project_fd);
}

static int
list_versions(struct patchset *set, const struct ecosystem *eco,
    const char *name, struct strvec *ret_versions, struct diag *dg)
{
	const struct patchledger patched =
	    patchledger_part(&set->ledger, eco->name);

	if (patchset_check_readable(set, eco, dg) != 0)
		return -1;
	return eco->list_versions(&patchset_files(set, eco)->lock.text, name,
	    &patched, ret_versions, dg);
}

int
patchset_choose_ecosystem(struct patchset *set, const char *name,
    const char *version, const struct ecosystem **eco, struct diag *dg)
{
	const struct ecosystem *found[ECOSYSTEM_NR];
	cleanup_diag struct diag unreadable = DIAG_INIT;
	size_t nfound = 0;
	size_t nlocks = 0;

	if (*eco != NULL)
		return 0;
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		cleanup_strvec struct strvec versions = STRVEC_INIT;
		cleanup_diag struct diag failure = DIAG_INIT;

		if (!set->files[i].lock.exists &&
		    set->files[i].unreadable.class == DIAG_NONE)
			continue;
		*eco = ecosystems[i];
		nlocks++;
		if (list_versions(set, *eco, name, &versions, &failure) != 0) {
			if (unreadable.class == DIAG_NONE)
				diag_move(&unreadable, &failure);
			continue;
		}
		if (version == NULL ? versions.nr > 0
				    : strvec_has(&versions, version))
			found[nfound++] = *eco;
	}
	/* Without a lock file: the one whose manifest is there, or the first. */
	if (nlocks == 0)
		*eco = ecosystems[0];
	for (size_t i = ECOSYSTEM_NR; nlocks == 0 && i-- > 0;)
		if (set->files[i].manifest.exists)
			*eco = ecosystems[i];
	if (nlocks <= 1)
		return 0;
	*eco = nfound == 1 ? found[0] : NULL;
	if (*eco != NULL)
		return 0;
	/* It may have the package. */
	if (nfound == 0 && unreadable.class != DIAG_NONE)
		return diag_move(dg, &unreadable);
	return diag_set(dg, nfound > 1 ? DIAG_USAGE : DIAG_CONFIG,
	    nfound > 1 ? "%s is a package of several lock files: say which one "
			 "by --ecosystem"
		       : "no lock file has %s from a registry",
	    name);
}

int
patchset_choose_version(struct patchset *set, const struct ecosystem *eco,
    const char *name, char **ret_version, struct diag *dg)
{
	cleanup_strvec struct strvec versions = STRVEC_INIT;
	cleanup_strbuf struct strbuf all = STRBUF_INIT;

	if (list_versions(set, eco, name, &versions, dg) != 0)
		return -1;
	if (versions.nr == 1) {
		*ret_version = xstrdup(versions.v[0]);
		return 0;
	}
	if (versions.nr == 0)
		return diag_set(dg, DIAG_CONFIG, "%s has no %s from %s",
		    eco->lock, name, eco->origin);
	for (size_t i = 0; i < versions.nr; i++)
		strbuf_addf(&all, " %s@%s", name, versions.v[i]);
	return diag_set(dg, DIAG_USAGE,
	    "%s has several versions; name one of:%s", eco->lock, all.buf);
}

int
patchset_open_dir(
    const struct patchset *set, const char *path, int *ret_fd, struct diag *dg)
{
	return fs_open_nolinks(set->project_fd, path, OPEN_DIR, 0, ret_fd, dg);
}

int
patchset_make_dir(
    const struct patchset *set, const char *path, int *ret_fd, struct diag *dg)
{
	if (fs_make_dirs(set->project_fd, path, 0755, ret_fd, dg) != 0)
		return diag_wrap(dg, "make %s", path);
	return 0;
}

int
patchset_list_dir(const struct patchset *set, const char *path, int *ret_fd,
    struct strvec *ret_names, struct diag *dg)
{
	if (patchset_open_dir(set, path, ret_fd, dg) != 0)
		return diag_ignore(dg, ENOENT);
	return fs_list_names(*ret_fd, path, ret_names, dg);
}

int
patchset_write_ignore(const struct patchset *set, struct diag *dg)
{
	struct stat st;

	if (fstatat(set->dir_fd, IGNORE, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (fs_replace_file(
		set->dir_fd, IGNORE, ignored, strlen(ignored), 0644, dg) != 0)
		return diag_wrap(dg, PATCHSET_DIR);
	strvec_push(set->project->steps, "wrote " PATCHSET_DIR "/" IGNORE);
	return 0;
}

bool
patchset_has_text(int dirfd, const char *path, const char *text, size_t len)
{
	cleanup_strbuf struct strbuf now = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	return fs_read_nolinks(dirfd, path, len, &now, &dg) == 0 &&
	    now.len == len && memcmp(now.buf, text, len) == 0;
}

void
patchset_tree_release(struct patchset_tree *tree)
{
	cleanup_close_fn(&tree->fd);
	patchtree_release(&tree->files);
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

	if ((set->tools.dir_fd < 0 &&
		patchtools_open(&set->tools, set->project->paths, dg) != 0) ||
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
