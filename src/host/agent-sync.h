/* SPDX-License-Identifier: MIT */
/*
 * agent-sync: the "sync" object of agents/NAME.json, which selects the part of
 * the host's configuration of an agent that a session gets.
 *
 *	trees		list of {"path", "exclude"}: a directory of the home,
 *			and patterns of fnmatch(3) with FNM_PATHNAME, anchored
 *			at that directory
 *	documents	list of {"path", "to", "drop", "drop_at_seed",
 *			"programs"}: a JSON file of the home, its path in a
 *			session, and lists of jq path expressions.  "drop"
 *			removes values from the snapshot, "drop_at_seed" from
 *			the session's copy.  Both may use the functions home
 *			and project; project is null except at the seed.
 *			"programs" lead to strings that name a program; the
 *			value that contains such a string is left out of the
 *			session's copy if the image does not have the program
 *	credentials	patterns of file names that are never copied, at any
 *			depth
 */
#ifndef DRYDOCK_AGENT_SYNC_H
#define DRYDOCK_AGENT_SYNC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strvec.h"

struct diag;
struct json;

/* One tree or document.  In a tree, to equals from; drop lists are empty. */
struct agent_source {
	char *from; /* owned; path below the home */
	char *to; /* owned; path below the session's home */
	struct strvec exclude; /* patterns; trees only */
	struct strvec drop; /* jq paths; documents only */
	struct strvec drop_at_seed;
	struct strvec programs;
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

/*
 * Reads the "sync" object into the struct agent_sync, which is AGENT_SYNC_INIT
 * before: a reader of a field (host/catalog.h).  The caller releases *sync,
 * also after a failure (DIAG_CONFIG).
 */
int agent_sync_read(
    void *sync, const char *key, const struct json *value, struct diag *dg);

/*
 * Returns true if name, a file name without its directory, matches a credential
 * pattern.  Case does not count.
 */
bool agent_sync_is_credential(const struct agent_sync *sync, const char *name);

/*
 * Returns true if name starts with the file name of a document, as a backup
 * copy of the document does.  Case does not count.
 */
bool agent_sync_is_document(const struct agent_sync *sync, const char *name);

/* Returns true if path, relative to the tree, matches an exclude pattern. */
bool agent_source_excludes(const struct agent_source *tree, const char *path);

void agent_sync_release(struct agent_sync *sync);

#endif /* DRYDOCK_AGENT_SYNC_H */
