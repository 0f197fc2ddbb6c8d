/* SPDX-License-Identifier: MIT */
/* inimage: an image's programs: runs one apart from any session, lists all. */
#ifndef DRYDOCK_INIMAGE_H
#define DRYDOCK_INIMAGE_H

#include <stdbool.h>

struct diag;
struct engine;
struct paths;
struct proc_result;
struct strvec;

/* Exit status if docker run itself fails; others are the program's. */
#define INIMAGE_FAILED 125

/*
 * Runs a program with arguments (NULL-terminated) in a container without a
 * network that is hardened like a session's.  user is "UID:GID".
 */
int inimage_run(const struct engine *engine, const char *user,
    const char *image_id, const char *program, const char *const *args,
    struct proc_result *ret_result, struct diag *dg);

/*
 * Reads the version of a npm package in an agent image.  *ret_version
 * (returned) is NULL if the image does not have the package.
 */
int inimage_client_version(const struct engine *engine, const char *image_id,
    const char *package, char **ret_version, struct diag *dg);

/*
 * Asks npm in an agent image for the registry that it uses without any
 * configuration.  *ret_url (returned) is its first line, not checked.
 */
int inimage_npm_registry(const struct engine *engine, const char *image_id,
    char **ret_url, struct diag *dg);

/*
 * The programs on an image's PATH.  A build lists them once, in a container of
 * the new image, and writes them to programs/ID in the state directory, one
 * name a line.  A launch reads that file, so it starts no container.
 *
 * The first lists them, and replaces an existing file; user is "UID:GID".  The
 * second appends the recorded names; *ret_known is false if there is no file:
 * an older drydock built the image, or the listing failed.  The third removes
 * the files of all images that are not in the list.
 */
int inimage_record_programs(const struct paths *paths,
    const struct engine *engine, const char *user, const char *image_id,
    struct diag *dg);
int inimage_read_programs(const struct paths *paths, const char *image_id,
    struct strvec *ret_names, bool *ret_known, struct diag *dg);
int inimage_prune_programs(
    const struct paths *paths, const struct strvec *images, struct diag *dg);

#endif /* DRYDOCK_INIMAGE_H */
