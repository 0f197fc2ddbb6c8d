/* SPDX-License-Identifier: MIT */
/*
 * view: a terminal, or three pipes, on a session that runs, and what follows
 * when the command or the connection ends.
 */
#ifndef DRYDOCK_VIEW_H
#define DRYDOCK_VIEW_H

#include <stdbool.h>

struct diag;
struct engine;
struct paths;
struct record;
struct session;
struct settings;

struct view_spec {
	const struct paths *paths;
	const struct settings *settings;
	const char *const *environ_;
	struct engine *engine; /* ready, or ENGINE_INIT: when it is needed */
	const struct record *record;
	const struct session *session; /* dir_fd is open */
	bool tty;
	bool signals; /* the holder passes signals on */
	int agent_pidfd; /* or -1 */
};

/*
 * Views through holder_fd (given).  The command's end tears the session down
 * and its status goes to *ret_status; leaving one that may be left is 0.  When
 * the connection is lost, what became of the session is said (DIAG_ENGINE); when
 * the holder sent what cannot be used, a session that ends with its client is
 * put away, how to come back to another is said, and the failure stays.
 */
int view_session(const struct view_spec *spec, int holder_fd, int *ret_status,
    struct diag *dg);

#endif /* DRYDOCK_VIEW_H */
