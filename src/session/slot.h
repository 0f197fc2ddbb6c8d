/* SPDX-License-Identifier: MIT */
/*
 * slot: a directory of dependency caches that one session has at a time.
 *
 *	caches/lock		held while slots are claimed or collected
 *	caches/SET/project	the project's real path; SET is KEY-MODE
 *	caches/SET/N/owner	id of the session that has or last had the slot,
 *				and of the boot in which it claimed the slot
 *	caches/SET/N/usage	the slot's size when that session ended
 *	caches/SET/N/lock	held while "cache verify" changes the slot
 *	caches/SET/N/data/	mounted at SLOT_TARGET
 *
 * A slot is taken while sessions/OWNER exists, so a stopped or lost session
 * keeps its slot.  Only ENOENT proves that the session is gone.  Sessions write
 * only data/, whose contents are hostile input.
 */
#ifndef DRYDOCK_SLOT_H
#define DRYDOCK_SLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/diag.h"
#include "host/mode.h"
#include "session/session.h"

struct paths;
struct project;
struct settings;
struct toolchains;

/* Path of the slot in the agent's container, as in compose/cache.yml. */
#define SLOT_TARGET "/var/lib/drydock/cache"

#define SLOT_CACHES "caches"
#define SLOT_DATA "data"

enum {
	SLOTS_MAX = 256, /* of one project and mode */
	SLOT_BOOT_SIZE = 37, /* a UUID, see random(4) */
};

/* The lock of all slots.  While it is held, no slot changes its owner. */
struct slots_lock {
	int caches_fd; /* caches/, open for reading */
	int sessions_fd; /* sessions/ */
	int lock_fd; /* -1: not held */
};

#define SLOTS_LOCK_INIT    \
	{                  \
		-1, -1, -1 \
	}

/*
 * Makes and opens caches/ and takes its lock, for at most timeout_ms; DIAG_BUSY
 * after that time.  A timeout below 0 opens without the lock and makes nothing.
 */
int slots_lock(const struct paths *paths, int timeout_ms,
    struct slots_lock *ret_lock, struct diag *dg);
void slots_unlock(struct slots_lock *lock);

#define cleanup_slots_lock __attribute__((cleanup(slots_unlock)))

struct slot {
	char *dir; /* owned; absolute path of its data/ */
	int dir_fd; /* the slot's directory, open for reading */
	int data_fd; /* its data/ */
	bool cold; /* its caches are empty; set by slot_make_caches() */
	bool earlier_boot; /* last claimed before the host started */
};

#define SLOT_INIT                         \
	{                                 \
		NULL, -1, -1, true, false \
	}

void slot_release(struct slot *slot);

#define cleanup_slot __attribute__((cleanup(slot_release)))

/* Returns true if the session is to have a slot. */
bool slot_is_wanted(
    const struct settings *settings, const struct toolchains *toolchains);

/* Returned: the path of data/ of the slot with this number. */
char *slot_dir(const struct paths *paths, const struct project *project,
    enum mode mode, unsigned number);

/*
 * Takes the lowest free slot of the project and mode for a session, whose
 * directory exists.  The owner file is flushed on return.
 */
int slot_claim(const struct paths *paths, const struct project *project,
    enum mode mode, const char *session_id, struct slot *ret_slot,
    struct diag *dg);

/*
 * Opens the slot of a session that starts again.  dir is the path that
 * slot_claim() returned.  If the slot was removed, makes it again, empty, and
 * sets *ret_gone.  A slot that another session has is DIAG_POLICY.
 */
int slot_claim_again(const struct paths *paths, const char *dir,
    const char *session_id, bool *ret_gone, struct diag *dg);

/*
 * Makes the directories of the toolchains' caches in a claimed slot.  If an
 * earlier session left something else in their place, the slot is emptied.
 */
int slot_make_caches(
    struct slot *slot, const struct toolchains *toolchains, struct diag *dg);

/*
 * Measures the slot of a session that has ended, for at most timeout_ms, and
 * writes its usage.  The session's lease is held and its directory exists.  A
 * failure is ignored: the collector measures again.
 */
void slot_end(const struct paths *paths, const char *dir,
    const char *session_id, int timeout_ms);

enum slot_state {
	SLOT_FREE,
	SLOT_TAKEN,
	SLOT_UNKNOWN, /* its owner cannot be told; counts as taken */
};

struct slot_facts {
	enum slot_state state;
	char owner[SESSION_ID_SIZE]; /* "": the slot never had an owner */
	char boot[SLOT_BOOT_SIZE]; /* of the last claim */
	time_t used_at; /* start or end of its last session; 0: unknown */
	int64_t bytes; /* allocated; -1: unknown */
	int64_t files;
	bool whole; /* false: there may be more */
	bool current; /* measured when the owner ended, or later */
	struct diag why; /* owned; SLOT_UNKNOWN: the reason */
};

#define SLOT_FACTS_INIT                                    \
	{                                                  \
		.bytes = -1, .files = -1, .why = DIAG_INIT \
	}

void slot_facts_release(struct slot_facts *facts);

/* Reads the facts of the slot in dir_fd. */
void slot_read(
    const struct slots_lock *lock, int dir_fd, struct slot_facts *ret_facts);

/*
 * Measures data/ for at most timeout_ms into *facts.  Writes the usage file if
 * the slot is free.
 */
void slot_measure(int dir_fd, int timeout_ms, struct slot_facts *facts);

/*
 * Takes the slot's own lock without waiting.  While *ret_fd is open, the slot
 * is neither claimed nor collected.
 */
int slot_hold(
    int dir_fd, enum lock_answer *ret_answer, int *ret_fd, struct diag *dg);

#endif /* DRYDOCK_SLOT_H */
