/* SPDX-License-Identifier: MIT */
/*
 * inodes: files that hold credentials, known by device and number, since a hard
 * link or a mount gives them any name.
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

/* Adds st when it is a regular file. */
void inodes_add(struct inodes *set, const struct stat *st);

/*
 * Adds what is in the places below the home that hold credentials, and the
 * tokens.  A place that is absent or closed to the user has nothing to add, and
 * neither has one that a link leads to in a project.
 */
int inodes_add_protected(struct inodes *set, const struct paths *paths,
    const struct knownprojects *known, struct diag *dg);

/* Before the first inodes_has(), and after the last inodes_add(). */
void inodes_sort(struct inodes *set);

bool inodes_has(const struct inodes *set, dev_t dev, ino_t ino);

void inodes_release(struct inodes *set);

#endif /* DRYDOCK_INODES_H */
