/* SPDX-License-Identifier: MIT */
/*
 * bootstrap: makes a Debian base image from package sources, for hosts that
 * cannot reach a registry.
 */
#ifndef DRYDOCK_BOOTSTRAP_H
#define DRYDOCK_BOOTSTRAP_H

#include <stddef.h>

struct diag;
struct engine;
struct hostconf;

struct bootstrap_spec {
	const struct hostconf *hostconf;
	const char *known; /* id of an existing base; NULL: make one */
	int timeout_ms;
	/* Called with each line of mmdebstrap's stderr. */
	void (*progress)(void *arg, const char *line, size_t len);
	void *progress_arg;
};

/* Returns the Debian release for the base: the host's, otherwise bookworm. */
const char *bootstrap_suite(const struct hostconf *hc);

/*
 * Makes a base image with the label io.drydock.image=base, or uses spec->known.
 * Returns its id.  The image gets the tag drydock-base:RELEASE for people; the
 * tag moves if another image had it.  A missing or failing mmdebstrap is
 * DIAG_ENGINE, with the end of its output as detail.
 */
int bootstrap_base(const struct engine *engine,
    const struct bootstrap_spec *spec, char **ret_image_id, struct diag *dg);

#endif /* DRYDOCK_BOOTSTRAP_H */
