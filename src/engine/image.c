/* SPDX-License-Identifier: MIT */
/* image: reads the properties of images, and checks what a build made. */
#include "engine/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/http.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "host/paths.h"

/*
 * The labels that a build sets.  Any other label of drydock could be mistaken
 * for a session's.
 */
static const char *const build_labels[] = { "context", "gid", "home", "image",
	"uid", "user" };

static bool
is_object_or_null(const struct json *n)
{
	return n == NULL || json_is_null(n) || json_is_object(n);
}

/*
 * {"Test": ["NONE"]} disables a healthcheck of the base image.  Returns false
 * if the value has another type.
 */
static bool
read_healthcheck(const struct json *check, bool *ret_has)
{
	cleanup_strvec struct strvec test = STRVEC_INIT;

	if (!is_object_or_null(check) ||
	    !answer_read_strings(json_get(check, "Test"), &test))
		return false;
	*ret_has =
	    test.nr > 0 && *test.v[0] != '\0' && strcmp(test.v[0], "NONE") != 0;
	return true;
}

int
image_read(const struct json *object, struct image *ret_image, struct diag *dg)
{
	cleanup_image struct image image = IMAGE_INIT;
	const struct json *config = json_get(object, "Config");
	const struct json *labels = json_get(config, "Labels");
	const struct json *volumes = json_get(config, "Volumes");
	cleanup_strvec struct strvec onbuild = STRVEC_INIT;
	struct timespec created;

	image.id = xstrdup(json_string_or(json_get(object, "Id"), ""));
	image.created =
	    xstrdup(json_string_or(json_get(object, "Created"), ""));
	image.context = xstrdup(
	    json_string_or(json_get(labels, IMAGE_LABEL_PREFIX "context"), ""));
	if (!answer_is_image_id(image.id))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine's answer about an image: '%.80s' is not an id",
		    image.id);
	/* An image imported by an old engine has "Config": null. */
	if (!moment_parse(image.created, &created) || config == NULL ||
	    !is_object_or_null(config) ||
	    !answer_read_strings(json_get(object, "RepoTags"), &image.tags) ||
	    !answer_read_strings(json_get(config, "Env"), &image.env) ||
	    !answer_read_strings(
		json_get(config, "Entrypoint"), &image.entrypoint) ||
	    !answer_read_strings(json_get(config, "Cmd"), &image.command) ||
	    !answer_read_labels(labels, &image.labels) ||
	    !is_object_or_null(volumes) ||
	    !answer_read_strings(json_get(config, "OnBuild"), &onbuild) ||
	    !read_healthcheck(
		json_get(config, "Healthcheck"), &image.has_healthcheck))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine's answer about image %s is not complete",
		    image.id);
	if (!json_int(json_get(object, "Size"), &image.size) || image.size < 0)
		image.size = 0;
	for (size_t i = 0; i < json_len(volumes); i++)
		strvec_push(&image.volumes, json_key_at(volumes, i));
	image.has_onbuild = onbuild.nr > 0;
	*ret_image = image;
	image = (struct image)IMAGE_INIT;
	return 0;
}

int
image_inspect(const struct engine *engine, const char *reference,
    struct image *ret_image, struct diag *dg)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_json struct json *root = NULL;

	*ret_image = (struct image)IMAGE_INIT;
	strbuf_addstr(&path, "/images/");
	http_add_escaped(&path, reference);
	strbuf_addstr(&path, "/json");
	if (api_get_known(engine, path.buf, reference, &root, dg) != 0)
		return -1;
	if (root == NULL)
		return 0;
	if (image_read(root, ret_image, dg) != 0)
		return -1;
	if (!answer_is_image_id(reference) ||
	    strcmp(ret_image->id, reference) == 0)
		return 0;
	diag_set(dg, DIAG_ENGINE,
	    "the engine was asked about image %s and answered about %s",
	    reference, ret_image->id);
	image_release(ret_image);
	return -1;
}

int
image_remove(const struct engine *engine, const char *image_id, char **ret_why,
    struct diag *dg)
{
	cleanup_http_answer struct http_answer answer = HTTP_ANSWER_INIT;
	/* Without force: the engine keeps what a container uses. */
	cleanup_free char *path =
	    xasprintf("/images/%s?force=0&noprune=1", image_id);
	const struct api_call call = {
		.method = "DELETE",
		.path = path,
		.timeout_ms = engine->launch_timeout_ms,
		.setting = "launch_timeout",
	};

