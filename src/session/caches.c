/* SPDX-License-Identifier: MIT */
/* caches: lists the slots, and removes those used least recently. */
#include "session/caches.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/mode.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"
#include "host/text.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK)
#define MIB (INT64_C(1024) * 1024)

enum {
	PATH_SIZE = 4096,
	SUFFIX_SIZE = 9,
	LAUNCH_MEASURE_MS = 200,
	DAY_S = 24 * 60 * 60,
};

static const char too_old[] = "old";
static const char too_much[] = "size";

void
caches_release(struct caches *caches)
{
	for (size_t i = 0; i < caches->nr; i++) {
		free(caches->v[i].set);
		free(caches->v[i].number);
		free(caches->v[i].project);
		slot_facts_release(&caches->v[i].facts);
	}
	free(caches->v);
	*caches = (struct caches)CACHES_INIT;
}

const char *
cached_mode(const struct cached *cached)
{
	return strrchr(cached->set, '-') + 1;
}

/* Returns true for 16 hex digits, a name and a mode, joined by dashes. */
static bool
is_set(const char *name)
{
	const char *mode = strrchr(name, '-');

	return mode != NULL &&
	    strspn(name, "0123456789abcdef") >= PROJECT_DIGITS &&
	    name[PROJECT_DIGITS] == '-' && mode > name + PROJECT_DIGITS &&
	    (strcmp(mode + 1, mode_name(MODE_CONTAINED)) == 0 ||
		strcmp(mode + 1, mode_name(MODE_DOOD)) == 0);
}

/* Returns true for a slot's number without leading zeros. */
static bool
is_number(const char *name)
{
	int64_t number;

	return text_decimal(name, 0, SLOTS_MAX - 1, &number) &&
	    (name[0] != '0' || name[1] == '\0');
}

static int
compare(const void *a, const void *b)
{
	const struct cached *x = a;
	const struct cached *y = b;
	int order = strcmp(x->set, y->set);

	/* Of two numbers without leading zeros the longer one is larger. */
	if (order == 0)
		order = (int)strlen(x->number) - (int)strlen(y->number);
	return order != 0 ? order : strcmp(x->number, y->number);
}

/* Returned: the path in the set's project file, if it has the set's digits. */
static char *
read_project(int set_fd, const char *set)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	char digits[PROJECT_DIGITS + 1];

	if (fs_read_file(set_fd, "project", PATH_SIZE, &text, &ignored) != 0)
		return NULL;
	project_digits(text.buf, digits);
	return strncmp(digits, set, PROJECT_DIGITS) == 0
	    ? strbuf_detach(&text, NULL)
	    : NULL;
}

static void
add_slot(struct caches *caches, const struct slots_lock *lock, int set_fd,
    const char *set, const char *number, const char *project, int64_t deadline)
{
	struct cached *c;
	cleanup_close int fd = -1;
	int left = monotime_left_ms(deadline);

	caches->v =
	    xreallocarray(caches->v, caches->nr + 1, sizeof(*caches->v));
	c = &caches->v[caches->nr++];
	*c = (struct cached){ .set = xstrdup(set),
		.number = xstrdup(number),
		.project = project != NULL ? xstrdup(project) : NULL,
		.facts = SLOT_FACTS_INIT };
	c->facts.state = SLOT_UNKNOWN;
	if (fs_open_nolinks(set_fd, number, OPEN_DIR, 0, &fd, &c->facts.why) !=
	    0)
		return;
	slot_read(lock, fd, &c->facts);
	if (!c->facts.current && left > 0)
		slot_measure(fd, left, &c->facts);
}

