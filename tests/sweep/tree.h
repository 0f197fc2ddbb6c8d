/* SPDX-License-Identifier: MIT */
/*
 * tree: what lies below a directory, kept in memory and put back in place.
 *
 * What fails ends the program (die.h).
 */
#ifndef DRYDOCK_TESTS_TREE_H
#define DRYDOCK_TESTS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct tree_entry {
	char *path; /* below the top */
	struct stat st;
	char *data; /* a file's, or where a link leads to */
	size_t len;
	/* The user's, for what st says; wanted: not yet. */
	uint64_t sum;
	bool summed;
	/* While it is put back: it is there, and it is as it was. */
	bool seen;
	bool untouched;
};

struct tree {
	char *top; /* absolute */
	struct tree_entry *v; /* sorted by path */
	size_t nr, alloc;
};

/* top is copied. */
void tree_init(struct tree *t, const char *top);
/* Takes all that is there now, in place of what was kept before. */
void tree_keep(struct tree *t);
/* Makes what is there as it was kept: files that were not touched are not,
 * and keep their inodes.  dead: nobody listens at the sockets.  Else false when
 * one is gone, which cannot be made again: the rest is put back, ret_path
 * (returned) names it. */
bool tree_restore(struct tree *t, bool dead, char **ret_path);

/* The kept entry that is still as it was, by what lstat() says; NULL. */
struct tree_entry *tree_same(
    struct tree *t, const char *path, const struct stat *st);

/* Calls visit for each entry below path in the tree as it is, a directory
 * before what is in it; path is "" for all. */
typedef void tree_visit_fn(
    void *arg, int dir_fd, const char *path, const struct stat *st);
void tree_walk(
    const struct tree *t, const char *path, tree_visit_fn *visit, void *arg);

/* The bytes of a file or a link; returned, with a terminator. */
char *tree_read(
    int dir_fd, const char *path, const struct stat *st, size_t *ret_len);

#endif /* DRYDOCK_TESTS_TREE_H */
