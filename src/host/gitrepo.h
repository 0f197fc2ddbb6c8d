/* SPDX-License-Identifier: MIT */
/*
 * gitrepo: where a project's repository is, found without running git.
 *
 * The project is hostile input: nothing in it is followed through a link, and
 * what its files name is believed only where it is checked.
 */
#ifndef DRYDOCK_GITREPO_H
#define DRYDOCK_GITREPO_H

struct paths;
struct strvec;

/*
 * Returned: the project's git directory, or "/dev/null" when it has none that
 * git reads without waiting or reading elsewhere.  A linked worktree's counts
 * when it names the project too.
 */
char *gitrepo_find_dir(const char *project);

/*
 * Appends what git does not find in a session on project, one sentence each,
 * and what to do: the repository of a worktree, of a submodule or around a
 * sub-directory, and objects that lie elsewhere.
 */
void gitrepo_check(
    const char *project, const struct paths *paths, struct strvec *ret_notes);

#endif /* DRYDOCK_GITREPO_H */
