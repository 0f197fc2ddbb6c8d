/* SPDX-License-Identifier: MIT */
/*
 * patchcheck: compares a project's patches, their copies, the redirect and the
 * lock file.
 *
 * Reads only: no write, no lock, no child process, no network.
 */
#ifndef DRYDOCK_PATCHCHECK_H
#define DRYDOCK_PATCHCHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strvec.h"

struct diag;
struct patchledger_entry;

enum patchcheck_kind {
	PATCHCHECK_COPY_MISSING, /* the copy, or its list */
	PATCHCHECK_COPY_CHANGED, /* one for each file */
	PATCHCHECK_COPY_ORPHAN, /* a copy that no patch needs */
	PATCHCHECK_PATCH_MISSING,
	PATCHCHECK_PATCH_CHANGED, /* not the recorded digest */
	PATCHCHECK_PATCH_ORPHAN, /* a patch file that is not recorded */
	/* The block in Cargo.toml, or a redirect in npm's two files. */
	PATCHCHECK_BLOCK_MISSING, /* or this package in it */
	PATCHCHECK_BLOCK_OTHER, /* it leads to another copy */
	PATCHCHECK_BLOCK_FOREIGN, /* it is not as drydock wrote it */
	PATCHCHECK_BLOCK_ORPHAN, /* it has a package that is not recorded */
	PATCHCHECK_CONFLICT, /* something wins over the block */
	PATCHCHECK_LOCK_ORIGINAL, /* the entry still leads to the registry */
	PATCHCHECK_LOCK_OTHER_VERSION, /* the lock has not this version */
	PATCHCHECK_LOCK_OTHER_SOURCE, /* or other bytes of it */
	PATCHCHECK_LOCK_TWICE, /* this version from two sources */
	PATCHCHECK_LOCK_ORPHAN, /* a patch that no manifest has */
	PATCHCHECK_NKINDS
};

struct patchcheck_finding {
	enum patchcheck_kind kind;
	char *ecosystem; /* owned; or NULL: of none that is known */
	char *name; /* owned; of the package, or NULL */
	char *version; /* owned; or NULL */
	char *path; /* owned; of the file, below the project; escaped */
	char *text; /* owned; what is wrong with the file; escaped */
};

/* A patch that another program applies; see otherpatches.h. */
struct patchcheck_other {
	const char *ecosystem; /* static */
	char *name; /* owned */
	char *version; /* owned; a version or a range, or NULL: all */
	char *path; /* owned; raw; of the patch file, below the project */
};

/*
 * In this order: for each ecosystem the manifest, the lock file and the
 * configuration; patches and their copies; orphans; each in the ledger's order.
 * The first PATCHCHECK_MAX findings are kept.
 */
struct patchcheck {
	struct patchcheck_finding *v; /* owned; none is there twice */
	size_t nr;
	size_t npatches; /* recorded, and others */
	/*
	 * What is no difference, and good to know: a project below this one
	 * that has the original, a node_modules that was installed before.
	 * The first PATCHCHECK_MAX_NOTES.
	 */
	struct strvec notes;
	struct patchcheck_other *others; /* owned */
	size_t nothers;
};

#define PATCHCHECK_MAX 200
#define PATCHCHECK_MAX_NOTES 10
#define PATCHCHECK_INIT                          \
	{                                        \
		NULL, 0, 0, STRVEC_INIT, NULL, 0 \
	}

/*
 * Returns true if the project has something of drydock's patches: a ledger,
 * patches, copies, or a redirect in a manifest.
 */
bool patchcheck_is_needed(int project_fd);

/*
 * Checks.  0: *ret_check has what was found; none means in sync.  -1: the state
 * cannot be judged: a lock file, ledger or manifest that cannot be read
 * (DIAG_IO, DIAG_DATA), an ecosystem that this version does not implement
 * (DIAG_CONFIG).  Another file that cannot be read is a finding, and so is a
 * manifest or lock file that is missing.  project_fd may be O_PATH.  ret_check
 * is PATCHCHECK_INIT before.
 *
 * Not judged: configuration of a package manager in directories above the
 * project, in the environment and in arguments, and what below.h leaves out.
 */
int patchcheck_run(
    int project_fd, struct patchcheck *ret_check, struct diag *dg);
void patchcheck_release(struct patchcheck *check);

/*
 * Returns the first finding of a patch, or NULL if it is in sync.  version may
 * be NULL: a patch of all versions.
 */
const struct patchcheck_finding *patchcheck_find(const struct patchcheck *check,
    const char *ecosystem, const char *name, const char *version);

/* The kind's name in JSON: "copy-missing". */
const char *patchcheck_kind_name(enum patchcheck_kind kind);

#define PATCHCHECK_APPLY "drydock patch apply"
/* For what only a person can mend: the finding's text says how. */
#define PATCHCHECK_AGAIN "drydock patch check"

/*
 * Returned: the command that mends it, one of these or, for example, "drydock
 * patch remove foo@1.0.0".
 */
char *patchcheck_mend(const struct patchcheck_finding *f);

/* For the checks of each package manager: */

/*
 * Adds a finding, unless it is there already or the list is full.  ecosystem is
 * NULL for what belongs to none.  e (its name and version) may be NULL.  path is
 * raw; the text must be safe for a terminal.
 */
void patchcheck_add(struct patchcheck *check, enum patchcheck_kind kind,
    const char *ecosystem, const struct patchledger_entry *e, const char *path,
    const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/*
 * Adds the note "PATH TEXT", with the same rules.  The first
 * PATCHCHECK_MAX_NOTES are kept.
 */
void patchcheck_note(struct patchcheck *check, const char *path,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Adds a patch that another program applies; version may be NULL. */
void patchcheck_add_other(struct patchcheck *check, const char *ecosystem,
    const char *name, const char *version, const char *path);

/*
 * Returns true unless there is certainly no such entry.  Links are not
 * followed.
 */
bool patchcheck_may_exist(int project_fd, const char *path);

#define cleanup_patchcheck __attribute__((cleanup(patchcheck_release)))

#endif /* DRYDOCK_PATCHCHECK_H */
