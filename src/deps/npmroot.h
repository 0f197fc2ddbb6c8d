/* SPDX-License-Identifier: MIT */
/*
 * npmroot: what makes a project's package manager ignore the redirects of
 * npmredirect.h.
 *
 * Told are npm-shrinkwrap.json, which npm reads instead of package-lock.json;
 * settings in .npmrc (npmrc.h); and a "packageManager" in package.json that is
 * not npm.  Not judged: settings of npm outside of the project, and a workspace
 * whose root is above the project.
 */
#ifndef DRYDOCK_NPMROOT_H
#define DRYDOCK_NPMROOT_H

struct diag;
struct strbuf;

/*
 * Calls found() with the file's path below the project and with what is wrong,
 * which the caller escapes.  manifest (package.json) may be NULL, and is ignored
 * if it is malformed.  Reads only, and never blocks.
 */
void npmroot_judge(int project_fd, const struct strbuf *manifest,
    void (*found)(void *arg, const char *path, const char *why), void *arg);

/* Fails with DIAG_CONFIG for the first of these. */
int npmroot_check(
    int project_fd, const struct strbuf *manifest, struct diag *dg);

#endif /* DRYDOCK_NPMROOT_H */
