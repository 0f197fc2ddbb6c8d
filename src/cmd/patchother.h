/* SPDX-License-Identifier: MIT */
/*
 * patchother: what "drydock patch" does for the patches of pnpm and yarn.
 */
#ifndef DRYDOCK_CMD_PATCHOTHER_H
#define DRYDOCK_CMD_PATCHOTHER_H

struct diag;
struct jsonw;
struct otherpatches;
struct patchcheck;
struct patchcheck_finding;

/* Refuses a verb that writes, and names the command to use instead. */
int patchother_refuse(
    const struct otherpatches *other, const char *verb, struct diag *dg);

/* The same, if the project has the lock file of one of them. */
int patchother_refuse_locks(int project_fd, const char *verb, struct diag *dg);

/*
 * Checks the patches of one ecosystem, or of all if it is NULL, as
 * patchcheck_run() does.
 */
int patchother_check(int project_fd, const char *ecosystem,
    struct patchcheck *check, struct diag *dg);

/* Returned: how to mend a finding; what loses nothing comes first. */
char *patchother_advice(const struct otherpatches *other,
    const struct patchcheck_finding *f, const char *mend);

/* Prints the patches of other programs, into the open array w if not NULL. */
void patchother_list(struct jsonw *w, const struct patchcheck *check);

#endif /* DRYDOCK_CMD_PATCHOTHER_H */
