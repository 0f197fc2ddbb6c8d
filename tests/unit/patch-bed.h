/* SPDX-License-Identifier: MIT */
/*
 * patch-bed: a project with patches in sync, ways to spoil it, and what a check
 * then finds.
 */
#ifndef DRYDOCK_TESTS_PATCH_BED_H
#define DRYDOCK_TESTS_PATCH_BED_H

#include <stddef.h>

#include "deps/patchledger.h"

struct patch_bed {
	int fd; /* the project; owned */
	struct patchledger ledger;
};

/* Makes an empty project with the directories of an ecosystem's patches. */
void patch_bed_init(struct patch_bed *bed, const char *ecosystem);
void patch_bed_release(struct patch_bed *bed);

/* Makes or replaces a file at a path, whose directory exists. */
void patch_bed_put(int dir, const char *path, const char *text);

struct patch_bed_file {
	const char *path;
	const char *text;
};

/*
 * Writes the patch, makes the copy of these files, and adds the entry (given)
 * with their digests.
 */
void patch_bed_add(struct patch_bed *bed, struct patchledger_entry *e,
    const char *patch, const struct patch_bed_file *files, size_t nr);
void patch_bed_write_ledger(const struct patch_bed *bed);

/*
 * Returned: "KIND NAME VERSION PATH: TEXT" for each finding, which is of this
 * ecosystem or of none, "note: TEXT" for each note, or the failure.
 */
char *patch_bed_check(const struct patch_bed *bed, const char *ecosystem);

/* Checks a bed of two patches that has more findings than are kept. */
void patch_bed_check_full(const struct patch_bed *bed);

/* Replaces the first OLD in a file. */
void patch_bed_edit(const struct patch_bed *bed, const char *path,
    const char *old, const char *new);

/* A case: what is done to the project in sync, and what is found then. */
struct patch_row {
	enum {
		EDIT, /* a: path, b: old, c: new */
		PUT, /* a: path, b: text */
		GONE, /* a: path */
		LINK, /* a: path, b: target */
		FIFO, /* a: path */
		DIRECTORY, /* a: path */
		HUGE_FILE /* a: path */
	} what;
	const char *a;
	const char *b;
	const char *c;
	const char *want;
};

void patch_bed_spoil(const struct patch_bed *bed, const struct patch_row *row);

/* Opens a bed for each row. */
void patch_bed_rows(const struct patch_row *rows, size_t nr,
    const char *ecosystem, void (*open)(struct patch_bed *bed));

/*
 * Checks in a child, which is no root, that each file and directory that is
 * made unreadable is told.
 */
void patch_bed_unreadable(const char *const *paths, size_t nr,
    const char *ecosystem, void (*open)(struct patch_bed *bed));

#define cleanup_patch_bed __attribute__((cleanup(patch_bed_release)))

#endif /* DRYDOCK_TESTS_PATCH_BED_H */
