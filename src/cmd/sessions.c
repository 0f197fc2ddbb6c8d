/* SPDX-License-Identifier: MIT */
/* sessions: lists and selects the sessions that a command works on. */
#include "cmd/sessions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "engine/container.h"
#include "host/project.h"
#include "host/statedir.h"
#include "session/changes.h"
#include "session/outcome.h"
#include "terminal/prompt.h"

enum {
	SHOWN_MAX = 20
};

int
sessions_find_engine(struct context *ctx, const char *project, struct diag *dg)
{
	const char *const projects[] = { project, NULL };

	return statedir_open(ctx->paths, dg) != 0
	    ? -1
	    : engine_reach(ctx->engine, ctx->settings, ctx->paths, projects,
		  ctx->environ_, dg);
}

int
sessions_find_compose(struct context *ctx, struct diag *dg)
{
	const char *const projects[] = { NULL };

	return statedir_open(ctx->paths, dg) != 0
	    ? -1
	    : engine_ready(ctx->engine, ctx->settings, ctx->paths, projects,
		  ctx->environ_, dg);
}

int
sessions_list(struct context *ctx, const char *project,
    struct listing *ret_listing, struct diag *ret_untold, struct diag *dg)
{
	cleanup_diag struct diag silent = DIAG_INIT;
	bool answers;

	if (statedir_open(ctx->paths, dg) != 0)
		return -1;
	answers = sessions_find_engine(ctx, project, &silent) == 0;
	if (!answers)
		diag_warn("%s", silent.message);
	if (listing_read(
		ctx->paths, answers ? ctx->engine : NULL, ret_listing, dg) != 0)
		return -1;
	if (ret_untold != NULL && !ret_listing->silent)
		(void)listing_add_strangers(
		    ctx->paths, ctx->engine, ret_listing, ret_untold);
	return 0;
}

static void
keep_attachable(struct listing *listing, const char *project)
{
	size_t kept = 0;

	for (size_t i = 0; i < listing->nr; i++) {
		struct listed s = listing->v[i];

		if (!listed_is_attachable(&s, project))
			continue;
		listing->v[i] = listing->v[kept];
		listing->v[kept++] = s;
	}
	for (size_t i = kept; i < listing->nr; i++)
		listed_release(&listing->v[i]);
	listing->nr = kept;
}

/*
 * Only the record names the project, so an unreadable record may be this
 * project's.
 */
static void
tell_unread(const struct listing *listing, bool *ret_unread)
{
	*ret_unread = false;
	for (size_t i = 0; i < listing->nr; i++) {
		const struct listed *s = &listing->v[i];

		if (s->recorded || s->note == NULL)
			continue;
		diag_warn("session %s may be one of this project, but cannot "
			  "be read: %s",
		    s->id, s->note);
		*ret_unread = true;
	}
}

int
sessions_of_project(struct context *ctx, const char *project, size_t unasked,
    struct listing *ret_listing, bool *ret_unread, struct diag *dg)
{
	size_t n = 0;

	if (listing_records(ctx->paths, ret_listing, dg) != 0)
		return -1;
	for (size_t i = 0; i < ret_listing->nr; i++)
		n += listed_is_attachable(&ret_listing->v[i], project);
	if (n > unasked) {
		listing_release(ret_listing);
		if (sessions_list(ctx, project, ret_listing, NULL, dg) != 0)
			return -1;
	}
	tell_unread(ret_listing, ret_unread);
	keep_attachable(ret_listing, project);
	return 0;
}

void
sessions_describe(const struct listing *listing, struct strbuf *out)
{
	for (size_t i = 0; i < listing->nr && i < SHOWN_MAX; i++) {
		listed_describe(&listing->v[i], out);
		strbuf_addch(out, '\n');
	}
}

static int
choose_one(const struct listing *listing, const char *of,
    char ret_id[SESSION_ID_SIZE], struct diag *dg)
{
	cleanup_strbuf struct strbuf lines = STRBUF_INIT;
	const struct listed *found = NULL;
	char answer[SESSION_ID_SIZE];

	sessions_describe(listing, &lines);
	if (!prompt_possible()) {
		(void)diag_set(dg, DIAG_USAGE, "%zu sessions of %s: name one",
		    listing->nr, of);
		return diag_add_detail(dg, lines.buf, lines.len);
	}
	(void)fputs(lines.buf, stderr);
	if (prompt_line("which session?", answer, sizeof(answer), dg) != 0 ||
	    listing_match(listing, answer, &found, dg) != 0)
		return -1;
	memcpy(ret_id, found->id, SESSION_ID_SIZE);
	return 0;
}

/*
 * Selects a session of the project (NULL: of all projects).  ret_id is "" when
 * there is none.
 */
