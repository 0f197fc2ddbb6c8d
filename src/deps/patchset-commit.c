/* SPDX-License-Identifier: MIT */
/* Computes what a project's patches need, and writes the difference. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/patchset.h"

#define READ_FILE (O_RDONLY | O_NONBLOCK | O_NOCTTY)

/* What a commit writes for an entry. */
struct change {
	struct strbuf text; /* owned; of the patch */
	bool is_new; /* the text is to be written */
	bool is_lost; /* the patch file is gone: the entry stays */
	bool is_edited; /* the present copy has changes of its own */
	struct patchset_tree tree; /* owned; fd -1: the copy is right */
};

struct commit {
	struct patchset *set; /* borrowed */
	struct strvec *steps; /* borrowed */
	struct patchledger *want; /* borrowed */
	struct change *changes; /* owned; of each entry of want */
	bool removes; /* an entry of the ledger goes */
	struct strbuf ledger;
	bool redirects[ECOSYSTEM_NR]; /* these texts are computed */
	struct strbuf manifests[ECOSYSTEM_NR];
	struct strbuf locks[ECOSYSTEM_NR];
};

static void
commit_release(struct commit *c)
{
	for (size_t i = 0; i < c->want->nr; i++) {
		strbuf_release(&c->changes[i].text);
		patchset_tree_release(&c->changes[i].tree);
	}
	free(c->changes);
	strbuf_release(&c->ledger);
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		strbuf_release(&c->manifests[i]);
		strbuf_release(&c->locks[i]);
	}
}

#define cleanup_commit __attribute__((cleanup(commit_release)))

enum copy_state {
	COPY_INCOMPLETE, /* absent, or without a list */
	COPY_AS_LISTED,
	COPY_CHANGED,
};

/* Compares a copy with its list.  *ret_tree is DIGEST_NONE if it has none. */
static enum copy_state
look_at_copy(int copies_fd, const char *name, struct digest *ret_tree)
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
	if (fs_open_nolinks(
		copies_fd, name, O_RDONLY | O_DIRECTORY, 0, &fd, &dg) != 0)
		return COPY_INCOMPLETE;
	if (patchtree_read(fd, &tree, &dg) != 0)
		return COPY_CHANGED;
	patchtree_digest(&tree, ret_tree);
	if (fs_open_nolinks(
		copies_fd, list_name, READ_FILE, 0, &list_fd, &dg) != 0)
		return COPY_INCOMPLETE;
	patchtree_list(&tree, &found);
	if (fs_read_fd(list_fd, list_name, PATCHTREE_MAX_LIST, &list, &dg) !=
		0 ||
	    !strbuf_equal(&found, &list))
		return COPY_CHANGED;
	return COPY_AS_LISTED;
}

/*
 * Compares the present copy with the recorded files.  Changes in it can be kept
 * as the package's editable directory; if there is one, the failure is DIAG_NO.
 */
