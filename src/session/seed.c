/* SPDX-License-Identifier: MIT */
/* A session's home: the synced snapshot, and the link to the history. */
#include "session/seed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/paths.h"

static int
copy_snapshot(
    const struct paths *paths, const char *agent, int home_fd, struct diag *dg)
{
	cleanup_diag struct diag open_dg = DIAG_INIT;
	cleanup_free char *path = xasprintf("agents/%s/snapshot", agent);
	cleanup_close int fd = -1;

	if (fs_open_nolinks(paths->state_fd, path, O_RDONLY | O_DIRECTORY, 0,
		&fd, &open_dg) != 0) {
		if (open_dg.errnum == ENOENT)
			return 0;
		diag_move(dg, &open_dg);
		return -1;
	}
	return fs_copy_tree(fd, home_fd, dg);
}

/*
 * The home is not the agent's yet, but its content was copied from a place
 * that people write to: nothing is followed on the way.
 */
static int
link_history(const char *link, int home_fd, struct diag *dg)
{
	cleanup_free char *path = xstrdup(link);
	cleanup_close int parent = fcntl(home_fd, F_DUPFD_CLOEXEC, 3);
	char *name = path;

	if (parent < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open the home");
	for (char *slash; (slash = strchr(name, '/')) != NULL;
	     name = slash + 1) {
		cleanup_close int child = -1;
		int previous = parent;

		*slash = '\0';
		if (fs_make_dir(previous, name, 0700, &child, dg) != 0)
			return -1;
		parent = steal_fd(&child);
		(void)close(previous);
	}
	if (fs_remove_tree(parent, name, dg) != 0)
		return -1;
	if (symlinkat(SEED_HISTORY_TARGET, parent, name) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "link %s", link);
	return 0;
}

int
seed_home(const struct paths *paths, const struct agent *agent, int home_fd,
    struct diag *dg)
{
	if (copy_snapshot(paths, agent->name, home_fd, dg) != 0 ||
	    (agent->history_link != NULL &&
		link_history(agent->history_link, home_fd, dg) != 0))
		return diag_wrap(dg, "seed the session's home");
	return 0;
}
