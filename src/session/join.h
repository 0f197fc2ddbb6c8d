/* SPDX-License-Identifier: MIT */
/*
 * join: attaches a terminal to an existing session.
 */
#ifndef DRYDOCK_JOIN_H
#define DRYDOCK_JOIN_H

struct diag;
struct engine;
struct holder_hello;
struct paths;
struct session;
struct record;
struct settings;

struct join_spec {
	struct paths *paths; /* with an open state directory */
	struct settings *settings;
	const char *const *environ_;
	struct engine *engine; /* ready, or ENGINE_INIT: set up on demand */
};

/*
 * Views a running session, without an engine query.  If the holder does not
 * answer, the engine is asked: a stopped session is started again, any other
 * state is a failure that names the state.  Needs a terminal (DIAG_USAGE).
 */
int join_session(const struct join_spec *spec, const char *id, int *ret_status,
    struct diag *dg);

/*
 * Connects to the holder of a session whose dir_fd is open.  Asks no engine.  A
 * session that does not run is DIAG_NO.
 */
int join_holder(const struct session *session, struct holder_hello *ret_hello,
    int *ret_fd, struct diag *dg);

/*
 * Called for a running session before a client uses it.  Restarts its proxy and
 * its companion if they are gone, and warns if its project was moved or
 * removed.  Each failure is a warning.
 */
void join_tend(const struct join_spec *spec, const struct session *session,
    const struct record *record);

#endif /* DRYDOCK_JOIN_H */
