/* SPDX-License-Identifier: MIT */
/*
 * protected-paths: paths on the host that no bind may expose.
 *
 * They are compared by device and inode along their parents.  Therefore a
 * symlink, another name or a bind mount on the host does not hide them.
 */
#ifndef DRYDOCK_PLAN_PROTECTED_PATHS_H
#define DRYDOCK_PLAN_PROTECTED_PATHS_H

#include <stddef.h>

struct diag;
struct jsonw;
struct protected_paths;
struct plan_request;

/*
 * Finds the protected paths for a request.  A path that does not exist, or that
 * the caller may not reach, is protected at its nearest existing parent.  The
 * caller frees *ret_list.
 */
int protected_paths_find(const struct plan_request *request,
    struct protected_paths **ret_list, struct diag *dg);
void protected_paths_freep(struct protected_paths **list);

/*
 * Writes an array of {group, place, how} for the O_PATH descriptor fd.  "how"
 * is the relation of fd's file to the protected path: it is the path ("is"),
 * holds it ("holds") or lies below it ("under").
 */
int protected_paths_write(const struct protected_paths *list, int fd,
    struct jsonw *w, struct diag *dg);

#define cleanup_protected_paths __attribute__((cleanup(protected_paths_freep)))

#endif /* DRYDOCK_PLAN_PROTECTED_PATHS_H */
