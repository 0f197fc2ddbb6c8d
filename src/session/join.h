/* SPDX-License-Identifier: MIT */
/*
 * join: a terminal comes to a session that is there.
 */
#ifndef DRYDOCK_JOIN_H
#define DRYDOCK_JOIN_H

struct diag;
struct engine;
struct paths;
struct session;
struct record;
struct settings;

struct join_spec {
	struct paths *paths; /* with an open state directory */
	struct settings *settings;
	const char *const *environ_;
	struct engine *engine; /* ready, or ENGINE_INIT: when it is needed */
};

/*
 * Views a session that runs, without a word to the engine.  One that does not
 * answer is looked at with the engine: a stopped one is started again, for
 * another what it is is the failure.  Needs a terminal (DIAG_USAGE).
 */
int join_session(const struct join_spec *spec, const char *id, int *ret_status,
    struct diag *dg);

/*
 * Of a session that runs, before somebody turns to it: starts its proxy and its
 * companion again when they are gone, and tells when its project is.  What
 * fails is a warning.
 */
void join_tend(const struct join_spec *spec, const struct session *session,
    const struct record *record);

#endif /* DRYDOCK_JOIN_H */
