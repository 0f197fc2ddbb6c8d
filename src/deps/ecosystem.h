/* SPDX-License-Identifier: MIT */
/*
 * ecosystem: what differs between the package managers whose packages drydock
 * can patch.
 *
 * A project has a manifest and a lock file.  The lock file proves a package's
 * original file by a digest.  A redirect in both leads the package manager to
 * the patched copy.
 */
#ifndef DRYDOCK_ECOSYSTEM_H
#define DRYDOCK_ECOSYSTEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"

struct diag;
struct package_sources;
struct patchcheck;
struct patchledger;
struct patchtree;
struct strbuf;
struct strvec;

/* How a lock file has a version of a package. */
enum ecosystem_locked {
	ECOSYSTEM_ABSENT,
	ECOSYSTEM_ORIGINAL, /* from the registry, with a digest */
	ECOSYSTEM_REDIRECTED, /* it leads to a path */
	ECOSYSTEM_OTHER, /* from another source, or twice */
};

/* The texts of a project; NULL if there is no such file. */
struct ecosystem_texts {
	const struct strbuf *manifest; /* borrowed */
	const struct strbuf *lock; /* borrowed */
};

struct ecosystem {
	const char *name; /* "cargo" */
	const char *manifest; /* of a project and of a package: "Cargo.toml" */
	const char *lock; /* "Cargo.lock" */
	size_t manifest_max; /* bytes */
	size_t lock_max; /* bytes */
	const char *origin; /* of packages, for messages: "crates.io" */
	const char *make_lock; /* the command that makes the lock file */
	const char *output; /* what a build leaves in a package's directory */
	enum digest_kind pristine; /* of the digest in the lock file */

	/*
	 * Fails if the redirect would not count in this project: DIAG_CONFIG,
	 * the message names the reason.
	 */
	int (*check_root)(int project_fd, const char *project_path,
	    const struct strbuf *manifest, struct diag *dg);

	/*
	 * Appends the versions of a package that the lock has and that can be
	 * patched, or are: patched has entries of this ecosystem alone.
	 */
	int (*list_versions)(const struct strbuf *lock, const char *name,
	    const struct patchledger *patched, struct strvec *ret_versions,
	    struct diag *dg);

	/* *ret_pristine is set for ECOSYSTEM_ORIGINAL. */
	int (*find)(const struct strbuf *lock, const char *name,
	    const char *version, enum ecosystem_locked *ret_locked,
	    struct digest *ret_pristine, struct diag *dg);

	/* Fails with DIAG_DATA if the fragment is not the package's. */
	int (*judge)(const char *fragment, const char *name,
	    const char *version, const struct digest *pristine,
	    struct diag *dg);

	/*
	 * Appends both texts with the redirects of want instead of those of
	 * had, and sets the fragments of want from what the texts have
	 * originally.  Both ledgers have entries of this ecosystem alone.  The
	 * texts may have all, some or none of the redirects of had.  A package
	 * that the lock lacks keeps its fragment and gets no redirect there.
	 */
	int (*redirect)(const struct ecosystem_texts *now,
	    const struct patchledger *had, const struct patchledger *want,
	    struct strbuf *ret_manifest, struct strbuf *ret_lock,
	    struct diag *dg);

	/* Returns true if a manifest has a redirect, or a part of one. */
	bool (*has_mark)(const char *manifest, size_t len);

	/*
	 * Adds what differs in manifest, lock file and configuration from the
	 * ledger, which has entries of this ecosystem alone.  Fails as
	 * patchcheck_run() does.
	 */
	int (*check)(int project_fd, const struct patchledger *ledger,
	    struct patchcheck *check, struct diag *dg);

	/* See crate_find() and crate_unpack(). */
	int (*read)(const struct package_sources *sources, const char *name,
	    const char *version, const struct digest *pristine,
	    struct strbuf *out, struct diag *dg);
	int (*unpack)(const char *bytes, size_t len, const char *name,
	    const char *version, int dir_fd, struct diag *dg);

	/* Judges the files that a patch changes.  NULL: all are free. */
	int (*judge_names)(
	    const struct strvec *names, const char *what, struct diag *dg);

	/* Judges how a patch changes a package's manifest. */
	int (*compare)(const char *before, size_t before_len, const char *after,
	    size_t after_len, const char *what, struct diag *dg);

	/*
	 * Packs a tree for the package manager into an empty directory; see
	 * npmpackage_pack().  NULL: it takes the files themselves.
	 */
	int (*pack)(int tree_fd, const struct patchtree *tree, int modes_fd,
	    int out_fd, struct digest *ret_integrity, struct diag *dg);
};

/*
 * A block in Cargo.toml (cargomanifest.h) and an entry without source in
 * Cargo.lock (cargoredirect.h) lead cargo to the copy.
 */
extern const struct ecosystem cargopatch;
/*
 * Values in package.json and package-lock.json (npmredirect.h) lead npm to the
 * copy, which has one file: the tarball of the patched package (npmpackage.h).
 */
extern const struct ecosystem npmpatch;

#define ECOSYSTEM_NR 2
extern const struct ecosystem *const ecosystems[ECOSYSTEM_NR];

/* Returns NULL if there is none of that name. */
const struct ecosystem *ecosystem_find(const char *name);

#endif /* DRYDOCK_ECOSYSTEM_H */
