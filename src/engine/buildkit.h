/* SPDX-License-Identifier: MIT */
/*
 * buildkit: one `docker build`, by BuildKit alone: the classic builder knows
 * no secrets and no mounts, and the CLI falls back to it without a word.
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
	struct strvec args; /* NAME=VALUE; they stay in the history */
	struct strvec labels; /* NAME=VALUE */
	bool no_cache;
	int timeout_ms;
	void (*progress)(void *arg, const char *line);
	void *progress_arg;
};

#define BUILDKIT_SPEC_INIT                                 \
	{                                                  \
		.args = STRVEC_INIT, .labels = STRVEC_INIT \
	}

/* Without buildx DIAG_ENGINE, with what to install. */
int buildkit_check(const struct engine *engine, struct diag *dg);

/* Returned in *ret_image_id.  The caller holds built_lock().  Failures are
 * DIAG_ENGINE, with the end of the builder's words as detail. */
int buildkit_run(const struct engine *engine, const struct paths *paths,
    const struct buildkit_spec *spec, char **ret_image_id, struct diag *dg);

void buildkit_spec_release(struct buildkit_spec *spec);

#define cleanup_buildkit_spec __attribute__((cleanup(buildkit_spec_release)))

#endif /* DRYDOCK_BUILDKIT_H */
