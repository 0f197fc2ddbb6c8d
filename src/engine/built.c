/* SPDX-License-Identifier: MIT */
/*
 * built: reads and writes the record of images as JSON, and finds their images.
 */
#include "engine/built.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/moment.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/engine.h"
#include "engine/inimage.h"
#include "host/paths.h"

#define LOCK_FILE "images.lock"

enum {
	BUILT_VERSION = 1,
	FILE_MAX = 1024 * 1024,
	ENTRIES_MAX = 512,
	SAME_MAX = 64, /* for one kind, engine and user */
	TEXT_MAX = 4096, /* bytes of one string; a path is the longest */
};

struct field {
	const char *name;
	size_t offset;
	bool agent_only;
	bool optional;
};

#define FIELD(member, ...)                                           \
	{                                                            \
#		member, offsetof(struct built, member), __VA_ARGS__ \
	}

static const struct field fields[] = {
	FIELD(kind, false, false),
	FIELD(image, false, false),
	FIELD(context, false, false),
	FIELD(recipe, true, true),
	FIELD(engine_id, false, false),
	FIELD(engine_data_root, false, false),
	FIELD(user, true, false),
	FIELD(home, true, false),
	FIELD(built_at, false, false),
	FIELD(base, false, true),
	FIELD(parts, false, true),
};

static const struct {
	const char *name;
	size_t offset;
} numbers[] = {
	{ "seconds", offsetof(struct built, seconds) },
	{ "size", offsetof(struct built, size) },
	{ "holder", offsetof(struct built, holder) },
};

static const char *const kinds[] = { "agent", "egress", BUILT_BASE };

static char **
field_of(struct built *b, const struct field *f)
{
	return (char **)(void *)((char *)b + f->offset);
}

static int64_t *
number_of(struct built *b, size_t i)
{
	return (int64_t *)(void *)((char *)b + numbers[i].offset);
}

static bool
is_agent(const struct built *b)
{
	return strcmp(b->kind, "agent") == 0;
}

static void
built_release(struct built *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		free(*field_of(b, &fields[i]));
	*b = (struct built){ .kind = NULL };
}

static void
list_remove(struct built_list *list, size_t i)
{
	built_release(&list->v[i]);
	memmove(&list->v[i], &list->v[i + 1],
	    (list->nr - i - 1) * sizeof(*list->v));
	list->nr--;
}

static struct built *
list_append(struct built_list *list)
{
	list->v = xreallocarray(list->v, list->nr + 1, sizeof(*list->v));
	list->v[list->nr] = (struct built){ .kind = NULL };
	return &list->v[list->nr++];
}

static int
read_id(const struct json *entry, const char *name, uint32_t *ret_id,
    struct diag *dg)
{
	int64_t value;

	/* UINT32_MAX is not an id: to the kernel it means "no change". */
	if (!json_int(json_get(entry, name), &value) || value < 0 ||
	    value >= UINT32_MAX)
		return diag_set(dg, DIAG_DATA, "%s is not an id", name);
	*ret_id = (uint32_t)value;
	return 0;
}

static bool
is_kind(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(word, kinds[i]) == 0)
			return true;
	return false;
}

static int
read_entry(const struct json *entry, struct built *b, struct diag *dg)
{
	const char *kind = json_string(json_get(entry, "kind"));

	if (kind == NULL || !is_kind(kind))
		return diag_set(dg, DIAG_DATA, "kind is not a kind of image");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *name = fields[i].name;
		const struct json *value = json_get(entry, name);
		const char *text = json_string(value);

		if ((fields[i].agent_only && strcmp(kind, "agent") != 0) ||
		    (fields[i].optional && value == NULL))
			continue;
		if (text == NULL || *text == '\0' || strlen(text) > TEXT_MAX)
			return diag_set(dg, DIAG_DATA,
			    "%s is not a text of 1 to %d bytes", name,
			    TEXT_MAX);
		*field_of(b, &fields[i]) = xstrdup(text);
	}
	if (!answer_is_image_id(b->image))
		return diag_set(dg, DIAG_DATA, "image is not an image's id");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const struct json *value = json_get(entry, numbers[i].name);

		if (value != NULL &&
		    (!json_int(value, number_of(b, i)) || *number_of(b, i) < 0))
			return diag_set(dg, DIAG_DATA,
			    "%s is not a positive number", numbers[i].name);
	}
	if (!is_agent(b))
		return 0;
	if (read_id(entry, "uid", &b->uid, dg) != 0 ||
	    read_id(entry, "gid", &b->gid, dg) != 0)
		return -1;
	return 0;
}

