/* SPDX-License-Identifier: MIT */
/*
 * companion: the process that drydock starts beside a session; not a user
 * command.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/diag.h"
#include "cmd/cmd.h"
#include "session/companion.h"

enum {
	SESSION_FD = 3, /* the session's directory, inherited */
};

int
cmd_companion(int argc, char **argv, struct diag *dg)
{
	struct stat st;

	if (argc != 2 || fstat(SESSION_FD, &st) != 0 || !S_ISDIR(st.st_mode) ||
	    fcntl(SESSION_FD, F_SETFD, FD_CLOEXEC) != 0)
		return diag_set(dg, DIAG_USAGE,
		    "--companion: drydock itself starts this, for a session");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return diag_set_errno(dg, DIAG_BUG, errno, "set no_new_privs");
	return companion_run(SESSION_FD, argv[1], dg);
}
