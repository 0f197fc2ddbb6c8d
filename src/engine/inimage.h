/* SPDX-License-Identifier: MIT */
/* inimage: runs a program of an image, apart from any session. */
#ifndef DRYDOCK_INIMAGE_H
#define DRYDOCK_INIMAGE_H

struct diag;
struct engine;
struct proc_result;

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

#endif /* DRYDOCK_INIMAGE_H */
