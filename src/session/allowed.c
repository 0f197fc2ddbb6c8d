/* SPDX-License-Identifier: MIT */
/* Loads the effective allowlist, and writes it into sessions. */
#include "session/allowed.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/lock.h"
#include "base/strvec.h"
#include "host/agent.h"
#include "host/allowlist.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"
#include "host/toolchain.h"
#include "plan/role.h"
#include "plan/squid.h"
#include "session/record.h"
#include "session/session.h"

/* A launch holds the lease for seconds. */
enum {
	LEASE_MS = 10000
};

int
allowed_load(const struct paths *paths, const char *dir, const char *agent_name,
    struct allowlist *list, struct diag *dg)
{
	static const char *const no_environ[] = { NULL };
	cleanup_settings struct settings settings;
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_toolchains struct toolchains toolchains = TOOLCHAINS_INIT;
	cleanup_project struct project project = PROJECT_INIT;
	cleanup_diag struct diag gone = DIAG_INIT;

	settings_init(&settings);
	if (settings_load(&settings, paths, no_environ, dg) != 0 ||
	    (project_open(&project, dir, paths, &gone) == 0 &&
		settings_load_project(&settings, paths, &project, dg) != 0) ||
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

	/*
	 * While a session starts, its record is not final, and it may have read
	 * the older list.
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
	if (strcmp(record.mode, mode_name(MODE_CONTAINED)) != 0 ||
	    (project != NULL && strcmp(record.project, project) != 0))
		return 0;
	if (allowed_load(paths, record.project, record.agent, &list, dg) != 0 ||
	    session_open_mount(&session, MOUNT_PROXY, &fd, dg) != 0)
		return -1;
	return squid_write(fd, &list, dg);
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
