/* SPDX-License-Identifier: MIT */
/* build: builds and verifies an image, step by step. */
#include "engine/build.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/monotime.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/bootstrap.h"
#include "engine/buildkit.h"
#include "engine/built.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/hostconf.h"
#include "engine/image.h"
#include "engine/inimage.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/settings.h"

/* Marks the new name of an image whose name a newer image took. */
#define OLD_NAME "-old-"

static int
check_base(const char *reference, const struct image *image, struct diag *dg)
{
	const char *instruction = image_acts_by(image);

	if (image->id == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "base image %s is not there after it was made", reference);
	if (instruction != NULL)
		return diag_set(dg, DIAG_POLICY,
		    "base image %s has a %s: such an image is not built on",
		    reference, instruction);
	for (size_t i = 0; i < image->labels.nr; i++) {
		const char *label = image->labels.v[i];

		if (strncmp(label, IMAGE_LABEL_PREFIX,
			strlen(IMAGE_LABEL_PREFIX)) == 0 &&
		    strcmp(label, IMAGE_BASE_LABEL) != 0)
			return diag_set(dg, DIAG_POLICY,
			    "base image %s has the label %s, which is "
			    "drydock's own",
			    reference, label);
	}
	return 0;
}

static int
pull(const struct engine *engine, const struct settings *settings,
    const char *reference, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	const char *const args[] = { "pull", "--quiet", "--", reference, NULL };
	struct engine patient = *engine;
	cleanup_diag struct diag why = DIAG_INIT;

	patient.timeout_ms = (int)settings->build_timeout_ms;
	if (engine_docker(&patient, args, &result, &why) == 0)
		return 0;
	(void)diag_set(dg, why.class,
	    "cannot pull %s; without a registry run \"drydock build "
	    "--bootstrap\"",
	    reference);
	(void)diag_add_detail(dg, why.message, strlen(why.message));
	if (why.detail == NULL)
		return -1;
	return diag_add_detail(dg, why.detail, strlen(why.detail));
}

/*
 * The name is about to move to image_id.  Gives a recorded image that has the
 * name another one, NAME-old-ID: "docker image ls" would list it without a
 * name, and "docker image prune" would remove it.
 */
static int
keep_named(const struct engine *engine, const struct built_list *built,
    const char *name, const char *image_id, struct diag *dg)
{
	cleanup_image struct image image = IMAGE_INIT;
	cleanup_free char *old = NULL;

	if (image_inspect(engine, name, &image, dg) != 0)
		return -1;
	if (image.id == NULL || strcmp(image.id, image_id) == 0 ||
	    built_find(built, engine, image.id) == NULL || image.tags.nr > 1)
		return 0;
	old = xasprintf(
	    "%s" OLD_NAME "%.12s", name, image.id + strlen("sha256:"));
	return image_tag(engine, image.id, old, dg);
}

/* Uses the base in the record of this state directory, or makes a new one. */
static int
bootstrap(const struct engine *engine, const struct settings *settings,
    const struct paths *paths, const struct build_options *options,
    const struct hostconf *hc, struct image *ret_image, struct diag *dg)
{
	cleanup_built_list struct built_list built = BUILT_LIST_INIT;
	cleanup_image struct image known = IMAGE_INIT;
	cleanup_free char *name = NULL;
	cleanup_free char *id = NULL;
	const struct built_key key = { .kind = BUILT_BASE,
		.context = bootstrap_suite(hc) };
	bool fresh =
	    !options->keep_base && (options->pull || options->no_cache);
	struct bootstrap_spec spec = {
		.hostconf = hc,
		.timeout_ms = (int)settings->build_timeout_ms,
		.progress = options->progress,
		.progress_arg = options->progress_arg,
	};

	if (built_read(paths, &built, dg) != 0 ||
	    (!fresh && built_find_image(&built, engine, &key, &known, dg) != 0))
		return -1;
	spec.known = known.id;
	if (known.id == NULL && bootstrap_check_ids(paths, dg) != 0)
		return -1;
	name = xasprintf("drydock-base:%s", key.context);
	if (known.id == NULL && keep_named(engine, &built, name, "", dg) != 0)
		return -1;
	if (bootstrap_base(engine, &spec, &id, dg) != 0 ||
	    image_inspect(engine, id, ret_image, dg) != 0 ||
	    check_base(id, ret_image, dg) != 0)
		return -1;
	if (known.id != NULL)
		return 0;
	return built_add(
	    paths, engine, &key, &(struct built_facts){ .base = NULL }, id, dg);
}

