/* SPDX-License-Identifier: MIT */
/* Saves the outcomes of sessions in ended/, reads them and prunes them. */
#include "session/outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "guest/wire.h"
#include "host/paths.h"
#include "host/settings.h"
#include "plan/role.h"
#include "session/listing.h"
#include "session/record.h"
#include "session/session.h"
#include "session/status.h"
#include "terminal/screentext.h"

#define OUTCOME_NAME "outcome.json"

enum {
	OUTCOME_VERSION = 1,
	FILE_MAX = 512 * 1024,
	SCREEN_BYTES = 32 * 1024, /* of screen text */
	SCREEN_HEAD = 16, /* "65535 65535\n" fits */
};

static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	{ "id", offsetof(struct outcome, id) },
	{ "project", offsetof(struct outcome, project) },
	{ "agent", offsetof(struct outcome, agent) },
	{ "mode", offsetof(struct outcome, mode) },
	{ "kind", offsetof(struct outcome, kind) },
	{ "created_at", offsetof(struct outcome, created_at) },
	{ "ended_at", offsetof(struct outcome, ended_at) },
};

static char **
field_of(struct outcome *o, size_t i)
{
	return (char **)(void *)((char *)o + fields[i].offset);
}

void
outcome_release(struct outcome *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		free(*field_of(o, i));
	refused_release(&o->refused);
	signatures_release(&o->signatures);
	strvec_release(&o->screen);
	*o = (struct outcome)OUTCOME_INIT;
}

void
outcomes_release(struct outcomes *outcomes)
{
	for (size_t i = 0; i < outcomes->nr; i++)
		outcome_release(&outcomes->v[i]);
	free(outcomes->v);
	*outcomes = (struct outcomes)OUTCOMES_INIT;
}

static void
read_screen(int session_fd, struct strvec *lines)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strvec struct strvec all = STRVEC_INIT;
	cleanup_close int fd = -1;
	unsigned rows = 0;
	unsigned columns = 0;
	const char *eol;
	size_t bytes = 0;
	size_t from;
	size_t head = 0;

	if (fs_open_own_dir(
		session_fd, mount_roles[MOUNT_RUN].below, &fd, &ignored) != 0 ||
	    fs_read_file(
		fd, WIRE_SCREEN_NAME, WIRE_SCREEN_MAX, &text, &ignored) != 0)
		return;
	/* The first line is the screen's size, if it is there. */
	eol = memchr(
	    text.buf, '\n', text.len < SCREEN_HEAD ? text.len : SCREEN_HEAD);
	/* NOLINTNEXTLINE(cert-err34-c): five digits are in range */
	if (eol != NULL && sscanf(text.buf, "%5u %5u", &rows, &columns) == 2)
		head = (size_t)(eol - text.buf) + 1;
	screentext_render(
	    text.buf + head, text.len - head, rows, columns, &all);
	for (from = all.nr; from > 0; from--) {
		bytes += strlen(all.v[from - 1]) + 1;
		if (bytes > SCREEN_BYTES)
			break;
	}
	for (; from < all.nr; from++)
		strvec_push(lines, all.v[from]);
}

void
outcome_gather(const struct session_facts *facts, int session_fd,
    struct outcome *ret_outcome)
{
	const struct record *r = facts->record;
	const struct container *agent = session_container(facts, "agent");
	cleanup_diag struct diag unread = DIAG_INIT;
	cleanup_diag struct diag no_log = DIAG_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct outcome o = OUTCOME_INIT;
	bool noted = false;
	int status = -1;

	o.id = xstrdup(facts->id);
	o.project = xstrdup(r->project);
	o.agent = xstrdup(r->agent);
	o.mode = xstrdup(r->mode);
	o.kind = xstrdup(r->kind);
	o.created_at = xstrdup(r->created_at);
	o.ends_with_client = r->ends_with_client;
	o.stopped = r->stopping_at != NULL;
	if (agent != NULL && agent->state == CONTAINER_EXITED)
		o.ended_at = xstrdup(agent->finished_at);
	else
		o.ended_at =
		    r->ended_at != NULL ? xstrdup(r->ended_at) : moment_now();
	/*
	 * "drydock stop" collects the facts before it stops the command: read
	 * the note now.
	 */
	if (facts->noted ||
	    (endnote_read(session_fd, &noted, &status, &unread) == 0 && noted))
		o.status = facts->noted ? facts->noted_status : status;
	else if (agent != NULL && agent->state == CONTAINER_EXITED)
		o.status = agent->exit_code;
	limitsmet_read(&o.met, session_fd);
	if (refused_read(&o.refused, session_fd, &no_log) != 0)
		diag_warn("the outcome of session %s has no refused hosts: %s",
		    o.id, no_log.message);
	if (signatures_read(&o.signatures, session_fd, &dg) != 0)
		diag_warn("the outcome of session %s has no signatures of the "
			  "ssh agent: %s",
		    o.id, dg.message);
	read_screen(session_fd, &o.screen);
	*ret_outcome = o;
}

