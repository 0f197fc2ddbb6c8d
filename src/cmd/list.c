/* SPDX-License-Identifier: MIT */
/* list: lists the sessions. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "cmd/sessions.h"
#include "session/links.h"
#include "session/moved.h"
#include "session/outcome.h"

struct list_options {
	bool all;
	bool json;
};

static bool
is_shown(const struct list_options *o, const struct listed *s)
{
	bool its_client_is_there = s->state == SESSION_RUNNING ||
	    s->state == SESSION_STARTING || s->state == SESSION_SILENT;

	return o->all ||
	    (s->state != SESSION_ENDED &&
		!(s->recorded && s->record.ends_with_client &&
		    its_client_is_there));
}

/*
 * Unless all, list shows the latest outcome of each project only, and none of a
 * session that ended with its client.
 */
static bool
outcome_is_shown(const struct outcomes *outcomes, size_t i, bool all)
{
	const struct outcome *o = &outcomes->v[i];

	if (all)
		return true;
	for (size_t n = 0; n < i; n++)
		if (!outcomes->v[n].ends_with_client &&
		    strcmp(outcomes->v[n].project, o->project) == 0)
			return false;
	return !o->ends_with_client;
}

static void
write_services(struct jsonw *w, const struct record *r)
{
	jsonw_key_object(w, "services");
	for (size_t i = 0; i < r->ncontainers; i++) {
		const struct record_container *c = &r->containers[i];

		if (strcmp(c->role, "agent") != 0 &&
		    strcmp(c->role, "egress") != 0)
			jsonw_key_str(w, c->role, c->id);
	}
	jsonw_close_object(w);
}

static void
write_if(struct jsonw *w, const char *key, const char *value)
{
	if (value != NULL)
		jsonw_key_str(w, key, value);
}

static void
write_route(struct jsonw *w, const struct listed *s)
{
	if (s->resolves) {
		jsonw_key_array(w, "resolvers");
		for (size_t i = 0; i < s->servers.nr; i++)
			jsonw_str(w, s->servers.v[i]);
		jsonw_close_array(w);
	}
	if (strcmp(s->record.mode, mode_name(MODE_CONTAINED)) == 0 &&
	    s->record.upstream_proxy != NULL &&
	    *s->record.upstream_proxy != '\0')
		jsonw_key_str(w, "upstream_proxy", s->record.upstream_proxy);
}

static void
write_session(
    struct jsonw *w, const struct paths *paths, const struct listed *s)
{
	const struct record *r = &s->record;
	cleanup_free char *socket = links_socket(paths, s->id);
	cleanup_free char *services = links_services(paths, s->id);

	jsonw_open_object(w);
	/*
	 * A container or image without a session of this state directory has no
	 * id.
	 */
	jsonw_key_str(w, "id", session_id_valid(s->id) ? s->id : NULL);
	jsonw_key_str(w, "state", session_state_name(s->state));
	if (s->recorded) {
		jsonw_key_str(w, "project", r->project);
		jsonw_key_str(w, "agent", r->agent);
		jsonw_key_str(w, "mode", r->mode);
		jsonw_key_str(w, "kind", r->kind);
		jsonw_key_bool(w, "ends_with_client", r->ends_with_client);
		jsonw_key_bool(w, "companion", s->companion);
		jsonw_key(w, "ports");
		portlist_add_json(&s->ports, s->companion, w);
		write_route(w, s);
		jsonw_key_str(w, "created_at", r->created_at);
		jsonw_key_str(w, "launched_at", r->launched_at);
		jsonw_key_str(w, "engine_socket", r->engine_socket);
		jsonw_key_str(
		    w, "agent_container", record_container_id(r, "agent"));
		jsonw_key_str(
		    w, "egress_container", record_container_id(r, "egress"));
		write_services(w, r);
		jsonw_key_str(w, "socket", socket);
		jsonw_key_str(w, "service_sockets", services);
	}
	write_if(w, "container", s->container);
	write_if(w, "image", s->image);
	write_if(w, "name", s->name);
	write_if(w, "role", s->role);
	write_if(w, "status", s->status);
	write_if(w, "session", s->session);
	write_if(w, "state_id", s->state_id);
	write_if(w, "note", s->note);
	jsonw_close_object(w);
}

static int
print_json(const struct context *ctx, const struct list_options *o,
    const struct listing *l, const struct outcomes *ended, struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	jsonw_open_array(w);
	for (size_t i = 0; i < l->nr; i++) {
		if (is_shown(o, &l->v[i]))
			write_session(w, ctx->paths, &l->v[i]);
	}
	for (size_t i = 0; i < ended->nr; i++) {
		if (outcome_is_shown(ended, i, o->all))
			outcome_write(&ended->v[i], w);
	}
	jsonw_close_array(w);
	return jsonw_print(w, dg);
}

