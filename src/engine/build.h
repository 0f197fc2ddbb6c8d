/* SPDX-License-Identifier: MIT */
/*
 * build: builds the agent image and the egress image.
 *
 * The build context is a tar (POSIX.1-2001 pax) that drydock streams to the
 * builder.  drydock sets the mode, owner and time of every entry, so the same
 * sources give the same bytes.
 */
#ifndef DRYDOCK_BUILD_H
#define DRYDOCK_BUILD_H

#include <stdbool.h>

#include "base/digest.h"
#include "engine/build-recipe.h"

struct diag;
struct engine;
struct paths;

/*
 * The proxy does not run as root.  For a root caller it runs as this user and
 * group, which are Debian's "proxy".
 */
#define BUILD_PROXY_ID 13

struct build_options {
	/*
	 * NULL: as the last build did, if that used bootstrap and base_image is
	 * unchanged; else the base_image setting.
	 */
	const char *base;
	bool bootstrap; /* make the base with mmdebstrap */
	bool pull; /* pull a newer base, or bootstrap a new one */
	bool no_cache;
	bool update; /* no_cache for the agent image */
	/*
	 * This process has just built the other image: its base is reused, even
	 * with pull or no_cache, and BuildKit is known to be there.
	 */
	bool second;
	/* The caller's environment (proxies, npm settings).  NULL: none. */
	const char *const *environ_;
	/* Called for each line of the builder's output (proc.h), unescaped. */
	void (*progress)(void *arg, const char *line, size_t len);
	void *progress_arg;
};

struct build_outcome {
	char *image_id; /* owned; sha256:... */
	char context[DIGEST_HEX_SIZE];
};

/*
 * Builds one image for the caller, verifies it, and records it
 * (engine/built.h).  The verification inspects the labels by image id.  It also
 * runs a check in a container that is hardened like a session's: the guardrails
 * are in force, or the proxy can be run.  An image that fails is removed.  The
 * caller holds built_lock().
 *
 * DIAG_ENGINE: BuildKit is missing, a build step fails, or a registry cannot be
 * reached; the detail is the end of the builder's output.
 *
 * DIAG_POLICY: the base image has VOLUME, HEALTHCHECK, ONBUILD or a label of
 * drydock.
 *
 * DIAG_DATA: the check in the container fails, and the detail names the file;
 * or the name of the base image was moved during the build.
 *
 * If drydock is killed, the builder's output pipe breaks and the builder ends.
 */
int build_image(enum build_kind kind, const struct engine *engine,
    const struct build_recipe *recipe, const struct build_options *options,
    struct build_outcome *ret_outcome, struct diag *dg);
void build_outcome_release(struct build_outcome *outcome);

#define cleanup_build_outcome __attribute__((cleanup(build_outcome_release)))

#endif /* DRYDOCK_BUILD_H */
