/* SPDX-License-Identifier: MIT */
/* Checks a sealed plan against the policy and the session's containers. */
#include "session/reseal.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/compose.h"
#include "host/paths.h"
#include "session/look.h"
#include "session/resume.h"
#include "session/start.h"

void
resealed_release(struct resealed *resealed)
{
	free(resealed->recorded);
	*resealed = (struct resealed)RESEALED_INIT;
}

/* Finds the one container that has the session's labels and this role. */
static int
find_container(const struct session_facts *facts, const char *role,
    const struct container **ret_container, struct diag *dg)
{
	const struct container *found = NULL;

	for (size_t i = 0; i < facts->containers->nr; i++) {
		const struct container *c = &facts->containers->v[i];

		if (strcmp(c->session, facts->id) != 0 ||
		    strcmp(c->role, role) != 0)
			continue;
		if (found != NULL)
			return diag_set(dg, DIAG_NO,
			    "containers %.12s and %.12s are both its %s",
			    found->id, c->id, role);
		found = c;
	}
	if (found == NULL)
		return diag_set(dg, DIAG_NO,
		    "the engine has no %s container of it, which the plan "
		    "could be compared with",
		    role);
	*ret_container = found;
	return 0;
}

static void
keep_first(void *arg, enum verify_part part, const struct diag *why)
{
	struct diag *first = arg;

	(void)part;
	if (why != NULL)
		(void)diag_set(first, DIAG_NO, "%s", why->message);
}

/* Compares what the kernel shows of a container that runs. */
static int
compare_process(const struct start *l, const struct plan_service *s,
    const struct container *c, struct diag *dg)
{
	if (c->state != CONTAINER_RUNNING)
		return plan_verify_config(&l->plan_request, &l->plan, s, c, dg);
	plan_verify_parts(&l->plan_request, &l->plan, s, c, keep_first, dg);
	return dg->class == DIAG_NONE
	    ? 0
	    : diag_wrap(dg, "the %s container is not as planned", s->name);
}

/*
 * Compose labels a container with the digest of the configuration that it was
 * made from.  Inspecting it shows only a part of that.
 */
static int
compare_hash(const struct strvec *hashes, const struct plan_service *s,
    const struct container *c, struct diag *dg)
{
	const char *hash = envp_get((const char *const *)hashes->v, s->name);
	cleanup_free char *want =
	    hash != NULL ? xasprintf(COMPOSE_HASH_LABEL "=%s", hash) : NULL;

	if (want != NULL && strvec_has(&c->labels, want))
		return 0;
	return diag_set(dg, DIAG_NO,
	    "the %s container was not made from this plan, or was made by "
	    "another version of Docker Compose",
	    s->name);
}

static int
compare(struct start *l, const struct session_facts *facts, struct diag *dg)
{
	cleanup_free char *project = xasprintf("drydock-%s", l->session.id);
	cleanup_strvec struct strvec hashes = STRVEC_INIT;
	const struct compose_spec spec = {
		.project = project,
		.project_dir = l->session.dir,
		.file_fds = &l->plan_fd,
		.nfiles = 1,
	};

	for (size_t i = 0; i < facts->containers->nr; i++) {
		const struct container *c = &facts->containers->v[i];

		if (strcmp(c->session, facts->id) == 0 &&
		    plan_find(&l->plan, c->role) == NULL)
			return diag_set(dg, DIAG_NO,
			    "container %.12s (%s) is not in the plan", c->id,
			    c->role);
	}
	if (compose_hashes(l->engine, &spec, &hashes, dg) != 0)
		return -1;
	for (size_t i = 0; i < l->plan.nservices; i++) {
		const struct plan_service *s = &l->plan.services[i];
		const struct container *c;

		if (find_container(facts, s->name, &c, dg) != 0 ||
		    compare_hash(&hashes, s, c, dg) != 0 ||
		    compare_process(l, s, c, dg) != 0)
			return -1;
		record_set(&l->record, s->name, s->image, c->id);
	}
	return 0;
}

