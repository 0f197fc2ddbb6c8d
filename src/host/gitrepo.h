/* SPDX-License-Identifier: MIT */
/*
 * gitrepo: finds a project's repository without running git.
 *
 * The project is hostile input.  No symlink in the project is followed, and a
 * path that its files name is trusted only after a check.
 */
#ifndef DRYDOCK_GITREPO_H
#define DRYDOCK_GITREPO_H

#include <stdbool.h>

struct diag;
struct paths;
struct strvec;

/*
 * Returned: the project's git directory, or "/dev/null" when git could not read
 * one without blocking or without reading outside of it.  The git directory of
 * a linked worktree counts only when it names the project too.
 */
char *gitrepo_find_dir(const char *project);

/*
 * Returned: the directory outside of the project that git needs there, or NULL.
 * For a linked worktree it is the repository's common directory, which contains
 * the worktree's own one; for a submodule it is the submodule's git directory.
 * A directory counts only if it names the project too: in its file gitdir
 * (worktree) or as core.worktree in its config (submodule).
 */
char *gitrepo_find_outer(const char *project);

/*
 * The state directory keeps the outer directory of each project's first
 * session.  An agent can rewrite the project's .git, so a later session gets no
 * other directory.
 *
 * Sets *ret_safe to true if no earlier session could write the project's .git,
 * if that session had the same directory, or if both lie in one project of an
 * earlier session.
 */
int gitrepo_outer_is_safe(const char *project, const char *dir,
    const struct paths *paths, bool *ret_safe, struct diag *dg);

/*
 * Keeps the directory of the project's first session; does nothing if an
 * earlier session could write the project.  The state is open.
 */
int gitrepo_keep_outer(const char *project, const char *dir,
    const struct paths *paths, struct diag *dg);

/*
 * Appends one sentence for each thing that git cannot find in a session on
 * project, with advice.  outer is the directory outside of the project that the
 * session has, or NULL.  The cases are: the repository of a worktree or
 * submodule, the repository around a sub-directory, and objects that lie
 * elsewhere.
 */
void gitrepo_check(const char *project, const char *outer,
    const struct paths *paths, struct strvec *ret_notes);

#endif /* DRYDOCK_GITREPO_H */
