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
	const char *dir; /* project directory, NULL: the working directory */
	const char *mode; /* --mode, NULL: not given */
	bool
	    contained_history; /* what contained sessions wrote, also in dood */
	bool no_banner; /* nothing is said of what the session may do */
	char *const *args; /* run: more arguments; shell: the command */
	int nargs;
	images_builder *build; /* for images that are missing */
	struct engine *engine; /* ready, or ENGINE_INIT; taken */
};

/*
 * The whole life of an attached session; the project's own settings are put over
 * *settings; *ret_status is the command's own.
 * Whatever fails before go leaves no container, and nothing on disk but what
 * the next collection removes.
 */
int launch_session(const struct launch_request *request, struct paths *paths,
    struct settings *settings, const char *const *environ_, int *ret_status,
    struct diag *dg);

#endif /* DRYDOCK_LAUNCH_H */
