/* SPDX-License-Identifier: MIT */
/*
 * npmdependents: the dependents of a package in a package-lock.json.
 */
#ifndef DRYDOCK_NPMDEPENDENTS_H
#define DRYDOCK_NPMDEPENDENTS_H

struct diag;
struct json;

/*
 * Fails with DIAG_CONFIG if npm would not apply the override "NAME@VERSION" to
 * exactly those dependents that have VERSION: one that has another version
 * whose range admits VERSION, one that has VERSION out of its range, and ranges
 * that cannot be judged.  A member of the workspace is refused, too, and what
 * lies in its node_modules: npm 10 applies no override to the dependencies of
 * these when it reads the lock.  packages is the lock's object.
 */
int npmdependents_judge(const struct json *packages, const char *name,
    const char *version, struct diag *dg);

#endif /* DRYDOCK_NPMDEPENDENTS_H */
