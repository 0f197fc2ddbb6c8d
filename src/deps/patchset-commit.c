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
#include "deps/cargolock.h"
#include "deps/cargomanifest.h"
#include "deps/cargoredirect.h"
#include "deps/patchset.h"

/* What a commit writes. */
struct commit {
	struct patchset *set;
	struct patchledger *want;
	struct strbuf *texts; /* owned; of each entry's patch */
	bool *new_patch; /* owned; the text is to be written */
	bool *edited; /* owned; the present copy has changes of its own */
	struct patchset_tree *trees; /* owned; fd -1: the copy is right */
	struct strbuf ledger;
	struct strbuf manifest;
	struct strbuf lock;
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
	free(c->edited);
	strbuf_release(&c->ledger);
	strbuf_release(&c->manifest);
	strbuf_release(&c->lock);
}

#define cleanup_commit __attribute__((cleanup(commit_release)))

static int
compute_copy(struct commit *c, size_t i, struct diag *dg)
{
	struct patchledger_entry *entry = &c->want->v[i];
	struct patchset_tree *tree = &c->trees[i];
	struct digest digest;

	if (patchset_copy_is_right(c->set, entry))
		return 0;
	if (patchset_find_edits(c->set, entry, &c->edited[i], dg) != 0)
		return -1;
	if (patchset_build(c->set, entry, &c->texts[i], NULL, tree, dg) != 0)
		return -1;
	patchtree_digest(&tree->files, &digest);
	if (entry->tree.kind == DIGEST_NONE)
		entry->tree = digest;
	if (digest_equal(&digest, &entry->tree))
		return 0;
	return diag_set(dg, DIAG_DATA,
	    "the patch of %s %s gives other files than " PATCHLEDGER_PATH
	    " records; if the patch is right, run: drydock patch seal",
	    entry->name, entry->version);
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

/* Leads the lock's entry to the copy. */
static int
redirect(struct commit *c, struct patchledger_entry *entry, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf fragment = STRBUF_INIT;
	enum patchset_locked locked;
	struct digest checksum;

	if (patchset_find_locked(&c->lock, entry->name, entry->version, &locked,
		&checksum, dg) != 0)
		return -1;
	if (locked == PATCHSET_ABSENT)
		return diag_set(dg, DIAG_NO,
		    "Cargo.lock does not have %s %s, which is patched: restore "
		    "that version, or run: drydock patch remove %s",
		    entry->name, entry->version, entry->name);
	if (locked == PATCHSET_REDIRECTED && entry->fragment != NULL)
		return 0;
	if (locked != PATCHSET_ORIGINAL ||
	    !digest_equal(&checksum, &entry->pristine))
		return diag_set(dg, DIAG_NO,
		    "Cargo.lock has %s %s from another source than the patch "
		    "was made for",
		    entry->name, entry->version);
	if (cargoredirect_add(c->lock.buf, c->lock.len, entry->name,
		entry->version, &out, &fragment, dg) != 0)
		return -1;
	free(entry->fragment);
	entry->fragment = strbuf_detach(&fragment, NULL);
	strbuf_reset(&c->lock);
	strbuf_add(&c->lock, out.buf, out.len);
	return 0;
}

/* Gives the lock back its entry of a patch that goes. */
static int
restore(struct commit *c, const struct patchledger_entry *old, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	enum patchset_locked locked;
	struct digest checksum;

	if (patchset_find_locked(
		&c->lock, old->name, old->version, &locked, &checksum, dg) != 0)
		return -1;
	if (locked != PATCHSET_REDIRECTED)
		return 0;
	if (cargoredirect_remove(c->lock.buf, c->lock.len, old->name,
		old->version, old->fragment, &out, dg) != 0)
		return -1;
	strbuf_reset(&c->lock);
	strbuf_add(&c->lock, out.buf, out.len);
	return 0;
}

static int
compute_lock(struct commit *c, struct diag *dg)
{
	const struct patchledger *had = &c->set->ledger;

	/* A file that is gone has no entry to restore. */
	if (!c->set->lock.exists && c->want->nr == 0)
		return 0;
	if (!c->set->lock.exists)
		return diag_set(dg, DIAG_CONFIG,
		    "%s has no Cargo.lock, and %s is patched: restore the file",
		    c->set->project->path, c->want->v[0].name);
	strbuf_add(&c->lock, c->set->lock.text.buf, c->set->lock.text.len);
	for (size_t i = 0; i < had->nr; i++)
		if (patchledger_find(c->want, had->v[i].ecosystem,
			had->v[i].name, had->v[i].version) == NULL &&
		    restore(c, &had->v[i], dg) != 0)
			return -1;
	for (size_t i = 0; i < c->want->nr; i++)
		if (redirect(c, &c->want->v[i], dg) != 0)
			return -1;
	return 0;
}

static bool
is_recorded(const struct patchledger *ledger, const char *name)
{
	for (size_t i = 0; i < ledger->nr; i++)
		if (strcmp(ledger->v[i].name, name) == 0)
			return true;
	return false;
}

/*
 * Refuses to drop the redirect of a patch that was never recorded, or whose
 * record is lost.  The original lock entry is lost with the record: cargo would
 * resolve the crate anew, and build the original without a word.
 */
static int
check_unrecorded(const struct commit *c,
    const struct cargomanifest_block *block, struct diag *dg)
{
	const struct strbuf *text = &c->set->lock.text;
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;

	if (!c->set->lock.exists || block->nr == 0)
		return 0;
	if (cargolock_parse(&lock, text->buf, text->len, "Cargo.lock", dg) != 0)
		return -1;
	for (size_t i = 0; i < block->nr; i++) {
		const char *name = block->v[i].name;

		if (is_recorded(c->want, name) ||
		    is_recorded(&c->set->ledger, name))
			continue;
		for (size_t k = 0; k < lock.nr; k++)
			if (strcmp(lock.v[k].name, name) == 0 &&
			    lock.v[k].source == NULL)
				return diag_set(dg, DIAG_NO,
				    "Cargo.toml and Cargo.lock lead to a patch "
				    "of %s that " PATCHLEDGER_PATH
				    " does not record: restore this file, or "
				    "the other two",
				    name);
	}
	return 0;
}

/* What a person wrote into the block would go with it. */
static int
check_block(const struct commit *c, struct diag *dg)
{
	const struct strbuf *text = &c->set->manifest.text;
	cleanup_cargomanifest_block struct cargomanifest_block block =
	    CARGOMANIFEST_BLOCK_INIT;

	if (cargomanifest_read(text->buf, text->len, NULL, &block, dg) != 0)
		return -1;
	if (block.state != CARGOMANIFEST_FOREIGN)
		return check_unrecorded(c, &block, dg);
	return diag_set(dg, DIAG_CONFIG,
	    "Cargo.toml: the block of drydock's was edited; move your own lines "
	    "out of it, remove it, and run: drydock patch apply");
}

static int
compute_manifest(struct commit *c, struct diag *dg)
{
	const struct patchledger *want = c->want;
	cleanup_free struct cargomanifest_patch *patches =
	    xcalloc(want->nr + 1, sizeof(*patches));
	cleanup_strvec struct strvec paths = STRVEC_INIT;

	for (size_t i = 0; i < want->nr; i++) {
		if (i > 0 && strcmp(want->v[i].name, want->v[i - 1].name) == 0)
			return diag_set(dg, DIAG_CONFIG,
			    "%s: two versions of a package cannot be patched "
			    "in one project",
			    want->v[i].name);
		strvec_push_given(&paths, patchledger_copy_path(&want->v[i]));
	}
	for (size_t i = 0; i < want->nr; i++)
		patches[i] =
		    (struct cargomanifest_patch){ want->v[i].name, paths.v[i] };
	if (!c->set->manifest.exists && want->nr == 0)
		return 0;
	if (!c->set->manifest.exists)
		return diag_set(dg, DIAG_CONFIG, "%s has no Cargo.toml",
		    c->set->project->path);
	if (check_block(c, dg) != 0)
		return -1;
	return cargomanifest_set(c->set->manifest.text.buf,
	    c->set->manifest.text.len, patches, want->nr, &c->manifest, dg);
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
	if (compute_manifest(c, dg) != 0 || compute_lock(c, dg) != 0)
		return -1;
	for (size_t i = 0; i < c->want->nr; i++)
		if (compute_copy(c, i, dg) != 0)
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

/* Returns true if the ledger has an entry that goes. */
static bool
drops(const struct commit *c)
{
	const struct patchledger *had = &c->set->ledger;

	for (size_t i = 0; i < had->nr; i++)
		if (patchledger_find(c->want, had->v[i].ecosystem,
			had->v[i].name, had->v[i].version) == NULL)
			return true;
	return false;
}

/*
 * While the lock has a redirected entry, the ledger has the original one: it is
 * written before the lock if a patch comes, and last if one goes.
 */
static int
write_all(struct commit *c, struct diag *dg)
{
	bool ledger_last = drops(c);

	if ((c->want->nr > 0 &&
		patchset_write_ignore(c->set, c->report, dg) != 0) ||
	    write_patches(c, dg) != 0 || write_copies(c, dg) != 0 ||
	    (!ledger_last && write_ledger(c, dg) != 0) ||
	    write_project_file(c, &c->set->lock, &c->lock, dg) != 0 ||
	    write_project_file(c, &c->set->manifest, &c->manifest, dg) != 0 ||
	    (ledger_last && write_ledger(c, dg) != 0))
		return -1;
	return patchset_remove_copies(c->set, c->want, c->report, dg);
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
		.edited = xcalloc(want->nr + 1, sizeof(*c.edited)),
		.trees = xcalloc(want->nr + 1, sizeof(*c.trees)),
		.ledger = STRBUF_INIT,
		.manifest = STRBUF_INIT,
		.lock = STRBUF_INIT,
		.report = report,
	};

	for (size_t i = 0; i < want->nr; i++) {
		strbuf_init(&c.texts[i]);
		c.trees[i] = (struct patchset_tree)PATCHSET_TREE_INIT;
	}
	if (compute(&c, patches, dg) != 0)
		return -1;
	return write_all(&c, dg);
}
