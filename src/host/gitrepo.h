/* SPDX-License-Identifier: MIT */
/*
 * gitrepo: finds a project's repository without running git.
 *
 * The project is hostile input.  No symlink in the project is followed, and a
 * path that its files name is trusted only after a check.
 */
#ifndef DRYDOCK_GITREPO_H
#define DRYDOCK_GITREPO_H

struct paths;
struct strvec;

/*
 * Returned: the project's git directory, or "/dev/null" when git could not read
 * one without blocking or without reading outside of it.  The git directory of
 * a linked worktree counts only when it names the project too.
 */
char *gitrepo_find_dir(const char *project);

/*
 * Appends one sentence for each thing that git cannot find in a session on
 * project, with advice.  The cases are: the repository of a worktree or
 * submodule, the repository around a sub-directory, and objects that lie
 * elsewhere.
 */
void gitrepo_check(
    const char *project, const struct paths *paths, struct strvec *ret_notes);

#endif /* DRYDOCK_GITREPO_H */
