/* SPDX-License-Identifier: MIT */
/*
 * agent-sync: what of the host's configuration of an agent a session gets, the
 * "sync" object of agents/NAME.json.
 *
 *	trees		list of {"path", "exclude"}: a directory of the home, and
 *			patterns of fnmatch(3) with FNM_PATHNAME, anchored at it
 *	documents	list of {"path", "to", "drop", "drop_at_seed"}: a JSON
 *			file of the home, where a session has it, and jq path
 *			expressions for what is left out of the snapshot, and of
 *			the session; both may use home and project (the latter
 *			is null but at the seed)
 *	credentials	patterns of file names that never go along, at any depth
 */
#ifndef DRYDOCK_AGENT_SYNC_H
#define DRYDOCK_AGENT_SYNC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strvec.h"

struct diag;
struct json;

/* A tree is where it was; it has nothing to drop. */
struct agent_source {
	char *from; /* owned; path below the home */
	char *to; /* owned; path below the session's home */
	struct strvec exclude; /* of a tree */
	struct strvec drop; /* of a document */
	struct strvec drop_at_seed;
};

struct agent_sources {
	struct agent_source *v; /* owned */
	size_t nr;
};

struct agent_sync {
	struct agent_sources trees;
	struct agent_sources documents;
	struct strvec credentials;
};

#define AGENT_SYNC_INIT                               \
	{                                             \
		{ NULL, 0 }, { NULL, 0 }, STRVEC_INIT \
	}

/* Fills *sync, AGENT_SYNC_INIT before; releasable also after a failure. */
int agent_sync_read(
    struct agent_sync *sync, const struct json *value, struct diag *dg);

/* Whether a file's name, without its directory, is that of a credential. */
bool agent_sync_is_credential(const struct agent_sync *sync, const char *name);

/* The same for a document's, or one that goes on after it: a copy of it. */
bool agent_sync_is_document(const struct agent_sync *sync, const char *name);

/* Whether a path below a tree is none of it. */
bool agent_source_excludes(const struct agent_source *tree, const char *path);

void agent_sync_release(struct agent_sync *sync);

#endif /* DRYDOCK_AGENT_SYNC_H */
