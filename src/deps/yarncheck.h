/* SPDX-License-Identifier: MIT */
/*
 * yarncheck: compares yarn's patches of a project with yarn.lock.
 *
 * "yarn patch-commit -s" writes them as "patch:" into dependencies of
 * package.json, of the project or of a workspace, or into "resolutions" of the
 * project's.
 */
#ifndef DRYDOCK_YARNCHECK_H
#define DRYDOCK_YARNCHECK_H

struct diag;
struct patchcheck;

#define YARNCHECK_NAME "yarn"
#define YARNCHECK_LOCK "yarn.lock"

/* See otherpatches.h. */
int yarncheck_run(int project_fd, struct patchcheck *check, struct diag *dg);

#endif /* DRYDOCK_YARNCHECK_H */
