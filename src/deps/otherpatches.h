/* SPDX-License-Identifier: MIT */
/*
 * otherpatches: the patches of pnpm and yarn, which their own programs make and
 * apply.
 *
 * drydock compares them with the lock file, and changes nothing.  A session
 * starts whatever the result is: the programs run in sessions alone, so that
 * only a session can mend it.
 */
#ifndef DRYDOCK_OTHERPATCHES_H
#define DRYDOCK_OTHERPATCHES_H

#include "deps/patchcheck.h"

struct diag;
struct patchledger_entry;
struct strbuf;
struct strvec;

#define OTHERPATCHES_NR 2

struct otherpatches {
	const char *ecosystem; /* "pnpm" */
	const char *lock; /* "pnpm-lock.yaml" */
	/* Commands instead of drydock's: */
	const char *start;
	const char *save;
	const char *apply; /* and seal */
	const char *remove;
	const char *before_remove; /* what to do first: "..., then " or "" */

	/*
	 * Adds the patches, and what differs.  Fails as patchcheck_run() does.
	 * A project without such patches has neither.
	 */
	int (*check)(int project_fd, struct patchcheck *check, struct diag *dg);
};

extern const struct otherpatches pnpmcheck;
extern const struct otherpatches yarncheck;
extern const struct otherpatches *const otherpatches[OTHERPATCHES_NR];

/* Returns NULL if there is none of that name, which may be NULL. */
const struct otherpatches *otherpatches_find(const char *ecosystem);

/* The command that mends a finding; it may have NAME for the package. */
const char *otherpatches_mend(
    const struct otherpatches *other, enum patchcheck_kind kind);

/* Refuses a verb that writes, and names the command to use instead. */
int otherpatches_refuse(
    const struct otherpatches *other, const char *verb, struct diag *dg);

/*
 * Checks the patches of one ecosystem, or of all if it is NULL, as
 * patchcheck_run() does.
 */
int otherpatches_check(int project_fd, const char *ecosystem,
    struct patchcheck *check, struct diag *dg);

/* For the checks of the table: */

/* Bytes of all patch files of a project. */
#define OTHERPATCHES_MAX_BYTES ((size_t)64 * 1024 * 1024)

/*
 * Appends a patch file.  *left is what remains of OTHERPATCHES_MAX_BYTES.
 * Returns false after a finding: it is missing, or cannot be read.
 */
bool otherpatches_read_patch(int project_fd, const char *path,
    const char *ecosystem, const struct patchledger_entry *e, size_t *left,
    struct strbuf *out, struct patchcheck *check);

/*
 * Returned: path, relative to dir (below the project; "" and "." are the
 * project's own), without ".", and without ".." where that is possible.
 */
char *otherpatches_path(const char *dir, const char *path);

/* Notes each patch file in dir that is not one of paths. */
void otherpatches_note_unused(int project_fd, const char *dir,
    const struct strvec *paths, struct patchcheck *check);

#endif /* DRYDOCK_OTHERPATCHES_H */
