/* SPDX-License-Identifier: MIT */
/* image-use: finds the sessions, settings and builds that need an image. */
#include "session/image-use.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/lock.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/build.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"
#include "host/toolchain.h"
#include "host/trusted.h"
#include "session/images.h"
#include "session/record.h"
#include "session/session.h"

#define PROJECTS "projects"
#define LOCK_FILE "image-use.lock"

/* Added only if the image has no other user. */
static const char the_environment[] = "the environment";

/* Stores why not all uses are known; no image is then removed. */
static void
not_known(struct image_uses *uses, const char *user, const char *why)
{
	if (uses->unknown == NULL)
		uses->unknown = xasprintf("%s: %s", user, why);
}

static void
add_user(struct image_uses *uses, const char *image, const char *user)
{
	for (size_t i = 0; i < uses->nr; i++)
		if (strcmp(uses->v[i].entry->image, image) == 0 &&
		    !strvec_has(&uses->v[i].users, user) &&
		    (user != the_environment || uses->v[i].users.nr == 0))
			strvec_push(&uses->v[i].users, user);
}

static void
add_session(struct image_uses *uses, const struct paths *paths, const char *id)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_record struct record record = RECORD_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *user = xasprintf("session %s", id);

	if (session_open(paths, id, &session, &dg) != 0) {
		if (dg.errnum != ENOENT)
			not_known(uses, user, dg.message);
		return;
	}
	if (record_read(session.dir_fd, &record, &dg) != 0) {
		not_known(uses, user, dg.message);
		return;
	}
	/* A launch records its images some time after it chose them. */
	if (record.ncontainers == 0 && record.ended_at == NULL)
		not_known(uses, user, "it is being launched");
	for (size_t i = 0; i < record.ncontainers; i++)
		if (record.containers[i].image != NULL)
			add_user(uses, record.containers[i].image, user);
}

/* Adds user to the images that a launch with these settings would use. */
static int
add_settings(struct image_uses *uses, const struct image_uses_spec *spec,
    const struct settings *settings, const char *user,
    struct context_files **filesp, struct diag *dg)
{
	static const enum build_kind kinds[] = { BUILD_AGENT, BUILD_EGRESS };
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_toolchains struct toolchains toolchains = TOOLCHAINS_INIT;
	cleanup_diag struct diag bad = DIAG_INIT;
	const struct images_spec images = {
		.engine = spec->engine,
		.recipe = { settings, &agent, &toolchains, spec->paths },
	};

	if (agent_choose(&agent, settings, spec->paths, &bad) != 0 ||
	    toolchains_load(
		&toolchains, &settings->toolchains, spec->paths, &bad) != 0) {
		not_known(uses, user, bad.message);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		cleanup_image struct image image = IMAGE_INIT;
		cleanup_strbuf struct strbuf differs = STRBUF_INIT;
		char digest[DIGEST_HEX_SIZE];

		/* The choice of a launch depends on the digest. */
		if ((*filesp == NULL &&
			context_read(spec->paths, filesp, &bad) != 0) ||
		    build_context_digest(kinds[i], &images.recipe, *filesp,
			digest, NULL, &bad) != 0) {
			not_known(uses, user, bad.message);
			return 0;
		}
		if (images_find(
			&images, kinds[i], filesp, &image, &differs, dg) != 0)
			return -1;
		if (image.id != NULL)
			add_user(uses, image.id, user);
	}
	return 0;
}

/* Adds the images for drydock.conf, or for the project of key if not NULL. */
static int
add_files(struct image_uses *uses, const struct image_uses_spec *spec,
    const char *key, struct context_files **filesp, struct diag *dg)
{
	static const char *const no_environment[] = { NULL };
	cleanup_free char *config =
	    key != NULL ? xasprintf(PROJECTS "/%s", key) : NULL;
	cleanup_settings struct settings settings;
	cleanup_diag struct diag bad = DIAG_INIT;
	const struct project project = { .config = config, .fd = -1 };
	const char *user = key != NULL ? config : "drydock.conf";

	settings_init(&settings);
	if (settings_load(&settings, spec->paths, no_environment, &bad) != 0 ||
	    (key != NULL &&
		settings_load_project(&settings, spec->paths, &project, &bad) !=
		    0)) {
		not_known(uses, user, bad.message);
		return 0;
	}
	/* Without settings of its own a project uses the images of all. */
	if (key != NULL && !settings.of_project)
		return 0;
	return add_settings(uses, spec, &settings, user, filesp, dg);
}

