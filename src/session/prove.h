/* SPDX-License-Identifier: MIT */
/*
 * prove: tests a session's promises (guest/promise.h).
 *
 * drydock compares the session's own processes with the sealed plan, and
 * attacks from inside of a fresh container of the same plan: an agent could
 * forge what its own container reports.  The fresh container is a session of
 * its own, with a lease, a record and labels, so that a collector removes it
 * if drydock is killed.  It gets empty directories in place of the home, the
 * project and writable binds of the user.
 */
#ifndef DRYDOCK_SESSION_PROVE_H
#define DRYDOCK_SESSION_PROVE_H

#include <stddef.h>

#include "guest/promise.h"
#include "session/join.h"

struct diag;
struct session_look;
struct strbuf;

/* One test of a promise.  Strings are owned, and escaped. */
struct attempt {
	enum promise_id promise;
	enum verdict verdict;
	char *call;
	char *target;
	char *answer;
};

struct proof {
	struct attempt *v; /* owned; in the order of the tests */
	size_t nr;
};

#define PROOF_INIT      \
	{               \
		NULL, 0 \
	}

/*
 * Tests the running session.  look was made with an engine that answered.  A
 * session in mode dood is DIAG_POLICY: it has no promise to test.  After a
 * failure *proof has the attempts that were made before it.
 */
int prove_session(const struct join_spec *spec, const char *id,
    const struct session_look *look, struct proof *proof, struct diag *dg);

/*
 * Adds the attempts of the report that the probes wrote.  A line that is not in
 * the format is skipped.
 */
void proof_read(struct proof *proof, const char *text, size_t len);

/*
 * Returns the worst verdict of the promise's attempts; VERDICT_UNKNOWN if there
 * is none.
 */
enum verdict proof_verdict(const struct proof *proof, enum promise_id id);

void proof_release(struct proof *proof);

#define cleanup_proof __attribute__((cleanup(proof_release)))

#endif /* DRYDOCK_SESSION_PROVE_H */
