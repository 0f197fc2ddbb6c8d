/* SPDX-License-Identifier: MIT */
/*
 * places: where on the host no bind may come from.
 *
 * Told by device and inode, and by what stands where in its file system, so
 * that neither a link, nor another name, nor a bind mount on the host hides it.
 */
#ifndef DRYDOCK_PLAN_PLACES_H
#define DRYDOCK_PLAN_PLACES_H

#include <stddef.h>

struct diag;
struct jsonw;
struct places;
struct plan_request;

/* Finds those of a request, also where one would be that is not there. */
int places_find(const struct plan_request *request, struct places **ret_places,
    struct diag *dg);
void places_free(struct places *places);
void places_freep(struct places **places);

/*
 * Writes an array of {group, place, how}: what the file or directory of an
 * O_PATH descriptor is ("is"), holds ("holds") or lies under ("under").
 */
int places_write(
    const struct places *places, int fd, struct jsonw *w, struct diag *dg);

#define cleanup_places __attribute__((cleanup(places_freep)))

#endif /* DRYDOCK_PLAN_PLACES_H */