static int
add_projects(struct image_uses *uses, const struct image_uses_spec *spec,
    struct context_files **filesp, struct diag *dg)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	cleanup_close int fd = -1;

	if (paths_open_config(
		spec->paths, PROJECTS, TRUSTED_DIRECTORY, &fd, dg) != 0)
		return -1;
	if (fd == -1)
		return 0;
	if (fs_list_names(fd, PROJECTS, &keys, dg) != 0)
		return -1;
	for (size_t i = 0; i < keys.nr; i++)
		if (add_files(uses, spec, keys.v[i], filesp, dg) != 0)
			return -1;
	return 0;
}

/* Builds use the newest base of each release. */
static void
add_bases(struct image_uses *uses)
{
	cleanup_strvec struct strvec seen = STRVEC_INIT;

	for (size_t i = uses->nr; i-- > 0;) {
		struct image_use *use = &uses->v[i];

		if (strcmp(use->entry->kind, BUILT_BASE) != 0 ||
		    use->image.id == NULL ||
		    strvec_has(&seen, use->entry->context))
			continue;
		strvec_push(&seen, use->entry->context);
		strvec_push(&use->users, "build --bootstrap");
	}
}

static int
add_images(
    struct image_uses *uses, const struct engine *engine, struct diag *dg)
{
	uses->v = xcalloc(uses->built.nr + 1, sizeof(*uses->v));
	for (size_t i = 0; i < uses->built.nr; i++) {
		const struct built *entry = &uses->built.v[i];
		struct image_use *use = &uses->v[uses->nr];

		if (!built_is_of(entry, engine) ||
		    built_find(&uses->built, engine, entry->image) != entry)
			continue;
		*use = (struct image_use){ .entry = entry,
			.image = IMAGE_INIT,
			.own_size = -1,
			.users = STRVEC_INIT };
		uses->nr++;
		if (image_inspect(engine, entry->image, &use->image, dg) != 0)
			return -1;
	}
	return 0;
}

int
image_uses_read(const struct image_uses_spec *spec, struct image_uses *ret_uses,
    struct diag *dg)
{
	cleanup_image_uses struct image_uses uses = IMAGE_USES_INIT;
	cleanup_context_files struct context_files *files = NULL;
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	if (built_read(spec->paths, &uses.built, dg) != 0 ||
	    add_images(&uses, spec->engine, dg) != 0 ||
	    session_list_ids(spec->paths, &ids, dg) != 0)
		return -1;
	for (size_t i = 0; i < ids.nr; i++)
		add_session(&uses, spec->paths, ids.v[i]);
	if (add_files(&uses, spec, NULL, &files, dg) != 0 ||
	    add_settings(&uses, spec, spec->settings, the_environment, &files,
		dg) != 0 ||
	    add_projects(&uses, spec, &files, dg) != 0)
		return -1;
	add_bases(&uses);
	*ret_uses = uses;
	uses = (struct image_uses)IMAGE_USES_INIT;
	return 0;
}

void
image_use_describe(const struct image_use *use, struct strbuf *out)
{
	const struct built *entry = use->entry;

	if (strcmp(entry->kind, BUILT_BASE) == 0)
		strbuf_addf(out, "base %s", entry->context);
	else if (entry->user == NULL)
		strbuf_addstr(out, "proxy");
	else
		strbuf_addstr(
		    out, entry->recipe != NULL ? entry->recipe : "agent");
}

