/* SPDX-License-Identifier: MIT */
/* Loads the effective allowlist, and writes it into sessions. */
#include "session/allowed.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/lock.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "host/agent.h"
#include "host/allowlist.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"
#include "host/toolchain.h"
#include "host/trusted.h"
#include "plan/proxyconf.h"
#include "plan/role.h"
#include "session/record.h"
#include "session/session.h"

/* A launch holds the lease for seconds. */
enum {
	LEASE_MS = 10000
};

/* The settings of a launch, and their members of the record. */
static const struct kept {
	const char *name;
	size_t offset;
	bool always; /* also a value that a file has, and the default */
} kept[] = {
	{ "toolchains", offsetof(struct record, toolchains), false },
	{ "agent_hosts", offsetof(struct record, agent_hosts), false },
	{ "upstream_proxy", offsetof(struct record, upstream_proxy), true },
};

void
allowed_record(const struct settings *settings, struct record *record)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		char **field =
		    (char **)(void *)((char *)record + kept[i].offset);
		cleanup_strbuf struct strbuf value = STRBUF_INIT;

		if (!kept[i].always &&
		    settings_source(settings, kept[i].name) <
			SETTINGS_ENVIRONMENT)
			continue;
		settings_print_value(
		    settings, settings_find(kept[i].name), &value);
		free(*field);
		*field = strbuf_detach(&value, NULL);
	}
}

int
allowed_restore(
    struct settings *settings, const struct record *record, struct diag *dg)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const void *at = (const char *)record + kept[i].offset;
		const char *value = *(char *const *)at;

		/* A session of an older version has none. */
		if (value == NULL && kept[i].always)
			value = "";
		if (value != NULL &&
		    settings_set(settings, SETTINGS_OPTION, kept[i].name, value,
			"the session's record", dg) != 0)
			return -1;
	}
	return 0;
}

int
allowed_load(const struct paths *paths, const char *dir, const char *agent_name,
    const struct record *record, struct allowlist *list, struct diag *dg)
{
	static const char *const no_environ[] = { NULL };
	cleanup_settings struct settings settings;
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_toolchains struct toolchains toolchains = TOOLCHAINS_INIT;
	cleanup_project struct project project = PROJECT_INIT;
	cleanup_diag struct diag gone = DIAG_INIT;

	settings_init(&settings);
	if (settings_load(&settings, paths, no_environ, dg) != 0)
		return -1;
	/* The project's own file may close hosts that the others open. */
	if (project_open(&project, dir, paths, &gone) != 0) {
		if (record != NULL || !fs_is_absent(&gone))
			return diag_move(dg, &gone);
	} else if (settings_load_project(&settings, paths, &project, dg) != 0) {
		return -1;
	}
	if ((record != NULL && allowed_restore(&settings, record, dg) != 0) ||
	    agent_load(&agent, agent_name, paths, dg) != 0 ||
	    toolchains_load(&toolchains, &settings.toolchains, paths, dg) != 0)
		return -1;
	return allowlist_load(list,
	    &(struct allow_spec){
		.agent = settings.agent_hosts ? &agent : NULL,
		.toolchains = &toolchains,
		.paths = paths,
		.project = project.path != NULL ? &project : NULL,
	    },
	    dg);
}

/* project is NULL for all projects. */
static bool
has_list(const struct record *record, const char *project)
{
	return strcmp(record->mode, mode_name(MODE_CONTAINED)) == 0 &&
	    (project == NULL || strcmp(record->project, project) == 0);
}

/*
 * Returns true if the change may affect the session, or its record cannot be
 * read.  This needs no lease: a record's project and mode never change.
 */
static bool
may_have_list(const struct paths *paths, const char *id, const char *project)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_record struct record record = RECORD_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	if (session_open(paths, id, &session, &ignored) != 0 ||
	    record_read(session.dir_fd, &record, &ignored) != 0)
		return true;
	return has_list(&record, project);
}

/* Returns 0 also if the session is not affected. */
static int
apply(const struct paths *paths, const char *id, const char *project,
    struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_record struct record record = RECORD_INIT;
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_close int fd = -1;
	enum lock_answer answer;

	if (!may_have_list(paths, id, project))
		return 0;
	/*
	 * The lease: while a session starts, its record is not final, and it
	 * may have read the older list.
	 */
	if (session_lease(paths, id, LEASE_MS, &answer, &session, dg) != 0)
		return -1;
	if (answer == LOCK_GONE)
		return 0;
	if (answer == LOCK_BUSY)
		return diag_set(dg, DIAG_BUSY,
		    "it is being started or stopped: run \"drydock allow\" "
		    "again");
	if (record_read(session.dir_fd, &record, dg) != 0)
		return -1;
	if (!has_list(&record, project))
		return 0;
	if (allowed_load(
		paths, record.project, record.agent, &record, &list, dg) != 0 ||
	    trusted_check(paths, record.project, dg) != 0 ||
	    session_open_mount(&session, MOUNT_PROXY, &fd, dg) != 0)
		return -1;
	if (proxyconf_is_older(fd))
		return diag_set(dg, DIAG_DATA,
		    "an older drydock started it, and its proxy cannot read a "
		    "new list; \"drydock stop\" it and start a new session");
	return proxyconf_write(fd, &list, dg);
}

int
allowed_apply(const struct paths *paths, const char *project, int *ret_failed,
    struct diag *dg)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	*ret_failed = 0;
	if (session_list_ids(paths, &ids, dg) != 0)
		return -1;
	for (size_t i = 0; i < ids.nr; i++) {
		cleanup_diag struct diag mine = DIAG_INIT;

		if (apply(paths, ids.v[i], project, &mine) == 0)
			continue;
		diag_warn("session %s keeps its list of hosts: %s", ids.v[i],
		    mine.message);
		++*ret_failed;
	}
	return 0;
}
