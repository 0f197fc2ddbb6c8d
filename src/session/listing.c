/* SPDX-License-Identifier: MIT */
/*
 * Compares the records, which are a cache, with the engine's containers, and
 * what has drydock's labels with the records.
 */
#include "session/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/moment.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/built.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "host/mode.h"
#include "host/paths.h"
#include "session/companion.h"
#include "session/egress.h"
#include "session/links.h"
#include "session/look.h"

enum {
	SHORT_ID = 12
};

static int
by_id(const void *a, const void *b)
{
	const struct listed *x = a;
	const struct listed *y = b;

	return strcmp(x->id, y->id);
}

/* Appends a row in state SESSION_SILENT, borrowed until the next call. */
static struct listed *
listing_add(struct listing *l, const char *id)
{
	struct listed *s;

	l->v = xreallocarray(l->v, l->nr + 1, sizeof(*l->v));
	s = &l->v[l->nr++];
	*s = (struct listed){ .state = SESSION_SILENT,
		.record = RECORD_INIT,
		.servers = STRVEC_INIT };
	(void)memcpy(s->id, id, strnlen(id, SESSION_ID_SIZE - 1));
	return s;
}

/* Returns -1 if the directory is gone. */
static int
read_one(const struct paths *paths, struct listed *s)
{
	const struct look_spec spec = { .paths = paths };
	cleanup_session struct session session = SESSION_INIT;
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_diag struct diag unread = DIAG_INIT;

	if (session_open(paths, s->id, &session, &dg) != 0 ||
	    session_look(&spec, &session, &look, &dg) != 0) {
		if (dg.errnum == ENOENT)
			return -1;
		s->state = SESSION_DAMAGED;
		s->note = xstrdup(dg.message);
		return 0;
	}
	s->state = look.state;
	if (look.facts.damage != NULL)
		s->note = xstrdup(look.facts.damage->message);
	if (look.facts.record == NULL)
		return 0;
	links_ensure(paths, &session);
	s->recorded = true;
	s->record = look.record;
	look.record = (struct record)RECORD_INIT;
	s->companion = companion_present(session.dir_fd);
	/* A list that cannot be read is reported by "drydock port". */
	(void)portlist_read(session.dir_fd, &s->ports, &unread);
	if (strcmp(s->record.mode, mode_name(MODE_CONTAINED)) == 0)
		(void)egress_servers(
		    &session, &s->servers, &s->resolves, &unread);
	if (s->record.stopping_at != NULL)
		(void)session_is_leased(paths, s->id, &s->ending, &dg);
	return 0;
}

int
listing_records(
    const struct paths *paths, struct listing *ret_listing, struct diag *dg)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	struct listing l = LISTING_INIT;

	if (session_list_ids(paths, &ids, dg) != 0)
		return -1;
	for (size_t i = 0; i < ids.nr; i++) {
		struct listed *s = listing_add(&l, ids.v[i]);

		if (read_one(paths, s) != 0)
			l.nr--;
	}
	if (l.nr > 0)
		qsort(l.v, l.nr, sizeof(*l.v), by_id);
	*ret_listing = l;
	return 0;
}

static int
by_session(const void *a, const void *b)
{
	const struct container *x = a;
	const struct container *y = b;

	return strcmp(x->session, y->session);
}

void
containers_sort(struct container_list *list)
{
	if (list->nr > 0)
		qsort(list->v, list->nr, sizeof(*list->v), by_session);
}

struct container_list
containers_of(const struct container_list *sorted, const char *id)
{
	size_t low = 0;
	size_t high = sorted->nr;
	size_t end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(sorted->v[middle].session, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low;
	     end < sorted->nr && strcmp(sorted->v[end].session, id) == 0; end++)
		continue;
	/* An empty list has a NULL array, to which nothing may be added. */
	if (low == end)
		return (struct container_list)CONTAINER_LIST_INIT;
	return (struct container_list){ sorted->v + low, end - low };
}

