/* SPDX-License-Identifier: MIT */
/*
 * bootstrap: a Debian base image made from package sources, for hosts that
 * reach no registry.
 */
#ifndef DRYDOCK_BOOTSTRAP_H
#define DRYDOCK_BOOTSTRAP_H

#include <stdbool.h>

struct diag;
struct engine;
struct hostconf;

struct bootstrap_spec {
	const struct hostconf *hostconf;
	const char *known; /* an image that the engine has; NULL: make one */
	int timeout_ms;
	/* Called with each line that mmdebstrap says. */
	void (*progress)(void *arg, const char *line);
	void *progress_arg;
};

/* Debian's release that a base is made of: the host's, else bookworm. */
const char *bootstrap_suite(const struct hostconf *hc);

/*
 * Makes a base image labelled io.drydock.image=base, or takes the known one.
 * Returns its id; it is tagged for people, whatever had that tag before.  No
 * mmdebstrap, or one that fails, is DIAG_ENGINE, with its last words.
 */
int bootstrap_base(const struct engine *engine,
    const struct bootstrap_spec *spec, char **ret_image_id, struct diag *dg);

#endif /* DRYDOCK_BOOTSTRAP_H */