static int
choose_of(struct context *ctx, const char *project,
    char ret_id[SESSION_ID_SIZE], struct diag *dg)
{
	const char *of = project != NULL ? project : "all projects";
	cleanup_listing struct listing listing = LISTING_INIT;
	bool unread;

	ret_id[0] = '\0';
	if (sessions_of_project(ctx, project, 1, &listing, &unread, dg) != 0)
		return -1;
	if (listing.nr == 0 && unread)
		return diag_set(
		    dg, DIAG_DATA, "cannot tell whether %s has a session", of);
	if (listing.nr > 1)
		return choose_one(&listing, of, ret_id, dg);
	if (listing.nr == 1)
		memcpy(ret_id, listing.v[0].id, SESSION_ID_SIZE);
	return 0;
}

/*
 * A directory that cannot be a project, such as the home, has no sessions.
 * With SESSIONS_OF_ANY the sessions of all projects are used instead.
 */
static int
choose_of_directory(struct context *ctx, const char *dir,
    enum sessions_default fallback, char ret_id[SESSION_ID_SIZE],
    struct diag *dg)
{
	cleanup_project struct project project = PROJECT_INIT;
	cleanup_diag struct diag refused = DIAG_INIT;

	if (project_open(&project, dir, ctx->paths, &refused) != 0 &&
	    fallback != SESSIONS_OF_ANY)
		return diag_move(dg, &refused);
	if (choose_of(ctx, project.path, ret_id, dg) != 0)
		return -1;
	if (ret_id[0] != '\0')
		return 0;
	(void)diag_set(dg, DIAG_NO, "no session of %s",
	    project.path != NULL ? project.path : "any project");
	dg->errnum = ENOENT;
	return -1;
}

int
sessions_choose(struct context *ctx, const char *word,
    enum sessions_default fallback, char ret_id[SESSION_ID_SIZE],
    struct diag *dg)
{
	cleanup_listing struct listing listing = LISTING_INIT;
	cleanup_diag struct diag unknown = DIAG_INIT;
	const struct listed *found = NULL;
	struct stat st;

	if (statedir_open(ctx->paths, dg) != 0)
		return -1;
	if (word == NULL)
		return choose_of_directory(ctx, NULL, fallback, ret_id, dg);
	/*
	 * An id contains neither slash nor dot.  An id has precedence over a
	 * directory.
	 */
	if (strpbrk(word, "/.") != NULL)
		return choose_of_directory(
		    ctx, word, SESSIONS_OF_PROJECT, ret_id, dg);
	if (listing_records(ctx->paths, &listing, dg) != 0)
		return -1;
	if (listing_match(&listing, word, &found, &unknown) == 0) {
		memcpy(ret_id, found->id, SESSION_ID_SIZE);
		return 0;
	}
	if (stat(word, &st) == 0 && S_ISDIR(st.st_mode))
		return choose_of_directory(
		    ctx, word, SESSIONS_OF_PROJECT, ret_id, dg);
	return diag_move(dg, &unknown);
}

int
sessions_look(struct context *ctx, const char *id, struct session *ret_session,
    struct session_look *ret_look, const struct container **ret_agent,
    struct diag *dg)
{
	const struct look_spec spec = { .paths = ctx->paths,
		.engine = ctx->engine };
	const struct session_facts *facts = &ret_look->facts;

	if (sessions_find_engine(ctx, NULL, dg) != 0)
		return -1;
	if (session_open(ctx->paths, id, ret_session, dg) != 0)
		return diag_wrap(dg, "session %s", id);
	if (session_look(&spec, ret_session, ret_look, dg) != 0)
		return -1;
	if (facts->record == NULL || ret_look->state == SESSION_FOREIGN)
		return session_refuse(facts, ret_look->state, dg);
	if (session_warn_strangers(facts, dg) != 0)
		return -1;
	*ret_agent = session_container(facts, "agent");
	if (*ret_agent == NULL)
		return session_refuse(facts, ret_look->state, dg);
	return 0;
}

const struct outcome *
sessions_find_ended(
    struct context *ctx, const char *word, struct outcomes *ret_all)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	if (outcomes_read(ctx->paths, ret_all, &dg) != 0) {
		diag_warn("%s", dg.message);
		return NULL;
	}
	return outcomes_find(ret_all, word);
}

int
sessions_show_ended(
    struct context *ctx, const char *word, int *ret_status, struct diag *dg)
{
	cleanup_outcomes struct outcomes all = OUTCOMES_INIT;
	cleanup_strbuf struct strbuf said = STRBUF_INIT;
	const struct outcome *o = sessions_find_ended(ctx, word, &all);

	if (o == NULL)
		return -1;
	for (size_t i = 0; i < o->screen.nr; i++) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;

		strbuf_add_escaped(
		    &line, o->screen.v[i], strlen(o->screen.v[i]));
		(void)printf("%s\n", line.buf);
	}
	(void)fflush(stdout);
	outcome_describe(o, &said);
	diag_note("%s%s", said.buf,
	    o->screen.nr > 0 ? "; above is its last screen" : "");
	outcome_tell(o, ctx->paths);
	changes_tell_ended(ctx->paths, o->id);
	*ret_status = o->status >= 0 ? o->status : 1;
	diag_clear(dg);
	return 0;
}
