/* SPDX-License-Identifier: MIT */
/* slotseed: calls cacheseed for the slot of a launch, or for one to verify. */
#include "session/slotseed.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "deps/cacheseed.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"
#include "host/toolchain.h"
#include "session/caches.h"
#include "session/slot.h"
#include "session/start.h"

#define MIB (INT64_C(1024) * 1024)

enum {
	FILES_MAX = 20000,
	TIME_MS = 30000,
	STEP_MS = 1000, /* between two notes of progress */
};

static void
tell_bad(const struct cacheseed_report *report)
{
	for (size_t i = 0; i < report->bad.nr; i++)
		diag_warn("%s", report->bad.v[i]);
	if (report->nbad > (int64_t)report->bad.nr)
		diag_warn("%" PRId64 " more packages are not what the lock "
			  "file names",
		    report->nbad - (int64_t)report->bad.nr);
}

/* Notes on a terminal that a seeding takes long. */
static void
tell_progress(void *arg, const struct cacheseed_report *so_far)
{
	int64_t *next = arg;

	if (monotime_ms() < *next)
		return;
	*next = monotime_ms() + STEP_MS;
	diag_note("%" PRId64 " files, %" PRId64
		  " MiB are copied into the session's caches",
	    so_far->files, so_far->bytes / MIB);
}

static void
verify_old(const struct cacheseed_spec *seed)
{
	cleanup_cacheseed_report struct cacheseed_report report =
	    CACHESEED_REPORT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (cacheseed_verify(seed, &report, &dg) != 0)
		diag_note(
		    "the session's caches are not checked: %s", dg.message);
	if (report.stopped_by != NULL)
		diag_note("not all packages in the session's caches are "
			  "checked: %s",
		    report.stopped_by);
	tell_bad(&report);
}

void
slotseed_fill(const struct start *l, const struct slot *slot)
{
	cleanup_cache_sources struct cache_sources sources = CACHE_SOURCES_INIT;
	cleanup_cacheseed_report struct cacheseed_report report =
	    CACHESEED_REPORT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int64_t next = monotime_ms() + STEP_MS;
	struct cacheseed_spec seed = {
		.project_fd = l->project.fd,
		.data_fd = slot->data_fd,
		.toolchains = &l->toolchains,
		.sources = { .home = l->paths->home, .envp = l->environ_ },
		.limits = { l->settings->cache_seed, FILES_MAX, TIME_MS },
	};

	if (slot->earlier_boot && !slot->cold)
		verify_old(&seed);
	if (!slot->cold || l->settings->cache_seed == 0)
		return;
	/* A digest proves each copy, whichever mode a slot has. */
	cache_sources_open(l->paths, l->project.path, false, &sources);
	seed.sources.slot_fds = sources.fds;
	seed.sources.nslots = sources.nr;
	if (isatty(STDERR_FILENO)) {
		seed.progress = tell_progress;
		seed.arg = &next;
	}
	if (cacheseed_run(&seed, &report, &dg) != 0)
		diag_note("not all of the session's caches are filled: %s",
		    dg.message);
	tell_bad(&report);
	if (report.files > 0)
		diag_note("the session's caches start with %" PRId64
			  " files (%" PRId64
			  " MiB) of packages that the lock files name",
		    report.files, (report.bytes + MIB / 2) / MIB);
	if (report.stopped_by != NULL)
		diag_note("not all packages are copied: %s", report.stopped_by);
}

/* Loads the project and its toolchains, as a launch does. */
static int
load_project(const struct paths *paths, const char *dir,
    struct project *project, struct toolchains *toolchains, struct diag *dg)
{
	static const char *const no_environ[] = { NULL };
	cleanup_settings struct settings settings;

	settings_init(&settings);
	if (settings_load(&settings, paths, no_environ, dg) != 0 ||
	    project_open(project, dir, paths, dg) != 0 ||
	    settings_load_project(&settings, paths, project, dg) != 0)
		return -1;
	return toolchains_load(toolchains, &settings.toolchains, paths, dg);
}

/* Sets *ret_fd to -1 if a session has the slot or may get it. */
static int
hold_free(const struct paths *paths, int dir_fd, int *ret_fd, struct diag *dg)
{
	cleanup_slots_lock struct slots_lock lock = SLOTS_LOCK_INIT;
	struct slot_facts facts = SLOT_FACTS_INIT;
	cleanup_close int held = -1;
	enum lock_answer answer;

	*ret_fd = -1;
	if (slots_lock(paths, -1, &lock, dg) != 0 ||
	    slot_hold(dir_fd, &answer, &held, dg) != 0)
		return -1;
	/* A claim that won before has written the owner. */
	slot_read(&lock, dir_fd, &facts);
	slot_facts_release(&facts);
	if (answer == LOCK_WON && facts.state == SLOT_FREE)
		*ret_fd = steal_fd(&held);
	return 0;
}

int
slotseed_verify(const struct paths *paths, const struct cached *cached,
    bool *ret_in_use, struct cacheseed_report *ret_report, struct diag *dg)
{
	cleanup_project struct project project = PROJECT_INIT;
	cleanup_toolchains struct toolchains toolchains = TOOLCHAINS_INIT;
	cleanup_close int dir_fd = -1;
	cleanup_close int data_fd = -1;
	cleanup_close int held = -1;
	struct cacheseed_spec seed = { .toolchains = &toolchains };

	if (cached->project == NULL)
		return diag_set(dg, DIAG_DATA, "its project is unknown");
	if (cached_open(paths, cached, &dir_fd, dg) != 0 ||
	    hold_free(paths, dir_fd, &held, dg) != 0)
		return -1;
	*ret_in_use = held == -1;
	if (*ret_in_use)
		return 0;
	if (load_project(paths, cached->project, &project, &toolchains, dg) !=
		0 ||
	    fs_open_own_dir(dir_fd, SLOT_DATA, &data_fd, dg) != 0)
		return -1;
	seed.project_fd = project.fd;
	seed.data_fd = data_fd;
	return cacheseed_verify(&seed, ret_report, dg);
}
