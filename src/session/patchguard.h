/* SPDX-License-Identifier: MIT */
/*
 * patchguard: what a session has to do with its project's patched dependencies.
 *
 * A session of a project with patches does not start while a check fails
 * (deps/patchcheck.h): its build would use the original without a word.  If
 * only copies are missing, as in a fresh clone, they are made first.
 */
#ifndef DRYDOCK_PATCHGUARD_H
#define DRYDOCK_PATCHGUARD_H

struct diag;
struct paths;

/*
 * Refuses a start with DIAG_POLICY if a check of the project's patches finds
 * something; the message names the first finding and the command that mends it.
 * Makes missing copies, and opens the state directory for that.  project_fd may
 * be O_PATH.  A project without patches costs a few system calls.
 */
int patchguard_check(struct paths *paths, const char *project_path,
    int project_fd, const char *const *environ_, struct diag *dg);

/* Warns of what a check finds: at attach, and at the end of a session. */
void patchguard_warn(const char *project_path);

#endif /* DRYDOCK_PATCHGUARD_H */