/* Returns true if both name the same plan and the same containers. */
static bool
is_same(const struct record *a, const struct record *b)
{
	if (a->plan_digest == NULL || b->plan_digest == NULL ||
	    strcmp(a->plan_digest, b->plan_digest) != 0 ||
	    a->ncontainers != b->ncontainers)
		return false;
	for (size_t i = 0; i < a->ncontainers; i++) {
		const struct record_container *c = &a->containers[i];
		const struct record_container *d = record_find(b, c->role);

		if (d == NULL || c->id == NULL || d->id == NULL ||
		    c->image == NULL || d->image == NULL ||
		    strcmp(c->id, d->id) != 0 ||
		    strcmp(c->image, d->image) != 0)
			return false;
	}
	return true;
}

/* Fills l->record from the plan and the containers, if they agree. */
static int
check(struct start *l, struct resealed *ret, struct diag *dg)
{
	const struct look_spec spec = { .paths = l->paths,
		.engine = l->engine,
		.record_given = true,
		.record = &l->record };
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;

	if (session_look(&spec, &l->session, &look, dg) != 0)
		return -1;
	if (look.state == SESSION_FOREIGN)
		return session_refuse(&look.facts, look.state, dg);
	if (resume_find_parts(l, dg) != 0)
		return -1;
	start_fill_request(l);
	if (plan_read_again(&l->plan_request, l->session.dir_fd, ret->digest,
		&l->plan_fd, &l->plan, dg) != 0 ||
	    resume_find_images(l, dg) != 0 ||
	    plan_judge_sealed(&l->plan_request, &l->plan, dg) != 0 ||
	    compare(l, &look.facts, dg) != 0)
		return -1;
	l->record.plan_digest = xstrdup(ret->digest);
	return 0;
}

/*
 * What the containers, the plan and the engine do not tell cannot be found
 * again: a guess of it would decide what the next start runs.
 */
static int
read_fields(struct start *l, struct diag *dg)
{
	if (record_read_fields(l->session.dir_fd, &l->record, dg) == 0)
		return 0;
	return diag_wrap(dg,
	    "its record cannot be mended: the digest of the plan, the "
	    "containers and their images could be found again, and the agent, "
	    "kind, mode, project, engine and times are in no other file; "
	    "restore session.json from a backup, or remove the session with "
	    "\"drydock stop --force %s\"",
	    l->session.id);
}

int
reseal_session(const struct join_spec *spec, const char *id, bool dry_run,
    struct resealed *ret, struct diag *dg)
{
	cleanup_start struct start l = START_INIT;
	cleanup_record struct record old = RECORD_INIT;
	cleanup_diag struct diag damage = DIAG_INIT;
	enum lock_answer answer;

	l.paths = spec->paths;
	l.settings = spec->settings;
	l.environ_ = spec->environ_;
	l.engine = spec->engine;
	if (session_take(spec->paths, id, &answer, &l.session, dg) != 0)
		return -1;
	if (answer == LOCK_GONE)
		return diag_set(dg, DIAG_NO, "session %s has ended", id);
	if (record_read(l.session.dir_fd, &old, &damage) == 0 &&
	    old.plan_digest != NULL)
		ret->recorded = xstrdup(old.plan_digest);
	if (read_fields(&l, dg) != 0 || check(&l, ret, dg) != 0) {
		dg->class = DIAG_NO;
		return diag_wrap(dg, "session %s is not sealed again", id);
	}
	ret->changed = damage.class != DIAG_NONE || !is_same(&old, &l.record);
	if (!ret->changed || dry_run)
		return 0;
	if (record_write(l.session.dir_fd, &l.record, dg) != 0)
		return diag_wrap(dg,
		    "session %s is not sealed again; when that is mended, run "
		    "\"drydock reseal %s\"",
		    id, id);
	return 0;
}
