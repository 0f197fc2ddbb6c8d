/* SPDX-License-Identifier: MIT */
/* slot: claims, opens and measures a slot of dependency caches. */
#include "session/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"
#include "host/text.h"
#include "host/toolchain.h"
#include "plan/role.h"
#include "session/usage.h"

#define LOCK "lock"
#define OWNER "owner"
#define PROJECT "project"
#define USAGE "usage"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK)

enum {
	CLAIM_MS = 5000, /* others hold the lock for some milliseconds */
	FAILURES_MAX = 3, /* slots that a claim tries after a failure */
	SMALL_FILE = 256,
	NUMBER_SIZE = 16,
};

void
slots_unlock(struct slots_lock *lock)
{
	cleanup_close_fn(&lock->lock_fd);
	cleanup_close_fn(&lock->sessions_fd);
	cleanup_close_fn(&lock->caches_fd);
}

int
slots_lock(const struct paths *paths, int timeout_ms,
    struct slots_lock *ret_lock, struct diag *dg)
{
	cleanup_slots_lock struct slots_lock l = SLOTS_LOCK_INIT;
	enum lock_answer answer;
	bool locks = timeout_ms >= 0;

	if ((locks ? fs_make_dir(
			 paths->state_fd, SLOT_CACHES, 0700, &l.caches_fd, dg)
		   : fs_open_nolinks(paths->state_fd, SLOT_CACHES, OPEN_DIR, 0,
			 &l.caches_fd, dg)) != 0 ||
	    fs_open_nolinks(paths->state_fd, "sessions", OPEN_DIR, 0,
		&l.sessions_fd, dg) != 0)
		return -1;
	if (locks) {
		if (lock_wait(l.caches_fd, LOCK, true, timeout_ms, &answer,
			&l.lock_fd, dg) != 0)
			return -1;
		if (answer != LOCK_WON)
			return diag_set(dg, DIAG_BUSY,
			    "another process holds %s/" SLOT_CACHES "/" LOCK,
			    paths->state_dir);
	}
	*ret_lock = l;
	l = (struct slots_lock)SLOTS_LOCK_INIT;
	return 0;
}

void
slot_release(struct slot *slot)
{
	cleanup_free_fn(&slot->dir);
	cleanup_close_fn(&slot->dir_fd);
	cleanup_close_fn(&slot->data_fd);
}

bool
slot_is_wanted(
    const struct settings *settings, const struct toolchains *toolchains)
{
	for (size_t i = 0; settings->cache && i < toolchains->nr; i++)
		if (toolchains->v[i].ncaches > 0)
			return true;
	return false;
}

/* Reads the file, "ID BOOT", and its time.  Without the file the id is "". */
static int
read_owner(int dir_fd, struct slot_facts *facts, struct diag *dg)
{
	cleanup_close int fd = -1;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec words = STRVEC_INIT;
	struct stat st;

	if (fs_open_nolinks(dir_fd, OWNER, O_RDONLY | O_NONBLOCK, 0, &fd, dg) !=
	    0)
		return diag_ignore(dg, ENOENT);
	if (fs_read_fd(fd, OWNER, SMALL_FILE, &text, dg) != 0)
		return -1;
	strvec_split(&words, text.buf, ' ');
	if (words.nr != 2 || !session_id_valid(words.v[0]))
		return diag_set(dg, DIAG_DATA, OWNER " names no session");
	memcpy(facts->owner, words.v[0], SESSION_ID_SIZE);
	(void)snprintf(facts->boot, sizeof(facts->boot), "%s", words.v[1]);
	if (fstat(fd, &st) == 0)
		facts->used_at = st.st_mtime;
	return 0;
}

static void
read_state(const struct slots_lock *lock, int dir_fd, struct slot_facts *facts)
{
	struct stat st;

	facts->state = SLOT_UNKNOWN;
	if (read_owner(dir_fd, facts, &facts->why) != 0)
		return;
	if (facts->owner[0] == '\0') {
		facts->state = SLOT_FREE;
		return;
	}
	if (fstatat(
		lock->sessions_fd, facts->owner, &st, AT_SYMLINK_NOFOLLOW) == 0)
		facts->state = SLOT_TAKEN;
	else if (errno == ENOENT)
		facts->state = SLOT_FREE;
	else
		(void)diag_set_errno(&facts->why, DIAG_IO, errno,
		    "look for session %s", facts->owner);
}

