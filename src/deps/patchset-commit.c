/* SPDX-License-Identifier: MIT */
/* Computes what a project's patches need, and writes the difference. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-temp.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "deps/patchset.h"

/* What a commit writes. */
struct commit {
	struct patchset *set;
	struct patchledger *want;
	struct strbuf *texts; /* owned; of each entry's patch */
	bool *new_patch; /* owned; the text is to be written */
	bool *lost; /* owned; the patch file is gone: the entry stays */
	bool removes; /* an entry of the ledger goes */
	bool *edited; /* owned; the present copy has changes of its own */
	struct patchset_tree *trees; /* owned; fd -1: the copy is right */
	struct strbuf ledger;
	struct strbuf manifests[ECOSYSTEM_NR];
	struct strbuf locks[ECOSYSTEM_NR];
	struct patches_report *report;
};

static void
commit_release(struct commit *c)
{
	for (size_t i = 0; i < c->want->nr; i++) {
		strbuf_release(&c->texts[i]);
		patchset_tree_release(&c->trees[i]);
	}
	free(c->texts);
	free(c->trees);
	free(c->new_patch);
	free(c->lost);
	free(c->edited);
	strbuf_release(&c->ledger);
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		strbuf_release(&c->manifests[i]);
		strbuf_release(&c->locks[i]);
	}
}

#define cleanup_commit __attribute__((cleanup(commit_release)))

static int
compute_copy(struct commit *c, size_t i, struct diag *dg)
{
	struct patchledger_entry *entry = &c->want->v[i];
	struct patchset_tree *tree = &c->trees[i];
	struct digest digest;
	struct digest integrity;

	if (c->lost[i] || patchset_copy_is_right(c->set, entry))
		return 0;
	if (patchset_find_edits(c->set, entry, &c->edited[i], dg) != 0)
		return -1;
	if (patchset_build(c->set, entry, &c->texts[i], NULL, tree, dg) != 0 ||
	    patchset_pack(c->set, ecosystem_find(entry->ecosystem), tree,
		tree->fd, &integrity, dg) != 0)
		return -1;
	patchtree_digest(&tree->files, &digest);
	if (entry->tree.kind == DIGEST_NONE) {
		entry->tree = digest;
		entry->integrity = integrity;
	}
	if (digest_equal(&digest, &entry->tree) &&
	    (integrity.kind == DIGEST_NONE ||
		digest_equal(&integrity, &entry->integrity)))
		return 0;
	return diag_set(dg, DIAG_DATA,
	    "the patch of %s %s gives other files than " PATCHLEDGER_PATH
	    " records; if the patch is right, run: drydock patch seal",
	    entry->name, entry->version);
}

