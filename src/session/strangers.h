/* SPDX-License-Identifier: MIT */
/*
 * strangers: containers and images with drydock's labels that no record of this
 * state directory lists.  They are reported, never changed.
 */
#ifndef DRYDOCK_STRANGERS_H
#define DRYDOCK_STRANGERS_H

struct diag;
struct engine;
struct image;
struct listing;
struct paths;
struct strbuf;

/* Warns of each image that is not recorded, except images for another user. */
int strangers_warn_images(
    const struct paths *paths, const struct engine *engine, struct diag *dg);

/*
 * Appends the containers and images that are not recorded to listing, as
 * SESSION_UNKNOWN_CONTAINER and SESSION_UNKNOWN_IMAGE.  listing_read() filled
 * the listing before.  Sends two requests to the engine.  On failure the
 * listing is unchanged.
 */
int strangers_list(const struct paths *paths, const struct engine *engine,
    struct listing *listing, struct diag *dg);

#endif /* DRYDOCK_STRANGERS_H */