/* Finds the base image that the user named; pulls it if necessary. */
static int
find_named_base(const struct engine *engine, const struct settings *settings,
    const struct build_options *options, struct image *ret_image,
    struct diag *dg)
{
	const char *name =
	    options->base != NULL ? options->base : settings->base_image;

	if (image_inspect(engine, name, ret_image, dg) != 0)
		return -1;
	if (ret_image->id == NULL || options->pull) {
		image_release(ret_image);
		if (pull(engine, settings, name, dg) != 0 ||
		    image_inspect(engine, name, ret_image, dg) != 0)
			return -1;
	}
	return check_base(name, ret_image, dg);
}

/* Finds a base image on the engine and checks it. */
static int
find_base(const struct engine *engine, const struct settings *settings,
    const struct paths *paths, const struct build_options *options,
    const struct hostconf *hc, struct image *ret_image, struct diag *dg)
{
	if (options->bootstrap)
		return bootstrap(
		    engine, settings, paths, options, hc, ret_image, dg);
	return find_named_base(engine, settings, options, ret_image, dg);
}

/* Adds the build argument NAME=WORDS if there are any words. */
static void
add_words(
    struct buildkit_spec *spec, const char *name, const struct strvec *words)
{
	cleanup_free char *value = strvec_join(words, " ");

	if (words->nr > 0)
		strvec_pushf(&spec->args, "%s=%s", name, value);
}

static void
describe(enum build_kind kind, const struct build_recipe *recipe,
    const struct image_user *user, const char *context,
    const struct strbuf *certificates, struct buildkit_spec *spec)
{
	cleanup_strvec struct strvec toolchains = STRVEC_INIT;

	image_make_labels(build_kind_name(kind), user, context, &spec->labels);
	if (user == NULL)
		return;
	build_recipe_add_packages(recipe, &toolchains);
	add_words(spec, "NPM", &recipe->agent->npm);
	add_words(spec, "TOOLCHAINS", &toolchains);
	add_words(spec, "PACKAGES", &recipe->settings->packages);
	if (certificates->len > 0) {
		char hex[DIGEST_HEX_SIZE];

		digest_bytes(certificates->buf, certificates->len, hex);
		strvec_pushf(&spec->args, "CERTIFICATES=%s", hex);
	}
	if (recipe->paths->home_name != NULL)
		strvec_pushf(
		    &spec->args, "HOME_NAME=%s", recipe->paths->home_name);
	strvec_pushf(&spec->args, "UID=%u", user->uid);
	strvec_pushf(&spec->args, "GID=%u", user->gid);
	strvec_pushf(&spec->args, "NAME=%s", user->name);
	strvec_pushf(&spec->args, "HOME_DIR=%s", user->home);
}

static int
check_built(enum build_kind kind, const struct engine *engine,
    const char *image_id, const struct strvec *labels, int64_t *ret_size,
    struct diag *dg)
{
	cleanup_image struct image image = IMAGE_INIT;

	if (image_inspect(engine, image_id, &image, dg) != 0)
		return -1;
	if (image.id == NULL || !image_carries(&image, labels))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine does not have the %s image that was built",
		    build_kind_name(kind));
	*ret_size = image.size;
	return image_judge(&image, dg);
}

