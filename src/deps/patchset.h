/* SPDX-License-Identifier: MIT */
/*
 * patchset: the patches of a project while one writer changes them.
 *
 * patchset_open() takes the lock and reads what is there.  The operations in
 * patches.c say which entries the ledger is to have, and patchset_commit()
 * computes all bytes before it writes the first one.
 */
#ifndef DRYDOCK_PATCHSET_H
#define DRYDOCK_PATCHSET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "deps/ecosystem.h"
#include "deps/patches.h"
#include "deps/patchledger.h"
#include "deps/patchtools.h"
#include "deps/patchtree.h"

#define PATCHSET_DIR ".drydock"
#define PATCHSET_LEDGER "patches.json"

/*
 * The directories of one ecosystem below the project, joined with its name:
 * PATCHSET_EDIT "cargo".
 */
#define PATCHSET_EDIT ".drydock/edit/"
#define PATCHSET_PATCHES PATCHLEDGER_PATCHES "/"
#define PATCHSET_COPIES PATCHLEDGER_COPIES "/"

/* A text file in the project's directory. */
struct patchset_file {
	const char *name;
	bool exists;
	mode_t mode;
	struct strbuf text;
};

/* What one ecosystem has in the project. */
struct patchset_files {
	struct patchset_file manifest;
	struct patchset_file lock;
	/* Set if one of them cannot be read and no patch needs it. */
	struct diag unreadable; /* neither exists then */
};

struct patchset {
	const struct patches_project *project; /* borrowed */
	int project_fd; /* owned; open for reading */
	int dir_fd; /* owned; .drydock */
	int lock_fd; /* owned; .drydock/patches.lock */
	struct patchledger ledger; /* as it is in the file */
	struct patchledger want; /* as it is to be: a copy at first */
	struct patchset_files files[ECOSYSTEM_NR];
	struct patchtools tools; /* opened by patchset_build() */
	size_t ntrees; /* in the scratch directory */
};

#define PATCHSET_INIT                                          \
	{                                                      \
		.project_fd = -1, .dir_fd = -1, .lock_fd = -1, \
		.tools = PATCHTOOLS_INIT                       \
	}

/* Makes .drydock if it is absent.  Another writer is DIAG_BUSY. */
int patchset_open(struct patchset *ret_set,
    const struct patches_project *project, struct diag *dg);
/* Also removes .drydock if nothing of the user's is left in it. */
void patchset_close(struct patchset *set);

/*
 * Finds the ecosystem whose lock file has the package, if *eco is NULL.  version
 * may be NULL.
 */
int patchset_choose_ecosystem(struct patchset *set, const char *name,
    const char *version, const struct ecosystem **eco, struct diag *dg);
/* Finds the only version of a package that the lock has. */
int patchset_choose_version(struct patchset *set, const struct ecosystem *eco,
    const char *name, char **ret_version, struct diag *dg);

struct patchset_files *patchset_files(
    struct patchset *set, const struct ecosystem *eco);

/* Fails if manifest or lock file could not be read. */
int patchset_check_readable(
    struct patchset *set, const struct ecosystem *eco, struct diag *dg);

/* Opens a directory below the project, "a/b/c". */
int patchset_open_dir(
    const struct patchset *set, const char *path, int *ret_fd, struct diag *dg);
/* The same, and makes missing components. */
int patchset_make_dir(
    const struct patchset *set, const char *path, int *ret_fd, struct diag *dg);
/*
 * Opens a directory below the project, and lists the names in it.  If it is
 * absent, *ret_fd stays as it is.
 */
int patchset_list_dir(const struct patchset *set, const char *path, int *ret_fd,
    struct strvec *ret_names, struct diag *dg);

/* Writes .drydock/.gitignore with what is made again.  A user's own stays. */
int patchset_write_ignore(const struct patchset *set, struct diag *dg);

/* Returns true if the file, below dirfd and without links, has this text. */
bool patchset_has_text(
    int dirfd, const char *path, const char *text, size_t len);

/* The patched or original files of a package in the scratch directory. */
struct patchset_tree {
	char name[16]; /* in the scratch directory */
	int fd; /* owned */
	struct patchtree files;
};

#define PATCHSET_TREE_INIT                        \
	{                                         \
		.fd = -1, .files = PATCHTREE_INIT \
	}

void patchset_tree_release(struct patchset_tree *tree);

/*
 * Unpacks the proven package into a new tree, or into the tree "name".  patch
 * (may be NULL) is then applied; it may not change the package's dependencies.
 */
int patchset_build(struct patchset *set, const struct patchledger_entry *entry,
    const struct strbuf *patch, const char *name, struct patchset_tree *ret,
    struct diag *dg);