int
built_parse(
    const char *text, size_t len, struct built_list *ret_list, struct diag *dg)
{
	cleanup_built_list struct built_list list = BUILT_LIST_INIT;
	cleanup_json struct json *root = NULL;
	const struct json *images;
	int64_t version;

	if (len > FILE_MAX)
		return diag_set(dg, DIAG_DATA, "more than %d bytes", FILE_MAX);
	if (json_parse(text, len, BUILT_FILE, &root, dg) != 0)
		return -1;
	if (!json_int(json_get(root, "version"), &version))
		return diag_set(dg, DIAG_DATA, "no version");
	if (version != BUILT_VERSION)
		return diag_set(dg, DIAG_DATA,
		    "version %lld, this drydock reads %d", (long long)version,
		    BUILT_VERSION);
	images = json_get(root, "images");
	if (!json_is_array(images))
		return diag_set(dg, DIAG_DATA, "images is not a list");
	if (json_len(images) > ENTRIES_MAX)
		return diag_set(
		    dg, DIAG_DATA, "more than %d images", ENTRIES_MAX);
	for (size_t i = 0; i < json_len(images); i++)
		if (read_entry(json_at(images, i), list_append(&list), dg) != 0)
			return diag_wrap(dg, "image %zu", i + 1);
	list.recorded = true;
	*ret_list = list;
	list = (struct built_list)BUILT_LIST_INIT;
	return 0;
}

int
built_read(
    const struct paths *paths, struct built_list *ret_list, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	*ret_list = (struct built_list)BUILT_LIST_INIT;
	if ((fs_read_nolinks(
		 paths->state_fd, BUILT_FILE, FILE_MAX, &text, dg) == 0 &&
		built_parse(text.buf, text.len, ret_list, dg) == 0) ||
	    diag_ignore(dg, ENOENT) == 0)
		return 0;
	return diag_wrap(dg,
	    "%s/" BUILT_FILE " cannot be used; move it away and run \"drydock "
	    "build\"",
	    paths->state_dir);
}

