/* SPDX-License-Identifier: MIT */
/*
 * carried: directories outside of the project's own file tree that a session
 * gets together with its project, each at its own path.
 *
 * These are the mounts below the project, and the git directory of a worktree
 * or submodule.  The policy judges each as a bind source.
 */
#ifndef DRYDOCK_PLAN_CARRIED_H
#define DRYDOCK_PLAN_CARRIED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct diag;
struct mount_role;
struct plan;
struct plan_request;
struct strvec;

struct carried_dir {
	const struct mount_role *role; /* static; MOUNT_BELOW or MOUNT_GIT */
	char *path; /* owned; real path */
	bool read_only; /* its mount is read-only */
	struct stat st;
};

struct carried {
	struct carried_dir *v; /* owned */
	size_t nr;
};

/*
 * Finds the directories.  A mount that a session cannot have is DIAG_POLICY,
 * and the message says why and what to do.  A git directory that an earlier
 * session may have chosen is left out, with a note.
 */
int carried_find(
    const struct plan_request *request, struct carried *ret, struct diag *dg);
void carried_release(struct carried *carried);

/* Appends the interpolation variables of directory i of mount.yml. */
void carried_variables(
    const struct carried *carried, size_t i, struct strvec *vars);

/* Gives the agent's mounts of these directories their roles. */
void carried_set_roles(const struct carried *carried, struct plan *plan);

/*
 * Fails with DIAG_POLICY, and says what to do, if a mount below a user's bind
 * or below the project is not in the plan, or no session can have it.  The
 * engine binds a directory with all mounts below it.
 */
int carried_check(const struct plan *plan, struct diag *dg);

#define cleanup_carried __attribute__((cleanup(carried_release)))

#endif /* DRYDOCK_PLAN_CARRIED_H */
