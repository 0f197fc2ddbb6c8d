/* SPDX-License-Identifier: MIT */
/* Compares device and inode with the record; finds a new path in mountinfo. */
#include "session/moved.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/text.h"
#include "plan/procfacts.h"
#include "session/companion.h"
#include "session/record.h"

enum {
	MOUNTS_MAX = 4 * 1024 * 1024,
};

#define DELETED "//deleted"

static char *
identity_of(const struct stat *st)
{
	return xasprintf(
	    "%ju:%ju", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino);
}

char *
moved_identity(int project_fd)
{
	struct stat st;

	return fstat(project_fd, &st) == 0 ? identity_of(&st) : NULL;
}

/*
 * Reads the mounts of the agent's process.  Fails if the process has ended or
 * its pid was reused.
 */
static int
read_mounts(const struct record *r, struct mountinfo *ret_mounts)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	long pid =
	    r->agent_process != NULL ? strtol(r->agent_process, NULL, 10) : 0;
	cleanup_free char *path = xasprintf("/proc/%ld/mountinfo", pid);
	cleanup_free char *now = NULL;
	cleanup_close int fd = -1;

	if (pid <= 0)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	now = fd == -1 ? NULL : companion_process((pid_t)pid);
	if (now == NULL || strcmp(now, r->agent_process) != 0 ||
	    fs_read_fd(fd, path, MOUNTS_MAX, &text, &ignored) != 0)
		return -1;
	return mountinfo_parse(text.buf, ret_mounts, &ignored);
}

/*
 * Returned: the host path at which the root of mount m is visible; NULL if
 * there is none.
 */
static char *
path_on_host(const struct mountinfo_row *m)
{
	cleanup_mountinfo struct mountinfo own = { NULL, 0 };
	cleanup_diag struct diag ignored = DIAG_INIT;

	if (mountinfo_read_own(&own, &ignored) != 0)
		return NULL;
	for (size_t i = own.nr; i-- > 0;) {
		const char *root = own.v[i].root;
		size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);

		if (strcmp(own.v[i].device, m->device) == 0 &&
		    strncmp(m->root, root, len) == 0 &&
		    (m->root[len] == '/' || m->root[len] == '\0'))
			return xasprintf("%s%s",
			    strcmp(own.v[i].target, "/") == 0 ? ""
							      : own.v[i].target,
			    m->root + len);
	}
	return NULL;
}

/*
 * Returned: the project's present path; NULL if it is unknown.  *ret_deleted:
 * the directory has been removed.
 */
static char *
find_now(const struct record *r, bool *ret_deleted)
{
	cleanup_mountinfo struct mountinfo mounts = { NULL, 0 };

	*ret_deleted = false;
	if (read_mounts(r, &mounts) != 0)
		return NULL;
	for (size_t i = 0; i < mounts.nr; i++) {
		const char *root = mounts.v[i].root;
		cleanup_free char *path = NULL;
		cleanup_free char *identity = NULL;
		struct stat st;

		if (strcmp(mounts.v[i].target, r->project) != 0)
			continue;
		*ret_deleted = text_ends_with(root, DELETED);
		path = *ret_deleted ? NULL : path_on_host(&mounts.v[i]);
		if (path == NULL || lstat(path, &st) != 0)
			return NULL;
		identity = identity_of(&st);
		return strcmp(identity, r->project_file) == 0 ? steal_ptr(&path)
							      : NULL;
	}
	return NULL;
}

char *
moved_describe(const struct record *r)
{
	cleanup_free char *identity = NULL;
	cleanup_free char *now = NULL;
	bool deleted;
	bool there;
	struct stat st;

	if (r->project_file == NULL)
		return NULL;
	there = lstat(r->project, &st) == 0;
	identity = there ? identity_of(&st) : NULL;
	if (identity != NULL && strcmp(identity, r->project_file) == 0)
		return NULL;
	now = find_now(r, &deleted);
	if (now != NULL)
		return xasprintf("its project %s was moved to %s, and its "
				 "agent continues there",
		    r->project, now);
	if (deleted)
		return xasprintf("its project %s was removed%s; its agent's "
				 "changes are lost when the session ends",
		    r->project, there ? " and replaced" : "");
	return xasprintf("its project %s %s", r->project,
	    there ? "is not the directory in which the session began"
		  : "does not exist any more");
}

void
moved_warn(const struct record *r)
{
	cleanup_free char *moved = moved_describe(r);

	if (moved != NULL)
		diag_warn("session %s: %s", r->id, moved);
}