static int
write_list(
    const struct paths *paths, const struct built_list *list, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec images = STRVEC_INIT;
	cleanup_diag struct diag failure = DIAG_INIT;
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_int(w, "version", BUILT_VERSION);
	jsonw_key_array(w, "images");
	for (size_t i = 0; i < list->nr; i++) {
		struct built *b = &list->v[i];

		strvec_push(&images, b->image);
		jsonw_open_object(w);
		for (size_t f = 0; f < ARRAY_SIZE(fields); f++)
			if (*field_of(b, &fields[f]) != NULL)
				jsonw_key_str(w, fields[f].name,
				    *field_of(b, &fields[f]));
		if (is_agent(b)) {
			jsonw_key_int(w, "uid", b->uid);
			jsonw_key_int(w, "gid", b->gid);
		}
		for (size_t n = 0; n < ARRAY_SIZE(numbers); n++)
			if (*number_of(b, n) > 0)
				jsonw_key_int(
				    w, numbers[n].name, *number_of(b, n));
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	jsonw_close_object(w);
	fs_temp_clean(paths->state_fd, BUILT_FILE);
	if (jsonw_finish(w, &text, dg) != 0 ||
	    fs_replace_file(
		paths->state_fd, BUILT_FILE, text.buf, text.len, 0600, dg) != 0)
		return diag_wrap(dg,
		    "the images are not recorded in %s; when that is mended, "
		    "run \"drydock build\" again",
		    paths->state_dir);
	/* The lists of programs of images that are not recorded any more go. */
	if (inimage_prune_programs(paths, &images, &failure) != 0)
		diag_warn("%s", failure.message);
	return 0;
}

int
built_lock(
    const struct paths *paths, int timeout_ms, int *ret_fd, struct diag *dg)
{
	enum lock_answer answer;

	if (lock_try(paths->state_fd, LOCK_FILE, true, &answer, ret_fd, dg) !=
	    0)
		return -1;
	if (answer == LOCK_WON)
		return 0;
	if (timeout_ms > 0)
		diag_note("another drydock build is running: waiting for it");
	if (timeout_ms > 0 &&
	    lock_wait(paths->state_fd, LOCK_FILE, true, timeout_ms, &answer,
		ret_fd, dg) != 0)
		return -1;
	if (answer == LOCK_WON)
		return 0;
	return diag_set(dg, DIAG_BUSY,
	    "another drydock build holds %s/" LOCK_FILE, paths->state_dir);
}

bool
built_is_of(const struct built *b, const struct engine *engine)
{
	/* The id alone is not enough: two engines on one host can share it. */
	return strcmp(b->engine_id, engine->id) == 0 &&
	    strcmp(b->engine_data_root, engine->data_root) == 0;
}

static bool
is_for(const struct built *b, const struct engine *engine,
    const struct built_key *key)
{
	const struct image_user *user = key->user;

	if (strcmp(b->kind, key->kind) != 0 || !built_is_of(b, engine))
		return false;
	return user == NULL ||
	    (strcmp(b->user, user->name) == 0 &&
		strcmp(b->home, user->home) == 0 && b->uid == user->uid &&
		b->gid == user->gid);
}

/* Returns true if the entry matches the context, or the recipe, of the key. */
static bool
is_of(const struct built *b, const struct built_key *key)
{
	if (key->context != NULL)
		return strcmp(b->context, key->context) == 0;
	if (key->recipe == NULL)
		return true;
	return b->recipe == NULL ? key->plain
				 : strcmp(b->recipe, key->recipe) == 0;
}

/* Removes the oldest entries to make room for one more with this key. */
static void
make_room(struct built_list *list, const struct engine *engine,
    const struct built_key *key, const char *image)
{
	size_t same = 0;

	for (size_t i = list->nr; i-- > 0;) {
		struct built *b = &list->v[i];

		/* read_entry() rejects an entry without them. */
		assert(b->kind != NULL && b->image != NULL);
		if (is_for(b, engine, key) &&
		    (strcmp(b->image, image) == 0 || ++same >= SAME_MAX))
			list_remove(list, i);
	}
	while (list->nr >= ENTRIES_MAX)
		list_remove(list, 0);
}

int
built_add(const struct paths *paths, const struct engine *engine,
    const struct built_key *key, const struct built_facts *facts,
    const char *image, struct diag *dg)
{
	const struct image_user *user = key->user;
	cleanup_built_list struct built_list list = BUILT_LIST_INIT;
	const struct built *same;
	int64_t seconds = facts->seconds;
	struct built *b;

	if (*engine->id == '\0' || *engine->data_root == '\0')
		return diag_set(dg, DIAG_ENGINE,
		    "the engine does not tell its id and data directory, "
		    "without which no image is recorded");
	if (built_read(paths, &list, dg) != 0)
		return -1;
	/* A build from the engine's cache has no meaningful duration. */
	same = built_find(&list, engine, image);
	if (same != NULL && same->seconds > seconds)
		seconds = same->seconds;
	make_room(&list, engine, key, image);
	b = list_append(&list);
	b->kind = xstrdup(key->kind);
	b->image = xstrdup(image);
	b->context = xstrdup(key->context);
	b->recipe = key->recipe != NULL ? xstrdup(key->recipe) : NULL;
	b->engine_id = xstrdup(engine->id);
	b->engine_data_root = xstrdup(engine->data_root);
	b->built_at = moment_now();
	b->base = facts->base != NULL ? xstrdup(facts->base) : NULL;
	b->parts = facts->parts != NULL ? xstrdup(facts->parts) : NULL;
	b->seconds = seconds;
	b->size = facts->size;
	b->holder = facts->holder;
	if (user != NULL) {
		b->user = xstrdup(user->name);
		b->home = xstrdup(user->home);
		b->uid = user->uid;
		b->gid = user->gid;
	}
	return write_list(paths, &list, dg);
}

bool
built_labels_match(const struct built *b, const struct image *image)
{
	cleanup_strvec struct strvec labels = STRVEC_INIT;
	const struct image_user user = { b->user, b->uid, b->gid, b->home };

	image_make_labels(b->kind, b->user != NULL ? &user : NULL,
	    strcmp(b->kind, BUILT_BASE) == 0 ? NULL : b->context, &labels);
	return image_carries(image, &labels);
}

int
built_forget(const struct paths *paths, const struct engine *engine,
    const struct strvec *images, struct diag *dg)
{
	cleanup_built_list struct built_list list = BUILT_LIST_INIT;

	if (built_read(paths, &list, dg) != 0)
		return -1;
	for (size_t i = list.nr; i-- > 0;)
		if (built_is_of(&list.v[i], engine) &&
		    strvec_has(images, list.v[i].image))
			list_remove(&list, i);
	return write_list(paths, &list, dg);
}

/*
 * Inspects the image of an entry.  ret_image->id is NULL if the image is gone.
 */
static int
look_up(const struct built *b, const struct engine *engine,
    struct image *ret_image, struct diag *dg)
{
	cleanup_image struct image image = IMAGE_INIT;

	if (image_inspect(engine, b->image, &image, dg) != 0)
		return -1;
	if (image.id == NULL)
		return 0;
	if (!built_labels_match(b, &image))
		return diag_set(dg, DIAG_DATA,
		    BUILT_FILE " has image %s as %s image, but its labels say "
			       "otherwise: run \"drydock build\"",
		    b->image, b->kind);
	if (image_judge(&image, dg) != 0)
		return -1;
	*ret_image = image;
	image = (struct image)IMAGE_INIT;
	return 0;
}

int
built_find_image(const struct built_list *list, const struct engine *engine,
    const struct built_key *key, struct image *ret_image, struct diag *dg)
{
	*ret_image = (struct image)IMAGE_INIT;
	for (size_t i = list->nr; i-- > 0 && ret_image->id == NULL;) {
		const struct built *b = &list->v[i];

		if (is_for(b, engine, key) && is_of(b, key) &&
		    look_up(b, engine, ret_image, dg) != 0)
			return -1;
	}
	return 0;
}

const struct built *
built_find(const struct built_list *list, const struct engine *engine,
    const char *image)
{
	for (size_t i = list->nr; i-- > 0;)
		if (built_is_of(&list->v[i], engine) &&
		    strcmp(list->v[i].image, image) == 0)
			return &list->v[i];
	return NULL;
}

const struct built *
built_find_last(const struct built_list *list, const struct engine *engine,
    const char *kind)
{
	for (size_t i = list->nr; i-- > 0;)
		if (built_is_of(&list->v[i], engine) &&
		    strcmp(list->v[i].kind, kind) == 0)
			return &list->v[i];
	return NULL;
}

int
built_find_unknown(const struct built_list *list, const struct engine *engine,
    struct image_list *ret_images, struct diag *dg)
{
	cleanup_strvec struct strvec labelled = STRVEC_INIT;
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	*ret_images = (struct image_list)IMAGE_LIST_INIT;
	if (images_list_labelled(engine, &labelled, dg) != 0)
		return -1;
	for (size_t i = 0; i < labelled.nr; i++)
		if (built_find(list, engine, labelled.v[i]) == NULL)
			strvec_push(&ids, labelled.v[i]);
	return images_inspect(engine, &ids, ret_images, dg);
}

void
built_list_release(struct built_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		built_release(&list->v[i]);
	free(list->v);
	*list = (struct built_list)BUILT_LIST_INIT;
}