static int
check_copy(const struct patchset *set, const struct patchledger_entry *entry,
    bool *ret_right, bool *ret_edited, struct diag *dg)
{
	cleanup_free char *path = patchledger_copy_path(entry);
	cleanup_free char *edit = patchset_edit_path(entry);
	cleanup_free char *dir =
	    xasprintf(PATCHSET_COPIES "%s", entry->ecosystem);
	cleanup_diag struct diag absent = DIAG_INIT;
	cleanup_close int fd = -1;
	struct digest tree = { .kind = DIGEST_NONE };
	enum copy_state state = COPY_INCOMPLETE;
	struct stat st;
	bool same;

	if (entry->tree.kind != DIGEST_NONE &&
	    patchset_open_dir(set, dir, &fd, &absent) == 0)
		state = look_at_copy(fd, strrchr(path, '/') + 1, &tree);
	same = digest_equal(&tree, &entry->tree);
	*ret_right = same && state == COPY_AS_LISTED;
	*ret_edited =
	    !same && (state != COPY_INCOMPLETE || tree.kind != DIGEST_NONE);
	/* The files of a packed copy are not those that people edit. */
	if (!*ret_edited || ecosystem_find(entry->ecosystem)->pack != NULL ||
	    fstatat(set->project_fd, edit, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	return diag_set(dg, DIAG_NO,
	    "%s was changed, and %s is there, too: save or move away the "
	    "latter, and apply again",
	    path, edit);
}

static int
compute_copy(struct commit *c, size_t i, struct diag *dg)
{
	struct patchledger_entry *entry = &c->want->v[i];
	struct change *change = &c->changes[i];
	struct patchset_tree *tree = &change->tree;
	struct digest digest;
	struct digest integrity;
	bool is_right = change->is_lost;

	if (!is_right &&
	    check_copy(c->set, entry, &is_right, &change->is_edited, dg) != 0)
		return -1;
	if (is_right)
		return 0;
	if (patchset_build(c->set, entry, &change->text, NULL, tree, dg) != 0 ||
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
	const struct patchledger_entry *entry = &c->want->v[i];
	struct change *change = &c->changes[i];
	struct digest digest;

	change->is_new = given != NULL;
	/* Several that are lost are removed one after the other. */
	change->is_lost =
	    given == NULL && c->removes && is_missing(c->set, entry);
	if (change->is_lost)
		return 0;
	if (given != NULL)
		strbuf_add(&change->text, given->buf, given->len);
	else if (patchset_read_patch(c->set, entry, &change->text, dg) != 0)
		return -1;
	digest_of(DIGEST_SHA256, change->text.buf, change->text.len, &digest);
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
	    !eco->has_mark(files->manifest.text.buf, files->manifest.text.len))
		return 0;
	c->redirects[i] = true;
	return eco->redirect(
	    &now, &had, &want, &c->manifests[i], &c->locks[i], dg);
}

static int
compute(struct commit *c, const struct patchledger_entry *saved,
    const struct strbuf *patch, struct diag *dg)
{
	const struct patchledger *want = c->want;

	for (size_t i = 0; i < want->nr; i++)
		if (take_patch(c, i, &want->v[i] == saved ? patch : NULL, dg) !=
		    0)
			return -1;
	for (size_t i = 0; i < want->nr; i++)
		if (check_locked(c, &want->v[i], dg) != 0)
			return -1;
	for (size_t i = 0; i < want->nr; i++)
		if (compute_copy(c, i, dg) != 0)
			return -1;
	/* A lock file may name the digest of the copy. */
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		if (compute_redirect(c, i, dg) != 0)
			return -1;
	return want->nr == 0 ? 0 : patchledger_write(want, &c->ledger, dg);
}

/* Replaces a file of the directory, or makes it. */
static int
write_file(struct commit *c, const char *dir, const char *name,
    const struct strbuf *text, struct diag *dg)
{
	cleanup_close int fd = -1;

	if (patchset_make_dir(c->set, dir, &fd, dg) != 0)
		return -1;
	fs_temp_clean(fd, name);
	if (fs_replace_file(fd, name, text->buf, text->len, 0644, dg) != 0)
		return diag_wrap(dg, "%s", dir);
	strvec_pushf(c->steps, "wrote %s/%s", dir, name);
	return 0;
}

static int
write_patches(struct commit *c, struct diag *dg)
{
	for (size_t i = 0; i < c->want->nr; i++) {
		cleanup_free char *path =
		    patchledger_patch_path(&c->want->v[i]);
		const struct strbuf *text = &c->changes[i].text;
		char *slash = strrchr(path, '/');

		if (!c->changes[i].is_new ||
		    patchset_has_text(
			c->set->project_fd, path, text->buf, text->len))
			continue;
		*slash = '\0';
		if (write_file(c, path, slash + 1, text, dg) != 0)
			return -1;
	}
	return 0;
}

static int
write_copies(struct commit *c, struct diag *dg)
{
	for (size_t i = 0; i < c->want->nr; i++) {
		const struct patchledger_entry *entry = &c->want->v[i];
		const struct change *change = &c->changes[i];
		cleanup_free char *path = patchledger_copy_path(entry);

		if (change->tree.fd < 0)
			continue;
		if (change->is_edited &&
		    patchset_keep_edits(c->set, entry, dg) != 0)
			return -1;
		if (patchtree_place(change->tree.fd, &change->tree.files,
			c->set->project_fd, path, dg) != 0)
			return -1;
		strvec_pushf(c->steps, "made %s", path);
	}
	return 0;
}

static int
write_ledger(struct commit *c, struct diag *dg)
{
	cleanup_strbuf struct strbuf now = STRBUF_INIT;

	if (c->want->nr == 0) {
		if (unlinkat(c->set->dir_fd, PATCHSET_LEDGER, 0) == 0)
			strvec_push(c->steps, "removed " PATCHLEDGER_PATH);
		else if (errno != ENOENT)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "remove " PATCHLEDGER_PATH);
		return 0;
	}
	if (patchledger_write(&c->set->ledger, &now, dg) != 0)
		return -1;
	if (c->set->ledger.nr > 0 && strbuf_equal(&now, &c->ledger))
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

	if (!file->exists || strbuf_equal(text, &file->text))
		return 0;
	if (fs_read_nolinks(
		c->set->project_fd, file->name, file->text.len, &now, dg) != 0)
		return -1;
	if (!strbuf_equal(&now, &file->text))
		return diag_set(dg, DIAG_BUSY,
		    "%s was changed meanwhile; try again", file->name);
	if (fs_replace_file(c->set->project_fd, file->name, text->buf,
		text->len, file->mode, dg) != 0)
		return -1;
	strvec_pushf(c->steps, "wrote %s", file->name);
	return 0;
}

static int
write_redirects(struct commit *c, struct diag *dg)
{
	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		const struct patchset_files *files = &c->set->files[i];

		if (c->redirects[i] &&
		    (write_project_file(c, &files->lock, &c->locks[i], dg) !=
			    0 ||
			write_project_file(
			    c, &files->manifest, &c->manifests[i], dg) != 0))
			return -1;
	}
	return 0;
}

