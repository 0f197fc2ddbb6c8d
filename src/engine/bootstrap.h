/* SPDX-License-Identifier: MIT */
/*
 * bootstrap: makes a Debian base image from package sources, for hosts that
 * cannot reach a registry.
 */
#ifndef DRYDOCK_BOOTSTRAP_H
#define DRYDOCK_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

struct diag;
struct engine;
struct hostconf;
struct image;
struct paths;

struct bootstrap_spec {
	const struct hostconf *hostconf;
	const struct image *known; /* an existing base; NULL: make one */
	int timeout_ms;
	/* Called with each line of mmdebstrap's stderr. */
	void (*progress)(void *arg, const char *line, size_t len);
	void *progress_arg;
};

/* Returns the Debian release for the base: the host's, otherwise bookworm. */
const char *bootstrap_suite(const struct hostconf *hc);

/*
 * Fails with DIAG_ENGINE if the user lacks subordinate ids (subuid(5)) or
 * newuidmap(1) is not installed; mmdebstrap needs both.  The message says what
 * is missing and the command that adds it.  Always succeeds for root.
 */
int bootstrap_check_ids(const struct paths *paths, struct diag *dg);

/*
 * text is the content of /etc/subuid or /etc/subgid.  Returns the size of the
 * largest range of user or uid.  *ret_free is the first id after the ranges of
 * all users.  For tests.
 */
uint64_t bootstrap_count_ids(
    const char *text, const char *user, unsigned int uid, uint64_t *ret_free);

/*
 * Makes a base image with the label io.drydock.image=base, or uses spec->known.
 * Returns its id.  The image gets the tag drydock-base:RELEASE for people; the
 * tag moves if another image had it.  A missing or failing mmdebstrap is
 * DIAG_ENGINE, with the end of its output as detail.
 */
int bootstrap_base(const struct engine *engine,
    const struct bootstrap_spec *spec, char **ret_image_id, struct diag *dg);

#endif /* DRYDOCK_BOOTSTRAP_H */
