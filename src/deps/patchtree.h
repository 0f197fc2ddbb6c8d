/* SPDX-License-Identifier: MIT */
/*
 * patchtree: the files of a patched copy, and their list.
 *
 *	.drydock/patched/cargo/NAME-VERSION-HEX/	the copy
 *	.drydock/patched/cargo/NAME-VERSION-HEX.files	its list
 *
 * The list has a line "HEX  PATH" for each file, sorted by path as bytes, which
 * "sha256sum -c" understands.  The tree's digest is the SHA-256 of the list.  A
 * tree has regular files and their directories alone.  The copy lies in the
 * project: hostile input.
 */
#ifndef DRYDOCK_PATCHTREE_H
#define DRYDOCK_PATCHTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/digest.h"

struct diag;
struct strbuf;

#define PATCHTREE_LIST_SUFFIX ".files"
#define PATCHTREE_MAX_LIST ((size_t)32 * 1024 * 1024)

struct patchtree_file {
	char *path; /* owned */
	struct digest digest; /* SHA-256 */
};

struct patchtree {
	struct patchtree_file *v; /* owned; sorted by path */
	size_t nr;
};

#define PATCHTREE_INIT  \
	{               \
		NULL, 0 \
	}

/*
 * Returns true if a file of a tree may have the path: it is relative, it has no
 * component that is empty, "." or "..", no control character and no backslash,
 * and it is UTF-8 of at most 1024 bytes and 64 directories.
 */
bool patchtree_is_path(const char *path);

/*
 * Hashes the files below dir_fd.  Anything that is no regular file and no
 * directory, a directory without files, a bad path, and more than
 * PACKAGETAR_MAX_FILES files or PACKAGETAR_MAX_UNPACKED bytes are DIAG_DATA;
 * the message names the path.  Never follows a link, never blocks.  ret_tree is
 * PATCHTREE_INIT before.
 */
int patchtree_read(int dir_fd, struct patchtree *ret_tree, struct diag *dg);
void patchtree_release(struct patchtree *tree);

void patchtree_list(const struct patchtree *tree, struct strbuf *out);
int patchtree_parse_list(
    struct patchtree *ret_tree, const char *text, size_t len, struct diag *dg);
void patchtree_digest(const struct patchtree *tree, struct digest *ret_digest);

/* How a file of the copy differs from the list. */
enum patchtree_difference {
	PATCHTREE_CHANGED,
	PATCHTREE_MISSING,
	PATCHTREE_EXTRA,
};

/* Calls differs() for each difference, sorted by path. */
void patchtree_compare(const struct patchtree *want,
    const struct patchtree *got,
    void (*differs)(void *arg, const char *path, enum patchtree_difference how),
    void *arg);

/*
 * Appends the bytes of in to out.  The bytes that are written are the ones that
 * are hashed: if they are not the file's, that is DIAG_DATA.
 */
int patchtree_copy_file(const struct patchtree_file *f, int in, int out,
    off_t *ret_size, struct diag *dg);

/*
 * Puts a copy of the tree below src_fd, which nobody else writes, at copy_path
 * below the project: beside it first, flushed, then by rename.  Files are 0444,
 * directories 0755, the times now.  A copy that is there already is exchanged
 * and then removed; a failure leaves it.  A copy in work that a killed process
 * left is removed: the caller holds the lock of the project's patches.
 */
int patchtree_place(int src_fd, const struct patchtree *tree, int project_fd,
    const char *copy_path, struct diag *dg);

#define cleanup_patchtree __attribute__((cleanup(patchtree_release)))

#endif /* DRYDOCK_PATCHTREE_H */
