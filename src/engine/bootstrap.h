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
	bool fresh; /* make a new one even if there is one */
	int timeout_ms;
	/* Called with each line that mmdebstrap says. */
	void (*progress)(void *arg, const char *line);
	void *progress_arg;
};

/*
 * The reference of a base image of the host's Debian release (bookworm where
 * the host is not Debian): the one that is there, else a new one, labelled
 * io.drydock.image=base.  Returned in *ret_reference.  No mmdebstrap, or one
 * that fails, is DIAG_ENGINE, with its last words.
 */
int bootstrap_base(const struct engine *engine,
    const struct bootstrap_spec *spec, char **ret_reference, struct diag *dg);

#endif /* DRYDOCK_BOOTSTRAP_H */
