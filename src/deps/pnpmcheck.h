/* SPDX-License-Identifier: MIT */
/*
 * pnpmcheck: compares pnpm's patches of a project with pnpm-lock.yaml.
 *
 * "pnpm patch-commit" writes them into patchedDependencies, which is in
 * pnpm-workspace.yaml (pnpm 10 and later) or in "pnpm" of package.json (pnpm 10
 * and older).
 */
#ifndef DRYDOCK_PNPMCHECK_H
#define DRYDOCK_PNPMCHECK_H

struct diag;
struct patchcheck;

#define PNPMCHECK_NAME "pnpm"
#define PNPMCHECK_LOCK "pnpm-lock.yaml"

/* See otherpatches.h. */
int pnpmcheck_run(int project_fd, struct patchcheck *check, struct diag *dg);

#endif /* DRYDOCK_PNPMCHECK_H */