/* Returned: why an unneeded image must stay, or NULL. */
static char *
find_obstacle(const struct image_use *use, const struct paths *paths)
{
	const struct built *entry = use->entry;
	const struct strvec *tags = &use->image.tags;

	/*
	 * The name service may have failed for now: then the next launch may
	 * use this image.
	 */
	if (paths->account_home == NULL && entry->user != NULL &&
	    entry->uid == paths->uid && strcmp(entry->user, paths->user) != 0)
		return xasprintf("it is for %s, and uid %lu has no name now",
		    entry->user, (unsigned long)paths->uid);
	if (!built_labels_match(entry, &use->image))
		return xasprintf("its labels differ from the record");
	if (tags->nr > 1)
		return xasprintf(
		    "it has several names: type \"docker image rm %s\"",
		    tags->v[0]);
	if (tags->nr == 1 && strncmp(tags->v[0], "drydock-", 8) != 0)
		return xasprintf(
		    "it has the name %s, which drydock did not give",
		    tags->v[0]);
	return NULL;
}

static int
remove_one(const struct image_use *use, const struct image_uses_spec *spec,
    const struct image_removal *removal, struct strvec *gone, struct diag *dg)
{
	cleanup_free char *why = NULL;

	if (use->image.id == NULL) {
		strvec_push(gone, use->entry->image);
		return 0;
	}
	why = find_obstacle(use, spec->paths);
	if (why == NULL && !removal->dry_run &&
	    image_remove(spec->engine, use->image.id, &why, dg) != 0)
		return -1;
	if (why == NULL)
		strvec_push(gone, use->entry->image);
	removal->on_image(removal->arg, use, why);
	return 0;
}

int
image_use_hold(
    const struct paths *paths, int timeout_ms, int *ret_fd, struct diag *dg)
{
	enum lock_answer answer;

	if (lock_wait_shared(
		paths->state_fd, LOCK_FILE, 0, &answer, ret_fd, dg) != 0)
		return -1;
	if (answer == LOCK_WON)
		return 0;
	diag_note("drydock gc --images is running: waiting for it");
	if (lock_wait_shared(paths->state_fd, LOCK_FILE, timeout_ms, &answer,
		ret_fd, dg) != 0)
		return -1;
	if (answer == LOCK_WON)
		return 0;
	return diag_set(dg, DIAG_BUSY,
	    "drydock gc --images holds %s/" LOCK_FILE ": try again",
	    paths->state_dir);
}

int
image_uses_remove(const struct image_uses_spec *spec,
    const struct image_removal *removal, struct diag *dg)
{
	cleanup_image_uses struct image_uses uses = IMAGE_USES_INIT;
	cleanup_strvec struct strvec gone = STRVEC_INIT;
	cleanup_diag struct diag more = DIAG_INIT;
	cleanup_close int lock_fd = -1;
	cleanup_close int use_fd = -1;
	enum lock_answer answer;
	int ret = 0;

	/* The lock excludes a build, whose images are not recorded yet. */
	if (built_lock(spec->paths, 0, &lock_fd, dg) != 0 ||
	    lock_try(spec->paths->state_fd, LOCK_FILE, true, &answer, &use_fd,
		dg) != 0)
		return diag_wrap(dg, "no image is removed");
	/* A launch has chosen images that no record names. */
	if (answer != LOCK_WON)
		return diag_set(dg, DIAG_BUSY,
		    "no image is removed: a session is being launched");
	if (image_uses_read(spec, &uses, dg) != 0)
		return diag_wrap(dg, "no image is removed");
	if (uses.unknown != NULL)
		return diag_set(
		    dg, DIAG_BUSY, "no image is removed: %s", uses.unknown);
	for (size_t i = 0; i < uses.nr && ret == 0; i++)
		if (uses.v[i].users.nr == 0)
			ret = remove_one(&uses.v[i], spec, removal, &gone, dg);
	if (removal->dry_run || gone.nr == 0)
		return ret;
	if (ret == 0)
		return built_forget(spec->paths, spec->engine, &gone, dg);
	/* Forget the images that were removed before the failure. */
	if (built_forget(spec->paths, spec->engine, &gone, &more) != 0)
		diag_warn("%s", more.message);
	return -1;
}

void
image_uses_release(struct image_uses *uses)
{
	for (size_t i = 0; i < uses->nr; i++) {
		image_release(&uses->v[i].image);
		strvec_release(&uses->v[i].users);
	}
	free(uses->v);
	free(uses->unknown);
	built_list_release(&uses->built);
	*uses = (struct image_uses)IMAGE_USES_INIT;
}
