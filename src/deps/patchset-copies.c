/* SPDX-License-Identifier: MIT */
/* The copies of the patched packages, and what people changed in them. */
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
#include "base/xalloc.h"
#include "deps/patchset.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY)

enum copy_state {
	COPY_INCOMPLETE, /* absent, or without a list */
	COPY_AS_LISTED,
	COPY_CHANGED,
};

/* Compares a copy with its list.  *ret_tree is DIGEST_NONE if it has none. */
static enum copy_state
look_at(int copies_fd, const char *name, struct digest *ret_tree)
{
	cleanup_free char *list_name =
	    xasprintf("%s" PATCHTREE_LIST_SUFFIX, name);
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	cleanup_strbuf struct strbuf found = STRBUF_INIT;
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int list_fd = -1;
	cleanup_close int fd = -1;

	*ret_tree = (struct digest){ .kind = DIGEST_NONE };
	if (fs_open_nolinks(copies_fd, name, OPEN_DIR, 0, &fd, &dg) != 0)
		return COPY_INCOMPLETE;
	if (patchtree_read(fd, &tree, &dg) != 0)
		return COPY_CHANGED;
	patchtree_digest(&tree, ret_tree);
	if (fs_open_nolinks(copies_fd, list_name,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &list_fd, &dg) != 0)
		return COPY_INCOMPLETE;
	patchtree_list(&tree, &found);
	if (fs_read_fd(list_fd, list_name, PATCHTREE_MAX_LIST, &list, &dg) !=
		0 ||
	    found.len != list.len || memcmp(found.buf, list.buf, list.len) != 0)
		return COPY_CHANGED;
	return COPY_AS_LISTED;
}

/* The same for the copy of an entry. */
static enum copy_state
look_at_entry(const struct patchset *set, const struct patchledger_entry *entry,
    struct digest *ret_tree)
{
	cleanup_free char *path = patchledger_copy_path(entry);
	cleanup_free char *dir =
	    xasprintf(PATCHSET_COPIES "%s", entry->ecosystem);
	cleanup_diag struct diag absent = DIAG_INIT;
	cleanup_close int fd = -1;

	*ret_tree = (struct digest){ .kind = DIGEST_NONE };
	if (entry->tree.kind == DIGEST_NONE ||
	    patchset_open_dir(set, dir, false, &fd, &absent) != 0)
		return COPY_INCOMPLETE;
	return look_at(fd, strrchr(path, '/') + 1, ret_tree);
}

/* The files of a packed copy are not those that people edit. */
static bool
is_packed(const struct patchledger_entry *entry)
{
	return ecosystem_find(entry->ecosystem)->pack != NULL;
}

bool
patchset_copy_is_right(
    const struct patchset *set, const struct patchledger_entry *entry)
{
	struct digest tree;

	return look_at_entry(set, entry, &tree) == COPY_AS_LISTED &&
	    digest_equal(&tree, &entry->tree);
}