static void
print_table(const struct list_options *o, const struct listing *l,
    const struct outcomes *ended)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (isatty(STDOUT_FILENO))
		strbuf_addstr(&out,
		    "ID        STATE             AGENT     MODE       "
		    "CREATED      PROJECT\n");
	for (size_t i = 0; i < l->nr; i++) {
		if (!is_shown(o, &l->v[i]))
			continue;
		listed_describe(&l->v[i], &out);
		strbuf_addch(&out, '\n');
		for (size_t n = 0; n < l->v[i].ports.nr; n++) {
			strbuf_addstr(&out, "          port ");
			port_describe(
			    &l->v[i].ports.v[n], l->v[i].companion, &out);
			strbuf_addch(&out, '\n');
		}
	}
	for (size_t i = 0; i < ended->nr; i++) {
		if (!outcome_is_shown(ended, i, o->all))
			continue;
		outcome_describe_row(&ended->v[i], &out);
		strbuf_addch(&out, '\n');
	}
	(void)fputs(out.buf, stdout);
}

/* Warns of problems of existing sessions. */
static void
note_trouble(struct listing *l)
{
	for (size_t i = 0; i < l->nr; i++) {
		struct listed *s = &l->v[i];

		if (s->note != NULL || !s->recorded ||
		    s->state == SESSION_ENDED)
			continue;
		s->note = moved_describe(&s->record);
		if (s->note == NULL && s->proxy_gave_up)
			s->note = xasprintf("its proxy has ended and it "
					    "cannot reach any host: \"drydock "
					    "attach %s\" starts the proxy "
					    "again",
			    s->id);
		if (s->note != NULL)
			diag_warn("session %s: %s", s->id, s->note);
	}
}

/*
 * Warns of damaged sessions and sets status 1, for scripts that do not read the
 * states.
 */
static void
tell_damaged(struct context *ctx, const struct listing *l)
{
	for (size_t i = 0; i < l->nr; i++) {
		const struct listed *s = &l->v[i];

		if (s->state != SESSION_DAMAGED)
			continue;
		diag_warn("session %s is damaged: %s", s->id,
		    s->note != NULL ? s->note : "its record is incomplete");
		ctx->status = 1;
	}
}

/*
 * Reads the outcomes of ended sessions.  An outcome whose session directory
 * still exists is dropped, because the listing has that session.
 */
static void
read_ended(
    struct context *ctx, const struct listing *l, struct outcomes *ret_ended)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	size_t kept = 0;

	if (outcomes_read(ctx->paths, ret_ended, &dg) != 0) {
		diag_warn("%s", dg.message);
		return;
	}
	for (size_t i = 0; i < ret_ended->nr; i++) {
		struct outcome *o = &ret_ended->v[i];
		bool there = false;

		for (size_t n = 0; n < l->nr; n++)
			there = there || strcmp(l->v[n].id, o->id) == 0;
		if (there)
			outcome_release(o);
		else
			ret_ended->v[kept++] = *o;
	}
	ret_ended->nr = kept;
}

static int
list_run(struct context *ctx, struct diag *dg)
{
	const struct list_options *o = ctx->options;
	cleanup_listing struct listing listing = LISTING_INIT;
	cleanup_outcomes struct outcomes ended = OUTCOMES_INIT;
	cleanup_diag struct diag untold = DIAG_INIT;

	if (sessions_list(ctx, NULL, &listing, o->all ? &untold : NULL, dg) !=
	    0)
		return -1;
	note_trouble(&listing);
	read_ended(ctx, &listing, &ended);
	if (o->json && print_json(ctx, o, &listing, &ended, dg) != 0)
		return -1;
	if (!o->json)
		print_table(o, &listing, &ended);
	tell_damaged(ctx, &listing);
	if (listing.silent)
		return diag_set(dg, DIAG_ENGINE,
		    "the list is from records only: the engine does not answer");
	if (untold.class != DIAG_NONE) {
		diag_move(dg, &untold);
		return diag_wrap(
		    dg, "cannot list containers and images without a record");
	}
	return 0;
}

static const struct optdef list_optdefs[] = {
	{ "all", 'a', OPT_FLAG, offsetof(struct list_options, all), NULL,
	    "also all ended sessions, sessions that end with their client, "
	    "and containers and images with drydock's labels but no record" },
	{ "json", 'j', OPT_FLAG, offsetof(struct list_options, json), NULL,
	    "print JSON" },
	{ .name = NULL },
};

const struct cmd cmd_list = {
	.name = "list",
	.summary = "list the sessions and their states",
	.description =
	    "Lists the sessions of all projects, from records and engine "
	    "together: running (a terminal is attached), detached, starting, "
	    "stopped (attach starts it again), lost (the engine does not know "
	    "its container), foreign engine, engine silent, damaged, or a "
	    "container with drydock's labels but no session (orphan "
	    "container). Each project's last ended session follows, while its "
	    "outcome is kept (setting keep_ended): attach and logs print its "
	    "last screen. If a session is damaged, the status is 1.",
	.needs = CMD_NEED_SETTINGS,
	.options = list_optdefs,
	.options_size = sizeof(struct list_options),
	.run = list_run,
};
