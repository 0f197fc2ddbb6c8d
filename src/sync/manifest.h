/* SPDX-License-Identifier: MIT */
/*
 * manifest: what the last sync was made from, agents/AGENT/manifest.
 *
 * It is written last, and only after a generation stands in its place: its
 * being there, for this generation and these rules, is the freshness mark.
 */
#ifndef DRYDOCK_MANIFEST_H
#define DRYDOCK_MANIFEST_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "sync/scan.h"

struct diag;

#define MANIFEST_MAX ((size_t)512 << 20)

struct manifest {
	char rules[DIGEST_HEX_SIZE]; /* what chose and filtered */
	uint64_t generation_ino; /* the directory that it is about */
	struct timespec generation_mtime;
	struct scan scan;
};

#define MANIFEST_INIT                      \
	{                                  \
		"", 0, { 0, 0 }, SCAN_INIT \
	}

/*
 * Reads it.  One that is absent or not ours leaves *ret_there false: then
 * nothing is fresh.
 */
int manifest_read(
    int agent_fd, struct manifest *ret, bool *ret_there, struct diag *dg);

/* Whether it is about that generation. */
bool manifest_is_of(const struct manifest *m, const struct stat *generation);

/* Replaces it by one of these rules, this scan and this generation. */
int manifest_write(int agent_fd, const char *rules,
    const struct stat *generation, const struct scan *scan, struct diag *dg);

void manifest_release(struct manifest *m);

#define cleanup_manifest __attribute__((cleanup(manifest_release)))

#endif /* DRYDOCK_MANIFEST_H */
