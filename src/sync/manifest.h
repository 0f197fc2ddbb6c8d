/* SPDX-License-Identifier: MIT */
/*
 * manifest: the inputs of the last sync, agents/AGENT/manifest.
 *
 * The manifest is written last, after the generation is in its place.  A
 * snapshot is fresh only if a manifest for this generation and these rules
 * exists.
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
	char rules[DIGEST_HEX_SIZE]; /* digest: version, agent file, home */
	uint64_t generation_ino; /* inode of the snapshot's directory */
	struct timespec generation_mtime;
	struct scan scan;
};

#define MANIFEST_INIT                      \
	{                                  \
		"", 0, { 0, 0 }, SCAN_INIT \
	}

/*
 * Reads the manifest.  If it is absent or malformed, *ret_there is false, and
 * the snapshot is not fresh.
 */
int manifest_read(
    int agent_fd, struct manifest *ret, bool *ret_there, struct diag *dg);

/* Returns true if the manifest belongs to that generation. */
bool manifest_is_of(const struct manifest *m, const struct stat *generation);

/* Replaces the manifest. */
int manifest_write(int agent_fd, const char *rules,
    const struct stat *generation, const struct scan *scan, struct diag *dg);

void manifest_release(struct manifest *m);

#define cleanup_manifest __attribute__((cleanup(manifest_release)))

#endif /* DRYDOCK_MANIFEST_H */
