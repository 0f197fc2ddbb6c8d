/* SPDX-License-Identifier: MIT */
/*
 * hostclient: the version of an agent's client on the host, read from files.
 * No program of the host is run.
 */
#ifndef DRYDOCK_HOSTCLIENT_H
#define DRYDOCK_HOSTCLIENT_H

#include <stdbool.h>

/*
 * Finds command in the directories of search_path that are absolute.  Its
 * version is in the package.json of the npm package that it belongs to, or is
 * the name of the file that it links to (.../versions/2.1.197).  Returned: an
 * exact version, or NULL if there is none or the first such command is below
 * project.
 */
char *hostclient_version(const char *search_path, const char *command,
    const char *package, const char *project);

/* Compares up to three numbers; ignores other text. */
bool hostclient_is_older(const char *a, const char *b);

#endif /* DRYDOCK_HOSTCLIENT_H */
