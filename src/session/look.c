/* SPDX-License-Identifier: MIT */
/* Reads the record, then asks the engine, then reads the signs of an end. */
#include "session/look.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/strvec.h"
#include "engine/engine.h"
#include "host/paths.h"
#include "plan/plan.h"
#include "session/endnote.h"
#include "session/session.h"
#include "session/view.h"

enum {
	LEASE_WAIT_MS = 10000 /* a collection holds it for one query */
};

int
session_take(const struct paths *paths, const char *id,
    enum lock_answer *ret_answer, struct session *ret_session, struct diag *dg)
{
	if (session_lease(
		paths, id, LEASE_WAIT_MS, ret_answer, ret_session, dg) != 0)
		return -1;
	if (*ret_answer != LOCK_BUSY)
		return 0;
	return diag_set(dg, DIAG_BUSY,
	    "another process is starting or ending session %s: try again", id);
}

int
session_is_leased(const struct paths *paths, const char *id, bool *ret_leased,
    struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	enum lock_answer answer;

	if (session_lease(paths, id, 0, &answer, &session, dg) != 0)
		return -1;
	*ret_leased = answer == LOCK_BUSY;
	return 0;
}

/* Tests the lease only where the state depends on it. */
static bool
leased_elsewhere(const struct look_spec *spec, const struct session *session,
    const struct record *record)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	bool leased = false;

	if (session->lease_fd >= 0 ||
	    (record != NULL && record->launched_at != NULL &&
		record->starting_at == NULL))
		return false;
	(void)session_is_leased(spec->paths, session->id, &leased, &ignored);
	return leased;
}

/*
 * Runs after the engine answered: a container that the engine lists as exited
 * wrote its note before.
 */
void
session_look_again(const struct look_spec *spec, const struct session *session,
    struct session_look *look)
{
	struct session_facts *f = &look->facts;
	struct stat st;

	diag_clear(&look->unnoted);
	(void)endnote_read(
	    session->dir_fd, &f->noted, &f->noted_status, &look->unnoted);
	f->client_left = viewers_left(session->dir_fd);
	f->viewed = viewers_present(session->dir_fd);
	/* If the test fails, the plan counts as present. */
	f->sealed = fstatat(session->dir_fd, PLAN_FILE, &st,
			AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT;
	f->leased = leased_elsewhere(spec, session, f->record);
	look->state = session_status(f);
}

int
session_look(const struct look_spec *spec, const struct session *session,
    struct session_look *look, struct diag *dg)
{
	struct session_facts *f = &look->facts;

	*look = (struct session_look)SESSION_LOOK_INIT;
	*f = session_facts_of(session->id, spec->record, spec->paths,
	    spec->engine, spec->containers);
	if (!spec->record_given) {
		if (record_read(
			session->dir_fd, &look->record, &look->unrecorded) == 0)
			f->record = &look->record;
		else if (look->unrecorded.class != DIAG_IO ||
		    look->unrecorded.errnum != ENOENT)
			f->damage = &look->unrecorded;
	}
	if (spec->engine == NULL) {
		look->state =
		    f->damage != NULL ? SESSION_DAMAGED : SESSION_SILENT;
		return 0;
	}
	if (spec->containers == NULL) {
		if (containers_find(spec->engine, spec->paths->state_id,
			&look->containers, dg) != 0) {
			session_look_release(look);
			return -1;
		}
		f->containers = &look->containers;
	}
	session_look_again(spec, session, look);
	return 0;
}

int
session_warn_strangers(const struct session_facts *facts, struct diag *dg)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	cleanup_container_list struct container_list found =
	    CONTAINER_LIST_INIT;

	session_unconfirmed_ids(facts, &ids);
	if (containers_inspect(
		facts->engine, (const char *const *)ids.v, &found, dg) != 0)
		return -1;
	for (size_t i = 0; i < found.nr; i++)
		diag_warn("session %s: its record names container %.12s, "
			  "which does not have the session's labels and is "
			  "left alone",
		    facts->id, found.v[i].id);
	return 0;
}

void
session_look_release(struct session_look *look)
{
	record_release(&look->record);
	diag_clear(&look->unrecorded);
	diag_clear(&look->unnoted);
	container_list_release(&look->containers);
}