/* The file has one line: OWNER BYTES FILES whole|part. */
static void
read_usage(int dir_fd, struct slot_facts *facts)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec words = STRVEC_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	int64_t bytes;
	int64_t files;

	if (fs_read_file(dir_fd, USAGE, SMALL_FILE, &text, &ignored) != 0)
		return;
	strvec_split(&words, text.buf, ' ');
	if (words.nr != 4 ||
	    !text_decimal(words.v[1], 0, INT64_MAX / 2, &bytes) ||
	    !text_decimal(words.v[2], 0, INT64_MAX / 2, &files))
		return;
	facts->bytes = bytes;
	facts->files = files;
	facts->whole = strcmp(words.v[3], "whole\n") == 0;
	facts->current = strcmp(words.v[0], facts->owner) == 0;
}

void
slot_read(
    const struct slots_lock *lock, int dir_fd, struct slot_facts *ret_facts)
{
	read_state(lock, dir_fd, ret_facts);
	read_usage(dir_fd, ret_facts);
}

void
slot_facts_release(struct slot_facts *facts)
{
	diag_clear(&facts->why);
}

int
slot_hold(
    int dir_fd, enum lock_answer *ret_answer, int *ret_fd, struct diag *dg)
{
	return lock_try(dir_fd, LOCK, true, ret_answer, ret_fd, dg);
}

/* Replaces a file that other sessions will read; a killed writer left none. */
static int
write_file(int dir_fd, const char *name, const char *text, struct diag *dg)
{
	fs_temp_clean(dir_fd, name);
	return fs_replace_file(dir_fd, name, text, strlen(text), 0600, dg);
}

#define BOOT_UNKNOWN "unknown" /* the next claim is one of a later boot */

static void
read_boot(char ret_boot[SLOT_BOOT_SIZE])
{
	cleanup_close int fd =
	    open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret_boot, SLOT_BOOT_SIZE - 1);

	if (n == SLOT_BOOT_SIZE - 1)
		ret_boot[n] = '\0';
	else
		(void)snprintf(ret_boot, SLOT_BOOT_SIZE, BOOT_UNKNOWN);
}

/* Before the first owner: an owner's slot survives a power cut. */
static int
flush_new(const struct slots_lock *lock, int set_fd, struct diag *dg)
{
	if (fsync(set_fd) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "flush the slots of the project");
	if (fsync(lock->caches_fd) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "flush " SLOT_CACHES);
	return 0;
}

/* *ret_slot is filled only if slot "number" is now the session's. */
static int
try_slot(const struct slots_lock *lock, int set_fd, const char *number,
    const char *session_id, struct slot *ret_slot, struct diag *dg)
{
	cleanup_slot struct slot slot = SLOT_INIT;
	cleanup_close int held = -1;
	struct slot_facts facts = SLOT_FACTS_INIT;
	char boot[SLOT_BOOT_SIZE];
	char owner[SESSION_ID_SIZE + SLOT_BOOT_SIZE];
	enum lock_answer answer;

	if (fs_make_dir(set_fd, number, 0700, &slot.dir_fd, dg) != 0)
		return -1;
	read_state(lock, slot.dir_fd, &facts);
	slot_facts_release(&facts);
	if (facts.state != SLOT_FREE)
		return 0;
	if (slot_hold(slot.dir_fd, &answer, &held, dg) != 0)
		return -1;
	if (answer != LOCK_WON)
		return 0;
	read_boot(boot);
	(void)snprintf(owner, sizeof(owner), "%s %s", session_id, boot);
	if (fs_make_dir(slot.dir_fd, SLOT_DATA, 0700, &slot.data_fd, dg) != 0 ||
	    (facts.owner[0] == '\0' && flush_new(lock, set_fd, dg) != 0) ||
	    write_file(slot.dir_fd, OWNER, owner, dg) != 0)
		return -1;
	slot.earlier_boot =
	    strcmp(boot, BOOT_UNKNOWN) == 0 || strcmp(boot, facts.boot) != 0;
	*ret_slot = slot;
	slot = (struct slot)SLOT_INIT;
	return 0;
}

char *
slot_dir(const struct paths *paths, const struct project *project,
    enum mode mode, unsigned number)
{
	return xasprintf("%s/" SLOT_CACHES "/%s-%s/%u/" SLOT_DATA,
	    paths->state_dir, project->key, mode_name(mode), number);
}

