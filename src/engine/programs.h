/* SPDX-License-Identifier: MIT */
/*
 * programs: the names of the programs on an image's PATH.
 *
 * A build lists them once, in a container of the new image, and writes them to
 * programs/ID in the state directory, one name a line.  A launch reads that
 * file, so it starts no container for the list.
 */
#ifndef DRYDOCK_PROGRAMS_H
#define DRYDOCK_PROGRAMS_H

#include <stdbool.h>

struct diag;
struct engine;
struct paths;
struct strvec;

/*
 * Lists the programs of an image and records them, and replaces an existing
 * file.  user is "UID:GID".
 */
int programs_record(const struct paths *paths, const struct engine *engine,
    const char *user, const char *image_id, struct diag *dg);

/*
 * Appends the recorded names.  *ret_known is false if there is no file: an
 * older drydock built the image, or the listing failed.
 */
int programs_read(const struct paths *paths, const char *image_id,
    struct strvec *ret_names, bool *ret_known, struct diag *dg);

/* Removes the files of all images that are not in the list. */
int programs_prune(
    const struct paths *paths, const struct strvec *images, struct diag *dg);

#endif /* DRYDOCK_PROGRAMS_H */
