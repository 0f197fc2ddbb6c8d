/* SPDX-License-Identifier: MIT */
/* gitconfig: the paths in a git configuration that lead git to other files. */
#ifndef DRYDOCK_GITCONFIG_H
#define DRYDOCK_GITCONFIG_H

#include <stddef.h>

struct strvec;

/*
 * Appends the values of the variables "path" (include.path, includeIf.*.path,
 * and others that name programs) and "hooksPath" (core.hooksPath), in any
 * section.  The text is hostile input; what is malformed is skipped.
 */
void gitconfig_paths(const char *text, size_t len, struct strvec *ret_paths);

#endif /* DRYDOCK_GITCONFIG_H */
