/* SPDX-License-Identifier: MIT */
/*
 * caches: all slots of dependency caches, and their collection.
 *
 * The collection removes the slots that no session has: first those that were
 * not used for cache_days, then the least recently used ones until the rest has
 * at most cache_size.  A slot is renamed into trash/ under the lock of all
 * slots, and removed there.
 */
#ifndef DRYDOCK_CACHES_H
#define DRYDOCK_CACHES_H

#include <stdbool.h>
#include <stddef.h>

#include "session/slot.h"

struct diag;
struct paths;
struct settings;

enum {
	CACHE_SOURCES_MAX = 64, /* slots */
};

struct cached {
	char *set; /* owned; KEY-MODE */
	char *number; /* owned; "0" */
	char *project; /* owned; its real path, or NULL if that is unknown */
	struct slot_facts facts;
};

struct caches {
	struct cached *v; /* owned; by set, then by number */
	size_t nr;
};

#define CACHES_INIT     \
	{               \
		NULL, 0 \
	}

/*
 * Lists the slots.  Measures each slot whose size is not current, for at most
 * measure_ms in all; a slot that is not measured keeps the size of its last
 * measurement.  A slot that cannot be read is SLOT_UNKNOWN.  Without caches/
 * there are none.
 */
int caches_list(const struct paths *paths, int measure_ms,
    struct caches *ret_caches, struct diag *dg);
void caches_release(struct caches *caches);

#define cleanup_caches __attribute__((cleanup(caches_release)))

/*
 * Warns of each slot whose owner cannot be told, and returns their number.
 * Nobody gets such a slot and it is not collected.
 */
size_t caches_warn_unknown(
    const struct paths *paths, const struct caches *caches);

/* The mode of a slot: the last word of its set's name. */
const char *cached_mode(const struct cached *cached);

/* The opened data/ of slots, of both modes. */
struct cache_sources {
	int fds[CACHE_SOURCES_MAX]; /* owned */
	size_t nr;
};

#define CACHE_SOURCES_INIT \
	{                  \
		.nr = 0    \
	}

/*
 * Opens the project's slots that no session has.  If widely is true, also those
 * that sessions have, whose files may change and vanish, and then the slots of
 * other projects.  A failure is a warning, and there are fewer.
 */
void cache_sources_open(const struct paths *paths, const char *project_path,
    bool widely, struct cache_sources *ret_sources);
void cache_sources_release(struct cache_sources *sources);

#define cleanup_cache_sources __attribute__((cleanup(cache_sources_release)))

/* Opens the slot's directory for reading. */
int cached_open(const struct paths *paths, const struct cached *c, int *ret_fd,
    struct diag *dg);

struct caches_removal {
	const struct paths *paths;
	const struct settings *settings;
	bool dry_run; /* only call removed */
	int wait_ms; /* for the lock of all slots */
	int measure_ms; /* see caches_list() */
	bool warns_unknown; /* and counts them as failed */
	/* Called for each slot that is removed; why: "old" or "size". */
	void (*removed)(void *arg, const struct cached *c, const char *why);
	void *arg;
};

/*
 * Collects.  A slot that cannot be removed is a warning; *ret_failed is their
 * number.
 */
int caches_collect(
    const struct caches_removal *spec, size_t *ret_failed, struct diag *dg);

/* Returns true if there is a directory of slots. */
bool caches_exist(const struct paths *paths);

/*
 * The collection of a launch: does nothing while another process holds the
 * lock, and turns a failure into a warning.
 */
void caches_collect_quietly(
    const struct paths *paths, const struct settings *settings);

#endif /* DRYDOCK_CACHES_H */
