/* SPDX-License-Identifier: MIT */
/*
 * policy: the guardrail files are exactly those that the image was made with.
 *
 * The agent's own client fails open on a broken policy file, so this check,
 * before anything of the agent runs, is the guard.
 */
#ifndef DRYDOCK_POLICY_H
#define DRYDOCK_POLICY_H

#include <stdbool.h>

#include "base/digest.h"

struct diag;

#define POLICY_MANIFEST "/usr/lib/drydock/policy.sha256"
#define POLICY_NONE "none" /* in the place of the directory */

struct policy {
	const char *dir; /* NULL: the one that the manifest names */
	const char *manifest;
	bool build; /* in an image's build: the root may be writable */
};

/*
 * Checks that the manifest names every file below dir and nothing else, that each
 * has its digest, and that nobody but the image's maker can have changed or
 * covered any of it: files are regular, root's and 0444, directories root's
 * and 0555, the file system is read-only, no mount begins at or below them
 * and, for the default places, above them.
 *
 * The manifest's first line is "# DIR", the rest is sha256sum's format with paths
 * relative to DIR, sorted bytewise, each once.  "# none" alone is the manifest of
 * an agent without guardrails.
 *
 * The digest is the manifest's own.  Whatever is wrong or cannot be told is
 * DIAG_POLICY and names the file.
 */
int policy_check(const struct policy *policy, char ret_digest[DIGEST_HEX_SIZE],
    struct diag *dg);

#endif /* DRYDOCK_POLICY_H */