int
slot_claim(const struct paths *paths, const struct project *project,
    enum mode mode, const char *session_id, struct slot *ret_slot,
    struct diag *dg)
{
	cleanup_slots_lock struct slots_lock lock = SLOTS_LOCK_INIT;
	cleanup_free char *set =
	    xasprintf("%s-%s", project->key, mode_name(mode));
	cleanup_free char *set_dir =
	    xasprintf("%s/" SLOT_CACHES "/%s", paths->state_dir, set);
	cleanup_close int set_fd = -1;
	cleanup_diag struct diag first = DIAG_INIT;
	struct stat st;
	int failures = 0;

	if (slots_lock(paths, CLAIM_MS, &lock, dg) != 0 ||
	    fs_make_dir(lock.caches_fd, set, 0700, &set_fd, dg) != 0)
		return -1;
	/* For people and for "cache verify"; the name of the set counts. */
	if (fstatat(set_fd, PROJECT, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
	    write_file(set_fd, PROJECT, project->path, dg) != 0)
		return -1;
	for (unsigned n = 0; n < SLOTS_MAX && failures < FAILURES_MAX; n++) {
		cleanup_diag struct diag mine = DIAG_INIT;
		char number[NUMBER_SIZE];

		(void)snprintf(number, sizeof(number), "%u", n);
		if (try_slot(&lock, set_fd, number, session_id, ret_slot,
			&mine) != 0) {
			failures++;
			(void)diag_wrap(&mine, "%s/%s", set_dir, number);
			if (first.class == DIAG_NONE)
				(void)diag_move(&first, &mine);
		} else if (ret_slot->dir_fd != -1) {
			ret_slot->dir = slot_dir(paths, project, mode, n);
			return 0;
		}
	}
	if (failures == 0)
		return diag_set(dg, DIAG_BUSY, "%s: sessions have all %d slots",
		    set_dir, SLOTS_MAX);
	return diag_move(dg, &first);
}

/*
 * Returned: the name SET/N of the slot whose data/ is dir; NULL if dir is no
 * such path.
 */
static char *
slot_name(const struct paths *paths, const char *dir)
{
	static const char tail[] = "/" SLOT_DATA;
	cleanup_free char *head =
	    xasprintf("%s/" SLOT_CACHES "/", paths->state_dir);
	size_t len = strlen(dir);

	if (strncmp(dir, head, strlen(head)) != 0 ||
	    len < strlen(head) + sizeof(tail) ||
	    strcmp(dir + len - strlen(tail), tail) != 0)
		return NULL;
	return xstrndup(dir + strlen(head), len - strlen(head) - strlen(tail));
}

/* Opens the slot whose data/ is dir, if session_id has it. */
static int
open_own(const struct slots_lock *lock, const char *name,
    const char *session_id, int *ret_fd, struct diag *dg)
{
	cleanup_close int fd = -1;
	struct slot_facts facts = SLOT_FACTS_INIT;

	if (fs_open_nolinks(lock->caches_fd, name, OPEN_DIR, 0, &fd, dg) != 0)
		return -1;
	if (read_owner(fd, &facts, dg) != 0)
		return -1;
	if (strcmp(facts.owner, session_id) != 0)
		return diag_set(
		    dg, DIAG_POLICY, "the slot %s is not its own", name);
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* Makes the slot again, or takes it if it is free. */
static int
take_again(const struct paths *paths, const char *name, const char *session_id,
    struct diag *dg)
{
	cleanup_slots_lock struct slots_lock lock = SLOTS_LOCK_INIT;
	cleanup_slot struct slot slot = SLOT_INIT;
	cleanup_close int set_fd = -1;
	const char *slash = strrchr(name, '/');
	cleanup_free char *set = NULL;

	if (slash == NULL)
		return diag_set(dg, DIAG_DATA, "%s is not a slot", name);
	set = xstrndup(name, (size_t)(slash - name));
	if (slots_lock(paths, CLAIM_MS, &lock, dg) != 0 ||
	    fs_make_dir(lock.caches_fd, set, 0700, &set_fd, dg) != 0 ||
	    try_slot(&lock, set_fd, slash + 1, session_id, &slot, dg) != 0)
		return -1;
	if (slot.dir_fd == -1)
		return diag_set(dg, DIAG_POLICY,
		    "another session has its cache slot %s/" SLOT_CACHES
		    "/%s: see \"drydock cache status\", and stop that session",
		    paths->state_dir, name);
	return 0;
}

int
slot_claim_again(const struct paths *paths, const char *dir,
    const char *session_id, bool *ret_gone, struct diag *dg)
{
	cleanup_slots_lock struct slots_lock lock = SLOTS_LOCK_INIT;
	cleanup_free char *name = slot_name(paths, dir);
	cleanup_close int dir_fd = -1;
	cleanup_close int data_fd = -1;
	cleanup_diag struct diag absent = DIAG_INIT;

	if (name == NULL)
		return diag_set(
		    dg, DIAG_DATA, "its record has no slot at %s", dir);
	*ret_gone = true;
	/* No lock: the slot has an owner that exists, so nobody takes it. */
	if (slots_lock(paths, -1, &lock, &absent) == 0 &&
	    open_own(&lock, name, session_id, &dir_fd, &absent) == 0 &&
	    fs_open_own_dir(dir_fd, SLOT_DATA, &data_fd, &absent) == 0) {
		*ret_gone = false;
		return 0;
	}
	if (dir_fd != -1)
		return fs_make_dir(dir_fd, SLOT_DATA, 0700, &data_fd, dg);
	return take_again(paths, name, session_id, dg);
}

static bool
is_empty(int fd)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	return fs_list_names(fd, "a cache", &names, &ignored) == 0 &&
	    names.nr == 0;
}

static int
make_caches(
    struct slot *slot, const struct toolchains *toolchains, struct diag *dg)
{
	slot->cold = true;
	for (size_t i = 0; i < toolchains->nr; i++) {
		const struct toolchain *tc = &toolchains->v[i];

		for (size_t n = 0; n < tc->ncaches; n++) {
			cleanup_close int fd = -1;

			if (fs_make_dirs(slot->data_fd, tc->caches[n].path,
				0700, &fd, dg) != 0)
				return -1;
			slot->cold = slot->cold && is_empty(fd);
		}
	}
	return 0;
}

int
slot_make_caches(
    struct slot *slot, const struct toolchains *toolchains, struct diag *dg)
{
	cleanup_diag struct diag mine = DIAG_INIT;