/*
 * Returns true if a copy that goes has changes of its own.  Whoever changed it
 * may have changed its list, too: what was recorded counts more.
 */
static bool
has_edits(const struct patchset *set, int copies_fd, const char *name)
{
	struct digest tree;
	enum copy_state state = look_at_copy(copies_fd, name, &tree);

	for (size_t i = 0; i < set->ledger.nr; i++) {
		const struct patchledger_entry *entry = &set->ledger.v[i];
		cleanup_free char *path = patchledger_copy_path(entry);

		if (tree.kind != DIGEST_NONE &&
		    strcmp(strrchr(path, '/') + 1, name) == 0)
			return !digest_equal(&tree, &entry->tree);
	}
	return state == COPY_CHANGED;
}

static int
remove_unwanted(const struct patchset *set, const struct ecosystem *eco,
    int copies_fd, const char *dir, const char *name, struct diag *dg)
{
	cleanup_free char *label =
	    xasprintf("the changed copy %s/%s", dir, name);
	cleanup_free char *leftover = NULL;
	char random[13];

	/* A copy in work that a killed process left. */
	if (name[0] == '.')
		return fs_remove_tree(copies_fd, name, dg);
	if (has_edits(set, copies_fd, name))
		return patchset_keep(set, eco->name, copies_fd, label, dg);
	/*
	 * Half a copy would look like one that was changed: it gets the name of
	 * a copy in work first.
	 */
	fs_random_name(random, sizeof(random));
	leftover = xasprintf(".%.200s.%s", name, random);
	if (renameat(copies_fd, name, copies_fd, leftover) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "remove %s/%s", dir, name);
	if (fs_remove_tree(copies_fd, leftover, dg) != 0)
		return -1;
	strvec_pushf(set->project->steps, "removed %s/%s", dir, name);
	return 0;
}

/*
 * Removes what lies among the copies and belongs to no entry of want.  A copy
 * that was changed is moved to the editable directories.
 */
static int
remove_copies(struct commit *c, const struct ecosystem *eco, struct diag *dg)
{
	cleanup_free char *dir = xasprintf(PATCHSET_COPIES "%s", eco->name);
	const struct patchledger part = patchledger_part(c->want, eco->name);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_strvec struct strvec wanted = STRVEC_INIT;
	cleanup_close int fd = -1;

	for (size_t i = 0; i < part.nr; i++) {
		cleanup_free char *path = patchledger_copy_path(&part.v[i]);
		const char *copy = strrchr(path, '/') + 1;

		strvec_push(&wanted, copy);
		strvec_pushf(&wanted, "%s" PATCHTREE_LIST_SUFFIX, copy);
	}
	if (patchset_list_dir(c->set, dir, &fd, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		if (!strvec_has(&wanted, names.v[i]) &&
		    remove_unwanted(c->set, eco, fd, dir, names.v[i], dg) != 0)
			return -1;
	return 0;
}

/*
 * While the lock has a redirected entry, the ledger has the original one: it is
 * written before the lock if a patch comes, and last if one goes.
 */
static int
write_all(struct commit *c, struct diag *dg)
{
	if ((c->want->nr > 0 && patchset_write_ignore(c->set, dg) != 0) ||
	    write_patches(c, dg) != 0 || write_copies(c, dg) != 0 ||
	    (!c->removes && write_ledger(c, dg) != 0) ||
	    write_redirects(c, dg) != 0 ||
	    (c->removes && write_ledger(c, dg) != 0))
		return -1;
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		if (remove_copies(c, ecosystems[i], dg) != 0)
			return -1;
	return 0;
}

int
patchset_commit(struct patchset *set, const struct patchledger_entry *saved,
    const struct strbuf *patch, struct diag *dg)
{
	struct patchledger *want = &set->want;
	cleanup_commit struct commit c = {
		.set = set,
		.steps = set->project->steps,
		.want = want,
		.changes = xcalloc(want->nr + 1, sizeof(*c.changes)),
		.ledger = STRBUF_INIT,
	};

	for (size_t i = 0; i < ECOSYSTEM_NR; i++) {
		strbuf_init(&c.manifests[i]);
		strbuf_init(&c.locks[i]);
	}
	for (size_t i = 0; i < want->nr; i++)
		c.changes[i] = (struct change){ .text = STRBUF_INIT,
			.tree = PATCHSET_TREE_INIT };
	for (size_t i = 0; i < set->ledger.nr; i++) {
		const struct patchledger_entry *e = &set->ledger.v[i];

		if (patchledger_find(want, e->ecosystem, e->name, e->version) ==
		    NULL)
			c.removes = true;
	}
	if (compute(&c, saved, patch, dg) != 0)
		return -1;
	return write_all(&c, dg);
}