	if (api_ask(engine, &call, &answer, dg) != 0)
		return -1;
	if (answer.status == HTTP_CONFLICT)
		*ret_why = api_message(&answer);
	else if (answer.status != 200 && !api_denies(&answer, image_id))
		return api_refuse(&call, &answer, dg);
	return 0;
}

int
images_shared_sizes(const struct engine *engine, const struct strvec *ids,
    int64_t *ret_sizes, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	const struct json *images;

	for (size_t i = 0; i < ids->nr; i++)
		ret_sizes[i] = -1;
	if (api_get(engine, "/system/df?type=image", &root, dg) != 0)
		return -1;
	images = json_get(root, "Images");
	for (size_t j = 0; j < json_len(images); j++) {
		const struct json *image = json_at(images, j);
		const char *id = json_string_or(json_get(image, "Id"), "");
		int64_t size;

		if (!json_int(json_get(image, "SharedSize"), &size) || size < 0)
			continue;
		for (size_t i = 0; i < ids->nr; i++)
			if (strcmp(ids->v[i], id) == 0)
				ret_sizes[i] = size;
	}
	return 0;
}

struct image_user
image_user_of(const struct paths *paths)
{
	return (struct image_user){ .name = paths->user,
		.uid = paths->uid,
		.gid = paths->gid,
		.home = paths->home };
}

void
image_make_labels(const char *kind, const struct image_user *user,
    const char *context, struct strvec *ret_labels)
{
	strvec_pushf(ret_labels, IMAGE_LABEL_PREFIX "image=%s", kind);
	if (context != NULL)
		strvec_pushf(
		    ret_labels, IMAGE_LABEL_PREFIX "context=%s", context);
	if (user == NULL)
		return;
	strvec_pushf(
	    ret_labels, IMAGE_LABEL_PREFIX "uid=%lu", (unsigned long)user->uid);
	strvec_pushf(
	    ret_labels, IMAGE_LABEL_PREFIX "gid=%lu", (unsigned long)user->gid);
	strvec_pushf(ret_labels, IMAGE_LABEL_PREFIX "user=%s", user->name);
	strvec_pushf(ret_labels, IMAGE_LABEL_PREFIX "home=%s", user->home);
}

int
image_tag(const struct engine *engine, const char *image_id, const char *name,
    struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	const char *const args[] = { "tag", image_id, name, NULL };

	return engine_docker(engine, args, &result, dg);
}

bool
image_carries(const struct image *image, const struct strvec *labels)
{
	for (size_t i = 0; i < labels->nr; i++)
		if (!strvec_has(&image->labels, labels->v[i]))
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
	if (image->volumes.nr > 0)
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
	    "image %s has %s, which would change a session without being in "
	    "its plan: run \"drydock build\"",
	    image->id, what);
}

int
image_judge(const struct image *image, struct diag *dg)
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

int
images_list_labelled(
    const struct engine *engine, struct strvec *ret_ids, struct diag *dg)
{
	static const char *const labels[] = { IMAGE_LABEL_PREFIX "image",
		NULL };
	cleanup_strbuf struct strbuf path = STRBUF_INIT;

	strbuf_addstr(&path, "/images/json?");
	if (api_add_label_filter(&path, labels, dg) != 0)
		return -1;
	return api_list_ids(engine, path.buf, answer_is_image_id, ret_ids, dg);
}

int
images_inspect(const struct engine *engine, const struct strvec *ids,
    struct image_list *ret_images, struct diag *dg)
{
	cleanup_image_list struct image_list list = IMAGE_LIST_INIT;

	list.v = xcalloc(ids->nr + 1, sizeof(*list.v));
	for (size_t i = 0; i < ids->nr; i++) {
		if (image_inspect(engine, ids->v[i], &list.v[list.nr], dg) != 0)
			return -1;
		if (list.v[list.nr].id != NULL)
			list.nr++;
	}
	*ret_images = list;
	list = (struct image_list)IMAGE_LIST_INIT;
	return 0;
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
	strvec_release(&image->tags);
	strvec_release(&image->volumes);
	*image = (struct image)IMAGE_INIT;
}

void
image_list_release(struct image_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		image_release(&list->v[i]);
	free(list->v);
	*list = (struct image_list)IMAGE_LIST_INIT;
}