	if (make_caches(slot, toolchains, &mine) == 0)
		return 0;
	/* A full disk is no reason to remove what is there. */
	if (mine.errnum != ENOTDIR && mine.errnum != ELOOP)
		return diag_move(dg, &mine);
	diag_note("the cache slot %s is emptied: %s", slot->dir, mine.message);
	if (fs_empty_dir(slot->dir_fd, SLOT_DATA, dg) != 0)
		return diag_wrap(dg, "%s", slot->dir);
	return make_caches(slot, toolchains, dg);
}

void
slot_measure(int dir_fd, int timeout_ms, struct slot_facts *facts)
{
	cleanup_close int data_fd = -1;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_free char *text = NULL;
	struct usage u;

	if (fs_open_own_dir(dir_fd, SLOT_DATA, &data_fd, &ignored) != 0)
		return;
	usage_measure(data_fd, timeout_ms, &u);
	facts->bytes = u.bytes;
	facts->files = u.files;
	facts->whole = u.whole;
	facts->current = facts->state == SLOT_FREE && facts->owner[0] != '\0';
	if (!facts->current)
		return;
	text = xasprintf("%s %" PRId64 " %" PRId64 " %s\n", facts->owner,
	    u.bytes, u.files, u.whole ? "whole" : "part");
	(void)write_file(dir_fd, USAGE, text, &ignored);
}

void
slot_end(const struct paths *paths, const char *dir, const char *session_id,
    int timeout_ms)
{
	cleanup_slots_lock struct slots_lock lock = SLOTS_LOCK_INIT;
	cleanup_free char *name = slot_name(paths, dir);
	cleanup_close int dir_fd = -1;
	cleanup_diag struct diag ignored = DIAG_INIT;
	/* Nobody else takes the slot, and the session no longer writes. */
	struct slot_facts facts = { .state = SLOT_FREE };

	if (name == NULL || slots_lock(paths, -1, &lock, &ignored) != 0 ||
	    open_own(&lock, name, session_id, &dir_fd, &ignored) != 0)
		return;
	memcpy(facts.owner, session_id, SESSION_ID_SIZE);
	slot_measure(dir_fd, timeout_ms, &facts);
	/* The time of the file is that of the last use. */
	(void)utimensat(dir_fd, OWNER, NULL, AT_SYMLINK_NOFOLLOW);
}
