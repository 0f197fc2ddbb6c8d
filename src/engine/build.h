/* SPDX-License-Identifier: MIT */
/*
 * build: the agent and the egress image, made from contexts that drydock
 * streams: a tar (POSIX.1-2001 pax) in which drydock sets every entry's mode,
 * owner and time, so that the same sources give the same bytes.
 */
#ifndef DRYDOCK_BUILD_H
#define DRYDOCK_BUILD_H

#include <stdbool.h>

#include "base/digest.h"

struct agent;
struct context_files;
struct diag;
struct engine;
struct paths;
struct settings;
struct strbuf;
struct toolchains;

/*
 * Squid refuses to be root: a root caller's sidecar is Debian's "proxy", user
 * and group, the same in every image.
 */
#define BUILD_PROXY_ID 13

enum build_kind {
	BUILD_AGENT,
	BUILD_EGRESS
};

const char *build_kind_name(enum build_kind kind);

/* What decides what an image is made of; all of it borrowed. */
struct build_recipe {
	const struct settings *settings; /* base image, packages, deadlines */
	const struct agent *agent;
	const struct toolchains *toolchains;
	const struct paths *paths; /* the home's names */
};

/*
 * Appends what an agent image is asked to have, in one line: the agent, the
 * toolchains, the packages.  Two projects with the same text share an image.
 */
void build_recipe_text(const struct build_recipe *recipe, struct strbuf *out);

/* Whether it asks for what an older drydock's images all have. */
bool build_recipe_is_plain(const struct build_recipe *recipe);

/*
 * The digest that an image built of these files would carry in
 * io.drydock.context: over the list of what its tar has and what steers the
 * build (base image, toolchains, packages, certificates, a home that is a link).
 * It does not depend on umask, time, or the caller, nor on a base image that one build was given by option: asking
 * for it again would be in vain.
 */
int build_context_digest(enum build_kind kind,
    const struct build_recipe *recipe, const struct context_files *files,
    char ret_hex[DIGEST_HEX_SIZE], struct diag *dg);

struct build_options {
	const char *base; /* NULL: the setting */
	bool bootstrap; /* make the base with mmdebstrap */
	bool pull; /* ask the registry for a newer base, or bootstrap anew */
	bool no_cache;
	bool keep_base; /* a bootstrapped one is reused even so */
	/* The caller's: proxies, npm's settings.  NULL: none. */
	const char *const *environ_;
	/* Progress: called for each line of the builder's output, raw. */
	void (*progress)(void *arg, const char *line);
	void *progress_arg;
};

struct build_outcome {
	char *image_id; /* owned; sha256:... */
	char context[DIGEST_HEX_SIZE];
};

/*
 * Builds one image for the caller, verifies it by its id (its labels, and the
 * guardrails in a container hardened like a session's), and records it
 * (engine/built.h).  An image that fails is removed.  The caller holds
 * built_lock().
 *
 * No BuildKit, a step that fails or a registry that cannot be reached is
 * DIAG_ENGINE with the last of the builder's words; a base image with VOLUME,
 * HEALTHCHECK, ONBUILD or labels of ours is DIAG_POLICY; an image whose
 * guardrails do not hold is DIAG_DATA and names the file.
 *
 * A builder whose caller is killed ends by itself: its output goes nowhere.
 */
int build_image(enum build_kind kind, const struct engine *engine,
    const struct build_recipe *recipe, const struct paths *paths,
    const struct build_options *options, struct build_outcome *ret_outcome,
    struct diag *dg);
void build_outcome_release(struct build_outcome *outcome);

#endif /* DRYDOCK_BUILD_H */
