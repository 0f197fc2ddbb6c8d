/* SPDX-License-Identifier: MIT */
/* image: finds drydock's images by label, and reads what images carry. */
#include "engine/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/engine.h"
#include "engine/inspect.h"
#include "engine/moment.h"

/* What a build puts on; anything else of ours would pass for a session's. */
static const char *const build_labels[] = { "context", "gid", "home", "image",
	"uid", "user" };

/* {"Test": ["NONE"]} switches a check of the base off. */
static bool
has_healthcheck(const struct json *check)
{
	const char *first =
	    json_string_or(json_at(json_get(check, "Test"), 0), "");

	return json_is_object(check) && *first != '\0' &&
	    strcmp(first, "NONE") != 0;
}

/* When the image was made, or last tagged if that was later. */
static bool
read_built(
    const struct json *object, const char *created, struct timespec *ret_time)
{
	const char *tagged = json_string_or(
	    json_get(json_get(object, "Metadata"), "LastTagTime"), "");
	struct timespec t;

	if (!moment_parse(created, ret_time))
		return false;
	if (moment_parse(tagged, &t) && moment_before(*ret_time, t))
		*ret_time = t;
	return true;
}

static int
read_all(const struct json *object, struct image *image, struct diag *dg)
{
	const struct json *config = json_get(object, "Config");
	const struct json *labels = json_get(config, "Labels");

	image->id = xstrdup(json_string_or(json_get(object, "Id"), ""));
	image->created =
	    xstrdup(json_string_or(json_get(object, "Created"), ""));
	image->context = xstrdup(
	    json_string_or(json_get(labels, IMAGE_LABEL_PREFIX "context"), ""));
	if (!answer_is_image_id(image->id))
		return diag_set(dg, DIAG_ENGINE,
		    "docker inspect: '%.80s' is no image id", image->id);
	/* An imported image of an old engine has "Config": null. */
	if (!read_built(object, image->created, &image->built) ||
	    (!json_is_object(config) && !json_is_null(config)) ||
	    !inspect_strings(json_get(config, "Env"), &image->env) ||
	    !inspect_strings(
		json_get(config, "Entrypoint"), &image->entrypoint) ||
	    !inspect_strings(json_get(config, "Cmd"), &image->command) ||
	    !inspect_labels(labels, &image->labels))
		return diag_set(dg, DIAG_ENGINE,
		    "docker inspect: the answer about image %s is not "
		    "complete",
		    image->id);
	image->has_volumes = json_len(json_get(config, "Volumes")) > 0;
	image->has_onbuild = json_len(json_get(config, "OnBuild")) > 0;
	image->has_healthcheck =
	    has_healthcheck(json_get(config, "Healthcheck"));
	return 0;
}

static int
image_read(const struct json *object, struct image *ret_image, struct diag *dg)
{
	struct image image = IMAGE_INIT;

	if (read_all(object, &image, dg) == -1) {
		image_release(&image);
		return -1;
	}
	*ret_image = image;
	return 0;
}

int
image_parse(
    const char *text, size_t len, struct image *ret_image, struct diag *dg)
{
	cleanup_json struct json *root = NULL;

	if (inspect_parse(text, len, "docker inspect", &root, dg) == -1)
		return -1;
	if (json_len(root) != 1)
		return diag_set(dg, DIAG_ENGINE,
		    "docker inspect: %zu images where one was asked for",
		    json_len(root));
	return image_read(json_at(root, 0), ret_image, dg);
}

int
image_inspect(const struct engine *engine, const char *reference,
    struct image *ret_image, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_strvec struct strvec unknown = STRVEC_INIT;
	cleanup_json struct json *root = NULL;

	strvec_push(&names, reference);
	if (inspect_ask(engine, "image", &names, &root, &unknown, dg) == -1)
		return -1;
	if (json_len(root) == 0) {
		*ret_image = (struct image)IMAGE_INIT;
		return 0;
	}
	return image_read(json_at(root, 0), ret_image, dg);
}

/* The labels that an image must carry, as filters of a listing. */
static void
make_wanted(const char *kind, const struct image_user *user, struct strvec *out)
{
	strvec_pushf(out, IMAGE_LABEL_PREFIX "image=%s", kind);
	if (user == NULL)
		return;
	strvec_pushf(out, IMAGE_LABEL_PREFIX "user=%s", user->name);
	strvec_pushf(
	    out, IMAGE_LABEL_PREFIX "uid=%lu", (unsigned long)user->uid);
	strvec_pushf(
	    out, IMAGE_LABEL_PREFIX "gid=%lu", (unsigned long)user->gid);
	strvec_pushf(out, IMAGE_LABEL_PREFIX "home=%s", user->home);
}

static bool
carries_all(const struct image *image, const struct strvec *wanted)
{
	for (size_t i = 0; i < wanted->nr; i++)
		if (!strvec_has(&image->labels, wanted->v[i]))
			return false;
	return true;
}

