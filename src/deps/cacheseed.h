/* SPDX-License-Identifier: MIT */
/*
 * cacheseed: fills an empty dependency cache with packages that the project's
 * lock files prove: those in the project's directory and below (below.h).
 *
 * A package is copied only if the lock file names a digest for it and the copy
 * has that digest.  The digest is computed from the copy, before the copy gets
 * its final name.  Sources are the host user's own caches and the project's
 * other slots.  Lock files, sources and the slot's own contents are hostile
 * input: files are opened beneath their directory without following links, and
 * no name is taken from a source.
 *
 *	Cargo.lock		checksum of the .crate (SHA-256)
 *	package-lock.json	integrity of the tarball (SHA-512)
 *	go.sum			h1 of the module's zip and of its go.mod
 *
 * Cargo resolves offline only with its index, for which no digest exists.  The
 * entries of the locked crates are copied from the host's cache alone, and only
 * into a directory of the same name.
 *
 * A killed process, a full disk or a failure leaves no partial file under a
 * final name.
 */
#ifndef DRYDOCK_CACHESEED_H
#define DRYDOCK_CACHESEED_H

#include <stddef.h>
#include <stdint.h>

#include "base/strvec.h"
#include "deps/packages.h"

struct diag;
struct toolchains;

struct cacheseed_limits {
	int64_t bytes;
	int64_t files;
	int64_t ms; /* of the whole call */
};

struct cacheseed_report {
	int64_t files; /* copied; when verifying: hashed */
	int64_t bytes;
	int64_t kept; /* were in the slot already */
	int64_t missing; /* are in no source */
	int64_t nbad; /* entries that are not what the lock names */
	/* one line for each of the first CACHESEED_NAMED bad entries */
	struct strvec bad;
	/* static; why it ended before all packages, or NULL */
	const char *stopped_by;
};

#define CACHESEED_NAMED 20
/* For stopped_by. */
#define CACHESEED_BY_TIME "the time is limited"
#define CACHESEED_BY_SEARCH                                                   \
	"the project has more directories than are searched for lock files, " \
	"or one that cannot be read"
#define CACHESEED_TEMP "seed" /* the name of temporary files in a slot */
#define CACHESEED_REPORT_INIT      \
	{                          \
		.bad = STRVEC_INIT \
	}

struct cacheseed_spec {
	int project_fd; /* borrowed; the project's directory */
	int data_fd; /* borrowed; the slot's data, open for reading */
	struct package_sources sources; /* with the project's other slots */
	const struct toolchains *toolchains; /* borrowed; decide what to seed */
	struct cacheseed_limits limits;
	/* Called after a copied file; or NULL. */
	void (*progress)(void *arg, const struct cacheseed_report *so_far);
	void *arg; /* borrowed; for progress */
};

/*
 * Seeds the slot.  Returns -1 if at least one lock file or the slot could not
 * be used; *dg has the first cause, and the others were still tried.  The
 * report (CACHESEED_REPORT_INIT before) is valid in both cases.
 */
int cacheseed_run(const struct cacheseed_spec *spec,
    struct cacheseed_report *ret_report, struct diag *dg);

/*
 * Hashes again what the project's lock files name in a slot that nobody uses,
 * and removes what has another digest, with what was unpacked from it.  Uses
 * project_fd, data_fd, toolchains and limits.ms (0: no limit) of spec.
 */
int cacheseed_verify(const struct cacheseed_spec *spec,
    struct cacheseed_report *ret_report, struct diag *dg);

/* Counts a bad entry: why path in the source "label" is one. */
void cacheseed_report_add(struct cacheseed_report *report, const char *path,
    const char *label, const char *why);
void cacheseed_report_release(struct cacheseed_report *report);

#define cleanup_cacheseed_report \
	__attribute__((cleanup(cacheseed_report_release)))

#endif /* DRYDOCK_CACHESEED_H */
