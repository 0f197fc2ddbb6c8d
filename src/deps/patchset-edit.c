/* SPDX-License-Identifier: MIT */
/* What people edit: the editable directories of packages, and patch files. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/patchset.h"
#include "deps/patchtext.h"

#define BASE_SUFFIX ".base"
#define BASE_MAX ((size_t)2 * DIGEST_HEX_SIZE)

char *
patchset_edit_path(const struct patchledger_entry *entry)
{
	cleanup_free char *file = patchledger_file_name(entry);

	return xasprintf(PATCHSET_EDIT "%s/%s", entry->ecosystem, file);
}

int
patchset_keep(const struct patchset *set, const char *ecosystem, int from_fd,
    const char *label, struct diag *dg)
{
	const char *name = strrchr(label, '/') + 1;
	cleanup_free char *dir = xasprintf(PATCHSET_EDIT "%s", ecosystem);
	cleanup_free char *kept = NULL;
	cleanup_close int fd = -1;
	char random[9];

	fs_random_name(random, sizeof(random));
	kept = xasprintf("%s.%s", name, random);
	if (patchset_make_dir(set, dir, &fd, dg) != 0)
		return -1;
	if (renameat2(from_fd, name, fd, kept, RENAME_NOREPLACE) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "keep %s", label);
	strvec_pushf(set->project->steps, "kept %s as %s/%s", label, dir, kept);
	return 0;
}

/*
 * Removes the directories that killed processes left incomplete, and what
 * belongs to a directory that is gone.
 */