static bool
is_build_label(const char *label)
{
	const char *name = label + strlen(IMAGE_LABEL_PREFIX);
	size_t len = strcspn(name, "=");

	for (size_t i = 0; i < ARRAY_SIZE(build_labels); i++)
		if (strlen(build_labels[i]) == len &&
		    strncmp(name, build_labels[i], len) == 0)
			return true;
	return false;
}

const char *
image_acts_by(const struct image *image)
{
	if (image->has_volumes)
		return "VOLUME";
	if (image->has_healthcheck)
		return "HEALTHCHECK";
	if (image->has_onbuild)
		return "ONBUILD";
	return NULL;
}

static int
refuse(const struct image *image, const char *what, struct diag *dg)
{
	return diag_set(dg, DIAG_POLICY,
	    "image %s carries %s, which would act in a session though no plan "
	    "says so: build the images again (drydock build)",
	    image->id, what);
}

static int
judge(const struct image *image, struct diag *dg)
{
	const char *instruction = image_acts_by(image);

	if (instruction != NULL)
		return refuse(image, instruction, dg);
	for (size_t i = 0; i < image->labels.nr; i++) {
		const char *label = image->labels.v[i];
		cleanup_free char *what = NULL;

		if (strncmp(label, IMAGE_LABEL_PREFIX,
			strlen(IMAGE_LABEL_PREFIX)) != 0 ||
		    is_build_label(label))
			continue;
		what = xasprintf(
		    "the label %.*s", (int)strcspn(label, "="), label);
		return refuse(image, what, dg);
	}
	return 0;
}

/* The ids of a listing, each once: it has a line for each tag. */
static int
list_ids(const struct engine *engine, const struct strvec *wanted,
    struct strvec *ret_ids, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_strvec struct strvec args = STRVEC_INIT;
	const char *const *argv;

	strvec_push(&args, engine->docker);
	strvec_push(&args, "image");
	strvec_push(&args, "ls");
	strvec_push(&args, "--no-trunc");
	strvec_push(&args, "--format={{.ID}}");
	for (size_t i = 0; i < wanted->nr; i++)
		strvec_pushf(&args, "--filter=label=%s", wanted->v[i]);
	argv = (const char *const *)args.v;
	if (engine_docker(engine, argv + 1, &result, dg) == -1)
		return -1;
	return answer_read_ids(argv, &result, answer_is_image_id, ret_ids, dg);
}

/* An image of this context first, then the one that was built last. */
static bool
is_better(
    const struct image *image, const struct image *best, const char *context)
{
	bool fits, best_fits;

	if (best->id == NULL)
		return true;
	fits = context != NULL && strcmp(image->context, context) == 0;
	best_fits = context != NULL && strcmp(best->context, context) == 0;
	return fits != best_fits ? fits
				 : moment_before(best->built, image->built);
}

static int
pick(const struct json *root, const struct strvec *ids,
    const struct strvec *wanted, const char *context, struct image *ret_image,
    struct diag *dg)
{
	cleanup_image struct image best = IMAGE_INIT;

	for (size_t i = 0; i < json_len(root); i++) {
		cleanup_image struct image image = IMAGE_INIT;

		if (image_read(json_at(root, i), &image, dg) == -1)
			return -1;
		if (!strvec_has(ids, image.id))
			return diag_set(dg, DIAG_ENGINE,
			    "docker inspect: image %s was not asked for",
			    image.id);
		if (!carries_all(&image, wanted) ||
		    !is_better(&image, &best, context))
			continue;
		image_release(&best);
		best = image;
		image = (struct image)IMAGE_INIT;
	}
	if (best.id != NULL && judge(&best, dg) == -1)
		return -1;
	*ret_image = best;
	best = (struct image)IMAGE_INIT;
	return 0;
}

int
image_find(const struct engine *engine, const char *kind,
    const struct image_user *user, const char *context, struct image *ret_image,
    struct diag *dg)
{
	cleanup_strvec struct strvec wanted = STRVEC_INIT;
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	cleanup_strvec struct strvec unknown = STRVEC_INIT;
	cleanup_json struct json *root = NULL;

	make_wanted(kind, user, &wanted);
	if (list_ids(engine, &wanted, &ids, dg) == -1)
		return -1;
	if (ids.nr == 0) {
		*ret_image = (struct image)IMAGE_INIT;
		return 0;
	}
	if (inspect_ask(engine, "image", &ids, &root, &unknown, dg) == -1)
		return -1;
	return pick(root, &ids, &wanted, context, ret_image, dg);
}

void
image_release(struct image *image)
{
	free(image->id);
	free(image->context);
	free(image->created);
	strvec_release(&image->env);
	strvec_release(&image->entrypoint);
	strvec_release(&image->command);
	strvec_release(&image->labels);
	*image = (struct image)IMAGE_INIT;
}
