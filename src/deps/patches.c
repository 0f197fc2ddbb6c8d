/* SPDX-License-Identifier: MIT */
/* The operations on a project's patches. */
#include "deps/patches.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "deps/ecosystem.h"
#include "deps/patchcheck.h"
#include "deps/patchset.h"

#define PATCH_SUFFIX ".patch"

/* A package that a file name has, NAME@VERSION. */
struct word {
	char *name; /* owned */
	char *version; /* owned */
};

static void
word_release(struct word *w)
{
	free(w->name);
	free(w->version);
}

#define cleanup_word __attribute__((cleanup(word_release)))

/* Splits a file name without the suffix.  Returns false for another name. */
static bool
word_parse(const struct ecosystem *eco, const char *file, const char *suffix,
    struct word *w)
{
	size_t len = strlen(file);
	size_t suffix_len = strlen(suffix);
	cleanup_free char *text = NULL;

	if (len < suffix_len || strcmp(file + len - suffix_len, suffix) != 0)
		return false;
	text = xstrndup(file, len - suffix_len);
	return strchr(text, '/') == NULL &&
	    patchledger_split(eco->name, text, &w->name, &w->version) &&
	    w->version != NULL;
}

static bool
word_is(const struct word *w, const char *name, const char *version)
{
	return (name == NULL || strcmp(w->name, name) == 0) &&
	    (version == NULL || strcmp(w->version, version) == 0);
}

/* Fails unless the project has the ecosystem's files. */
static int
check_files(struct patchset *set, const struct ecosystem *eco, struct diag *dg)
{
	const char *dir = set->project->path;
	const struct patchset_files *files = patchset_files(set, eco);

	if (patchset_check_readable(set, eco, dg) != 0)
		return -1;
	if (!files->manifest.exists)
		return diag_set(
		    dg, DIAG_CONFIG, "%s has no %s", dir, eco->manifest);
	if (!files->lock.exists)
		return diag_set(dg, DIAG_CONFIG,
		    "%s has no %s; run in a session: %s", dir, eco->lock,
		    eco->make_lock);
	return 0;
}

/*
 * Adds an entry for a package of the lock to those that the ledger is to have,
 * or finds the one that is there.
 */
static int
want_entry(struct patchset *set, const struct ecosystem *eco, const char *name,
    const char *version, struct patchledger_entry **ret_entry, struct diag *dg)
{
	struct patchledger_entry entry = { .name = NULL };
	enum ecosystem_locked locked;

	*ret_entry = patchledger_find(&set->want, eco->name, name, version);
	if (*ret_entry != NULL)
		return 0;
	if (check_files(set, eco, dg) != 0 ||
	    eco->find(&patchset_files(set, eco)->lock.text, name, version,
		&locked, &entry.pristine, dg) != 0)
		return -1;
	if (locked == ECOSYSTEM_ABSENT)
		return diag_set(dg, DIAG_CONFIG, "%s does not have %s %s",
		    eco->lock, name, version);
	if (locked != ECOSYSTEM_ORIGINAL)
		return diag_set(dg, DIAG_CONFIG,
		    "%s does not have %s %s from %s; only such packages can "
		    "be patched",
		    eco->lock, name, version, eco->origin);
	entry.ecosystem = xstrdup(eco->name);
	entry.name = xstrdup(name);
	entry.version = xstrdup(version);
	patchledger_put(&set->want, &entry);
	*ret_entry = patchledger_find(&set->want, eco->name, name, version);
	return 0;
}

/* Fails unless the project can have patches of the ecosystem. */
static int
check_root(struct patchset *set, const struct ecosystem *eco, struct diag *dg)
{
	if (check_files(set, eco, dg) != 0)
		return -1;
	return eco->check_root(set->project_fd, set->project->path,
	    &patchset_files(set, eco)->manifest.text, dg);
}

/* The same for all that have entries. */
static int
check_roots(struct patchset *set, struct diag *dg)
{
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		if (patchledger_part(&set->want, ecosystems[i]->name).nr > 0 &&
		    check_root(set, ecosystems[i], dg) != 0)
			return -1;
	return 0;
}

