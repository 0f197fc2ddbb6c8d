/* SPDX-License-Identifier: MIT */
/*
 * protected-paths: where on the host no bind may come from.
 *
 * Told by device and inode, and by what stands where in its file system, so
 * that neither a link, nor another name, nor a bind mount on the host hides it.
 */
#ifndef DRYDOCK_PLAN_PROTECTED_PATHS_H
#define DRYDOCK_PLAN_PROTECTED_PATHS_H

#include <stddef.h>

struct diag;
struct jsonw;
struct protected_paths;
struct plan_request;

/* Finds those of a request, also where one would be that is not there. */
int protected_paths_find(const struct plan_request *request,
    struct protected_paths **ret_places, struct diag *dg);
void protected_paths_free(struct protected_paths *places);
void protected_paths_freep(struct protected_paths **places);

/*
 * Writes an array of {group, place, how}: what the file or directory of an
 * O_PATH descriptor is ("is"), holds ("holds") or lies under ("under").
 */
int protected_paths_write(const struct protected_paths *places, int fd,
    struct jsonw *w, struct diag *dg);

#define cleanup_protected_paths __attribute__((cleanup(protected_paths_freep)))

#endif /* DRYDOCK_PLAN_PROTECTED_PATHS_H */
