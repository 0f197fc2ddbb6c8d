/* SPDX-License-Identifier: MIT */
/*
 * trusted: opens the files that decide a launch: settings, allowlist, overlays,
 * policies, files for homes, agents, and the installed files.
 *
 * Symlinks are resolved one component at a time.  The target, and each
 * directory and symlink on the path to it, must belong to the caller or to root
 * and must not be writable by others, because write access to a parent is
 * enough to replace the file.  Two exceptions apply to parents: a directory
 * with the sticky bit may be writable by everyone, and a directory may be
 * writable by the caller's own group, which has the caller's name and no other
 * member.
 *
 * Paths outside of the configuration directory and of the installed files are
 * recorded in paths->decisive, for trusted_check() and for the policy.
 */
#ifndef DRYDOCK_TRUSTED_H
#define DRYDOCK_TRUSTED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/strvec.h"

struct diag;
struct paths;
struct strbuf;
struct trusted_base;

/*
 * Real paths of the opened files and of the symlinks on the way; no duplicates.
 */
struct decisive {
	struct strvec found; /* files and directories that were opened */
	struct strvec links; /* directories that contain a followed symlink */
	/* owned; directories that searches start in */
	struct trusted_base *bases;
	size_t nbases;
};

struct decisive *decisive_new(void);
void decisive_free(struct decisive *decisive);

enum trusted_flags {
	TRUSTED_DIRECTORY = 1 << 0, /* a directory; otherwise a regular file */
	TRUSTED_NO_LINK = 1 << 1, /* no symlink below base */
	/*
	 * A file has one hard link.  Behind a symlink this applies only to the
	 * caller's own files.
	 */
	TRUSTED_ONE_NAME = 1 << 2,
};

/*
 * Opens name below the absolute path base for reading; "" is base itself.
 * *ret_fd is -1 when base or name does not exist.  A dangling symlink, a file
 * of another type, and a path that others can change are DIAG_CONFIG.
 */
int trusted_open(const struct paths *paths, const char *base, const char *name,
    unsigned flags, int *ret_fd, struct diag *dg);

/*
 * Reads such a file of at most max bytes into out.  A larger file is
 * DIAG_CONFIG.  label is the file's name in messages.
 */
int trusted_read(
    int fd, const char *label, size_t max, struct strbuf *out, struct diag *dg);

/*
 * Appends the contents of the file "name" in compose/ of the data directory,
 * where overlays, policy and seccomp profile are installed.  An absent file is
 * DIAG_CONFIG, a file that others could change is DIAG_POLICY, a file of more
 * than max bytes is DIAG_DATA.
 */
int trusted_read_data(const struct paths *paths, const char *name, size_t max,
    struct strbuf *out, struct diag *dg);

/*
 * Fails with DIAG_POLICY when the configuration, the installed files, or
 * anything opened so far lies in project (NULL: none) or where any session can
 * or could write.  The message names the file, the directory and what to do.
 */
int trusted_check(
    const struct paths *paths, const char *project, struct diag *dg);

/*
 * Returns true if only the caller is in the group of a group-writable file.
 * The group must be the caller's own, with the caller's name and no other
 * member.  The file must have no access list (acl(5)): with one, the group bits
 * of the mode are its mask.  st is the status of name in dirfd.
 */
bool trusted_group_is_own(const struct paths *paths, int dirfd,
    const char *name, const struct stat *st);

#endif /* DRYDOCK_TRUSTED_H */
