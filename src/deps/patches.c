/* SPDX-License-Identifier: MIT */
/* The operations on a project's patches. */
#include "deps/patches.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "deps/cargolock.h"
#include "deps/cargoroot.h"
#include "deps/patchcheck.h"
#include "deps/patchset.h"

#define PATCHES ".drydock/patches/cargo"
#define PATCH_SUFFIX ".patch"

void
patches_report_release(struct patches_report *report)
{
	strvec_release(&report->steps);
}

/* A package as the user names it, or a file name does: NAME[@VERSION]. */
struct word {
	char *name; /* owned */
	char *version; /* owned; or NULL */
};

static void
word_release(struct word *w)
{
	free(w->name);
	free(w->version);
}

#define cleanup_word __attribute__((cleanup(word_release)))

/* Splits NAME@VERSION without the suffix.  Returns false for another name. */
static bool
word_parse(const char *file, const char *suffix, struct word *w)
{
	size_t len = strlen(file);
	size_t suffix_len = strlen(suffix);
	const char *at = strchr(file, '@');

	if (at == NULL || len < suffix_len ||
	    strcmp(file + len - suffix_len, suffix) != 0 ||
	    file + len - suffix_len < at + 1)
		return false;
	w->name = xstrndup(file, (size_t)(at - file));
	w->version =
	    xstrndup(at + 1, (size_t)(file + len - suffix_len - at - 1));
	return patchledger_is_word(w->name) && patchledger_is_word(w->version);
}

static bool
word_is(const struct word *w, const char *name, const char *version)
{
	return (name == NULL || strcmp(w->name, name) == 0) &&
	    (version == NULL || strcmp(w->version, version) == 0);
}

static void
put_copy(struct patchledger *ledger, const struct patchledger_entry *entry)
{
	struct patchledger_entry copy = *entry;

	copy.ecosystem = xstrdup(entry->ecosystem);
	copy.name = xstrdup(entry->name);
	copy.version = xstrdup(entry->version);
	copy.fragment =
	    entry->fragment == NULL ? NULL : xstrdup(entry->fragment);
	patchledger_put(ledger, &copy);
}

static void
copy_ledger(const struct patchset *set, struct patchledger *want)
{
	for (size_t i = 0; i < set->ledger.nr; i++)
		put_copy(want, &set->ledger.v[i]);
}

/* Finds the only version of a package that the lock has from crates.io. */
static int
choose_version(const struct patchset *set, const char *name, char **ret_version,
    struct diag *dg)
{
	const struct patchledger_entry *entry =
	    patchledger_find(&set->ledger, PATCHLEDGER_CARGO, name, NULL);
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	size_t found = 0;

	if (cargolock_parse(&lock, set->lock.text.buf, set->lock.text.len,
		set->lock.name, dg) != 0)
		return -1;
	for (size_t i = 0; i < lock.nr; i++) {
		const struct cargolock_package *p = &lock.v[i];

		if (strcmp(p->name, name) != 0 ||
		    (!cargolock_is_crates_io(p) &&
			(entry == NULL ||
			    strcmp(entry->version, p->version) != 0)))
			continue;
		strbuf_addf(&all, " %s@%s", name, p->version);
		if (found++ == 0)
			*ret_version = xstrdup(p->version);
	}
	if (found == 1)
		return 0;
	free(steal_ptr(ret_version));
	if (found == 0)
		return diag_set(dg, DIAG_CONFIG,
		    "Cargo.lock has no %s from crates.io", name);
	return diag_set(dg, DIAG_USAGE,
	    "Cargo.lock has several versions; name one of:%s", all.buf);
}

/* Adds an entry for a package of the lock to want, or leaves the one it has. */
static int
want_entry(const struct patchset *set, struct patchledger *want,
    const char *name, const char *version, struct diag *dg)
{
	struct patchledger_entry entry = { .name = NULL };
	enum patchset_locked locked;

	if (patchledger_find(want, PATCHLEDGER_CARGO, name, version) != NULL)
		return 0;
	if (patchset_find_locked(&set->lock.text, name, version, &locked,
		&entry.pristine, dg) != 0)
		return -1;
	if (locked != PATCHSET_ORIGINAL)
		return diag_set(dg, DIAG_CONFIG,
		    locked == PATCHSET_ABSENT
			? "Cargo.lock does not have %s %s"
			: "Cargo.lock does not have %s %s from crates.io; "
			  "only such packages can be patched",
		    name, version);
	entry.ecosystem = xstrdup(PATCHLEDGER_CARGO);
	entry.name = xstrdup(name);
	entry.version = xstrdup(version);
	patchledger_put(want, &entry);
	return 0;
}

