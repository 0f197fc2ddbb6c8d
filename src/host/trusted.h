/* SPDX-License-Identifier: MIT */
/*
 * trusted: opens what decides a launch: settings, allowlist, overlays, policies,
 * files for homes, agents, and what is installed.
 *
 * Links are followed, one component at a time.  Each directory and each link on
 * the way, and what is found, must belong to the caller or to root, and nobody
 * else may write to it: whoever can replace a parent can replace the file.  A
 * directory with the sticky bit may be anybody's to write to, and a parent may be
 * writable for the caller's own group, which has the caller's name and no other
 * member.
 *
 * What lies neither in the configuration directory nor in what is installed is
 * kept in paths->decisive, for trusted_check() and for the policy.
 */
#ifndef DRYDOCK_TRUSTED_H
#define DRYDOCK_TRUSTED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/strvec.h"

struct diag;
struct paths;
struct trusted_base;

/* Real paths of what was read, each once. */
struct decisive {
	struct strvec found; /* files and directories that links lead to */
	struct strvec links; /* directories with a link on the way there */
	struct trusted_base *bases; /* owned; searches begin in these */
	size_t nbases;
};

struct decisive *decisive_new(void);
void decisive_free(struct decisive *decisive);

enum trusted_flags {
	TRUSTED_DIRECTORY = 1 << 0, /* else a regular file */
	TRUSTED_NO_LINK = 1 << 1, /* below base */
	/* A file has no other name; behind a link only the caller's own. */
	TRUSTED_ONE_NAME = 1 << 2,
};

/*
 * Opens name below the absolute path base for reading; "" is base itself.
 * *ret_fd is -1 when there is no base, or nothing of that name in it.  A link
 * that leads nowhere, another kind, and what others could change is DIAG_CONFIG.
 */
int trusted_open(const struct paths *paths, const char *base, const char *name,
    unsigned flags, int *ret_fd, struct diag *dg);

/*
 * DIAG_POLICY when the configuration, what is installed, or anything that was
 * opened so far lies in the project (NULL: none) or where any session can or
 * could write: names the file, the project and what to do.
 */
int trusted_check(
    const struct paths *paths, const char *project, struct diag *dg);

/*
 * Whether what the group may write to is the caller's alone: the group is the
 * caller's own, with the caller's name and no other member, and no access list
 * (acl(5)), whose mask the mode's bits of the group then are, names anybody.
 * st is of name in dirfd.
 */
bool trusted_group_is_own(const struct paths *paths, int dirfd,
    const char *name, const struct stat *st);

#endif /* DRYDOCK_TRUSTED_H */
