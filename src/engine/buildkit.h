/* SPDX-License-Identifier: MIT */
/*
 * buildkit: runs one `docker build` with BuildKit.  The classic builder
 * supports neither secrets nor mounts, and the CLI falls back to it silently.
 */
#ifndef DRYDOCK_BUILDKIT_H
#define DRYDOCK_BUILDKIT_H

#include <stdbool.h>

#include "base/strvec.h"

struct diag;
struct engine;
struct hostconf;
struct paths;
struct strbuf;

struct buildkit_spec {
	const struct strbuf *context; /* borrowed; a tar with a Dockerfile */
	const struct hostconf *hostconf; /* borrowed */
	struct strvec args; /* NAME=VALUE; visible in the image history */
	struct strvec labels; /* NAME=VALUE */
	bool no_cache;
	int timeout_ms;
	void (*progress)(void *arg, const char *line, size_t len);
	void *progress_arg;
};

#define BUILDKIT_SPEC_INIT                                 \
	{                                                  \
		.args = STRVEC_INIT, .labels = STRVEC_INIT \
	}

/*
 * Fails with DIAG_ENGINE if buildx is missing; the message says what to
 * install.
 */
int buildkit_check(const struct engine *engine, struct diag *dg);

/*
 * Runs the build.  *ret_image_id is returned.  The caller holds built_lock().
 * Failures are DIAG_ENGINE, with the end of the builder's output as detail.
 */
int buildkit_run(const struct engine *engine, const struct paths *paths,
    const struct buildkit_spec *spec, char **ret_image_id, struct diag *dg);

void buildkit_spec_release(struct buildkit_spec *spec);

#define cleanup_buildkit_spec __attribute__((cleanup(buildkit_spec_release)))

#endif /* DRYDOCK_BUILDKIT_H */