/*
 * Tests the image as the user of a session: the guardrails apply, or the proxy
 * can be run.
 */
static int
verify(enum build_kind kind, const struct engine *engine,
    const struct paths *paths, const char *image_id, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_free char *user = NULL;
	static const char program[] = "/usr/lib/drydock/holder";
	const char *args[] = { "check-policy", NULL };

	user = xasprintf("%u:%u", paths->uid, paths->gid);
	if (kind == BUILD_EGRESS) {
		args[0] = "version";
		if (paths->uid == 0) {
			free(user);
			user =
			    xasprintf("%d:%d", BUILD_PROXY_ID, BUILD_PROXY_ID);
		}
	}
	if (inimage_run(engine, user, image_id, program, args, &result, dg) !=
	    0)
		return -1;
	if (result.status == 0)
		return 0;
	diag_set(dg, result.status == INIMAGE_FAILED ? DIAG_ENGINE : DIAG_DATA,
	    "the new %s image does not pass its check (%s %s: status %d)",
	    build_kind_name(kind), program, args[0], result.status);
	return diag_add_detail(dg, result.err.buf, result.err.len);
}

/* A failure is a warning: sessions of the image then leave out nothing. */
static void
list_programs(const struct engine *engine, const struct paths *paths,
    const char *image_id)
{
	cleanup_free char *user = xasprintf("%u:%u", paths->uid, paths->gid);
	cleanup_diag struct diag failure = DIAG_INIT;

	if (inimage_record_programs(paths, engine, user, image_id, &failure) !=
	    0)
		diag_warn("%s; sessions get what needs a program that the "
			  "image may not have",
		    failure.message);
}

/*
 * Removes an image by id or tag.  For a tag, docker removes only the tag unless
 * it is the image's last one.
 */
static void
remove_image(const struct engine *engine, const char *reference)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_diag struct diag failure = DIAG_INIT;
	const char *const args[] = { "rmi", "--force", reference, NULL };

	if (engine_docker(engine, args, &result, &failure) != 0)
		diag_warn("%s", failure.message);
}

/*
 * Fails if the name refers to another image, or if that cannot be determined.
 */
static int
check_name(const struct engine *engine, const char *name, const char *image_id,
    struct diag *dg)
{
	cleanup_image struct image image = IMAGE_INIT;

	if (image_inspect(engine, name, &image, dg) != 0)
		return -1;
	if (image.id != NULL && strcmp(image.id, image_id) == 0)
		return 0;
	return diag_set(dg, DIAG_DATA,
	    "the name %s of its base image was moved while it was built", name);
}

/*
 * BuildKit accepts a base by name, but not by id.  Therefore the verified base
 * gets a name that only this build uses.  Everyone with access to the engine
 * can move that name too.  The built image is accepted only if the name still
 * refers to the base after the build.
 */
static int
build_on(const struct engine *engine, const struct paths *paths,
    const char *base_id, struct buildkit_spec *spec, char **ret_image_id,
    struct diag *dg)
{
	cleanup_free char *name =
	    xasprintf("drydock-base:build-%s", paths->state_id);
	cleanup_free char *image_id = NULL;
	cleanup_diag struct diag moved = DIAG_INIT;
	int rc;

	if (image_tag(engine, base_id, name, dg) != 0)
		return -1;
	strvec_pushf(&spec->args, "BASE=%s", name);
	rc = buildkit_run(engine, paths, spec, &image_id, dg);
	/* A moved name refers to somebody else's image: keep it. */
	if (check_name(engine, name, base_id, &moved) == 0)
		remove_image(engine, name);
	else if (rc == 0)
		return diag_move(dg, &moved), -1;
	*ret_image_id = steal_ptr(&image_id);
	return rc;
}

/*
 * Returns the tag of an agent image.  An image for one project does not take
 * the tag of another project's image.
 */
