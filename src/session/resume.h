/* SPDX-License-Identifier: MIT */
/*
 * resume: a stopped session goes on, in the containers that it had.
 */
#ifndef DRYDOCK_RESUME_H
#define DRYDOCK_RESUME_H

struct diag;
struct engine;
struct paths;
struct record;
struct session;
struct settings;

struct resume_spec {
	struct paths *paths;
	struct settings *settings;
	const char *const *environ_;
	struct engine *engine;
};

/*
 * With the lease held: checks bind sources and mount points, starts the
 * recorded containers by id, verifies them, and gives go with the agent's
 * resume arguments; then drops the lease and views, as view_session() does.
 * A failure stops the containers again; the session stays as it was.
 */
int resume_session(const struct resume_spec *spec, struct session *session,
    struct record *record, int *ret_status, struct diag *dg);

/*
 * With the lease held, of a session that runs: starts the proxy's recorded
 * container again with the allowlist as it is now, and verifies it; one that is
 * not as planned, or not ready, is stopped again.
 */
int resume_proxy(
    const struct resume_spec *spec, struct session *session, struct diag *dg);

/*
 * Does so when it has given up, taking the lease, and tells of it: what fails
 * is a warning.
 */
void resume_proxy_if_needed(const struct resume_spec *spec, const char *id);

#endif /* DRYDOCK_RESUME_H */
