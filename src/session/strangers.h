/* SPDX-License-Identifier: MIT */
/*
 * strangers: containers and images that carry drydock's labels and that no
 * record of this state directory has.  They are named, and nothing else.
 */
#ifndef DRYDOCK_STRANGERS_H
#define DRYDOCK_STRANGERS_H

struct diag;
struct engine;
struct image;
struct listing;
struct paths;
struct strbuf;

/* Warns of each image that is not recorded and is not for another user. */
int strangers_warn_images(
    const struct paths *paths, const struct engine *engine, struct diag *dg);

/*
 * Appends the containers and images that are not recorded to a listing that
 * listing_read() made, as SESSION_UNKNOWN_CONTAINER and SESSION_UNKNOWN_IMAGE.
 * Two questions to the engine; a failure leaves the listing as it was.
 */
int strangers_list(const struct paths *paths, const struct engine *engine,
    struct listing *listing, struct diag *dg);

#endif /* DRYDOCK_STRANGERS_H */
