/* SPDX-License-Identifier: MIT */
/*
 * resume: restarts a stopped session in its existing containers.
 */
#ifndef DRYDOCK_RESUME_H
#define DRYDOCK_RESUME_H

struct diag;
struct join_spec;
struct record;
struct session;
struct start;

/*
 * Restarts a stopped session.  The caller holds the lease; session and record
 * are given.  Checks bind sources and mount points, starts the recorded
 * containers by id, verifies them, and sends go with the agent's resume
 * arguments.  Then drops the lease and views the session as view_session()
 * does.  On failure the containers are stopped again and the session stays as
 * it was.
 */
int resume_session(const struct join_spec *spec, struct session *session,
    struct record *record, int *ret_status, struct diag *dg);

/*
 * Restarts the proxy of a running session if session_proxy_gave_up(): takes the
 * lease, starts the proxy's recorded container with the current allowlist, and
 * verifies it.  A proxy that differs from the plan or does not become ready is
 * stopped again.  Prints a note on success.  A failure is a warning.
 */
void resume_proxy_if_needed(const struct join_spec *spec, const char *id);

/*
 * Loads the project, agent, settings and hosts that the record names, as they
 * are now.
 */
int resume_find_parts(struct start *l, struct diag *dg);

/* Inspects the images of the sealed plan, which was read. */
int resume_find_images(struct start *l, struct diag *dg);

#endif /* DRYDOCK_RESUME_H */
