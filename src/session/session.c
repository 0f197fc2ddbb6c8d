/* SPDX-License-Identifier: MIT */
/* Claims, leases and deletes a session's directory. */
#include "session/session.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "session/links.h"

enum {
	CLAIM_TRIES = 64,
	TRASH_SUFFIX_SIZE = 9,
};

/*
 * Prefix in trash/: the user has been told, and no call retries without "all".
 */
#define KEPT_PREFIX "kept-"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK)

bool
session_id_valid(const char *name)
{
	return strlen(name) == SESSION_ID_SIZE - 1 &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") ==
	    SESSION_ID_SIZE - 1;
}

static struct session
steal_session(struct session *session)
{
	struct session taken = *session;

	*session = (struct session)SESSION_INIT;
	return taken;
}

static int
open_sessions(const struct paths *paths, int *ret_fd, struct diag *dg)
{
	return fs_open_nolinks(
	    paths->state_fd, "sessions", OPEN_DIR, 0, ret_fd, dg);
}

int
session_list_ids(
    const struct paths *paths, struct strvec *ret_ids, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_free char *path = xasprintf("%s/sessions", paths->state_dir);
	cleanup_close int fd = -1;

	/* The state directory may not be complete yet. */
	if (open_sessions(paths, &fd, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (fs_list_names(fd, path, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		if (session_id_valid(names.v[i]))
			strvec_push(ret_ids, names.v[i]);
	return 0;
}

/* Opens the directory of a session, and sets its id and path. */
static int
open_dir(const struct paths *paths, int sessions_fd, const char *id,
    struct session *s, struct diag *dg)
{
	if (fs_open_nolinks(sessions_fd, id, OPEN_DIR, 0, &s->dir_fd, dg) != 0)
		return -1;
	memcpy(s->id, id, SESSION_ID_SIZE);
	s->dir = xasprintf("%s/sessions/%s", paths->state_dir, id);
	return 0;
}

/*
 * The lease is opened by its path from sessions/.  LOCK_GONE therefore also
 * means that the whole directory was renamed, which a path from inside of the
 * directory would not show.
 */
int
session_lease(const struct paths *paths, const char *id, int timeout_ms,
    enum lock_answer *ret_answer, struct session *ret_session, struct diag *dg)
{
	cleanup_session struct session s = SESSION_INIT;
	cleanup_close int sessions_fd = -1;
	cleanup_free char *name = xasprintf("%s/lease", id);

	if (open_sessions(paths, &sessions_fd, dg) != 0)
		return -1;
	if (lock_wait(sessions_fd, name, true, timeout_ms, ret_answer,
		&s.lease_fd, dg) != 0)
		return diag_wrap(dg, "%s/sessions/%s", paths->state_dir, id);
	if (*ret_answer != LOCK_WON)
		return 0;
	/*
	 * Only the lease's holder renames the directory, so the id still names
	 * it.
	 */
	if (open_dir(paths, sessions_fd, id, &s, dg) != 0)
		return diag_wrap(dg, "%s/sessions/%s", paths->state_dir, id);
	*ret_session = steal_session(&s);
	return 0;
}

/* One try.  *ret_answer is LOCK_WON only if the new directory is ours. */
static int
claim_one(const struct paths *paths, int sessions_fd,
    enum lock_answer *ret_answer, struct session *ret_session, struct diag *dg)
{
	char id[SESSION_ID_SIZE];

	*ret_answer = LOCK_GONE;
	fs_random_name(id, sizeof(id));
	if (mkdirat(sessions_fd, id, 0700) != 0) {
		if (errno == EEXIST)
			return 0;
		return diag_set_errno(dg, DIAG_IO, errno, "make %s/sessions/%s",
		    paths->state_dir, id);
	}
	/*
	 * The umask may have removed bits.  ENOENT: a collector removed the
	 * directory.
	 */
	if (fchmodat(sessions_fd, id, 0700, 0) != 0 && errno != ENOENT)
		return diag_set_errno(dg, DIAG_IO, errno,
		    "set the mode of %s/sessions/%s", paths->state_dir, id);
	return session_lease(paths, id, 0, ret_answer, ret_session, dg);
}

/* Makes what is filled before the plan is made, and what links lead to. */
static int
make_first(const struct session *s, struct diag *dg)
{
	static const enum mount_id ids[] = { MOUNT_HOME, MOUNT_RUN,
		MOUNT_SERVICES };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		const struct mount_role *role = &mount_roles[ids[i]];
		cleanup_close int fd = -1;

		if (fs_make_dir(s->dir_fd, role->below, role->mode, &fd, dg) !=
		    0)
			return diag_wrap(dg, "make %s", s->dir);
	}
	return 0;
}

int
session_claim(
    const struct paths *paths, struct session *ret_session, struct diag *dg)
{
	cleanup_session struct session s = SESSION_INIT;
	cleanup_close int sessions_fd = -1;
	enum lock_answer answer = LOCK_GONE;
	cleanup_diag struct diag ignored = DIAG_INIT;

	if (open_sessions(paths, &sessions_fd, dg) != 0)
		return -1;
	/*
	 * Between mkdir and lease a collector may take the empty directory.
	 * The lease is then busy or gone, and another id is tried.
	 */
	for (int i = 0; i < CLAIM_TRIES && answer != LOCK_WON; i++) {
		if (claim_one(paths, sessions_fd, &answer, &s, dg) != 0)
			return diag_wrap(dg, "claim a session");
	}
	if (answer != LOCK_WON)
		return diag_set(dg, DIAG_BUSY,
		    "claim a session: %d ids were taken", CLAIM_TRIES);
	if (make_first(&s, dg) != 0) {
		(void)session_delete(paths, &s, &ignored);
		return -1;
	}
	*ret_session = steal_session(&s);
	return 0;
}

void
session_drop_lease(struct session *session)
{
	cleanup_close_fn(&session->lease_fd);
}

void
session_release(struct session *session)
{
	session_drop_lease(session);
	cleanup_close_fn(&session->dir_fd);
	free(session->dir);
	session->dir = NULL;
}

int
session_delete(
    const struct paths *paths, struct session *session, struct diag *dg)
{
	cleanup_close int sessions_fd = -1;
	cleanup_close int trash_fd = -1;
	cleanup_free char *name = NULL;
	char suffix[TRASH_SUFFIX_SIZE];

	if (open_sessions(paths, &sessions_fd, dg) != 0 ||
	    fs_open_nolinks(
		paths->state_fd, "trash", OPEN_DIR, 0, &trash_fd, dg) != 0)
		return -1;
	fs_random_name(suffix, sizeof(suffix));
	name = xasprintf("%s.%s", session->id, suffix);
	if (renameat(sessions_fd, session->id, trash_fd, name) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "move %s to trash", session->dir);
	session_drop_lease(session);
	links_remove(paths, session->id);
	return fs_remove_tree(trash_fd, name, dg);
}

/* Renames a tree that no later call can remove, so that later calls skip it. */
static void
keep_in_trash(int trash_fd, const char *path, const char *name)
{
	cleanup_strbuf struct strbuf command = STRBUF_INIT;
	bool is_kept = strncmp(name, KEPT_PREFIX, strlen(KEPT_PREFIX)) == 0;
	cleanup_free char *kept =
	    xasprintf("%s%s", is_kept ? "" : KEPT_PREFIX, name);
	cleanup_free char *kept_path = xasprintf("%s/%s", path, kept);

	if (!is_kept && renameat(trash_fd, name, trash_fd, kept) != 0)
		return;
	strbuf_add_shell_quoted(&command, kept_path);
	diag_warn("%s has files of another user, which drydock cannot remove: "
		  "remove it with \"sudo rm -rf %s\"",
	    kept_path, command.buf);
}

size_t
session_empty_trash(const struct paths *paths, bool all)
{
	cleanup_free char *path = xasprintf("%s/trash", paths->state_dir);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;
	cleanup_diag struct diag dg = DIAG_INIT;
	size_t failed = 0;

	if (fs_open_nolinks(paths->state_fd, "trash", OPEN_DIR, 0, &fd, &dg) !=
		0 ||
	    fs_list_names(fd, path, &names, &dg) != 0) {
		diag_warn("%s", dg.message);
		return 1;
	}
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_diag struct diag one = DIAG_INIT;

		if (!all &&
		    strncmp(names.v[i], KEPT_PREFIX, strlen(KEPT_PREFIX)) == 0)
			continue;
		if (fs_remove_tree(fd, names.v[i], &one) == 0)
			continue;
		if (one.errnum == EACCES || one.errnum == EPERM)
			keep_in_trash(fd, path, names.v[i]);
		else
			diag_warn("%s: %s", path, one.message);
		failed++;
	}
	return failed;
}

int
session_open(const struct paths *paths, const char *id,
    struct session *ret_session, struct diag *dg)
{
	cleanup_session struct session s = SESSION_INIT;
	cleanup_close int sessions_fd = -1;

	if (open_sessions(paths, &sessions_fd, dg) != 0 ||
	    open_dir(paths, sessions_fd, id, &s, dg) != 0)
		return -1;
	*ret_session = steal_session(&s);
	return 0;
}

int
session_reopen(
    const struct paths *paths, struct session *session, struct diag *dg)
{
	cleanup_close int sessions_fd = -1;

	if (open_sessions(paths, &sessions_fd, dg) != 0)
		return -1;
	return fs_open_nolinks(
	    sessions_fd, session->id, OPEN_DIR, 0, &session->dir_fd, dg);
}

int
session_open_mount(const struct session *session, enum mount_id id, int *ret_fd,
    struct diag *dg)
{
	const char *below = mount_roles[id].below;
	bool nested;

	assert(below != NULL);
	nested = strchr(below, '/') != NULL;
	if ((nested ? fs_open_nolinks(session->dir_fd, below,
			  O_RDONLY | O_DIRECTORY, 0, ret_fd, dg)
		    : fs_open_own_dir(session->dir_fd, below, ret_fd, dg)) != 0)
		return diag_wrap(dg, "%s", session->dir);
	return 0;
}