int
patchset_find_edits(const struct patchset *set,
    const struct patchledger_entry *entry, bool *ret_edited, struct diag *dg)
{
	cleanup_free char *path = patchledger_copy_path(entry);
	cleanup_free char *edit = patchset_edit_path(entry);
	struct digest tree;
	struct stat st;
	enum copy_state state = look_at_entry(set, entry, &tree);

	*ret_edited = (state != COPY_INCOMPLETE || tree.kind != DIGEST_NONE) &&
	    !digest_equal(&tree, &entry->tree);
	if (!*ret_edited || is_packed(entry) ||
	    fstatat(set->project_fd, edit, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	return diag_set(dg, DIAG_NO,
	    "%s was changed, and %s is there, too: save or move away the "
	    "latter, and apply again",
	    path, edit);
}

/* The files of a copy are read-only. */
static void
make_writable(int edit_fd, const char *dir)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;

	if (fs_open_nolinks(edit_fd, dir, OPEN_DIR, 0, &fd, &ignored) != 0 ||
	    patchtree_read(fd, &tree, &ignored) != 0)
		return;
	for (size_t i = 0; i < tree.nr; i++) {
		cleanup_close int file = -1;

		if (fs_open_nolinks(fd, tree.v[i].path,
			O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &file,
			&ignored) == 0)
			(void)fchmod(file, 0644);
	}
}

int
patchset_keep_edits(const struct patchset *set,
    const struct patchledger_entry *entry, struct patches_report *report,
    struct diag *dg)
{
	cleanup_free char *path = patchledger_copy_path(entry);
	cleanup_free char *edit = patchset_edit_path(entry);
	cleanup_free char *from =
	    xasprintf(PATCHSET_COPIES "%s", entry->ecosystem);
	cleanup_free char *to = xasprintf(PATCHSET_EDIT "%s", entry->ecosystem);
	cleanup_free char *label = xasprintf("the changed copy %s", from);
	cleanup_close int from_fd = -1;
	cleanup_close int to_fd = -1;

	if (patchset_open_dir(set, from, false, &from_fd, dg) != 0)
		return -1;
	if (is_packed(entry))
		return patchset_keep(set, ecosystem_find(entry->ecosystem),
		    from_fd, label, strrchr(path, '/') + 1, report, dg);
	if (patchset_open_dir(set, to, true, &to_fd, dg) != 0 ||
	    patchset_set_base(to_fd, entry, dg) != 0)
		return -1;
	if (renameat2(from_fd, strrchr(path, '/') + 1, to_fd,
		strrchr(edit, '/') + 1, RENAME_NOREPLACE) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "rename %s to %s", path, edit);
	make_writable(to_fd, strrchr(edit, '/') + 1);
	strvec_pushf(&report->steps,
	    "kept the changes to %s in %s: \"drydock patch save\" takes them",
	    path, edit);
	return 0;
}

/* Returns true if the name is a wanted copy's, or its list's. */
static bool
is_wanted(const struct patchledger *want, const struct ecosystem *eco,
    const char *name)
{
	const struct patchledger part = patchledger_part(want, eco->name);

	for (size_t i = 0; i < part.nr; i++) {
		cleanup_free char *path = patchledger_copy_path(&part.v[i]);
		const char *copy = strrchr(path, '/') + 1;
		size_t len = strlen(copy);

		if (strncmp(name, copy, len) == 0 &&
		    (name[len] == '\0' ||
			strcmp(name + len, PATCHTREE_LIST_SUFFIX) == 0))
			return true;
	}
	return false;
}

/*
 * Returns true if a copy that goes has changes of its own.  Whoever changed it
 * may have changed its list, too: what was recorded counts more.
 */
static bool
has_edits(const struct patchset *set, int copies_fd, const char *name)
{
	struct digest tree;
	enum copy_state state = look_at(copies_fd, name, &tree);

	for (size_t i = 0; i < set->ledger.nr; i++) {
		const struct patchledger_entry *entry = &set->ledger.v[i];
		cleanup_free char *path = patchledger_copy_path(entry);

		if (tree.kind != DIGEST_NONE &&
		    strcmp(strrchr(path, '/') + 1, name) == 0)
			return !digest_equal(&tree, &entry->tree);
	}
	return state == COPY_CHANGED;
}

/*
 * Half a copy would look like one that was changed: it gets the name of a copy
 * in work first.
 */
static int
remove_one(int copies_fd, const char *dir, const char *name, struct diag *dg)
{
	cleanup_free char *leftover = NULL;
	char random[13];

	fs_random_name(random, sizeof(random));
	leftover = xasprintf(".%.200s.%s", name, random);
	if (renameat(copies_fd, name, copies_fd, leftover) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "remove %s/%s", dir, name);
	return fs_remove_tree(copies_fd, leftover, dg);
}

static int
remove_unwanted(const struct patchset *set, const struct ecosystem *eco,
    int copies_fd, const char *dir, const char *name,
    struct patches_report *report, struct diag *dg)
{
	cleanup_free char *label = xasprintf("the changed copy %s", dir);

	/* A copy in work that a killed process left. */
	if (name[0] == '.')
		return fs_remove_tree(copies_fd, name, dg);
	if (has_edits(set, copies_fd, name))
		return patchset_keep(
		    set, eco, copies_fd, label, name, report, dg);
	if (remove_one(copies_fd, dir, name, dg) != 0)
		return -1;
	strvec_pushf(&report->steps, "removed %s/%s", dir, name);
	return 0;
}

static int
remove_copies(const struct patchset *set, const struct ecosystem *eco,
    const struct patchledger *want, struct patches_report *report,
    struct diag *dg)
{
	cleanup_free char *dir = xasprintf(PATCHSET_COPIES "%s", eco->name);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag absent = DIAG_INIT;
	cleanup_close int fd = -1;

	if (patchset_open_dir(set, dir, false, &fd, &absent) != 0) {
		if (absent.errnum == ENOENT)
			return 0;
		diag_move(dg, &absent);
		return -1;
	}
	if (fs_list_names(fd, dir, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		if (!is_wanted(want, eco, names.v[i]) &&
		    remove_unwanted(
			set, eco, fd, dir, names.v[i], report, dg) != 0)
			return -1;
	return 0;
}

int
patchset_remove_copies(const struct patchset *set,
    const struct patchledger *want, struct patches_report *report,
    struct diag *dg)
{
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		if (remove_copies(set, ecosystems[i], want, report, dg) != 0)
			return -1;
	return 0;
}
