/* SPDX-License-Identifier: MIT */
/* Symlinks in the runtime directory, compared by their target's inode. */
#include "session/links.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "guest/wire.h"
#include "host/paths.h"
#include "session/session.h"

enum {
	TEMP_SUFFIX_SIZE = 9
};

/* Checks the owner: another user may have made the directory below /tmp. */
static int
open_own(const struct paths *paths, int *ret_fd, struct diag *dg)
{
	const char *dir = paths->runtime_dir != NULL ? paths->runtime_dir : "";
	cleanup_close int fd = open(
	    dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open %s", dir);
	if (st.st_uid != paths->uid)
		return diag_set(dg, DIAG_IO,
		    "%s belongs to another user (uid %ld)", dir,
		    (long)st.st_uid);
	if ((st.st_mode & 0077) != 0)
		return diag_set(dg, DIAG_IO,
		    "other users can access %s (mode %04o)", dir,
		    (unsigned)st.st_mode & 07777);
	*ret_fd = steal_fd(&fd);
	return 0;
}

static bool
leads_to(int dir_fd, const char *name, int target_fd)
{
	struct stat now;
	struct stat want;

	return fstatat(dir_fd, name, &now, 0) == 0 &&
	    fstat(target_fd, &want) == 0 && fs_same(&now, &want);
}

int
links_make(
    const struct paths *paths, const char *id, int run_fd, struct diag *dg)
{
	cleanup_close int fd = -1;
	cleanup_free char *target =
	    xasprintf("%s/sessions/%s/run", paths->state_dir, id);
	cleanup_free char *temp = NULL;
	char suffix[TEMP_SUFFIX_SIZE];

	if (mkdir(paths->runtime_dir, 0700) != 0 && errno != EEXIST)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "make %s", paths->runtime_dir);
	if (open_own(paths, &fd, dg) != 0)
		return -1;
	if (leads_to(fd, id, run_fd))
		return 0;
	fs_random_name(suffix, sizeof(suffix));
	temp = xasprintf(".%s.%s", id, suffix);
	if (symlinkat(target, fd, temp) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "make %s/%s", paths->runtime_dir, temp);
	if (renameat(fd, temp, fd, id) != 0) {
		int errnum = errno;

		(void)unlinkat(fd, temp, 0);
		return diag_set_errno(
		    dg, DIAG_IO, errnum, "make %s/%s", paths->runtime_dir, id);
	}
	return 0;
}

void
links_renew(const struct paths *paths, const struct session *session)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	if (session_open_mount(session, MOUNT_RUN, &fd, &dg) != 0 ||
	    links_make(paths, session->id, fd, &dg) != 0)
		diag_warn(
		    "cannot make a short path to the session's socket: %s",
		    dg.message);
}

/* Removes a dangling link.  Returns -1 with errno if one may remain. */
static int
remove_dangling(int fd, const char *id)
{
	struct stat st;

	if (fstatat(fd, id, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISLNK(st.st_mode) || fstatat(fd, id, &st, 0) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	return unlinkat(fd, id, 0) == 0 || errno == ENOENT ? 0 : -1;
}

char *
links_socket(const struct paths *paths, const char *id)
{
	return xasprintf("%s/%s/" WIRE_SOCKET_NAME, paths->runtime_dir, id);
}

void
links_remove(const struct paths *paths, const char *id)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;

	if (open_own(paths, &fd, &ignored) == 0)
		(void)remove_dangling(fd, id);
}

/* ".ID.SUFFIX" is left by a launch that was killed before its rename. */
static bool
is_temporary(const char *name)
{
	char id[SESSION_ID_SIZE];
	size_t len = strcspn(name + 1, ".");

	if (name[0] != '.' || len != sizeof(id) - 1 || name[1 + len] != '.')
		return false;
	memcpy(id, name + 1, len);
	id[len] = '\0';
	return session_id_valid(id);
}

size_t
links_sweep(const struct paths *paths)
{
	size_t failed = 0;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;

	if (open_own(paths, &fd, &dg) != 0) {
		/* links_make() reports another user's directory. */
		if (dg.errnum == 0 || dg.errnum == ENOENT)
			return 0;
		diag_warn("%s", dg.message);
		return 1;
	}
	if (fs_list_names(fd, paths->runtime_dir, &names, &dg) != 0) {
		diag_warn("%s", dg.message);
		return 1;
	}
	for (size_t i = 0; i < names.nr; i++) {
		const char *name = names.v[i];

		if ((session_id_valid(name) || is_temporary(name)) &&
		    remove_dangling(fd, name) != 0) {
			diag_warn("remove %s/%s: %s", paths->runtime_dir, name,
			    strerror(errno));
			failed++;
		}
	}
	return failed;
}
