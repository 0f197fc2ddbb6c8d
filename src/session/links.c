/* SPDX-License-Identifier: MIT */
/* Symlinks to the sessions' directories, compared by their target's inode. */
#include "session/links.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "guest/wire.h"
#include "host/paths.h"
#include "host/shortlinks.h"
#include "session/session.h"

/* The longest path counts: the largest uid, and the longer of both links. */
#define LONGEST SHORTLINKS_DIR "4294967295/abcd1234" LINKS_SERVICES "/"

_Static_assert(sizeof("abcd1234") == SESSION_ID_SIZE, "LONGEST has an id");
_Static_assert(sizeof(LONGEST) - 1 + LINKS_NAME_MAX <= SHORTLINKS_PATH_MAX,
    "a socket's path through a link must fit into sun_path");

enum {
	DIRS = 2
};

struct dirs {
	const char *v[DIRS]; /* borrowed; NULL: not used */
};

static struct dirs
dirs_of(const struct paths *paths)
{
	return (struct dirs){ { paths->short_dir, paths->runtime_dir } };
}

char *
links_socket(const struct paths *paths, const char *id)
{
	return xasprintf("%s/%s/" WIRE_SOCKET_NAME, paths->short_dir, id);
}

char *
links_services(const struct paths *paths, const char *id)
{
	return xasprintf("%s/%s" LINKS_SERVICES, paths->short_dir, id);
}

/*
 * Removes links that were made while another process removed the session.  That
 * process may have looked for links before they were made.
 */
static void
remove_from(const struct paths *paths, const char *dir, const char *id)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_free char *services = xasprintf("%s" LINKS_SERVICES, id);
	cleanup_close int fd = -1;

	if (shortlinks_open(dir, paths->uid, false, &fd, &ignored) != 0)
		return;
	(void)shortlinks_remove_dangling(fd, id);
	(void)shortlinks_remove_dangling(fd, services);
}

/*
 * ID.services leads through ID, so that one stat(2) of it shows both links to
 * be right.  A session of an older drydock may have no services/.
 */
static int
make_in(const struct paths *paths, const char *dir,
    const struct session *session, const struct stat *services, struct diag *dg)
{
	cleanup_free char *target = xasprintf("%s/run", session->dir);
	cleanup_free char *name = xasprintf("%s" LINKS_SERVICES, session->id);
	cleanup_free char *through = xasprintf("%s/../services", session->id);
	struct stat run;

	if (fstatat(session->dir_fd, "run", &run, AT_SYMLINK_NOFOLLOW) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "find %s/run", session->dir);
	if (shortlinks_put(dir, paths->uid, session->id, target, &run, dg) !=
		0 ||
	    (services != NULL &&
		shortlinks_put(dir, paths->uid, name, through, services, dg) !=
		    0))
		return -1;
	remove_from(paths, dir, session->id);
	return 0;
}

void
links_ensure(const struct paths *paths, const struct session *session)
{
	struct dirs dirs = dirs_of(paths);
	cleanup_free char *name = xasprintf("%s" LINKS_SERVICES, session->id);
	struct stat services;
	bool has = fstatat(session->dir_fd, "services", &services,
		       AT_SYMLINK_NOFOLLOW) == 0;

	for (size_t i = 0; i < DIRS; i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		const char *dir = dirs.v[i];

		if (dir == NULL ||
		    (has &&
			shortlinks_are_right(dir, paths->uid, name, &services)))
			continue;
		if (make_in(paths, dir, session, has ? &services : NULL, &dg) !=
		    0)
			diag_warn("cannot make a short path to the sockets of "
				  "session %s: %s",
			    session->id, dg.message);
	}
}

void
links_remove(const struct paths *paths, const char *id)
{
	struct dirs dirs = dirs_of(paths);

	for (size_t i = 0; i < DIRS; i++)
		if (dirs.v[i] != NULL)
			remove_from(paths, dirs.v[i], id);
}

/* Returns true for ID, ID.services, and the name of a link to an engine. */
static bool
is_own(const char *name)
{
	char id[SESSION_ID_SIZE];
	size_t len = sizeof(id) - 1;

	if (engine_is_link(name))
		return true;
	if (strlen(name) < len)
		return false;
	memcpy(id, name, len);
	id[len] = '\0';
	return session_id_valid(id) &&
	    (name[len] == '\0' || strcmp(name + len, LINKS_SERVICES) == 0);
}

size_t
links_sweep(const struct paths *paths)
{
	struct dirs dirs = dirs_of(paths);
	size_t failed = 0;

	for (size_t i = 0; i < DIRS; i++)
		if (dirs.v[i] != NULL)
			failed +=
			    shortlinks_sweep(dirs.v[i], paths->uid, is_own);
	return failed;
}