static void
clean_one(const struct patchset *set, const struct ecosystem *eco)
{
	cleanup_free char *path = xasprintf(PATCHSET_EDIT "%s", eco->name);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;

	if (patchset_list_dir(set, path, &fd, &names, &ignored) != 0)
		return;
	for (size_t i = 0; i < names.nr; i++) {
		const char *base = strrchr(names.v[i], '.');
		cleanup_free char *dir = NULL;
		struct stat st;

		if (names.v[i][0] == '.') {
			(void)fs_remove_tree(fd, names.v[i], &ignored);
			continue;
		}
		if (base == NULL || strcmp(base, BASE_SUFFIX) != 0)
			continue;
		dir = xstrndup(names.v[i], (size_t)(base - names.v[i]));
		if (fstatat(fd, dir, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
		    errno == ENOENT)
			(void)unlinkat(fd, names.v[i], 0);
	}
}

void
patchset_clean_edit(const struct patchset *set)
{
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		clean_one(set, ecosystems[i]);
}

int
patchset_list_edit(const struct patchset *set, const struct ecosystem *eco,
    struct strvec *ret_names, struct diag *dg)
{
	cleanup_free char *path = xasprintf(PATCHSET_EDIT "%s", eco->name);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;

	if (patchset_list_dir(set, path, &fd, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		struct stat st;

		if (fstatat(fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			strvec_push(ret_names, names.v[i]);
	}
	return 0;
}

int
patchset_open_edit(const struct patchset *set, const struct ecosystem *eco,
    const struct patchledger_entry *entry, int *ret_fd, struct diag *dg)
{
	cleanup_free char *parent = xasprintf(PATCHSET_EDIT "%s", eco->name);
	cleanup_free char *path = patchset_edit_path(entry);
	struct stat st;

	if (patchset_make_dir(set, parent, ret_fd, dg) != 0 ||
	    patchset_write_ignore(set, dg) != 0)
		return -1;
	if (fstatat(
		*ret_fd, strrchr(path, '/') + 1, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return diag_set(dg, DIAG_CONFIG,
		    "%s is there already; edit it, or remove it and start "
		    "again",
		    path);
	clean_one(set, eco);
	return 0;
}

int
patchset_place_edit(int edit_fd, const char *path, int tree_fd, struct diag *dg)
{
	const char *dir = strrchr(path, '/') + 1;
	cleanup_free char *temp = NULL;
	cleanup_close int fd = -1;
	cleanup_diag struct diag ignored = DIAG_INIT;
	char random[9];
	int rc;

	fs_random_name(random, sizeof(random));
	temp = xasprintf(".%s.%s", dir, random);
	if (fs_make_dir(edit_fd, temp, 0755, &fd, dg) != 0)
		return -1;
	rc = fs_copy_wanted(tree_fd, fd, NULL, NULL, dg);
	if (rc == 0 && renameat(edit_fd, temp, edit_fd, dir) < 0)
		rc = diag_set_errno(dg, DIAG_IO, errno, "make %s", path);
	if (rc != 0)
		(void)fs_remove_tree(edit_fd, temp, &ignored);
	return rc;
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
	cleanup_free char *name = xasprintf("%s" BASE_SUFFIX, file);

	fs_temp_clean(edit_fd, name);
	if (patchset_has_text(edit_fd, name, lines->buf, lines->len))
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

int
patchset_check_base(const struct patchset *set,
    const struct patchledger_entry *entry, int *ret_fd, struct strbuf *present,
    struct diag *dg)
{
	cleanup_free char *parent =
	    xasprintf(PATCHSET_EDIT "%s", entry->ecosystem);
	cleanup_free char *path = patchset_edit_path(entry);
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	cleanup_free char *name =
	    xasprintf("%s" BASE_SUFFIX, strrchr(path, '/') + 1);
	const char *line;

	patchset_add_base(present, entry);
	if (patchset_open_dir(set, parent, ret_fd, dg) != 0)
		return -1;
	if (fs_read_file(*ret_fd, name, BASE_MAX, &got, dg) != 0 &&
	    diag_ignore(dg, ENOENT) != 0)
		return -1;
	line = strstr(got.buf, present->buf);
	if (line != NULL && (line == got.buf || line[-1] == '\n'))
		return 0;
	return diag_set(dg, DIAG_NO,
	    "%s was not made from the present patch: move the directory away, "
	    "start again, and take over your changes",
	    path);
}

/* The files of a copy are read-only. */
static void
make_writable(int edit_fd, const char *dir)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;

	if (fs_open_nolinks(
		edit_fd, dir, O_RDONLY | O_DIRECTORY, 0, &fd, &ignored) != 0 ||
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
    const struct patchledger_entry *entry, struct diag *dg)
{
	cleanup_free char *path = patchledger_copy_path(entry);
	cleanup_free char *edit = patchset_edit_path(entry);
	cleanup_free char *from =
	    xasprintf(PATCHSET_COPIES "%s", entry->ecosystem);
	cleanup_free char *to = xasprintf(PATCHSET_EDIT "%s", entry->ecosystem);
	cleanup_free char *label = xasprintf("the changed copy %s", path);
	const char *dir = strrchr(edit, '/') + 1;
	cleanup_close int from_fd = -1;
	cleanup_close int to_fd = -1;

	if (patchset_open_dir(set, from, &from_fd, dg) != 0)
		return -1;
	if (ecosystem_find(entry->ecosystem)->pack != NULL)
		return patchset_keep(set, entry->ecosystem, from_fd, label, dg);
	if (patchset_make_dir(set, to, &to_fd, dg) != 0 ||
	    patchset_set_base(to_fd, entry, dg) != 0)
		return -1;
	if (renameat2(from_fd, strrchr(path, '/') + 1, to_fd, dir,
		RENAME_NOREPLACE) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "rename %s to %s", path, edit);
	make_writable(to_fd, dir);
	strvec_pushf(set->project->steps,
	    "kept the changes to %s in %s: \"drydock patch save\" takes them",
	    path, edit);
	return 0;
}

int
patchset_read_patch(const struct patchset *set,
    const struct patchledger_entry *entry, struct strbuf *out, struct diag *dg)
{
	cleanup_free char *path = patchledger_patch_path(entry);
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (fs_read_nolinks(
		set->project_fd, path, PATCHTEXT_MAX_SIZE, out, dg) == 0)
		return patchtext_judge(out->buf, out->len, path, &names, dg);
	if (diag_ignore(dg, ENOENT) != 0)
		return -1;
	return diag_set(dg, DIAG_NO,
	    "%s is missing: restore it, or run: drydock patch remove %s@%s",
	    path, entry->name, entry->version);
}

/* Without a file the digest is DIGEST_NONE. */
static int
digest_patch(const struct patchset *set, const char *path, struct digest *ret,
    struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	*ret = (struct digest){ .kind = DIGEST_NONE };
	if (fs_read_nolinks(
		set->project_fd, path, PATCHTEXT_MAX_SIZE, &text, dg) != 0)
		return diag_ignore(dg, ENOENT);
	digest_of(DIGEST_SHA256, text.buf, text.len, ret);
	return 0;
}

int
patchset_check_patch(const struct patchset *set,
    const struct patchledger_entry *entry, const struct strbuf *known,
    struct diag *dg)
{
	cleanup_free char *path = patchledger_patch_path(entry);
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	struct digest now;

	if (digest_patch(set, path, &now, dg) != 0)
		return -1;
	if (now.kind == DIGEST_NONE)
		return 0;
	digest_add_hex(&line, &now);
	if (strstr(known->buf, line.buf) != NULL)
		return 0;
	return diag_set(dg, DIAG_NO,
	    "%s has changes that are not recorded: restore it or move it away, "
	    "or run: drydock patch seal",
	    path);
}

int
patchset_list_patches(const struct patchset *set, const struct ecosystem *eco,
    int *ret_fd, struct strvec *names, struct diag *dg)
{
	cleanup_free char *dir = xasprintf(PATCHSET_PATCHES "%s", eco->name);

	if (patchset_list_dir(set, dir, ret_fd, names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names->nr; i++) {
		/* .NAME@VERSION.patch.RANDOM */
		const char *name = names->v[i];
		const char *random = strrchr(name, '.');
		cleanup_free char *patch = NULL;

		if (name[0] != '.' || random <= name + 1)
			continue;
		patch = xstrndup(name + 1, (size_t)(random - name - 1));
		if (strchr(patch, '@') != NULL)
			fs_temp_clean(*ret_fd, patch);
	}
	return 0;
}

int
patchset_remove_patch(const struct patchset *set, const struct ecosystem *eco,
    int patches_fd, const char *name, const struct digest *recorded,
    struct diag *dg)
{
	cleanup_free char *label =
	    xasprintf("the changed " PATCHSET_PATCHES "%s/%s", eco->name, name);
	const char *path = label + strlen("the changed ");
	cleanup_diag struct diag ignored = DIAG_INIT;
	struct digest now;

	if (recorded->kind != DIGEST_NONE &&
	    (digest_patch(set, path, &now, &ignored) != 0 ||
		!digest_equal(&now, recorded)))
		return patchset_keep(set, eco->name, patches_fd, label, dg);
	if (unlinkat(patches_fd, name, 0) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "remove %s", path);
	strvec_pushf(set->project->steps, "removed %s", path);
	return 0;
}
