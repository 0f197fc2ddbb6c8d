/* SPDX-License-Identifier: MIT */
/*
 * launch: the pipeline from a request to a running command, in the order
 * collect, claim, sync, seed, assemble, resolve, judge, prepare, seal, launch,
 * verify, go.
 */
#ifndef DRYDOCK_LAUNCH_H
#define DRYDOCK_LAUNCH_H

#include <stdbool.h>

#include "session/images.h"

struct diag;
struct engine;
struct paths;
struct settings;

enum launch_kind {
	LAUNCH_RUN,
	LAUNCH_SHELL
};

struct launch_request {
	enum launch_kind kind;
	const char *dir; /* project directory; NULL: working directory */
	const char *mode; /* --mode; NULL: not given */
	/* contained sessions' conversations, also in dood */
	bool contained_history;
	bool no_banner; /* do not print what the session may do */
	char *const *args; /* run: extra arguments; shell: the command */
	int nargs;
	images_builder *build; /* builds missing images */
	struct engine *engine; /* ready, or ENGINE_INIT */
};

/*
 * Runs an attached session from launch to end.  The project's own settings
 * override *settings.  *ret_status is the command's exit status.  A failure
 * before go leaves no container, and on disk only what the next collection
 * removes.
 */
int launch_session(const struct launch_request *request, struct paths *paths,
    struct settings *settings, const char *const *environ_, int *ret_status,
    struct diag *dg);

#endif /* DRYDOCK_LAUNCH_H */