int
patches_start(const struct patches_project *project,
    const struct ecosystem *eco, const char *name, const char *version,
    char **ret_dir, struct diag *dg)
{
	cleanup_patchset struct patchset set = PATCHSET_INIT;
	cleanup_patchset_tree struct patchset_tree tree = PATCHSET_TREE_INIT;
	cleanup_strbuf struct strbuf patch = STRBUF_INIT;
	cleanup_free char *chosen = NULL;
	cleanup_close int edit_fd = -1;
	struct patchledger_entry *entry;

	if (patchset_open(&set, project, dg) != 0 ||
	    patchset_choose_ecosystem(&set, name, version, &eco, dg) != 0 ||
	    check_root(&set, eco, dg) != 0)
		return -1;
	if (version == NULL &&
	    patchset_choose_version(&set, eco, name, &chosen, dg) != 0)
		return -1;
	version = version == NULL ? chosen : version;
	if (want_entry(&set, eco, name, version, &entry, dg) != 0)
		return -1;
	*ret_dir = patchset_edit_path(entry);
	if (entry->patch.kind != DIGEST_NONE &&
	    patchset_read_patch(&set, entry, &patch, dg) != 0)
		return -1;
	if (patchset_open_edit(&set, eco, entry, &edit_fd, dg) != 0)
		return -1;
	if (patchset_build(&set, entry, patch.len > 0 ? &patch : NULL, NULL,
		&tree, dg) != 0 ||
	    patchset_set_base(edit_fd, entry, dg) != 0)
		return -1;
	return patchset_place_edit(edit_fd, *ret_dir, tree.fd, dg);
}

/* Finds the only editable directory that the name and version fit. */
static int
choose_editable(const struct patchset *set, const struct ecosystem **eco,
    const char *name, const char *version, struct word *ret, struct diag *dg)
{
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	const struct ecosystem *only = *eco;
	bool in_several = false;
	size_t found = 0;

	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		cleanup_strvec struct strvec names = STRVEC_INIT;

		if (only != NULL && only != ecosystems[i])
			continue;
		if (patchset_list_edit(set, ecosystems[i], &names, dg) != 0)
			return -1;
		for (size_t k = 0; k < names.nr; k++) {
			cleanup_word struct word w = { NULL, NULL };

			if (!word_parse(ecosystems[i], names.v[k], "", &w) ||
			    !word_is(&w, name, version))
				continue;
			strbuf_addf(&all, " %s@%s", w.name, w.version);
			if (found++ > 0) {
				in_several |= *eco != ecosystems[i];
				continue;
			}
			*eco = ecosystems[i];
			*ret = w;
			w = (struct word){ NULL, NULL };
		}
	}
	if (found == 1)
		return 0;
	if (found > 1)
		return diag_set(dg, DIAG_USAGE,
		    "several packages are being edited; name one of:%s%s",
		    all.buf,
		    in_several ? ", and its package manager by --ecosystem"
			       : "");
	return diag_set(dg, DIAG_USAGE,
	    name == NULL ? "no package is being edited%s; run: drydock patch "
			   "start NAME"
			 : "%s is not being edited; run: drydock patch start "
			   "%s",
	    name == NULL ? "" : name, name);
}

struct output {
	const char *name; /* borrowed */
	const struct patchtree *pristine; /* borrowed */
};

/* What a build leaves in an editable directory is no change of the package. */
static bool
is_no_output(void *arg, const char *path, const struct stat *st)
{
	const struct output *output = arg;
	size_t len = strlen(output->name);

	(void)st;
	if (strcmp(path, output->name) != 0)
		return true;
	for (size_t i = 0; i < output->pristine->nr; i++) {
		const char *file = output->pristine->v[i].path;

		if (strncmp(file, output->name, len) == 0 && file[len] == '/')
			return true;
	}
	return false;
}

