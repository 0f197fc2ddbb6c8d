/* SPDX-License-Identifier: MIT */
/*
 * join: uses an existing session: attaches a terminal, or runs one more
 * command through its holder.
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
 * Runs argv (ends with NULL) in the project's directory, with the agent's
 * environment but without its secrets.  The command runs on a pty when stdin
 * and stdout are a terminal in whose foreground drydock is, else on three
 * pipes.  The command ends when the client does.  *ret_status is the command's
 * exit status, 127 when not found and 126 when not executable.  A session that
 * does not run is DIAG_NO, one that is being started is DIAG_BUSY.  A holder
 * that does not answer, is too busy or too old is DIAG_ENGINE.  Makes no engine
 * query, unless the proxy is gone (join_tend()).
 */
int join_exec(const struct join_spec *spec, const char *id,
    const char *const *argv, int *ret_status, struct diag *dg);

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