/* Returns -1 if the session is gone. */
static int
judge_one(const struct paths *paths, const struct engine *engine,
    const struct container_list *sorted, struct listed *s)
{
	const struct container_list own = containers_of(sorted, s->id);
	const struct look_spec spec = { .paths = paths,
		.engine = engine,
		.containers = &own,
		.record_given = true,
		.record = s->recorded ? &s->record : NULL };
	cleanup_session struct session session = SESSION_INIT;
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (s->state == SESSION_DAMAGED)
		return 0;
	if (session_open(paths, s->id, &session, &dg) != 0)
		return dg.errnum == ENOENT ? -1 : 0;
	if (session_look(&spec, &session, &look, &dg) != 0)
		return 0;
	s->state = look.state;
	s->proxy_gave_up =
	    session_runs(s->state) && session_proxy_gave_up(&look.facts);
	return 0;
}

void
listed_release(struct listed *s)
{
	record_release(&s->record);
	strvec_release(&s->servers);
	free(s->container);
	free(s->image);
	free(s->name);
	free(s->role);
	free(s->status);
	free(s->session);
	free(s->state_id);
	free(s->note);
}

/* A session claimed after the directories were listed is no orphan. */
static void
add_orphans(const struct paths *paths, const struct container_list *list,
    struct listing *l)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct container *c = &list->v[i];
		cleanup_session struct session session = SESSION_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		struct listed *s;

		if (session_id_valid(c->session) &&
		    (session_open(paths, c->session, &session, &dg) == 0 ||
			dg.errnum != ENOENT))
			continue;
		s = listing_add(
		    l, session_id_valid(c->session) ? c->session : "-");
		s->state = SESSION_ORPHAN;
		s->container = xstrdup(c->id);
		s->note = xasprintf("container %.12s (%s)", c->id, c->role);
	}
}

int
listing_read(const struct paths *paths, const struct engine *engine,
    struct listing *ret_listing, struct diag *dg)
{
	cleanup_container_list struct container_list containers =
	    CONTAINER_LIST_INIT;
	cleanup_listing struct listing l = LISTING_INIT;
	cleanup_diag struct diag ask = DIAG_INIT;
	size_t kept = 0;

	if (listing_records(paths, &l, dg) != 0)
		return -1;
	if (engine != NULL &&
	    containers_find(engine, paths->state_id, &containers, &ask) != 0) {
		diag_warn("%s", ask.message);
		engine = NULL;
	}
	l.silent = engine == NULL;
	if (engine != NULL) {
		containers_sort(&containers);
		for (size_t i = 0; i < l.nr; i++) {
			if (judge_one(paths, engine, &containers, &l.v[i]) != 0)
				listed_release(&l.v[i]);
			else
				l.v[kept++] = l.v[i];
		}
		l.nr = kept;
		add_orphans(paths, &containers, &l);
	}
	*ret_listing = l;
	l = (struct listing)LISTING_INIT;
	return 0;
}

int
listing_match(const struct listing *listing, const char *word,
    const struct listed **ret_found, struct diag *dg)
{
	cleanup_strbuf struct strbuf ids = STRBUF_INIT;
	const struct listed *found = NULL;
	size_t len = strlen(word);
	size_t n = 0;

	for (size_t i = 0; i < listing->nr; i++) {
		const struct listed *s = &listing->v[i];

		if (len == 0 || strncmp(s->id, word, len) != 0 ||
		    s->state == SESSION_ORPHAN)
			continue;
		found = s;
		n++;
		strbuf_addf(&ids, " %s", s->id);
	}
	if (n == 0) {
		(void)diag_set(dg, DIAG_USAGE,
		    "no session \"%s\": see \"drydock list\"", word);
		dg->errnum = ENOENT;
		return -1;
	}
	if (n > 1)
		return diag_set(dg, DIAG_USAGE,
		    "several sessions start with \"%s\":%s", word, ids.buf);
	*ret_found = found;
	return 0;
}

bool
listed_is_attachable(const struct listed *s, const char *project)
{
	return s->recorded && s->record.launched_at != NULL && !s->ending &&
	    s->record.ended_at == NULL &&
	    (!s->record.ends_with_client || s->state == SESSION_STOPPED) &&
	    (project == NULL || strcmp(s->record.project, project) == 0) &&
	    (s->state == SESSION_RUNNING || s->state == SESSION_DETACHED ||
		s->state == SESSION_STARTING || s->state == SESSION_STOPPED ||
		s->state == SESSION_SILENT);
}

