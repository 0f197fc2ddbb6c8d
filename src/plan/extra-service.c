/* SPDX-License-Identifier: MIT */
/*
 * extra-service: generates drydock's overlays for services that the user adds.
 */
#include "plan/extra-service.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/settings.h"
#include "host/trusted.h"
#include "plan/model.h"
#include "plan/plan.h"

#define MAX_TEMPLATE (64UL * 1024)
#define PLACEHOLDER "@SERVICE@"

enum {
	MAX_EXTRA = 8,
	MAX_NAME = 32,
	MAX_REFERENCE = 255,
};

/* The name becomes part of container names, a label and a Compose key. */
static bool
is_name(const char *name)
{
	static const char more[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t len = strlen(name);

	return len > 0 && len <= MAX_NAME && name[0] >= 'a' && name[0] <= 'z' &&
	    strspn(name, more) == len;
}

/*
 * The reference becomes an argument of the engine's command: only the
 * characters that references need are allowed.
 */
static bool
is_reference(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && len <= MAX_REFERENCE && s[0] != '-' && s[0] != '.' &&
	    s[0] != '/' && strspn(s, ASCII_ALNUM "._/:@-") == len;
}

static struct extra_service *
find_or_add(struct assembly *a, const char *name)
{
	for (size_t i = 0; i < a->nextra_services; i++)
		if (strcmp(a->extra_services[i].name, name) == 0)
			return &a->extra_services[i];
	a->extra_services = xreallocarray(a->extra_services,
	    a->nextra_services + 1, sizeof(*a->extra_services));
	a->extra_services[a->nextra_services] =
	    (struct extra_service){ .name = xstrdup(name),
		    .image = IMAGE_INIT,
		    .mounted = STRVEC_INIT,
		    .tmpfs = STRVEC_INIT };
	return &a->extra_services[a->nextra_services++];
}

static bool
is_set(const struct json *service, const char *key)
{
	const struct json *n = json_get(service, key);

	return n != NULL && !json_is_null(n);
}

/*
 * An entry is "TARGET:OPTIONS" for a tmpfs, "SOURCE:TARGET" for a volume, or an
 * object.
 */
static void
add_target(const struct json *entry, bool second, struct strvec *targets)
{
	const char *text = json_string_or(entry, "");
	const char *target = json_string(json_get(entry, "target"));

	if (target != NULL) {
		strvec_push(targets, target);
		return;
	}
	if (second)
		text += strcspn(text, ":") + (strchr(text, ':') != NULL);
	strvec_push_given(targets, xstrndup(text, strcspn(text, ":")));
}

static void
add_targets(const struct json *list, bool second, struct strvec *targets)
{
	if (json_is_string(list))
		add_target(list, second, targets);
	for (size_t i = 0; json_is_array(list) && i < json_len(list); i++)
		add_target(json_at(list, i), second, targets);
}

/*
 * Adds a tmpfs, owned by the caller, for each declared volume of the image on
 * which no overlay mounts anything.  Without it the engine would create a
 * volume of unlimited size.  The policy checks that all volumes are covered.
 */
static void
add_volumes(const struct plan_request *request, struct extra_service *extra)
{
	for (size_t i = 0; i < extra->image.volumes.nr; i++) {
		const char *path = extra->image.volumes.v[i];

		if (strvec_has(&extra->mounted, path) ||
		    strpbrk(path, ":,") != NULL)
			continue;
		strvec_pushf(&extra->tmpfs,
		    "%s:rw,noexec,nosuid,nodev,mode=0700,uid=%ju,gid=%ju,"
		    "size=%jd",
		    path, (uintmax_t)request->paths->uid,
		    (uintmax_t)request->paths->gid,
		    (intmax_t)request->settings->tmp_size);
	}
}

/*
 * Reads the services of one user overlay; later overlays override earlier ones.
 */
static int
read_overlay(const struct overlay *o, struct assembly *a, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	const struct json *services;

	if (o->tree.len == 0)
		return 0;
	if (json_parse(o->tree.buf, o->tree.len, o->name, &root, dg) != 0)
		return -1;
	services = json_get(root, "services");
	for (size_t i = 0; json_is_object(services) && i < json_len(services);
	     i++) {
		const char *name = json_key_at(services, i);
		const struct json *s = json_value_at(services, i);
		const char *image = json_string(json_get(s, "image"));
		struct extra_service *extra;

		if (service_role_of(name) != SERVICE_EXTRA || !is_name(name) ||
		    !json_is_object(s))
			continue;
		extra = find_or_add(a, name);
		extra->has_entrypoint =
		    extra->has_entrypoint || is_set(s, "entrypoint");
		extra->has_command = extra->has_command || is_set(s, "command");
		add_targets(json_get(s, "tmpfs"), false, &extra->mounted);
		add_targets(json_get(s, "volumes"), true, &extra->mounted);
		if (image == NULL)
			continue;
		free(extra->reference);
		extra->reference = xstrdup(image);
	}
	return 0;
}

/* The plan has the image's values wherever no overlay sets another value. */
static void
write_defaults(struct jsonw *w, const struct extra_service *extra)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;

	for (size_t i = 0; i < extra->image.env.nr; i++) {
		const char *word = extra->image.env.v[i];
		size_t len = strcspn(word, "=");
		cleanup_free char *name = xstrndup(word, len);

		if (word[len] == '=')
			strvec_setenv(&env, name, word + len + 1);
	}
	jsonw_open_object(w);
	/*
	 * Compose requires an image, even if the policy then reports the image
	 * as missing.
	 */
	if (extra->image.id == NULL)
		jsonw_key_str(w, "image",
		    extra->reference != NULL ? extra->reference : "none");
	jsonw_key_strvec(w, "environment", &env);
	if (!extra->has_entrypoint)
		jsonw_key_strvec(w, "entrypoint", &extra->image.entrypoint);
	if (extra->tmpfs.nr > 0)
		jsonw_key_strvec(w, "tmpfs", &extra->tmpfs);
	/*
	 * Like the engine: an overridden entrypoint drops the image's command.
	 */
	if (!extra->has_entrypoint && !extra->has_command)
		jsonw_key_strvec(w, "command", &extra->image.command);
	jsonw_close_object(w);
}

