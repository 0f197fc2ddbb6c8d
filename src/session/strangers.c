/* SPDX-License-Identifier: MIT */
/* Compares what has drydock's labels with drydock's records. */
#include "session/strangers.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/built.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "host/paths.h"
#include "session/listing.h"
#include "session/status.h"

enum {
	SHORT_ID = 12
};

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
strangers_warn_images(
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
strangers_list(const struct paths *paths, const struct engine *engine,
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