/* Appends text as a column: escaped, padded to width, at least one blank. */
static void
add_column(struct strbuf *out, const char *text, size_t width)
{
	size_t at = out->len;

	strbuf_add_escaped(out, text, strlen(text));
	do
		strbuf_addch(out, ' ');
	while (out->len - at < width);
}

void
listed_add_when(struct strbuf *out, const char *text, time_t now)
{
	static const struct {
		int64_t below; /* seconds */
		int64_t unit;
		const char *name;
	} units[] = {
		{ 3600, 60, "min" },
		{ INT64_C(24) * 3600, 3600, "h" },
		{ INT64_C(7) * 24 * 3600, INT64_C(24) * 3600, "d" },
	};
	struct timespec at;
	struct tm local;
	char date[sizeof("-2147483648-01-01")];
	int64_t age;

	if (!moment_parse(text, &at)) {
		strbuf_addstr(out, text);
		return;
	}
	age = (int64_t)now - at.tv_sec;
	if (age >= -60 && age < 60) {
		strbuf_addstr(out, "just now");
		return;
	}
	for (size_t i = 0; age > 0 && i < ARRAY_SIZE(units); i++) {
		if (age < units[i].below) {
			strbuf_addf(out, "%lld %s ago",
			    (long long)(age / units[i].unit), units[i].name);
			return;
		}
	}
	if (localtime_r(&at.tv_sec, &local) == NULL ||
	    strftime(date, sizeof(date), "%Y-%m-%d", &local) == 0)
		strbuf_addstr(out, text);
	else
		strbuf_addstr(out, date);
}

void
listed_add_row(struct strbuf *out, const struct listed_row *row)
{
	cleanup_strbuf struct strbuf when = STRBUF_INIT;

	listed_add_when(&when, row->created_at, time(NULL));
	add_column(out, row->id, 10);
	add_column(out, row->state, 18);
	add_column(out, row->agent, 10);
	add_column(out, row->mode, 11);
	add_column(out, when.buf, 13);
	strbuf_add_escaped(out, row->project, strlen(row->project));
}

void
listed_describe(const struct listed *s, struct strbuf *out)
{
	const struct record *r = &s->record;
	struct listed_row row = { s->id, session_state_name(s->state), "-", "-",
		"-", s->note != NULL ? s->note : "-" };

	if (s->recorded) {
		row.agent = r->agent;
		row.mode = r->mode;
		row.created_at = r->created_at;
		row.project = r->project;
	}
	listed_add_row(out, &row);
}

static int
find_images(const struct paths *paths, const struct engine *engine,
    struct image_list *ret_images, struct diag *dg)
{
	cleanup_built_list struct built_list built = BUILT_LIST_INIT;

	if (built_read(paths, &built, dg) != 0)
		return -1;
	return built_find_unknown(&built, engine, ret_images, dg);
}

static const char *
label_of(const struct image *image, const char *name)
{
	cleanup_free char *label = xasprintf(IMAGE_LABEL_PREFIX "%s", name);

	return envp_get((const char *const *)image->labels.v, label);
}

/* Returned: "image 0123456789ab (drydock-agent:mine; image=agent uid=1000)" */
static char *
image_words(const struct image *image)
{
	static const char *const shown[] = { "image", "uid" };
	cleanup_free char *tags = strvec_join(&image->tags, ", ");
	struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "image %.*s (%s;", SHORT_ID,
	    image->id + strlen("sha256:"), *tags != '\0' ? tags : "no tag");
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		const char *value = label_of(image, shown[i]);

		if (value != NULL)
			strbuf_addf(&out, " %s=%s", shown[i], value);
	}
	strbuf_addstr(&out, ")");
	return strbuf_detach(&out, NULL);
}