static bool
is_missing(const struct patchset *set, const struct patchledger_entry *entry)
{
	cleanup_free char *path = patchledger_patch_path(entry);
	struct stat st;

	return fstatat(set->project_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT;
}

/* Takes the given text, or the recorded one from the patch's file. */
static int
take_patch(
    struct commit *c, size_t i, const struct strbuf *given, struct diag *dg)
{
	struct patchledger_entry *entry = &c->want->v[i];
	struct digest digest;

	if (given != NULL && given->len > 0) {
		strbuf_add(&c->texts[i], given->buf, given->len);
		c->new_patch[i] = true;
	} else if (c->removes && is_missing(c->set, entry)) {
		/* Several that are lost are removed one after the other. */
		c->lost[i] = true;
		return 0;
	} else if (patchset_read_patch(c->set, entry, &c->texts[i], dg) != 0) {
		return -1;
	}
	patchset_digest(&c->texts[i], &digest);
	if (digest_equal(&digest, &entry->patch))
		return 0;
	return diag_set(dg, DIAG_NO,
	    "the patch file of %s %s is not the recorded one; if it is right, "
	    "run: drydock patch seal",
	    entry->name, entry->version);
}

/* Fails unless the lock has the package as the patch needs it. */
static int
check_locked(
    struct commit *c, const struct patchledger_entry *entry, struct diag *dg)
{
	const struct ecosystem *eco = ecosystem_find(entry->ecosystem);
	const struct patchset_files *files = patchset_files(c->set, eco);
	enum ecosystem_locked locked;
	struct digest pristine;

	if (!files->manifest.exists)
		return diag_set(dg, DIAG_CONFIG, "%s has no %s",
		    c->set->project->path, eco->manifest);
	if (!files->lock.exists)
		return diag_set(dg, DIAG_CONFIG,
		    "%s has no %s, and %s is patched: restore the file",
		    c->set->project->path, eco->lock, entry->name);
	if (eco->find(&files->lock.text, entry->name, entry->version, &locked,
		&pristine, dg) != 0)
		return -1;
	if (locked == ECOSYSTEM_ABSENT && entry->fragment != NULL && c->removes)
		return 0;
	if (locked == ECOSYSTEM_ABSENT)
		return diag_set(dg, DIAG_NO,
		    "%s does not have %s %s, which is patched: restore that "
		    "version, or run: drydock patch remove %s",
		    eco->lock, entry->name, entry->version, entry->name);
	if (locked == ECOSYSTEM_REDIRECTED && entry->fragment != NULL)
		return 0;
	if (locked != ECOSYSTEM_ORIGINAL ||
	    !digest_equal(&pristine, &entry->pristine))
		return diag_set(dg, DIAG_NO,
		    "%s has %s %s from another source than the patch was made "
		    "for",
		    eco->lock, entry->name, entry->version);
	return 0;
}

static int
compute_redirect(struct commit *c, size_t i, struct diag *dg)
{
	const struct ecosystem *eco = ecosystems[i];
	const struct patchset_files *files = &c->set->files[i];
	const struct patchledger had =
	    patchledger_part(&c->set->ledger, eco->name);
	const struct patchledger want = patchledger_part(c->want, eco->name);
	const struct ecosystem_texts now = {
		files->manifest.exists ? &files->manifest.text : NULL,
		files->lock.exists ? &files->lock.text : NULL,
	};

	/* Files of another package manager's are not judged. */
	if (had.nr == 0 && want.nr == 0 &&
	    !eco->has_mark(
		files->manifest.text.buf, files->manifest.text.len)) {
		strbuf_add(&c->manifests[i], files->manifest.text.buf,
		    files->manifest.text.len);
		strbuf_add(
		    &c->locks[i], files->lock.text.buf, files->lock.text.len);
		return 0;
	}
	return eco->redirect(
	    &now, &had, &want, &c->manifests[i], &c->locks[i], dg);
}

static int
compute_ledger(struct commit *c, struct diag *dg)
{
	if (c->want->nr == 0)
		return 0;
	return patchledger_write(c->want, &c->ledger, dg);
}

static int
compute(struct commit *c, const struct strbuf *patches, struct diag *dg)
{
	for (size_t i = 0; i < c->want->nr; i++)
		if (take_patch(
			c, i, patches == NULL ? NULL : &patches[i], dg) != 0)
			return -1;
	for (size_t i = 0; i < c->want->nr; i++)
		if (check_locked(c, &c->want->v[i], dg) != 0)
			return -1;
	for (size_t i = 0; i < c->want->nr; i++)
		if (compute_copy(c, i, dg) != 0)
			return -1;
	/* A lock file may name the digest of the copy. */
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		if (compute_redirect(c, i, dg) != 0)
			return -1;
	return compute_ledger(c, dg);
}

static void
tell(struct commit *c, const char *what, const char *path)
{
	strvec_pushf(&c->report->steps, "%s %s", what, path);
}

/* Replaces a file of the directory, or makes it. */
static int
write_file(struct commit *c, const char *dir, const char *name,
    const struct strbuf *text, struct diag *dg)
{
	cleanup_close int fd = -1;

	if (patchset_open_dir(c->set, dir, true, &fd, dg) != 0)
		return -1;
	fs_temp_clean(fd, name);
	if (fs_replace_file(fd, name, text->buf, text->len, 0644, dg) != 0)
		return diag_wrap(dg, "%s", dir);
	strvec_pushf(&c->report->steps, "wrote %s/%s", dir, name);
	return 0;
}

/* Returns true if the entry's patch file has this text. */
static bool
has_text(
    const struct patchset *set, const char *path, const struct strbuf *text)
{
	cleanup_strbuf struct strbuf now = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	return fs_open_nolinks(set->project_fd, path,
		   O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, &dg) == 0 &&
	    fs_read_fd(fd, path, text->len, &now, &dg) == 0 &&
	    now.len == text->len && memcmp(now.buf, text->buf, now.len) == 0;
}

static int
write_patches(struct commit *c, struct diag *dg)
{
	for (size_t i = 0; i < c->want->nr; i++) {
		cleanup_free char *path =
		    patchledger_patch_path(&c->want->v[i]);
		char *slash = strrchr(path, '/');

		if (!c->new_patch[i] || has_text(c->set, path, &c->texts[i]))
			continue;
		*slash = '\0';
		if (write_file(c, path, slash + 1, &c->texts[i], dg) != 0)
			return -1;
	}
	return 0;
}

static int
write_copies(struct commit *c, struct diag *dg)
{
	for (size_t i = 0; i < c->want->nr; i++) {
		cleanup_free char *path = patchledger_copy_path(&c->want->v[i]);

		if (c->trees[i].fd < 0)
			continue;
		if (c->edited[i] &&
		    patchset_keep_edits(
			c->set, &c->want->v[i], c->report, dg) != 0)
			return -1;
		if (patchtree_place(c->trees[i].fd, &c->trees[i].files,
			c->set->project_fd, path, dg) != 0)
			return -1;
		tell(c, "made", path);
	}
	return 0;
}

static int
write_ledger(struct commit *c, struct diag *dg)
{
	cleanup_strbuf struct strbuf now = STRBUF_INIT;

	if (c->want->nr == 0) {
		if (unlinkat(c->set->dir_fd, PATCHSET_LEDGER, 0) == 0)
			tell(c, "removed", PATCHLEDGER_PATH);
		else if (errno != ENOENT)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "remove " PATCHLEDGER_PATH);
		return 0;
	}
	if (patchledger_write(&c->set->ledger, &now, dg) != 0)
		return -1;
	if (c->set->ledger.nr > 0 && now.len == c->ledger.len &&
	    memcmp(now.buf, c->ledger.buf, now.len) == 0)
		return 0;
	return write_file(c, PATCHSET_DIR, PATCHSET_LEDGER, &c->ledger, dg);
}

