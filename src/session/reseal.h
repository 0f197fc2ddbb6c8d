/* SPDX-License-Identifier: MIT */
/*
 * reseal: records the digest of a session's plan again.
 *
 * The digest protects against crashes and damage.  After plan.json was restored
 * from a backup, or the record's digest or list of containers was damaged, the
 * session cannot be used.  The plan itself is the evidence then: it counts only
 * if it has every byte that drydock writes, breaks no rule of the policy, and
 * is what the session's containers were made from.
 */
#ifndef DRYDOCK_RESEAL_H
#define DRYDOCK_RESEAL_H

#include <stdbool.h>

#include "base/digest.h"
#include "session/join.h"

struct diag;

struct resealed {
	char digest[DIGEST_HEX_SIZE]; /* of plan.json; "" if it was not read */
	char *recorded; /* owned; the digest that was on record, or NULL */
	bool changed; /* the record was written, or would be */
};

#define RESEALED_INIT            \
	{                        \
		.recorded = NULL \
	}

/*
 * Checks the plan and writes the record if it differs.  With dry_run the record
 * is not written.  DIAG_BUSY if another process has the lease.  DIAG_NO if the
 * plan or the record cannot be mended; *ret has what was found until then.
 * Changes nothing else and starts nothing.
 */
int reseal_session(const struct join_spec *spec, const char *id, bool dry_run,
    struct resealed *ret, struct diag *dg);
void resealed_release(struct resealed *resealed);

#define cleanup_resealed __attribute__((cleanup(resealed_release)))

#endif /* DRYDOCK_RESEAL_H */