static char *
agent_image_name(const struct build_recipe *recipe, const struct paths *paths)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char hex[DIGEST_HEX_SIZE];

	if (build_recipe_is_plain(recipe))
		return xasprintf("drydock-agent:uid-%u", paths->uid);
	build_recipe_text(recipe, &text);
	digest_bytes(text.buf, text.len, hex);
	return xasprintf("drydock-agent:uid-%u-%.12s", paths->uid, hex);
}

/* Removes the old names of an image that this build produced again. */
static int
drop_old_name(const struct engine *engine, const char *image_id,
    const char *name, struct diag *dg)
{
	cleanup_image struct image image = IMAGE_INIT;
	size_t len = strlen(name);

	if (image_inspect(engine, image_id, &image, dg) != 0)
		return -1;
	for (size_t i = 0; i < image.tags.nr; i++) {
		const char *tag = image.tags.v[i];

		if (strncmp(tag, name, len) == 0 &&
		    strncmp(tag + len, OLD_NAME, strlen(OLD_NAME)) == 0)
			remove_image(engine, tag);
	}
	return 0;
}

/*
 * Tags and records the image.  The tag is for people, and protects the image
 * from `docker image prune`.  The previous image keeps the tag until the new
 * one is verified.  Only the record makes the image valid.
 */
static int
accept(enum build_kind kind, const struct engine *engine,
    const struct build_recipe *recipe, const struct paths *paths,
    const struct built_list *built, const struct built_key *key,
    const struct built_facts *facts, const char *image_id, struct diag *dg)
{
	cleanup_free char *name = kind == BUILD_EGRESS
	    ? xstrdup("drydock-egress:latest")
	    : agent_image_name(recipe, paths);

	if (keep_named(engine, built, name, image_id, dg) != 0 ||
	    image_tag(engine, image_id, name, dg) != 0 ||
	    drop_old_name(engine, image_id, name, dg) != 0)
		return -1;
	if (kind == BUILD_AGENT)
		list_programs(engine, paths, image_id);
	return built_add(paths, engine, key, facts, image_id, dg);
}

/*
 * Returns true if the last image of this kind was built on a base that
 * --bootstrap made, for the base_image that is set now.  A record of an older
 * drydock does not name the base; any recorded base then counts.
 */
static bool
was_bootstrapped(const struct built_list *built, const struct engine *engine,
    const char *kind, const char *parts)
{
	const struct built *last = built_find_last(built, engine, kind);

	if (last == NULL || last->base == NULL)
		return built_find_last(built, engine, BUILT_BASE) != NULL;
	return strcmp(last->base, BUILT_BOOTSTRAP) == 0 &&
	    last->parts != NULL &&
	    !build_parts_base_differs(last->parts, parts);
}

static void
read_hostconf(enum build_kind kind, const struct paths *paths,
    const struct build_options *options, struct hostconf *hc)
{
	hostconf_read(hc, paths, options->environ_);
	/* The egress image installs nothing from npm. */
	if (kind == BUILD_AGENT && hc->npm_withheld)
		diag_warn(
		    "npm's configuration has no \"registry=URL\" line; the "
		    "build gets only credentials of registries with "
		    "\"@scope:registry=URL\"");
}

/* --bootstrap holds for later builds until another base is chosen. */
static bool
bootstraps(enum build_kind kind, const struct build_options *options,
    const struct built_list *built, const struct engine *engine,
    const char *parts)
{
	if (options->bootstrap || options->base != NULL)
		return options->bootstrap;
	if (!was_bootstrapped(built, engine, build_kind_name(kind), parts))
		return false;
	if (kind == BUILD_AGENT)
		diag_note("the base is made with --bootstrap, as the last "
			  "time; --base IMAGE builds on another one");
	return true;
}

/*
 * Removes the image on failure, unless an earlier build verified the same
 * image: it may be in use.
 */