/*
 * Replaces a file of the project with the computed text, if they differ.  A
 * session may have changed the file since it was read.
 */
static int
write_project_file(struct commit *c, const struct patchset_file *file,
    const struct strbuf *text, struct diag *dg)
{
	cleanup_strbuf struct strbuf now = STRBUF_INIT;
	cleanup_close int fd = -1;

	if (!file->exists ||
	    (text->len == file->text.len &&
		memcmp(text->buf, file->text.buf, text->len) == 0))
		return 0;
	if (fs_open_nolinks(c->set->project_fd, file->name,
		O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, dg) != 0 ||
	    fs_read_fd(fd, file->name, file->text.len, &now, dg) != 0)
		return -1;
	if (now.len != file->text.len ||
	    memcmp(now.buf, file->text.buf, now.len) != 0)
		return diag_set(dg, DIAG_BUSY,
		    "%s was changed meanwhile; try again", file->name);
	if (fs_replace_file(c->set->project_fd, file->name, text->buf,
		text->len, file->mode, dg) != 0)
		return -1;
	tell(c, "wrote", file->name);
	return 0;
}

static int
write_redirects(struct commit *c, struct diag *dg)
{
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		const struct patchset_files *files = &c->set->files[i];

		if (write_project_file(c, &files->lock, &c->locks[i], dg) !=
			0 ||
		    write_project_file(
			c, &files->manifest, &c->manifests[i], dg) != 0)
			return -1;
	}
	return 0;
}

/*
 * While the lock has a redirected entry, the ledger has the original one: it is
 * written before the lock if a patch comes, and last if one goes.
 */
static int
write_all(struct commit *c, struct diag *dg)
{
	if ((c->want->nr > 0 &&
		patchset_write_ignore(c->set, c->report, dg) != 0) ||
	    write_patches(c, dg) != 0 || write_copies(c, dg) != 0 ||
	    (!c->removes && write_ledger(c, dg) != 0) ||
	    write_redirects(c, dg) != 0 ||
	    (c->removes && write_ledger(c, dg) != 0))
		return -1;
	return patchset_remove_copies(c->set, c->want, c->report, dg);
}

/* Returns true if the ledger has an entry that goes. */
static bool
drops(const struct patchledger *had, const struct patchledger *want)
{
	for (size_t i = 0; i < had->nr; i++)
		if (patchledger_find(want, had->v[i].ecosystem, had->v[i].name,
			had->v[i].version) == NULL)
			return true;
	return false;
}

int
patchset_commit(struct patchset *set, struct patchledger *want,
    const struct strbuf *patches, struct patches_report *report,
    struct diag *dg)
{
	cleanup_commit struct commit c = {
		.set = set,
		.want = want,
		.texts = xcalloc(want->nr + 1, sizeof(*c.texts)),
		.new_patch = xcalloc(want->nr + 1, sizeof(*c.new_patch)),
		.lost = xcalloc(want->nr + 1, sizeof(*c.lost)),
		.edited = xcalloc(want->nr + 1, sizeof(*c.edited)),
		.trees = xcalloc(want->nr + 1, sizeof(*c.trees)),
		.ledger = STRBUF_INIT,
		.removes = drops(&set->ledger, want),
		.report = report,
	};

	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		strbuf_init(&c.manifests[i]);
		strbuf_init(&c.locks[i]);
	}
	for (size_t i = 0; i < want->nr; i++) {
		strbuf_init(&c.texts[i]);
		c.trees[i] = (struct patchset_tree)PATCHSET_TREE_INIT;
	}
	if (compute(&c, patches, dg) != 0)
		return -1;
	return write_all(&c, dg);
}
