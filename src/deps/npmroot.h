/* SPDX-License-Identifier: MIT */
/*
 * npmroot: what makes a project's package manager ignore the redirects of
 * npmredirect.h.
 *
 * Told are npm-shrinkwrap.json, which npm reads instead of package-lock.json;
 * settings in .npmrc; and a "packageManager" in package.json that is not npm.
 * Not judged: settings of npm outside of the project, and a workspace whose
 * root is above the project.
 */
#ifndef DRYDOCK_NPMROOT_H
#define DRYDOCK_NPMROOT_H

#include <stddef.h>

struct diag;
struct strbuf;

/*
 * Calls found() with the file's path below the project and with what is wrong,
 * which the caller escapes.  manifest (package.json) may be NULL, and is ignored
 * if it is malformed.  Reads only, and never blocks.
 */
void npmroot_judge(int project_fd, const struct strbuf *manifest,
    void (*found)(void *arg, const char *path, const char *why), void *arg);

/* Fails with DIAG_CONFIG for the first of these; see ecosystem.h. */
int npmroot_check(int project_fd, const char *project_path,
    const struct strbuf *manifest, struct diag *dg);

#define NPMROOT_SETTINGS_MAX ((size_t)1024 * 1024) /* of an .npmrc */

/*
 * Appends to ret_why what in an .npmrc makes npm ignore package-lock.json, and
 * with it the redirects, or install nothing in the project, where the original
 * may be: the settings "package-lock" and its other name "shrinkwrap",
 * "dry-run", "package-lock-only", "global", "location", "workspace" and
 * "workspaces"; "userconfig" and "globalconfig", which name a file with more
 * settings, and "prefix", below which npm has such a file.  A section
 * "[dry-run]" sets "dry-run", too.  A key that npm computes (escapes, ${NAME})
 * could be any key, and is told.  Nothing is appended if there is no such
 * setting.
 */
void npmroot_judge_settings(
    const char *text, size_t len, struct strbuf *ret_why);

#endif /* DRYDOCK_NPMROOT_H */