/* Computes the patch from the original to the editable directory. */
static int
compute_patch(struct patchset *set, struct patchledger_entry *entry,
    int edit_fd, struct strbuf *patch, struct diag *dg)
{
	const struct ecosystem *eco = ecosystem_find(entry->ecosystem);
	cleanup_patchset_tree struct patchset_tree a = PATCHSET_TREE_INIT;
	cleanup_patchset_tree struct patchset_tree b = PATCHSET_TREE_INIT;
	cleanup_free char *path = patchset_edit_path(entry);
	cleanup_close int from = -1;
	struct output output = { eco->output, &a.files };

	if (patchset_build(set, entry, NULL, "a", &a, dg) != 0 ||
	    patchtools_make_dir(&set->tools, "b", &b.fd, dg) != 0 ||
	    fs_open_nolinks(edit_fd, strrchr(path, '/') + 1,
		O_RDONLY | O_DIRECTORY, 0, &from, dg) != 0)
		return -1;
	if (fs_copy_wanted(from, b.fd, is_no_output, &output, dg) != 0 ||
	    patchtree_read(b.fd, &b.files, dg) != 0)
		return diag_wrap(dg, "%s", path);
	if (patchtools_diff(&set->tools, patch, dg) != 0)
		return -1;
	if (patch->len == 0)
		return diag_set(dg, DIAG_NO,
		    "%s does not differ from the original; edit its files "
		    "first",
		    path);
	digest_of(DIGEST_SHA256, patch->buf, patch->len, &entry->patch);
	if (patchset_pack(set, eco, &b, a.fd, &entry->integrity, dg) != 0)
		return -1;
	patchtree_digest(&b.files, &entry->tree);
	return 0;
}

int
patches_save(const struct patches_project *project, const struct ecosystem *eco,
    const char *name, const char *version, struct diag *dg)
{
	cleanup_patchset struct patchset set = PATCHSET_INIT;
	cleanup_word struct word w = { NULL, NULL };
	cleanup_strbuf struct strbuf patch = STRBUF_INIT;
	cleanup_strbuf struct strbuf base = STRBUF_INIT;
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	cleanup_close int edit_fd = -1;
	struct patchledger_entry *entry;

	if (patchset_open(&set, project, dg) != 0 ||
	    choose_editable(&set, &eco, name, version, &w, dg) != 0 ||
	    check_root(&set, eco, dg) != 0 ||
	    want_entry(&set, eco, w.name, w.version, &entry, dg) != 0)
		return -1;
	if (patchset_check_base(&set, entry, &edit_fd, &base, dg) != 0 ||
	    compute_patch(&set, entry, edit_fd, &patch, dg) != 0)
		return -1;
	patchset_add_base(&line, entry);
	if (strstr(base.buf, line.buf) == NULL)
		strbuf_add(&base, line.buf, line.len);
	if (patchset_check_patch(&set, entry, &base, dg) != 0 ||
	    patchset_write_base(edit_fd, entry, &base, dg) != 0)
		return -1;
	if (patchset_commit(&set, entry, &patch, dg) != 0)
		return -1;
	return patchset_write_base(edit_fd, entry, &line, dg);
}

int
patches_apply(const struct patches_project *project, struct diag *dg)
{
	cleanup_patchset struct patchset set = PATCHSET_INIT;

	if (!patchcheck_is_needed(project->fd))
		return 0;
	if (patchset_open(&set, project, dg) != 0)
		return -1;
	if (check_roots(&set, dg) != 0)
		return -1;
	return patchset_commit(&set, NULL, NULL, dg);
}

/* Counts the recorded versions of a package, and appends them to all. */
static size_t
count_recorded(const struct patchset *set, const struct ecosystem *eco,
    const char *name, const char *version, struct strbuf *all)
{
	const struct patchledger part =
	    patchledger_part(&set->ledger, eco->name);
	size_t found = 0;

	for (size_t i = 0; i < part.nr; i++)
		if (strcmp(part.v[i].name, name) == 0 &&
		    (version == NULL ||
			strcmp(part.v[i].version, version) == 0)) {
			strbuf_addf(all, " %s@%s", name, part.v[i].version);
			found++;
		}
	return found;
}