/*
 * Packs the tree's files if the ecosystem's copies are packed: *tree is then
 * what the copy is to have.  Otherwise it stays, and *ret_integrity is
 * DIGEST_NONE.  modes_fd is the directory of the original package's files.
 */
int patchset_pack(struct patchset *set, const struct ecosystem *eco,
    struct patchset_tree *tree, int modes_fd, struct digest *ret_integrity,
    struct diag *dg);

/* Returned: the package's editable directory, below the project. */
char *patchset_edit_path(const struct patchledger_entry *entry);

/*
 * Moves a copy or a patch file, whose changes are nowhere else, to the editable
 * directories.  label is what it is and its path, for messages: "the changed
 * copy DIR/NAME".  from_fd is DIR.
 */
int patchset_keep(const struct patchset *set, const char *ecosystem,
    int from_fd, const char *label, struct diag *dg);

/* Removes what killed processes left among the editable directories. */
void patchset_clean_edit(const struct patchset *set);

/* Appends the names of an ecosystem's editable directories. */
int patchset_list_edit(const struct patchset *set, const struct ecosystem *eco,
    struct strvec *ret_names, struct diag *dg);

/*
 * Makes and opens the directory of an ecosystem's editable directories.  The
 * entry's own one, which is there already, is DIAG_CONFIG.
 */
int patchset_open_edit(const struct patchset *set, const struct ecosystem *eco,
    const struct patchledger_entry *entry, int *ret_fd, struct diag *dg);

/* Copies a tree to the new editable directory at path. */
int patchset_place_edit(
    int edit_fd, const char *path, int tree_fd, struct diag *dg);

/*
 * Refuses to replace a patch that the editable directory was not made from.
 * Appends the line of the present patch; *ret_fd has the directory's parent.
 */
int patchset_check_base(const struct patchset *set,
    const struct patchledger_entry *entry, int *ret_fd, struct strbuf *present,
    struct diag *dg);

/*
 * The file NAME@VERSION.base beside an editable directory has a line for the
 * patch that the directory was made from or last saved to: its digest, or
 * "none".  While a save writes, the file has a second line for the new patch,
 * so that a save that was killed can be repeated.
 */
void patchset_add_base(
    struct strbuf *out, const struct patchledger_entry *entry);
/* Writes the lines, if they are not there already. */
int patchset_write_base(int edit_fd, const struct patchledger_entry *entry,
    const struct strbuf *lines, struct diag *dg);
/* The same for the line of the entry's patch. */
int patchset_set_base(
    int edit_fd, const struct patchledger_entry *entry, struct diag *dg);

/*
 * Keeps a copy with changes, which is to be replaced, as the package's editable
 * directory, or beside it if the copy is packed.
 */
int patchset_keep_edits(const struct patchset *set,
    const struct patchledger_entry *entry, struct diag *dg);

/* Reads the patch file of an entry, and judges its form. */
int patchset_read_patch(const struct patchset *set,
    const struct patchledger_entry *entry, struct strbuf *out, struct diag *dg);

/*
 * Refuses to replace a patch file whose digest is not among the known ones: it
 * has changes that are nowhere else.
 */
int patchset_check_patch(const struct patchset *set,
    const struct patchledger_entry *entry, const struct strbuf *known,
    struct diag *dg);

/*
 * Lists the patch files of an ecosystem as patchset_list_dir() does, and removes
 * those in work that killed processes left.
 */
int patchset_list_patches(const struct patchset *set,
    const struct ecosystem *eco, int *ret_fd, struct strvec *names,
    struct diag *dg);

/*
 * Removes a patch file.  One that is not as it was recorded is moved to the
 * editable directories.  recorded may be DIGEST_NONE: it was not.
 */
int patchset_remove_patch(const struct patchset *set,
    const struct ecosystem *eco, int patches_fd, const char *name,
    const struct digest *recorded, struct diag *dg);

/*
 * Writes what is needed so that the project has exactly the entries of
 * set->want, whose tree digest may be DIGEST_NONE (it is computed and set, as
 * are the integrity and the fragment).  patch (may be NULL) is the text of the
 * patch file of the entry "saved"; those of the others are there.
 *
 * A copy that is replaced and has changes becomes the package's editable
 * directory; DIAG_NO if there is one already.
 */
int patchset_commit(struct patchset *set, const struct patchledger_entry *saved,
    const struct strbuf *patch, struct diag *dg);

#define cleanup_patchset __attribute__((cleanup(patchset_close)))
#define cleanup_patchset_tree __attribute__((cleanup(patchset_tree_release)))

#endif /* DRYDOCK_PATCHSET_H */
