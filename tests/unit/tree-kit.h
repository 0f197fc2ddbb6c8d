/* SPDX-License-Identifier: MIT */
/*
 * tree-kit: files and directories for tests of fs.h; what goes wrong is a
 * failed check.
 */
#ifndef DRYDOCK_TESTS_TREE_KIT_H
#define DRYDOCK_TESTS_TREE_KIT_H

#include <stdbool.h>
#include <sys/types.h>

/* The test's own directory, for reading; the caller closes. */
int tree_open(void);

/* Makes a file of four bytes, "text". */
void tree_file(int dir, const char *path, mode_t mode);

/* Makes or replaces a file with this text. */
void tree_put(int dir, const char *name, const char *text);

/* Makes or replaces a file, and makes the directories of its path. */
void tree_put_below(int dir, const char *path, const char *text);

/* Makes an empty directory in the test's own, for reading; the caller closes. */
int tree_make(const char *name);

void tree_socket(int dir, const char *path);

/* Returned: a file's text, or NULL. */
char *tree_get(int dir, const char *name);

/* Whether a name is there, a dead link's too. */
bool tree_has(int dir, const char *path);

/* How many entries a directory has. */
int tree_count(int dir);

/*
 * Gives a user all of a directory by an access list (acl(5)); false where the
 * file system has none.
 */
bool tree_access_list(int dir, const char *path, uid_t user);

/* Nests depth directories called d below dir, with a file in some. */
void tree_nest(int dir, int depth);

#endif /* DRYDOCK_TESTS_TREE_KIT_H */
