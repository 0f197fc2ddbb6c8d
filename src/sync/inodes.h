/* SPDX-License-Identifier: MIT */
/*
 * inodes: a set of files with credentials, identified by device and inode
 * number.  A hard link or a bind mount can give such a file any name.
 */
#ifndef DRYDOCK_INODES_H
#define DRYDOCK_INODES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct diag;
struct knownprojects;
struct paths;

struct inode {
	dev_t dev;
	ino_t ino;
};

struct inodes {
	struct inode *v; /* owned */
	size_t nr;
	size_t alloc;
};

#define INODES_INIT        \
	{                  \
		NULL, 0, 0 \
	}

/* Adds st if it is a regular file. */
void inodes_add(struct inodes *set, const struct stat *st);

/*
 * Adds the files in the credential places below the home, and the session
 * tokens.  A place that is absent or not accessible for the user is skipped.  A
 * place reached through a symlink in or into a project is skipped too.
 */
int inodes_add_protected(struct inodes *set, const struct paths *paths,
    const struct knownprojects *known, struct diag *dg);

/* Call it after the last inodes_add() and before the first inodes_has(). */
void inodes_sort(struct inodes *set);

bool inodes_has(const struct inodes *set, dev_t dev, ino_t ino);

void inodes_release(struct inodes *set);

#endif /* DRYDOCK_INODES_H */
