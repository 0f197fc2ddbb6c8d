/* SPDX-License-Identifier: MIT */
/* The editable directories of packages. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "deps/patchset.h"

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

	if (patchset_open_dir(set, path, false, &fd, &ignored) != 0 ||
	    fs_list_names(fd, path, &names, &ignored) != 0)
		return;
	for (size_t i = 0; i < names.nr; i++) {
		size_t len = strlen(names.v[i]);
		size_t suffix = strlen(PATCHSET_BASE_SUFFIX);
		cleanup_free char *dir = NULL;
		struct stat st;

		if (names.v[i][0] == '.') {
			(void)fs_remove_tree(fd, names.v[i], &ignored);
			continue;
		}
		if (len <= suffix ||
		    strcmp(names.v[i] + len - suffix, PATCHSET_BASE_SUFFIX) !=
			0)
			continue;
		dir = xstrndup(names.v[i], len - suffix);
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
	cleanup_diag struct diag absent = DIAG_INIT;
	cleanup_close int fd = -1;

	if (patchset_open_dir(set, path, false, &fd, &absent) != 0) {
		if (absent.errnum == ENOENT)
			return 0;
		diag_move(dg, &absent);
		return -1;
	}
	if (fs_list_names(fd, path, &names, dg) != 0)
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

	if (patchset_open_dir(set, parent, true, ret_fd, dg) != 0 ||
	    patchset_write_ignore(set, NULL, dg) != 0)
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

/* Returns true if one of the lines is the wanted one. */
static bool
has_line(const struct strbuf *lines, const struct strbuf *want)
{
	const char *end = lines->buf + lines->len;

	for (const char *at = lines->buf; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline == NULL ? end : newline + 1;

		if ((size_t)(next - at) == want->len &&
		    memcmp(at, want->buf, want->len) == 0)
			return true;
		at = next;
	}
	return false;
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
	cleanup_diag struct diag absent = DIAG_INIT;
	cleanup_free char *name =
	    xasprintf("%s" PATCHSET_BASE_SUFFIX, strrchr(path, '/') + 1);

	patchset_add_base(present, entry);
	if (patchset_open_dir(set, parent, false, ret_fd, dg) != 0)
		return -1;
	if (fs_read_file(*ret_fd, name, PATCHSET_BASE_MAX, &got, &absent) !=
		0 &&
	    absent.errnum != ENOENT) {
		diag_move(dg, &absent);
		return -1;
	}
	if (has_line(&got, present))
		return 0;
	return diag_set(dg, DIAG_NO,
	    "%s was not made from the present patch: move the directory away, "
	    "start again, and take over your changes",
	    path);
}