/* Fails unless exactly one ecosystem has a patch of that name, of one version. */
static int
choose_patched(const struct patchset *set, const char *name,
    const char *version, const struct ecosystem **eco, struct diag *dg)
{
	const struct ecosystem *only = *eco;
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	size_t found = 0;

	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		cleanup_strvec struct strvec names = STRVEC_INIT;
		cleanup_close int fd = -1;
		bool here;

		if (only != NULL && only != ecosystems[i])
			continue;
		if (patchset_list_patches(
			set, ecosystems[i], &fd, &names, dg) != 0)
			return -1;
		here =
		    count_recorded(set, ecosystems[i], name, version, &all) > 0;
		for (size_t k = 0; k < names.nr && !here; k++) {
			cleanup_word struct word w = { NULL, NULL };

			here = word_parse(ecosystems[i], names.v[k],
				   PATCH_SUFFIX, &w) &&
			    word_is(&w, name, version);
		}
		if (here) {
			*eco = ecosystems[i];
			found++;
		}
	}
	if (found != 1)
		return diag_set(dg, DIAG_USAGE,
		    found > 1 ? "%s is patched for several package managers: "
				"say which one by --ecosystem"
			      : "%s is not patched here; drydock patch list "
				"shows what is",
		    name);
	strbuf_reset(&all);
	if (count_recorded(set, *eco, name, version, &all) <= 1)
		return 0;
	return diag_set(dg, DIAG_USAGE,
	    "several versions are patched; name one of:%s", all.buf);
}

int
patches_remove(const struct patches_project *project,
    const struct ecosystem *eco, const char *name, const char *version,
    struct diag *dg)
{
	cleanup_patchset struct patchset set = PATCHSET_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;
	cleanup_free char *chosen = NULL;
	struct digest recorded = { .kind = DIGEST_NONE };
	struct patchledger_entry *entry;

	if (patchset_open(&set, project, dg) != 0 ||
	    choose_patched(&set, name, version, &eco, dg) != 0 ||
	    patchset_list_patches(&set, eco, &fd, &names, dg) != 0)
		return -1;
	patchset_clean_edit(&set);
	entry = patchledger_find(&set.want, eco->name, name, version);
	if (entry != NULL) {
		recorded = entry->patch;
		chosen = xstrdup(entry->version);
		version = chosen;
		patchledger_drop(&set.want, entry);
	}
	if (patchset_commit(&set, NULL, NULL, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_word struct word w = { NULL, NULL };

		if (!word_parse(eco, names.v[i], PATCH_SUFFIX, &w) ||
		    !word_is(&w, name, version))
			continue;
		if (patchset_remove_patch(
			&set, eco, fd, names.v[i], &recorded, dg) != 0)
			return -1;
	}
	return 0;
}

/* Takes a patch file into want, with the digest that it has. */
static int
seal_one(struct patchset *set, const struct ecosystem *eco, const char *file,
    struct diag *dg)
{
	cleanup_word struct word w = { NULL, NULL };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct patchledger_entry *entry;
	struct digest digest;

	if (file[0] == '.')
		return 0;
	if (!word_parse(eco, file, PATCH_SUFFIX, &w))
		return diag_set(dg, DIAG_CONFIG,
		    PATCHSET_PATCHES
		    "%s/%s is not called NAME@VERSION" PATCH_SUFFIX,
		    eco->name, file);
	if (want_entry(set, eco, w.name, w.version, &entry, dg) != 0 ||
	    patchset_read_patch(set, entry, &text, dg) != 0)
		return -1;
	digest_of(DIGEST_SHA256, text.buf, text.len, &digest);
	if (digest_equal(&digest, &entry->patch))
		return 0;
	entry->patch = digest;
	entry->tree.kind = DIGEST_NONE;
	return 0;
}

int
patches_seal(const struct patches_project *project, struct diag *dg)
{
	cleanup_patchset struct patchset set = PATCHSET_INIT;

	if (!patchcheck_is_needed(project->fd))
		return diag_set(
		    dg, DIAG_NO, "%s has no patches", project->path);
	if (patchset_open(&set, project, dg) != 0)
		return -1;
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		cleanup_strvec struct strvec names = STRVEC_INIT;
		cleanup_close int fd = -1;

		if (patchset_list_patches(
			&set, ecosystems[i], &fd, &names, dg) != 0)
			return -1;
		for (size_t k = 0; k < names.nr; k++)
			if (seal_one(&set, ecosystems[i], names.v[k], dg) != 0)
				return -1;
	}
	if (check_roots(&set, dg) != 0)
		return -1;
	return patchset_commit(&set, NULL, NULL, dg);
}
