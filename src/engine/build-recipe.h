/* SPDX-License-Identifier: MIT */
/*
 * build-recipe: the inputs that decide the contents of an image, as text, as a
 * digest, and as parts.
 */
#ifndef DRYDOCK_BUILD_RECIPE_H
#define DRYDOCK_BUILD_RECIPE_H

#include <stdbool.h>

#include "base/digest.h"

struct agent;
struct context_files;
struct diag;
struct paths;
struct settings;
struct strbuf;
struct strvec;
struct toolchains;

enum build_kind {
	BUILD_AGENT,
	BUILD_EGRESS
};

const char *build_kind_name(enum build_kind kind);

/* The inputs that decide the contents of an image; all borrowed. */
struct build_recipe {
	const struct settings *settings; /* base image, packages, deadlines */
	const struct agent *agent;
	const struct toolchains *toolchains;
	const struct paths *paths; /* the user, the home, the state directory */
};

/*
 * Appends the requested contents of an agent image as one line: the agent, the
 * toolchains, the packages.  Two projects with the same text share an image.
 */
void build_recipe_text(const struct build_recipe *recipe, struct strbuf *out);

/*
 * Returns true for the default agent at its file's version, without toolchains;
 * packages do not matter.  An image that an older drydock recorded without a
 * recipe satisfies such a recipe.
 */
bool build_recipe_is_plain(const struct build_recipe *recipe);

/*
 * Appends the packages of the toolchains as NAME/RELEASE/PACKAGE.
 * images/lib/apt-install selects the packages for the release of the base,
 * which only the build can determine.
 */
void build_recipe_add_packages(
    const struct build_recipe *recipe, struct strvec *words);

/*
 * Computes the digest that an image built from these files carries in the label
 * io.drydock.context.  The input is the list of the tar's entries and the
 * parameters of the build: base image, npm packages, toolchains, packages,
 * certificates, a home that is a symlink.
 *
 * The digest does not depend on umask, time or caller.  It excludes a base
 * image that a command-line option names: otherwise an image from such a build
 * would never be up to date.
 *
 * Appends "NAME=DIGEST" for each part of the input to out_parts (or NULL), with
 * blanks between them.
 */
int build_context_digest(enum build_kind kind,
    const struct build_recipe *recipe, const struct context_files *files,
    char ret_hex[DIGEST_HEX_SIZE], struct strbuf *out_parts, struct diag *dg);

/*
 * Appends the parts that differ between two results of build_context_digest(),
 * as words for a message: "base_image, packages".
 */
void build_parts_compare(const char *then, const char *now, struct strbuf *out);

/* Returns true if the base_image settings of the two differ. */
bool build_parts_base_differs(const char *then, const char *now);

#endif /* DRYDOCK_BUILD_RECIPE_H */