static int
check_root(const struct patchset *set, struct diag *dg)
{
	const char *dir = set->project->path;

	if (!set->manifest.exists)
		return diag_set(dg, DIAG_CONFIG, "%s has no Cargo.toml", dir);
	if (!set->lock.exists)
		return diag_set(dg, DIAG_CONFIG,
		    "%s has no Cargo.lock; run in a session: "
		    "cargo generate-lockfile",
		    dir);
	return cargoroot_check(dir, &set->manifest.text, dg);
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

/*
 * Refuses to replace a patch that the directory was not made from.  Appends the
 * line of the present patch.
 */
static int
check_base(int edit_fd, const struct patchledger_entry *entry,
    struct strbuf *present, struct diag *dg)
{
	cleanup_free char *dir = patchset_edit_path(entry);
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	cleanup_diag struct diag absent = DIAG_INIT;
	cleanup_free char *name =
	    xasprintf("%s" PATCHSET_BASE_SUFFIX, strrchr(dir, '/') + 1);

	patchset_add_base(present, entry);
	if (fs_read_file(edit_fd, name, PATCHSET_BASE_MAX, &got, &absent) !=
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
	    dir);
}

/* Copies a tree to a new directory below edit_fd, and gives it its name. */
static int
place_editable(int edit_fd, const char *dir, int tree_fd, struct diag *dg)
{
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
		rc = diag_set_errno(
		    dg, DIAG_IO, errno, "make " PATCHSET_EDIT "/%s", dir);
	if (rc != 0)
		(void)fs_remove_tree(edit_fd, temp, &ignored);
	return rc;
}

/*
 * Removes the directories that killed processes left incomplete, and what
 * belongs to a directory that is gone.
 */
static void
clean_editable(const struct patchset *set)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;

	if (patchset_open_dir(set, PATCHSET_EDIT, false, &fd, &ignored) != 0 ||
	    fs_list_names(fd, PATCHSET_EDIT, &names, &ignored) != 0)
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

int
patches_start(const struct patches_project *project, const char *name,
    const char *version, char **ret_dir, struct diag *dg)
{
	cleanup_patchset struct patchset set = PATCHSET_INIT;
	cleanup_patchledger struct patchledger want = PATCHLEDGER_INIT;
	cleanup_patchset_tree struct patchset_tree tree = PATCHSET_TREE_INIT;
	cleanup_strbuf struct strbuf patch = STRBUF_INIT;
	cleanup_free char *chosen = NULL;
	cleanup_free char *dir = NULL;
	cleanup_close int edit_fd = -1;
	const struct patchledger_entry *entry;
	struct stat st;

	if (patchset_open(&set, project, dg) != 0 || check_root(&set, dg) != 0)
		return -1;
	if (version == NULL && choose_version(&set, name, &chosen, dg) != 0)
		return -1;
	version = version == NULL ? chosen : version;
	copy_ledger(&set, &want);
	if (want_entry(&set, &want, name, version, dg) != 0)
		return -1;
	entry = patchledger_find(&want, PATCHLEDGER_CARGO, name, version);
	dir = xasprintf("%s@%s", name, version);
	*ret_dir = xasprintf(PATCHSET_EDIT "/%s", dir);
	if (entry->patch.kind != DIGEST_NONE &&
	    patchset_read_patch(&set, entry, &patch, dg) != 0)
		return -1;
	if (patchset_open_dir(&set, PATCHSET_EDIT, true, &edit_fd, dg) != 0 ||
	    patchset_write_ignore(&set, NULL, dg) != 0)
		return -1;
	if (fstatat(edit_fd, dir, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return diag_set(dg, DIAG_CONFIG,
		    "%s is there already; edit it, or remove it and start "
		    "again",
		    *ret_dir);
	clean_editable(&set);
	if (patchset_build(&set, entry, patch.len > 0 ? &patch : NULL, NULL,
		&tree, dg) != 0 ||
	    patchset_set_base(edit_fd, entry, dg) != 0)
		return -1;
	return place_editable(edit_fd, dir, tree.fd, dg);
}

/* Finds the only editable directory that the name and version fit. */
static int
choose_editable(const struct patchset *set, const char *name,
    const char *version, char **ret_dir, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	cleanup_diag struct diag absent = DIAG_INIT;
	cleanup_close int fd = -1;
	size_t found = 0;

	if (patchset_open_dir(set, PATCHSET_EDIT, false, &fd, &absent) == 0) {
		if (fs_list_names(fd, PATCHSET_EDIT, &names, dg) != 0)
			return -1;
	} else if (absent.errnum != ENOENT) {
		diag_move(dg, &absent);
		return -1;
	}
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_word struct word w = { NULL, NULL };
		struct stat st;

		if (!word_parse(names.v[i], "", &w) ||
		    !word_is(&w, name, version) ||
		    fstatat(fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		strbuf_addf(&all, " %s", names.v[i]);
		if (found++ == 0)
			*ret_dir = xstrdup(names.v[i]);
	}
	if (found == 1)
		return 0;
	free(steal_ptr(ret_dir));
	if (found > 1)
		return diag_set(dg, DIAG_USAGE,
		    "several packages are being edited; name one of:%s",
		    all.buf);
	return diag_set(dg, DIAG_USAGE,
	    name == NULL ? "no package is being edited%s; run: drydock patch "
			   "start NAME"
			 : "%s is not being edited; run: drydock patch start "
			   "%s",
	    name == NULL ? "" : name, name);
}

/* What a build leaves in an editable directory is no change of the package. */
static bool
is_no_output(void *arg, const char *path, const struct stat *st)
{
	const struct patchtree *pristine = arg;

	(void)st;
	if (strcmp(path, "target") != 0)
		return true;
	for (size_t i = 0; i < pristine->nr; i++)
		if (strncmp(pristine->v[i].path, "target/", 7) == 0)
			return true;
	return false;
}

/* Computes the patch from the original to the editable directory. */
static int
compute_patch(struct patchset *set, struct patchledger_entry *entry,
    int edit_fd, const char *dir, struct strbuf *patch, struct diag *dg)
{
	cleanup_patchset_tree struct patchset_tree a = PATCHSET_TREE_INIT;
	cleanup_patchtree struct patchtree b = PATCHTREE_INIT;
	cleanup_close int from = -1;
	cleanup_close int to = -1;

	if (patchset_build(set, entry, NULL, "a", &a, dg) != 0 ||
	    patchtools_make_dir(&set->tools, "b", &to, dg) != 0 ||
	    fs_open_nolinks(
		edit_fd, dir, O_RDONLY | O_DIRECTORY, 0, &from, dg) != 0)
		return -1;
	if (fs_copy_wanted(from, to, is_no_output, &a.files, dg) != 0 ||
	    patchtree_read(to, &b, dg) != 0)
		return diag_wrap(dg, PATCHSET_EDIT "/%s", dir);
	patchtree_digest(&b, &entry->tree);
	if (patchtools_diff(&set->tools, patch, dg) != 0)
		return -1;
	if (patch->len == 0)
		return diag_set(dg, DIAG_NO,
		    PATCHSET_EDIT "/%s does not differ from the original; "
				  "edit its files first",
		    dir);
	patchset_digest(patch, &entry->patch);
	return 0;
}

int
patches_save(const struct patches_project *project, const char *name,
    const char *version, struct patches_report *report, struct diag *dg)
{
	cleanup_patchset struct patchset set = PATCHSET_INIT;
	cleanup_patchledger struct patchledger want = PATCHLEDGER_INIT;
	cleanup_word struct word w = { NULL, NULL };
	cleanup_strbuf struct strbuf patch = STRBUF_INIT;
	cleanup_strbuf struct strbuf base = STRBUF_INIT;
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	cleanup_free struct strbuf *patches = NULL;
	cleanup_free char *dir = NULL;
	cleanup_close int edit_fd = -1;
	struct patchledger_entry *entry;

	if (patchset_open(&set, project, dg) != 0 ||
	    choose_editable(&set, name, version, &dir, dg) != 0 ||
	    check_root(&set, dg) != 0)
		return -1;
	(void)word_parse(dir, "", &w);
	copy_ledger(&set, &want);
	if (want_entry(&set, &want, w.name, w.version, dg) != 0 ||
	    patchset_open_dir(&set, PATCHSET_EDIT, false, &edit_fd, dg) != 0)
		return -1;
	entry = patchledger_find(&want, PATCHLEDGER_CARGO, w.name, w.version);
	if (check_base(edit_fd, entry, &base, dg) != 0 ||
	    compute_patch(&set, entry, edit_fd, dir, &patch, dg) != 0)
		return -1;
	patchset_add_base(&line, entry);
	if (!has_line(&base, &line))
		strbuf_add(&base, line.buf, line.len);
	if (patchset_check_patch(&set, entry, &base, dg) != 0 ||
	    patchset_write_base(edit_fd, entry, &base, dg) != 0)
		return -1;
	patches = xcalloc(want.nr, sizeof(*patches));
	patches[entry - want.v] = patch;
	if (patchset_commit(&set, &want, patches, report, dg) != 0)
		return -1;
	return patchset_write_base(edit_fd, entry, &line, dg);
}

int
patches_apply(const struct patches_project *project,
    struct patches_report *report, struct diag *dg)
{
	cleanup_patchset struct patchset set = PATCHSET_INIT;
	cleanup_patchledger struct patchledger want = PATCHLEDGER_INIT;

	if (!patchcheck_is_needed(project->fd))
		return 0;
	if (patchset_open(&set, project, dg) != 0)
		return -1;
	copy_ledger(&set, &want);
	if (want.nr > 0 && check_root(&set, dg) != 0)
		return -1;
	return patchset_commit(&set, &want, NULL, report, dg);
}

/* Appends the names of the patch files. */
static int
list_patches(const struct patchset *set, int *ret_fd, struct strvec *names,
    struct diag *dg)
{
	cleanup_diag struct diag absent = DIAG_INIT;

	if (patchset_open_dir(set, PATCHES, false, ret_fd, &absent) == 0) {
		if (fs_list_names(*ret_fd, PATCHES, names, dg) != 0)
			return -1;
		patchset_clean_patches(*ret_fd, names);
		return 0;
	}
	if (absent.errnum == ENOENT)
		return 0;
	diag_move(dg, &absent);
	return -1;
}

int
patches_remove(const struct patches_project *project, const char *name,
    const char *version, struct patches_report *report, struct diag *dg)
{
	cleanup_patchset struct patchset set = PATCHSET_INIT;
	cleanup_patchledger struct patchledger want = PATCHLEDGER_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;
	cleanup_free char *chosen = NULL;
	struct digest recorded = { .kind = DIGEST_NONE };
	struct patchledger_entry *entry;
	bool found;

	if (patchset_open(&set, project, dg) != 0 ||
	    list_patches(&set, &fd, &names, dg) != 0)
		return -1;
	clean_editable(&set);
	copy_ledger(&set, &want);
	entry = patchledger_find(&want, PATCHLEDGER_CARGO, name, version);
	found = entry != NULL;
	if (found) {
		recorded = entry->patch;
		chosen = xstrdup(entry->version);
		version = chosen;
		patchledger_drop(&want, entry);
	}
	for (size_t i = 0; i < names.nr && !found; i++) {
		cleanup_word struct word w = { NULL, NULL };

		found = word_parse(names.v[i], PATCH_SUFFIX, &w) &&
		    word_is(&w, name, version);
	}
	if (!found)
		return diag_set(dg, DIAG_USAGE,
		    "%s is not patched here; drydock patch list shows what is",
		    name);
	if (patchset_commit(&set, &want, NULL, report, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_word struct word w = { NULL, NULL };

		if (!word_parse(names.v[i], PATCH_SUFFIX, &w) ||
		    !word_is(&w, name, version))
			continue;
		if (patchset_remove_patch(
			&set, fd, names.v[i], &recorded, report, dg) != 0)
			return -1;
	}
	return 0;
}

/* Takes a patch file into want, with the digest that it has. */
static int
seal_one(struct patchset *set, struct patchledger *want, const char *file,
    struct diag *dg)
{
	cleanup_word struct word w = { NULL, NULL };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct patchledger_entry *entry;
	struct digest digest;

	if (file[0] == '.')
		return 0;
	if (!word_parse(file, PATCH_SUFFIX, &w))
		return diag_set(dg, DIAG_CONFIG,
		    PATCHES "/%s is not called NAME@VERSION" PATCH_SUFFIX,
		    file);
	if (want_entry(set, want, w.name, w.version, dg) != 0)
		return -1;
	entry = patchledger_find(want, PATCHLEDGER_CARGO, w.name, w.version);
	if (patchset_read_patch(set, entry, &text, dg) != 0)
		return -1;
	patchset_digest(&text, &digest);
	if (digest_equal(&digest, &entry->patch))
		return 0;
	entry->patch = digest;
	entry->tree.kind = DIGEST_NONE;
	return 0;
}

int
patches_seal(const struct patches_project *project,
    struct patches_report *report, struct diag *dg)
{
	cleanup_patchset struct patchset set = PATCHSET_INIT;
	cleanup_patchledger struct patchledger want = PATCHLEDGER_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;

	if (!patchcheck_is_needed(project->fd))
		return diag_set(
		    dg, DIAG_NO, "%s has no patches", project->path);
	if (patchset_open(&set, project, dg) != 0 ||
	    list_patches(&set, &fd, &names, dg) != 0)
		return -1;
	copy_ledger(&set, &want);
	for (size_t i = 0; i < names.nr; i++)
		if (seal_one(&set, &want, names.v[i], dg) != 0)
			return -1;
	if (want.nr > 0 && check_root(&set, dg) != 0)
		return -1;
	return patchset_commit(&set, &want, NULL, report, dg);
}