int
listing_warn_images(
    const struct paths *paths, const struct engine *engine, struct diag *dg)
{
	cleanup_image_list struct image_list images = IMAGE_LIST_INIT;
	cleanup_free char *own_uid =
	    xasprintf("%lu", (unsigned long)paths->uid);

	if (find_images(paths, engine, &images, dg) != 0)
		return -1;
	for (size_t i = 0; i < images.nr; i++) {
		cleanup_free char *words = image_words(&images.v[i]);
		const char *uid = label_of(&images.v[i], "uid");

		if (uid != NULL && strcmp(uid, own_uid) != 0)
			continue;
		diag_warn(
		    "%s has drydock's labels, but this user's \"drydock "
		    "build\" did not record it: this user never runs it; if "
		    "it is no other user's, \"docker image rm %.*s\" removes "
		    "it",
		    words, SHORT_ID, images.v[i].id + strlen("sha256:"));
	}
	return 0;
}

static void
add_image(struct listing *listing, const struct image *image)
{
	struct listed *s = listing_add(listing, "-");
	cleanup_free char *words = image_words(image);

	s->state = SESSION_UNKNOWN_IMAGE;
	s->image = xstrdup(image->id);
	s->note = xasprintf("%s: this user never runs it; if it is no other "
			    "user's, \"docker image rm %.*s\" removes it",
	    words, SHORT_ID, image->id + strlen("sha256:"));
}

static const char *
or_dash(const char *word)
{
	return *word != '\0' ? word : "-";
}

static void
add_container(struct listing *listing, const struct container *c)
{
	/*
	 * The session id in its label is unconfirmed, so it is not used here.
	 */
	struct listed *s = listing_add(listing, "-");

	s->state = SESSION_UNKNOWN_CONTAINER;
	s->container = xstrdup(c->id);
	s->name = xstrdup(c->name + (c->name[0] == '/' ? 1 : 0));
	s->role = xstrdup(c->role);
	s->status = xstrdup(container_state_name(c->state));
	s->session = xstrdup(c->session);
	s->state_id = xstrdup(c->state_id);
	s->note =
	    xasprintf("container %.*s (%s, session %s, role %s, state %s, "
		      "%s): left alone; \"docker rm -f %.*s\" removes it",
		SHORT_ID, c->id, s->name, or_dash(c->session), or_dash(c->role),
		or_dash(c->state_id), s->status, SHORT_ID, c->id);
}

/*
 * Returns true if a record has this container, or if the listing shows it as an
 * orphan.  A session without a record may be a launch in progress, and has a
 * line of its own.
 */
static bool
is_explained(const struct paths *paths, const struct engine *engine,
    const struct container_list *sorted, const struct listing *listing,
    const struct container *c)
{
	const struct container_list own = containers_of(sorted, c->session);
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	struct session_facts facts;

	if (strcmp(c->state_id, paths->state_id) != 0)
		return false;
	for (size_t i = 0; i < listing->nr; i++) {
		const struct listed *s = &listing->v[i];

		if (s->container != NULL && strcmp(s->container, c->id) == 0)
			return true;
		if (strcmp(s->id, c->session) != 0)
			continue;
		if (!s->recorded)
			return true;
		facts = session_facts_of(
		    c->session, &s->record, paths, engine, &own);
		session_own_ids(&facts, &ids);
		return strvec_has(&ids, c->id);
	}
	return false;
}

int
listing_add_strangers(const struct paths *paths, const struct engine *engine,
    struct listing *listing, struct diag *dg)
{
	cleanup_container_list struct container_list containers =
	    CONTAINER_LIST_INIT;
	cleanup_image_list struct image_list images = IMAGE_LIST_INIT;
	size_t known = listing->nr;

	if (containers_find_labelled(
		engine, "io.drydock.session", &containers, dg) != 0 ||
	    find_images(paths, engine, &images, dg) != 0)
		return -1;
	containers_sort(&containers);
	for (size_t i = 0; i < containers.nr; i++) {
		/* Entries that were added here do not count. */
		const struct listing before = { listing->v, known, false };

		if (!is_explained(
			paths, engine, &containers, &before, &containers.v[i]))
			add_container(listing, &containers.v[i]);
	}
	for (size_t i = 0; i < images.nr; i++)
		add_image(listing, &images.v[i]);
	return 0;
}

void
listing_release(struct listing *listing)
{
	for (size_t i = 0; i < listing->nr; i++)
		listed_release(&listing->v[i]);
	free(listing->v);
	*listing = (struct listing)LISTING_INIT;
}
