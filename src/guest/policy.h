/* SPDX-License-Identifier: MIT */
/*
 * policy: checks that the guardrail files are those of the image.
 *
 * The agent's own client fails open on a broken policy file.  This check runs
 * before any program of the agent, and is what protects the guardrails.
 */
#ifndef DRYDOCK_POLICY_H
#define DRYDOCK_POLICY_H

#include <stdbool.h>

#include "base/digest.h"

struct diag;

#define POLICY_MANIFEST "/usr/lib/drydock/policy.sha256"
#define POLICY_NONE "none" /* in place of the directory */

struct policy {
	const char *dir; /* NULL: the manifest's directory */
	const char *manifest;
	bool build; /* image build: the root may be writable */
};

/*
 * Checks that the manifest names every file below dir and no other, and that
 * each file has its digest.  Also checks that only the image's maker can have
 * changed or covered the files: files are regular, root's and 0444; directories
 * are root's and 0555; the file system is read-only; no mount begins at or
 * below them or, for the default places, above them.
 *
 * The manifest's first line is "# DIR".  The other lines have sha256sum's
 * format, with paths relative to DIR, sorted bytewise, each once.  "# none"
 * alone is the manifest of an agent without guardrails.
 *
 * ret_digest is the digest of the manifest.  A failed or impossible check is
 * DIAG_POLICY; the message names the file.
 */
int policy_check(const struct policy *policy, char ret_digest[DIGEST_HEX_SIZE],
    struct diag *dg);

#endif /* DRYDOCK_POLICY_H */
