/* SPDX-License-Identifier: MIT */
/*
 * homed: the user's own files for sessions' homes, home.d/AGENT of the
 * configuration directory, and what home.d has for all agents: entries whose
 * names begin with a dot, but .git.
 */
#ifndef DRYDOCK_HOMED_H
#define DRYDOCK_HOMED_H

#include <stdbool.h>

#include "sync/scan.h"

struct agent;
struct diag;
struct paths;
struct settings;

struct homed {
	int fd; /* owned; -1: there is none */
	struct scan files; /* directories and files, in order */
};

#define HOMED_INIT            \
	{                     \
		-1, SCAN_INIT \
	}

/*
 * Finds and checks all of the agent's, or of the common ones.  What is neither a file nor a directory, can be
 * written by others, has two names, holds credentials, an account or the
 * conversations, or exceeds a limit is DIAG_CONFIG and named.
 */
int homed_open(struct homed *ret, bool common, const struct paths *paths,
    const struct settings *settings, const struct agent *agent,
    struct diag *dg);

/*
 * Puts it on top of what is in a home.  An entry in whose way there is a link,
 * or a file where a directory is due or the other way round, is DIAG_CONFIG
 * before anything was copied.
 */
int homed_copy(const struct homed *homed, int home_fd, struct diag *dg);

void homed_release(struct homed *homed);

#define cleanup_homed __attribute__((cleanup(homed_release)))

#endif /* DRYDOCK_HOMED_H */
