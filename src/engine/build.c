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

/* One call of build_image(); borrowed, unless marked. */
struct job {
	enum build_kind kind;
	const char *kind_name;
	const struct engine *engine;
	const struct build_recipe *recipe;
	const struct settings *settings;
	const struct paths *paths;
	const struct build_options *options;
	struct built_list built; /* owned */
	struct hostconf hostconf; /* owned */
};

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
pull(const struct job *job, const char *reference, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	const char *const args[] = { "pull", "--quiet", "--", reference, NULL };
	struct engine patient = *job->engine;
	cleanup_diag struct diag why = DIAG_INIT;

	patient.timeout_ms = (int)job->settings->build_timeout_ms;
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
 * The name is about to move to image_id; *ret_has is true if that image has it
 * already.  Gives a recorded image that has the name another one, NAME-old-ID:
 * "docker image ls" would list it without a name, and "docker image prune" would
 * remove it.
 */
static int
keep_named(const struct job *job, const char *name, const char *image_id,
    bool *ret_has, struct diag *dg)
{
	cleanup_image struct image image = IMAGE_INIT;
	cleanup_free char *old = NULL;

	if (image_inspect(job->engine, name, &image, dg) != 0)
		return -1;
	*ret_has = image.id != NULL && strcmp(image.id, image_id) == 0;
	if (image.id == NULL || *ret_has ||
	    built_find(&job->built, job->engine, image.id) == NULL ||
	    image.tags.nr > 1)
		return 0;
	old = xasprintf(
	    "%s" OLD_NAME "%.12s", name, image.id + strlen("sha256:"));
	return image_tag(job->engine, image.id, old, dg);
}

/* Uses the base in the record of this state directory, or makes a new one. */
static int
bootstrap(const struct job *job, struct image *ret_image, struct diag *dg)
{
	const struct build_options *options = job->options;
	cleanup_image struct image known = IMAGE_INIT;
	cleanup_free char *name = NULL;
	cleanup_free char *id = NULL;
	bool has_name;
	const struct built_key key = { .kind = BUILT_BASE,
		.context = bootstrap_suite(&job->hostconf) };
	bool fresh = !options->second && (options->pull || options->no_cache);
	struct bootstrap_spec spec = {
		.hostconf = &job->hostconf,
		.timeout_ms = (int)job->settings->build_timeout_ms,
		.progress = options->progress,
		.progress_arg = options->progress_arg,
	};

	if (!fresh &&
	    built_find_image(&job->built, job->engine, &key, &known, dg) != 0)
		return -1;
	if (known.id != NULL)
		spec.known = &known;
	if (known.id == NULL && bootstrap_check_ids(job->paths, dg) != 0)
		return -1;
	name = xasprintf("drydock-base:%s", key.context);
	if (known.id == NULL && keep_named(job, name, "", &has_name, dg) != 0)
		return -1;
	if (bootstrap_base(job->engine, &spec, &id, dg) != 0 ||
	    image_inspect(job->engine, id, ret_image, dg) != 0 ||
	    check_base(id, ret_image, dg) != 0)
		return -1;
	if (known.id != NULL)
		return 0;
	return built_add(job->paths, job->engine, &key,
	    &(struct built_facts){ .base = NULL }, id, dg);
}

/*
 * Finds a base image on the engine and checks it.  Pulls one that the user named
 * if necessary.
 */
static int
find_base(const struct job *job, bool bootstrapped, struct image *ret_image,
    struct diag *dg)
{
	const char *name = job->options->base != NULL
	    ? job->options->base
	    : job->settings->base_image;

	if (bootstrapped)
		return bootstrap(job, ret_image, dg);
	if (image_inspect(job->engine, name, ret_image, dg) != 0)
		return -1;
	if (ret_image->id == NULL || job->options->pull) {
		image_release(ret_image);
		if (pull(job, name, dg) != 0 ||
		    image_inspect(job->engine, name, ret_image, dg) != 0)
			return -1;
	}
	return check_base(name, ret_image, dg);
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
describe(const struct job *job, const struct image_user *user,
    const char *context, struct buildkit_spec *spec)
{
	const struct build_recipe *recipe = job->recipe;
	const struct strbuf *certificates = &job->hostconf.trusted;
	cleanup_strvec struct strvec toolchains = STRVEC_INIT;

	spec->hostconf = &job->hostconf;
	spec->no_cache = job->options->no_cache ||
	    (job->options->update && job->kind == BUILD_AGENT);
	spec->timeout_ms = (int)job->settings->build_timeout_ms;
	spec->progress = job->options->progress;
	spec->progress_arg = job->options->progress_arg;
	image_make_labels(job->kind_name, user, context, &spec->labels);
	if (user == NULL)
		return;
	build_recipe_add_packages(recipe, &toolchains);
	add_words(spec, "NPM", &recipe->agent->npm);
	add_words(spec, "TOOLCHAINS", &toolchains);
	add_words(spec, "PACKAGES", &job->settings->packages);
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
check_built(const struct job *job, const char *image_id,
    const struct strvec *labels, int64_t *ret_size, struct diag *dg)
{
	cleanup_image struct image image = IMAGE_INIT;

	if (image_inspect(job->engine, image_id, &image, dg) != 0)
		return -1;
	if (image.id == NULL || !image_carries(&image, labels))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine does not have the %s image that was built",
		    job->kind_name);
	*ret_size = image.size;
	return image_judge(&image, dg);
}

/*
 * Tests the image as the user of a session: the guardrails apply, or the proxy
 * can be run.
 */
static int
verify(const struct job *job, const char *image_id, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	static const char program[] = "/usr/lib/drydock/holder";
	bool egress = job->kind == BUILD_EGRESS;
	const char *const args[] = { egress ? "version" : "check-policy",
		NULL };
	cleanup_free char *user = egress && job->paths->uid == 0
	    ? xasprintf("%d:%d", BUILD_PROXY_ID, BUILD_PROXY_ID)
	    : xasprintf("%u:%u", job->paths->uid, job->paths->gid);

	if (inimage_run(
		job->engine, user, image_id, program, args, &result, dg) != 0)
		return -1;
	if (result.status == 0)
		return 0;
	diag_set(dg, result.status == INIMAGE_FAILED ? DIAG_ENGINE : DIAG_DATA,
	    "the new %s image does not pass its check (%s %s: status %d)",
	    job->kind_name, program, args[0], result.status);
	return diag_add_detail(dg, result.err.buf, result.err.len);
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
build_on(const struct job *job, const char *base_id, struct buildkit_spec *spec,
    char **ret_image_id, struct diag *dg)
{
	cleanup_free char *name =
	    xasprintf("drydock-base:build-%s", job->paths->state_id);
	cleanup_free char *image_id = NULL;
	cleanup_diag struct diag moved = DIAG_INIT;
	int rc;

	if (image_tag(job->engine, base_id, name, dg) != 0)
		return -1;
	strvec_pushf(&spec->args, "BASE=%s", name);
	rc = buildkit_run(job->engine, job->paths, spec, &image_id, dg);
	/* A moved name refers to somebody else's image: keep it. */
	if (check_name(job->engine, name, base_id, &moved) == 0)
		remove_image(job->engine, name);
	else if (rc == 0)
		return diag_move(dg, &moved);
	*ret_image_id = steal_ptr(&image_id);
	return rc;
}

/*
 * Returns the tag of an agent image.  An image for one project does not take
 * the tag of another project's image.
 */
static char *
agent_image_name(const struct build_recipe *recipe)
{
	unsigned int uid = recipe->paths->uid;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char hex[DIGEST_HEX_SIZE];

	if (build_recipe_is_plain(recipe))
		return xasprintf("drydock-agent:uid-%u", uid);
	build_recipe_text(recipe, &text);
	digest_bytes(text.buf, text.len, hex);
	return xasprintf("drydock-agent:uid-%u-%.12s", uid, hex);
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

/* A list that cannot be read is made again. */
static bool
programs_are_known(const struct paths *paths, const char *image_id)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag damaged = DIAG_INIT;
	bool known;

	return inimage_read_programs(
		   paths, image_id, &names, &known, &damaged) == 0 &&
	    known;
}

/*
 * Tags and records the image.  The tag is for people, and protects the image
 * from `docker image prune`.  The previous image keeps the tag until the new
 * one is verified.  Only the record makes the image valid.
 */
static int
accept(const struct job *job, const struct built_key *key,
    const struct built_facts *facts, const char *image_id, struct diag *dg)
{
	const struct paths *paths = job->paths;
	cleanup_diag struct diag failure = DIAG_INIT;
	cleanup_free char *user = xasprintf("%u:%u", paths->uid, paths->gid);
	cleanup_free char *name = job->kind == BUILD_EGRESS
	    ? xstrdup("drydock-egress:latest")
	    : agent_image_name(job->recipe);
	bool has_name;

	if (keep_named(job, name, image_id, &has_name, dg) != 0 ||
	    (!has_name && image_tag(job->engine, image_id, name, dg) != 0) ||
	    drop_old_name(job->engine, image_id, name, dg) != 0)
		return -1;
	if (job->kind == BUILD_AGENT && !programs_are_known(paths, image_id) &&
	    inimage_record_programs(
		paths, job->engine, user, image_id, &failure) != 0)
		diag_warn("%s; sessions get what needs a program that the "
			  "image may not have",
		    failure.message);
	return built_add(paths, job->engine, key, facts, image_id, dg);
}

/*
 * Returns true if the last image of this kind was built on a base that
 * --bootstrap made, for the base_image that is set now.  A record of an older
 * drydock does not name the base; any recorded base then counts.
 */
static bool
was_bootstrapped(const struct job *job, const char *parts)
{
	const struct built *last =
	    built_find_last(&job->built, job->engine, job->kind_name);

	if (last == NULL || last->base == NULL)
		return built_find_last(&job->built, job->engine, BUILT_BASE) !=
		    NULL;
	return strcmp(last->base, BUILT_BOOTSTRAP) == 0 &&
	    last->parts != NULL &&
	    !build_parts_base_differs(last->parts, parts);
}

/* --bootstrap holds for later builds until another base is chosen. */
static bool
bootstraps(const struct job *job, const char *parts)
{
	if (job->options->bootstrap || job->options->base != NULL)
		return job->options->bootstrap;
	if (!was_bootstrapped(job, parts))
		return false;
	if (job->kind == BUILD_AGENT)
		diag_note("the base is made with --bootstrap, as the last "
			  "time; --base IMAGE builds on another one");
	return true;
}

/*
 * An image that the record has was verified by the build that added it, and an
 * id stands for the contents: it is not run again.  Removes an image that fails,
 * unless the record has it: it may be in use.
 */
static int
check_new(const struct job *job, const char *image_id,
    const struct strvec *labels, int64_t *ret_size, struct diag *dg)
{
	const struct built *known =
	    built_find(&job->built, job->engine, image_id);

	if (check_built(job, image_id, labels, ret_size, dg) == 0 &&
	    ((known != NULL && strcmp(known->kind, job->kind_name) == 0) ||
		verify(job, image_id, dg) == 0))
		return 0;
	if (known == NULL)
		remove_image(job->engine, image_id);
	return -1;
}

static void
read_hostconf(struct job *job)
{
	hostconf_read(&job->hostconf, job->paths, job->options->environ_);
	/* The egress image installs nothing from npm. */
	if (job->kind == BUILD_AGENT && job->hostconf.npm_withheld)
		diag_warn(
		    "npm's configuration has no \"registry=URL\" line; the "
		    "build gets only credentials of registries with "
		    "\"@scope:registry=URL\"");
}

static void
job_release(struct job *job)
{
	built_list_release(&job->built);
	hostconf_release(&job->hostconf);
}

int
build_image(enum build_kind kind, const struct engine *engine,
    const struct build_recipe *recipe, const struct build_options *options,
    struct build_outcome *ret_outcome, struct diag *dg)
{
	const struct paths *paths = recipe->paths;
	__attribute__((cleanup(job_release))) struct job job = {
		.kind = kind,
		.kind_name = build_kind_name(kind),
		.engine = engine,
		.recipe = recipe,
		.settings = recipe->settings,
		.paths = paths,
		.options = options,
		.built = BUILT_LIST_INIT,
		.hostconf = HOSTCONF_INIT,
	};
	cleanup_buildkit_spec struct buildkit_spec spec = BUILDKIT_SPEC_INIT;
	cleanup_context_files struct context_files *files = NULL;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_image struct image base = IMAGE_INIT;
	cleanup_free char *image_id = NULL;
	const struct image_user caller = image_user_of(paths);
	const struct image_user *user = kind == BUILD_AGENT ? &caller : NULL;
	const struct agent *agent = kind == BUILD_AGENT ? recipe->agent : NULL;
	cleanup_strbuf struct strbuf wanted = STRBUF_INIT;
	struct built_key key = { .kind = job.kind_name, .user = user };
	cleanup_strbuf struct strbuf parts = STRBUF_INIT;
	struct built_facts facts = { .holder = BUILT_HOLDER };
	int64_t began = monotime_ms();
	char context[DIGEST_HEX_SIZE];
	bool bootstrapped;

	/* Report a damaged record now, not after minutes of building. */
	if (built_read(paths, &job.built, dg) != 0 ||
	    context_read(paths, &files, dg) != 0 ||
	    context_pack(files, job.kind_name, agent, &tar, dg) != 0 ||
	    build_context_digest(kind, recipe, files, context, &parts, dg) !=
		0 ||
	    hostconf_read_certificates(
		job.settings, paths, &job.hostconf.trusted, dg) != 0 ||
	    (!options->second && buildkit_check(engine, dg) != 0))
		return -1;
	read_hostconf(&job);
	bootstrapped = bootstraps(&job, parts.buf);
	if (find_base(&job, bootstrapped, &base, dg) != 0)
		return -1;
	describe(&job, user, context, &spec);
	spec.context = &tar;
	if (build_on(&job, base.id, &spec, &image_id, dg) < 0)
		return diag_wrap(dg, "build the %s image", job.kind_name);
	if (check_new(&job, image_id, &spec.labels, &facts.size, dg) != 0)
		return -1;
	build_recipe_text(recipe, &wanted);
	key.recipe = kind == BUILD_AGENT ? wanted.buf : NULL;
	key.context = context;
	facts.base = bootstrapped   ? BUILT_BOOTSTRAP
	    : options->base != NULL ? options->base
				    : job.settings->base_image;
	facts.parts = parts.buf;
	facts.seconds = (monotime_ms() - began + 999) / 1000;
	if (accept(&job, &key, &facts, image_id, dg) != 0)
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