static int
check_new(enum build_kind kind, const struct engine *engine,
    const struct paths *paths, const struct built_list *built,
    const char *image_id, const struct strvec *labels, int64_t *ret_size,
    struct diag *dg)
{
	if (check_built(kind, engine, image_id, labels, ret_size, dg) == 0 &&
	    verify(kind, engine, paths, image_id, dg) == 0)
		return 0;
	if (built_find(built, engine, image_id) == NULL)
		remove_image(engine, image_id);
	return -1;
}

int
build_image(enum build_kind kind, const struct engine *engine,
    const struct build_recipe *recipe, const struct paths *paths,
    const struct build_options *options, struct build_outcome *ret_outcome,
    struct diag *dg)
{
	cleanup_hostconf struct hostconf hc = HOSTCONF_INIT;
	cleanup_buildkit_spec struct buildkit_spec spec = BUILDKIT_SPEC_INIT;
	cleanup_context_files struct context_files *files = NULL;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_built_list struct built_list built = BUILT_LIST_INIT;
	cleanup_image struct image base = IMAGE_INIT;
	cleanup_free char *image_id = NULL;
	const struct image_user caller = image_user_of(paths);
	const struct image_user *user = kind == BUILD_AGENT ? &caller : NULL;
	const struct settings *settings = recipe->settings;
	cleanup_strbuf struct strbuf wanted = STRBUF_INIT;
	struct built_key key = { .kind = build_kind_name(kind), .user = user };
	cleanup_strbuf struct strbuf parts = STRBUF_INIT;
	struct built_facts facts = { .holder = BUILT_HOLDER };
	struct build_options chosen = *options;
	int64_t began = monotime_ms();
	char context[DIGEST_HEX_SIZE];

	/* Report a damaged record now, not after minutes of building. */
	if (built_read(paths, &built, dg) != 0 ||
	    context_read(paths, &files, dg) != 0 ||
	    context_pack(files, build_kind_name(kind),
		kind == BUILD_AGENT ? recipe->agent : NULL, &tar, dg) != 0 ||
	    build_context_digest(kind, recipe, files, context, &parts, dg) !=
		0 ||
	    hostconf_read_certificates(settings, paths, &hc.trusted, dg) != 0 ||
	    buildkit_check(engine, dg) != 0)
		return -1;
	read_hostconf(kind, paths, options, &hc);
	chosen.bootstrap = bootstraps(kind, options, &built, engine, parts.buf);
	if (find_base(engine, settings, paths, &chosen, &hc, &base, dg) != 0)
		return -1;
	describe(kind, recipe, user, context, &hc.trusted, &spec);
	spec.context = &tar;
	spec.hostconf = &hc;
	spec.no_cache =
	    options->no_cache || (options->update && kind == BUILD_AGENT);
	spec.timeout_ms = (int)settings->build_timeout_ms;
	spec.progress = options->progress;
	spec.progress_arg = options->progress_arg;
	if (build_on(engine, paths, base.id, &spec, &image_id, dg) < 0)
		return diag_wrap(
		    dg, "build the %s image", build_kind_name(kind));
	if (check_new(kind, engine, paths, &built, image_id, &spec.labels,
		&facts.size, dg) != 0)
		return -1;
	build_recipe_text(recipe, &wanted);
	key.recipe = kind == BUILD_AGENT ? wanted.buf : NULL;
	key.context = context;
	facts.base = chosen.bootstrap ? BUILT_BOOTSTRAP
	    : chosen.base != NULL     ? chosen.base
				      : settings->base_image;
	facts.parts = parts.buf;
	facts.seconds = (monotime_ms() - began + 999) / 1000;
	if (accept(kind, engine, recipe, paths, &built, &key, &facts, image_id,
		dg) != 0)
		return -1;
	ret_outcome->image_id = steal_ptr(&image_id);
	memcpy(ret_outcome->context, context, sizeof(context));
	return 0;
}

void
build_outcome_release(struct build_outcome *outcome)
{
	free(outcome->image_id);
	outcome->image_id = NULL;
}