static int
add_set(struct caches *caches, const struct paths *paths,
    const struct slots_lock *lock, const char *set, int64_t deadline,
    struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_free char *project = NULL;
	cleanup_close int fd = -1;

	/* A collector may have removed it. */
	if (fs_open_nolinks(lock->caches_fd, set, OPEN_DIR, 0, &fd, dg) != 0)
		return diag_ignore(dg, ENOENT) == 0
		    ? 0
		    : diag_wrap(dg, "%s/" SLOT_CACHES, paths->state_dir);
	if (fs_list_names(fd, set, &names, dg) != 0)
		return -1;
	project = read_project(fd, set);
	for (size_t i = 0; i < names.nr; i++)
		if (is_number(names.v[i]))
			add_slot(caches, lock, fd, set, names.v[i], project,
			    deadline);
	return 0;
}

static int
list(const struct paths *paths, const struct slots_lock *lock, int measure_ms,
    struct caches *ret_caches, struct diag *dg)
{
	cleanup_caches struct caches caches = CACHES_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	int64_t deadline = monotime_ms() + measure_ms;

	if (fs_list_names(lock->caches_fd, SLOT_CACHES, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		if (is_set(names.v[i]) &&
		    add_set(&caches, paths, lock, names.v[i], deadline, dg) !=
			0)
			return -1;
	if (caches.nr > 0)
		qsort(caches.v, caches.nr, sizeof(*caches.v), compare);
	*ret_caches = caches;
	caches = (struct caches)CACHES_INIT;
	return 0;
}

int
caches_list(const struct paths *paths, int measure_ms,
    struct caches *ret_caches, struct diag *dg)
{
	cleanup_slots_lock struct slots_lock lock = SLOTS_LOCK_INIT;

	if (slots_lock(paths, -1, &lock, dg) != 0)
		return diag_ignore(dg, ENOENT);
	return list(paths, &lock, measure_ms, ret_caches, dg);
}

size_t
caches_warn_unknown(const struct paths *paths, const struct caches *caches)
{
	size_t n = 0;

	for (size_t i = 0; i < caches->nr; i++) {
		const struct cached *c = &caches->v[i];

		if (c->facts.state != SLOT_UNKNOWN)
			continue;
		n++;
		diag_warn("nobody gets the cache slot %s/" SLOT_CACHES
			  "/%s/%s, because its owner cannot be told: %s; "
			  "remove the directory if no session uses it",
		    paths->state_dir, c->set, c->number, c->facts.why.message);
	}
	return n;
}

int
cached_open(const struct paths *paths, const struct cached *c, int *ret_fd,
    struct diag *dg)
{
	cleanup_free char *name =
	    xasprintf(SLOT_CACHES "/%s/%s", c->set, c->number);

	return fs_open_nolinks(paths->state_fd, name, OPEN_DIR, 0, ret_fd, dg);
}

void
cache_sources_release(struct cache_sources *sources)
{
	for (size_t i = 0; i < sources->nr; i++)
		cleanup_close_fn(&sources->fds[i]);
	sources->nr = 0;
}

static void
open_source(
    const struct paths *paths, const struct cached *c, struct cache_sources *s)
{
	cleanup_diag struct diag gone = DIAG_INIT;
	cleanup_close int dir_fd = -1;

	if (s->nr == CACHE_SOURCES_MAX)
		return;
	s->fds[s->nr] = -1;
	if (cached_open(paths, c, &dir_fd, &gone) == 0 &&
	    fs_open_own_dir(dir_fd, SLOT_DATA, &s->fds[s->nr], &gone) == 0)
		s->nr++;
}

void
cache_sources_open(const struct paths *paths, const char *project_path,
    bool widely, struct cache_sources *ret_sources)
{
	cleanup_caches struct caches caches = CACHES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (caches_list(paths, 0, &caches, &dg) != 0) {
		diag_warn("%s", dg.message);
		return;
	}
	/* The project's own come first. */
	for (int own = 1; own >= (widely ? 0 : 1); own--)
		for (size_t i = 0; i < caches.nr; i++) {
			const struct cached *c = &caches.v[i];
			bool is_own = c->project != NULL &&
			    strcmp(c->project, project_path) == 0;

			if (is_own == (own == 1) &&
			    (widely || c->facts.state == SLOT_FREE))
				open_source(paths, c, ret_sources);
		}
}

/* A collection in progress. */
struct collection {
	const struct caches_removal *spec;
	const struct slots_lock *lock;
	struct caches caches;
	int trash_fd;
	struct strvec trash; /* names in trash/ to remove */
	int64_t total; /* known bytes of the slots that stay */
	size_t failed;
};

static void
collection_release(struct collection *c)
{
	caches_release(&c->caches);
	strvec_release(&c->trash);
	cleanup_close_fn(&c->trash_fd);
}

#define cleanup_collection __attribute__((cleanup(collection_release)))

/* Moves name, in dir_fd, into trash/. */
static int
move_to_trash(
    struct collection *c, int dir_fd, const char *name, struct diag *dg)
{
	cleanup_free char *trash = NULL;
	char suffix[SUFFIX_SIZE];

	fs_random_name(suffix, sizeof(suffix));
	trash = xasprintf("cache.%s", suffix);
	if (renameat(dir_fd, name, c->trash_fd, trash) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "move to trash");
	strvec_push(&c->trash, trash);
	return 0;
}

static int
remove_slot(struct collection *c, const struct cached *slot, struct diag *dg)
{
	cleanup_close int set_fd = -1;
	cleanup_close int fd = -1;
	cleanup_close int held = -1;
	enum lock_answer answer;

	if (fs_open_nolinks(
		c->lock->caches_fd, slot->set, OPEN_DIR, 0, &set_fd, dg) != 0 ||
	    fs_open_nolinks(set_fd, slot->number, OPEN_DIR, 0, &fd, dg) != 0 ||
	    slot_hold(fd, &answer, &held, dg) != 0)
		return -1;
	if (answer != LOCK_WON)
		return diag_set(dg, DIAG_BUSY,
		    "\"drydock cache verify\" reads it at the moment");
	return move_to_trash(c, set_fd, slot->number, dg);
}

/* Under the lock no launch is about to make a slot in an empty set. */
static int
remove_empty_sets(struct collection *c, struct diag *dg)
{
	cleanup_strvec struct strvec sets = STRVEC_INIT;

	if (fs_list_names(c->lock->caches_fd, SLOT_CACHES, &sets, dg) != 0)
		return -1;
	for (size_t i = 0; i < sets.nr; i++) {
		cleanup_strvec struct strvec names = STRVEC_INIT;
		cleanup_close int fd = -1;
		bool empty = true;

		if (!is_set(sets.v[i]))
			continue;
		if (fs_open_nolinks(c->lock->caches_fd, sets.v[i], OPEN_DIR, 0,
			&fd, dg) != 0 ||
		    fs_list_names(fd, sets.v[i], &names, dg) != 0)
			return -1;
		for (size_t n = 0; n < names.nr; n++)
			empty = empty && !is_number(names.v[n]);
		if (empty &&
		    move_to_trash(c, c->lock->caches_fd, sets.v[i], dg) != 0)
			return -1;
	}
	return 0;
}

static void
collect_one(struct collection *c, struct cached *slot, const char *why)
{
	const struct caches_removal *spec = c->spec;
	cleanup_diag struct diag dg = DIAG_INIT;

	/* One try for each slot. */
	slot->facts.state = SLOT_UNKNOWN;
	if (!spec->dry_run && remove_slot(c, slot, &dg) != 0) {
		diag_warn("the cache slot %s/" SLOT_CACHES
			  "/%s/%s is not removed: %s",
		    spec->paths->state_dir, slot->set, slot->number,
		    dg.message);
		c->failed++;
		return;
	}
	if (slot->facts.bytes > 0)
		c->total -= slot->facts.bytes;
	if (spec->removed != NULL)
		spec->removed(spec->arg, slot, why);
}

static struct cached *
least_recent(struct collection *c)
{
	struct cached *least = NULL;

	for (size_t i = 0; i < c->caches.nr; i++) {
		struct cached *slot = &c->caches.v[i];

		if (slot->facts.state == SLOT_FREE &&
		    (least == NULL ||
			slot->facts.used_at < least->facts.used_at))
			least = slot;
	}
	return least;
}

static void
collect_all(struct collection *c)
{
	const struct settings *s = c->spec->settings;
	time_t oldest = time(NULL) - (time_t)s->cache_days * DAY_S;
	struct cached *slot;

	for (size_t i = 0; i < c->caches.nr; i++) {
		slot = &c->caches.v[i];
		if (slot->facts.bytes > 0)
			c->total += slot->facts.bytes;
	}
	while (s->cache_days != 0 && (slot = least_recent(c)) != NULL &&
	    slot->facts.used_at < oldest)
		collect_one(c, slot, too_old);
	while (s->cache_size != 0 && c->total > s->cache_size &&
	    (slot = least_recent(c)) != NULL)
		collect_one(c, slot, too_much);
}

int
caches_collect(
    const struct caches_removal *spec, size_t *ret_failed, struct diag *dg)
{
	cleanup_slots_lock struct slots_lock lock = SLOTS_LOCK_INIT;
	cleanup_caches struct caches measured = CACHES_INIT;
	cleanup_collection struct collection c = { .spec = spec,
		.lock = &lock,
		.trash_fd = -1,
		.trash = STRVEC_INIT };

	*ret_failed = 0;
	if (!caches_exist(spec->paths))
		return 0;
	/* Measures without the lock, because a launch waits for that. */
	if (caches_list(spec->paths, spec->measure_ms, &measured, dg) != 0 ||
	    slots_lock(spec->paths, spec->wait_ms, &lock, dg) != 0 ||
	    fs_open_nolinks(spec->paths->state_fd, "trash", OPEN_DIR, 0,
		&c.trash_fd, dg) != 0 ||
	    list(spec->paths, &lock, 0, &c.caches, dg) != 0)
		return -1;
	if (spec->warns_unknown)
		c.failed += caches_warn_unknown(spec->paths, &c.caches);
	collect_all(&c);
	if (!spec->dry_run && remove_empty_sets(&c, dg) != 0)
		return -1;
	slots_unlock(&lock);
	for (size_t i = 0; i < c.trash.nr; i++) {
		cleanup_diag struct diag one = DIAG_INIT;

		if (fs_remove_tree(c.trash_fd, c.trash.v[i], &one) == 0)
			continue;
		/* The next collection of sessions tries again. */
		diag_warn("%s/trash: %s", spec->paths->state_dir, one.message);
		c.failed++;
	}
	*ret_failed = c.failed;
	return 0;
}

bool
caches_exist(const struct paths *paths)
{
	struct stat st;

	return fstatat(paths->state_fd, SLOT_CACHES, &st,
		   AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT;
}

static void
note_removed(void *arg, const struct cached *c, const char *why)
{
	int64_t mib = c->facts.bytes > 0 ? c->facts.bytes / MIB : 0;

	(void)arg;
	diag_note("the dependency cache %s/%s (%" PRId64 " MiB) is removed: %s",
	    c->set, c->number, mib,
	    why == too_old ? "it was not used for cache_days"
			   : "all caches are larger than cache_size");
}

void
caches_collect_quietly(
    const struct paths *paths, const struct settings *settings)
{
	const struct caches_removal spec = { .paths = paths,
		.settings = settings,
		.measure_ms = LAUNCH_MEASURE_MS,
		.removed = note_removed };
	cleanup_diag struct diag dg = DIAG_INIT;
	size_t failed;

	if (caches_collect(&spec, &failed, &dg) != 0 && dg.class != DIAG_BUSY)
		diag_warn(
		    "dependency caches are not collected: %s", dg.message);
}