static void
write_met(const struct limitsmet *met, struct jsonw *w)
{
	jsonw_key_object(w, "limits");
	for (size_t i = 0; i < LIMITS_NR; i++) {
		if (met->count[i] == 0)
			continue;
		jsonw_key(w, limitsmet_name(i));
		jsonw_open_object(w);
		jsonw_key_int(w, "count", met->count[i]);
		jsonw_key_int(w, "limit", met->limit[i]);
		jsonw_close_object(w);
	}
	jsonw_close_object(w);
}

static void
write_refused(const struct refused *r, struct jsonw *w)
{
	jsonw_key(w, "refused");
	if (r->unknown) {
		jsonw_null(w);
		return;
	}
	jsonw_open_array(w);
	for (size_t i = 0; i < r->nr; i++) {
		cleanup_strbuf struct strbuf host = STRBUF_INIT;

		/* JSON must be valid UTF-8; a name from the agent may not be. */
		strbuf_add_escaped(&host, r->v[i].name, strlen(r->v[i].name));
		jsonw_open_object(w);
		jsonw_key_str(w, "host", host.buf);
		jsonw_key_int(w, "count", r->v[i].count);
		jsonw_key_bool(w, "allowable", r->v[i].allowable);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	jsonw_key_int(w, "refused_more", r->more);
}

void
outcome_write(const struct outcome *o, struct jsonw *w)
{
	jsonw_open_object(w);
	jsonw_key_int(w, "version", OUTCOME_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const void *at = (const char *)o + fields[i].offset;

		jsonw_key_str(w, fields[i].name, *(char *const *)at);
	}
	jsonw_key_str(w, "state", "ended");
	jsonw_key_bool(w, "ends_with_client", o->ends_with_client);
	jsonw_key_bool(w, "stopped", o->stopped);
	if (o->status >= 0)
		jsonw_key_int(w, "status", o->status);
	write_met(&o->met, w);
	write_refused(&o->refused, w);
	signatures_write(&o->signatures, w);
	jsonw_key_strvec(w, "screen", &o->screen);
	jsonw_close_object(w);
}

static void
parse_details(const struct json *root, struct outcome *o)
{
	const struct json *limits = json_get(root, "limits");
	const struct json *refused = json_get(root, "refused");
	const struct json *screen = json_get(root, "screen");

	for (size_t i = 0; i < LIMITS_NR; i++) {
		const struct json *met = json_get(limits, limitsmet_name(i));

		o->met.count[i] = json_count_or(json_get(met, "count"), 0);
		o->met.limit[i] = json_count_or(json_get(met, "limit"), 0);
	}
	for (size_t i = 0; json_is_array(refused) && i < json_len(refused);
	     i++) {
		const struct json *h = json_at(refused, i);

		refused_add(&o->refused,
		    json_string_or(json_get(h, "host"), ""),
		    json_bool(json_get(h, "allowable"), false),
		    json_count_or(json_get(h, "count"), 1));
	}
	o->refused.unknown = json_is_null(refused);
	o->refused.more += json_count_or(json_get(root, "refused_more"), 0);
	signatures_restore(&o->signatures, root);
	for (size_t i = 0; json_is_array(screen) && i < json_len(screen); i++)
		strvec_push(&o->screen, json_string_or(json_at(screen, i), ""));
}

int
outcome_parse(
    const char *text, size_t len, struct outcome *ret_outcome, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	cleanup_outcome struct outcome o = OUTCOME_INIT;
	int64_t status;

	if (json_parse(
		text, len, "the record of an ended session", &root, dg) != 0)
		return -1;
	if (json_count_or(json_get(root, "version"), -1) != OUTCOME_VERSION)
		return diag_set(dg, DIAG_DATA,
		    "the record of an ended session: version is not %d",
		    OUTCOME_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *value = json_string(json_get(root, fields[i].name));

		if (value == NULL)
			return diag_set(dg, DIAG_DATA,
			    "the record of an ended session: no %s",
			    fields[i].name);
		*field_of(&o, i) = xstrdup(value);
	}
	if (!session_id_valid(o.id))
		return diag_set(dg, DIAG_DATA,
		    "the record of an ended session: \"%s\" is not an id",
		    o.id);
	o.ends_with_client =
	    json_bool(json_get(root, "ends_with_client"), false);
	o.stopped = json_bool(json_get(root, "stopped"), false);
	status = json_count_or(json_get(root, "status"), -1);
	o.status = status <= 255 ? (int)status : -1;
	parse_details(root, &o);
	*ret_outcome = o;
	o = (struct outcome)OUTCOME_INIT;
	return 0;
}

static int
open_dir(const struct paths *paths, int *ret_fd, struct diag *dg)
{
	return fs_open_nolinks(
	    paths->state_fd, ENDED_DIR, O_RDONLY | O_DIRECTORY, 0, ret_fd, dg);
}

/* Parses "ID", then suffix; returns false for any other name. */
static bool
id_of(const char *name, const char *suffix, char ret_id[SESSION_ID_SIZE])
{
	if (strlen(name) != SESSION_ID_SIZE - 1 + strlen(suffix) ||
	    strcmp(name + SESSION_ID_SIZE - 1, suffix) != 0)
		return false;
	memcpy(ret_id, name, SESSION_ID_SIZE - 1);
	ret_id[SESSION_ID_SIZE - 1] = '\0';
	return session_id_valid(ret_id);
}

static int
read_at(int dir_fd, const char *id, struct outcome *ret, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = xasprintf("%s" ENDED_OUTCOME, id);

	if (fs_read_file(dir_fd, name, FILE_MAX, &text, dg) != 0)
		return -1;
	if (outcome_parse(text.buf, text.len, ret, dg) != 0)
		return diag_wrap(dg, ENDED_DIR "/%s", name);
	return 0;
}

int
outcome_read(const struct paths *paths, const char *id,
    struct outcome *ret_outcome, struct diag *dg)
{
	cleanup_close int fd = -1;

	if (open_dir(paths, &fd, dg) != 0)
		return -1;
	return read_at(fd, id, ret_outcome, dg);
}

static int
latest_first(const void *a, const void *b)
{
	const struct outcome *x = a;
	const struct outcome *y = b;

	return strcmp(y->ended_at, x->ended_at);
}

int
outcomes_read(
    const struct paths *paths, struct outcomes *ret_outcomes, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_outcomes struct outcomes all = OUTCOMES_INIT;
	cleanup_close int fd = -1;
	char id[SESSION_ID_SIZE];

	*ret_outcomes = (struct outcomes)OUTCOMES_INIT;
	if (open_dir(paths, &fd, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (fs_list_names(fd, ENDED_DIR, &names, dg) != 0)
		return -1;
	all.v = xcalloc(names.nr + 1, sizeof(*all.v));
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_diag struct diag one = DIAG_INIT;

		if (!id_of(names.v[i], ENDED_OUTCOME, id))
			continue;
		if (read_at(fd, id, &all.v[all.nr], &one) == 0)
			all.nr++;
		else if (one.errnum != ENOENT)
			diag_warn("%s", one.message);
	}
	qsort(all.v, all.nr, sizeof(*all.v), latest_first);
	*ret_outcomes = all;
	all = (struct outcomes)OUTCOMES_INIT;
	return 0;
}

const struct outcome *
outcomes_find(const struct outcomes *outcomes, const char *word)
{
	const struct outcome *found = NULL;
	size_t len = strlen(word);

	for (size_t i = 0; len > 0 && i < outcomes->nr; i++) {
		if (strncmp(outcomes->v[i].id, word, len) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = &outcomes->v[i];
	}
	return found;
}

static void
remove_of(int dir_fd, const struct outcome *o)
{
	cleanup_free char *name = xasprintf("%s" ENDED_OUTCOME, o->id);
	cleanup_free char *watched = xasprintf("%s" ENDED_WATCHED, o->id);

	(void)unlinkat(dir_fd, name, 0);
	(void)unlinkat(dir_fd, watched, 0);
}

/*
 * Removes outcomes of a project beyond the limit, the oldest first.  Outcomes
 * of sessions that end with their client go before all others: that client has
 * already shown the end.
 */
static void
drop_beyond(const struct paths *paths, int dir_fd, const char *project)
{
	cleanup_outcomes struct outcomes all = OUTCOMES_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	size_t detached = 0;
	size_t seen = 0;

	if (fs_list_names(dir_fd, ENDED_DIR, &names, &ignored) != 0 ||
	    names.nr <= OUTCOME_PER_PROJECT ||
	    outcomes_read(paths, &all, &ignored) != 0)
		return;
	for (size_t i = 0; i < all.nr; i++)
		if (strcmp(all.v[i].project, project) == 0 &&
		    !all.v[i].ends_with_client &&
		    ++detached > OUTCOME_PER_PROJECT)
			remove_of(dir_fd, &all.v[i]);
	for (size_t i = 0; i < all.nr; i++)
		if (strcmp(all.v[i].project, project) == 0 &&
		    all.v[i].ends_with_client &&
		    ++seen + detached > OUTCOME_PER_PROJECT)
			remove_of(dir_fd, &all.v[i]);
}

int
outcome_keep(const struct paths *paths, const struct outcome *outcome,
    int session_fd, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = xasprintf("%s" ENDED_OUTCOME, outcome->id);
	struct jsonw *w = jsonw_new(true);
	cleanup_close int fd = -1;

	outcome_write(outcome, w);
	/*
	 * Write the file in the session's directory first: if drydock is
	 * killed, the partial file is removed together with the session.
	 */
	if (jsonw_finish(w, &text, dg) != 0 ||
	    fs_make_dir(paths->state_fd, ENDED_DIR, 0700, &fd, dg) != 0 ||
	    fs_replace_file(
		session_fd, OUTCOME_NAME, text.buf, text.len, 0600, dg) != 0)
		return diag_wrap(dg, "save the session's outcome");
	if (renameat(session_fd, OUTCOME_NAME, fd, name) != 0 || fsync(fd) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "save the session's outcome");
	drop_beyond(paths, fd, outcome->project);
	return 0;
}

/*
 * Removes an entry of ended/, if it is one of an ended session: its outcome, its
 * watched files (changes.h), or what a restore replaced (restore.h).
 */
static int
prune_one(int dir_fd, const char *name, struct diag *dg)
{
	char id[SESSION_ID_SIZE];

	if (id_of(name, ENDED_KEPT, id))
		return fs_remove_tree(dir_fd, name, dg);
	if ((id_of(name, ENDED_OUTCOME, id) ||
		id_of(name, ENDED_WATCHED, id)) &&
	    unlinkat(dir_fd, name, 0) != 0 && errno != ENOENT)
		return diag_set_errno(dg, DIAG_IO, errno, "remove");
	return 0;
}

size_t
outcomes_prune(const struct paths *paths, const struct settings *settings)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	int64_t now = (int64_t)time(NULL);
	size_t failed = 0;

	if (open_dir(paths, &fd, &dg) != 0 ||
	    fs_list_names(fd, ENDED_DIR, &names, &dg) != 0) {
		if (dg.errnum != ENOENT)
			diag_warn("%s", dg.message);
		return dg.errnum != ENOENT;
	}
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_diag struct diag one = DIAG_INIT;
		struct stat st;

		if (fstatat(fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    (now - (int64_t)st.st_mtime) * 1000 <
			settings->keep_ended_ms)
			continue;
		if (prune_one(fd, names.v[i], &one) != 0) {
			diag_warn(ENDED_DIR "/%s: %s", names.v[i], one.message);
			failed++;
		}
	}
	return failed;
}

void
outcome_tell(const struct outcome *o, const struct paths *paths)
{
	cleanup_strbuf struct strbuf met = STRBUF_INIT;

	limitsmet_describe(&o->met, o->status, &met);
	if (met.len > 0)
		diag_note("%s", met.buf);
	refused_tell(&o->refused, paths, o->project, o->agent);
	signatures_tell(&o->signatures);
}

void
outcome_describe(const struct outcome *o, struct strbuf *out)
{
	strbuf_addf(out, "session %s %s ", o->id,
	    o->stopped ? "was stopped by drydock stop" : "has ended");
	if (o->status >= 0)
		strbuf_addf(out, "with status %d ", o->status);
	strbuf_addstr(out, "at ");
	strbuf_add_escaped(out, o->ended_at, strlen(o->ended_at));
}

void
outcome_describe_row(const struct outcome *o, struct strbuf *out)
{
	cleanup_free char *state = o->stopped || o->status < 0
	    ? xstrdup("ended")
	    : xasprintf("ended, status %d", o->status);
	const struct listed_row row = { o->id, state, o->agent, o->mode,
		o->created_at, o->project };

	listed_add_row(out, &row);
}