static void
write_id(struct jsonw *w, const struct extra_service *extra)
{
	jsonw_open_object(w);
	if (extra->image.id != NULL)
		jsonw_key_str(w, "image", extra->image.id);
	jsonw_close_object(w);
}

/* Inserts an overlay with one object for each extra service. */
static int
add_generated(void (*write)(struct jsonw *w, const struct extra_service *extra),
    const char *name, const char *why, size_t at, struct assembly *a,
    struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf doubled = STRBUF_INIT;
	struct jsonw *w = jsonw_new(false);
	struct overlay *o = assembly_insert(a, at, xstrdup(name), xstrdup(why));

	jsonw_open_object(w);
	jsonw_key_object(w, "services");
	for (size_t i = 0; i < a->nextra_services; i++) {
		jsonw_key(w, a->extra_services[i].name);
		write(w, &a->extra_services[i]);
	}
	jsonw_close_object(w);
	jsonw_close_object(w);
	if (jsonw_finish(w, &text, dg) != 0)
		return diag_wrap(dg, "images of extra services");
	dollars_escape(text.buf, text.len, &doubled);
	/*
	 * The overlay's text stays empty: an error in it comes from a user
	 * overlay, and find_overlay() in policy.c must not match this one.
	 */
	return fs_memfd("images", doubled.buf, doubled.len, &o->fd, dg);
}

static int
find_images(
    const struct plan_request *request, struct assembly *a, struct diag *dg)
{
	for (size_t i = 0; i < a->nextra_services; i++) {
		struct extra_service *extra = &a->extra_services[i];

		if (extra->reference != NULL &&
		    is_reference(extra->reference) &&
		    image_inspect(request->engine, extra->reference,
			&extra->image, dg) != 0)
			return diag_wrap(dg, "service %s", extra->name);
		add_volumes(request, extra);
	}
	return 0;
}

int
extra_services_add(const struct plan_request *request, size_t first,
    struct assembly *assembly, struct diag *dg)
{
	cleanup_strbuf struct strbuf template = STRBUF_INIT;

	for (size_t i = first; i < assembly->nr; i++)
		if (read_overlay(&assembly->v[i], assembly, dg) != 0)
			return -1;
	if (assembly->nextra_services == 0)
		return 0;
	if (assembly->nextra_services > MAX_EXTRA)
		return diag_set(
		    dg, DIAG_CONFIG, "more than %d extra services", MAX_EXTRA);
	if (trusted_read_data(request->paths, "service.yml", MAX_TEMPLATE,
		&template, dg) != 0 ||
	    find_images(request, assembly, dg) != 0)
		return -1;
	for (size_t i = 0; i < assembly->nextra_services; i++) {
		const char *name = assembly->extra_services[i].name;
		struct overlay *o = assembly_insert(assembly, first + i,
		    xasprintf("service %s", name),
		    xstrdup("hardening of your extra service"));

		strbuf_add_replaced(&o->text, template.buf, PLACEHOLDER, name);
		digest_bytes(template.buf, template.len, o->digest);
		if (fs_memfd("service", o->text.buf, o->text.len, &o->fd, dg) !=
		    0)
			return -1;
	}
	if (add_generated(write_defaults, "images",
		"defaults of your extra services' images",
		first + assembly->nextra_services, assembly, dg) != 0)
		return -1;
	return add_generated(write_id, "image ids",
	    "ids of your extra services' images", assembly->nr, assembly, dg);
}

void
extra_services_free(struct extra_service *v, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(v[i].name);
		free(v[i].reference);
		image_release(&v[i].image);
		strvec_release(&v[i].mounted);
		strvec_release(&v[i].tmpfs);
	}
	free(v);
}
