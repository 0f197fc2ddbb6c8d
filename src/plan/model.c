/* SPDX-License-Identifier: MIT */
/* model: reading what Compose merged. */
#include "plan/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "plan/plan.h"
#include "plan/values.h"

static const char declaration[] = "x-drydock-";

int
model_undouble(
    const char *text, size_t len, struct strbuf *out, struct diag *dg)
{
	for (size_t i = 0; i < len; i++) {
		strbuf_addch(out, text[i]);
		if (text[i] != '$')
			continue;
		if (++i == len || text[i] != '$')
			return diag_set(dg, DIAG_ENGINE,
			    "docker-compose config: a single $ in its answer");
	}
	return 0;
}

void
model_double(const char *text, size_t len, struct strbuf *out)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '$')
			strbuf_addch(out, '$');
		strbuf_addch(out, text[i]);
	}
}

/* The declaration whose source it is, or NULL. */
static const struct json *
find_declaration(const struct json *model, const char *source)
{
	for (size_t i = 0; i < json_len(model); i++) {
		const struct json *d = json_value_at(model, i);
		const char *declared = json_string(json_get(d, "source"));

		if (strncmp(json_key_at(model, i), declaration,
			strlen(declaration)) == 0 &&
		    declared != NULL && strcmp(declared, source) == 0)
			return d;
	}
	return NULL;
}

/* Reads a number that ends at end, or fails. */
static bool
parse_number(const char *s, int base, char end, unsigned long max,
    unsigned long *ret, const char **ret_rest)
{
	char *rest;
	unsigned long value;

	if (*s < '0' || *s > '9')
		return false;
	value = strtoul(s, &rest, base);
	if (*rest != end || value > max)
		return false;
	*ret = value;
	*ret_rest = rest + 1;
	return true;
}

static void
read_declaration(
    const struct json *d, const struct paths *paths, struct bind *bind)
{
	const char *kind = json_string_or(json_get(d, "kind"), "directory");
	const char *make = json_string_or(json_get(d, "make"), "");
	const char *owner = json_string_or(json_get(d, "owner"), "");
	const char *rest;
	unsigned long mode;
	unsigned long uid;
	unsigned long gid;

	bind->kind = strcmp(kind, "socket") == 0 ? BIND_SOCKET
	    : strcmp(kind, "file") == 0          ? BIND_FILE
						 : BIND_DIRECTORY;
	if (parse_number(make, 8, '\0', 0777, &mode, &rest))
		bind->mode = (mode_t)mode;
	bind->uid = paths->uid;
	bind->gid = paths->gid;
	if (parse_number(owner, 10, ':', UINT32_MAX - 1, &uid, &rest) &&
	    parse_number(rest, 10, '\0', UINT32_MAX - 1, &gid, &rest)) {
		bind->uid = (uid_t)uid;
		bind->gid = (gid_t)gid;
	}
}

static void
add_bind(const struct json *model, const struct paths *paths,
    const char *service, const struct json *volume, struct plan *plan)
{
	const char *source = json_string(json_get(volume, "source"));
	const char *target = json_string(json_get(volume, "target"));
	struct bind *bind;

	if (source == NULL || target == NULL)
		return;
	plan->binds =
	    xreallocarray(plan->binds, plan->nbinds + 1, sizeof(*plan->binds));
	bind = &plan->binds[plan->nbinds++];
	memset(bind, 0, sizeof(*bind));
	bind->service = xstrdup(service);
	bind->source = xstrdup(source);
	bind->target = xstrdup(target);
	bind->read_only = json_bool(json_get(volume, "read_only"), false);
	bind->fd = -1;
	read_declaration(find_declaration(model, source), paths, bind);
}

void
model_binds(
    const struct json *model, const struct paths *paths, struct plan *plan)
{
	const struct json *services = json_get(model, "services");

	for (size_t i = 0; i < json_len(services); i++) {
		const struct json *volumes =
		    json_get(json_value_at(services, i), "volumes");

		for (size_t n = 0; n < json_len(volumes); n++)
			add_bind(model, paths, json_key_at(services, i),
			    json_at(volumes, n), plan);
	}
}

int
plan_further(const struct plan *plan, struct strvec *names,
    struct strvec *images, struct diag *dg)
{
	struct json *model cleanup_json = NULL;
	const struct json *services;

	if (json_parse(
		plan->model, strlen(plan->model), "the model", &model, dg) != 0)
		return -1;
	services = json_get(model, "services");
	for (size_t i = 0; i < json_len(services); i++) {
		const char *name = json_key_at(services, i);
		const char *image =
		    json_string(json_get(json_value_at(services, i), "image"));

		if (plan_is_own_service(name))
			continue;
		if (image == NULL)
			return diag_set(
			    dg, DIAG_DATA, "the model's %s has no image", name);
		strvec_push(names, name);
		strvec_push(images, image);
	}
	return 0;
}

/* NAME=VALUE, or NAME of a list that is one already. */
int
plan_environment(const struct plan *plan, const char *service,
    struct strvec *env, struct diag *dg)
{
	struct json *model cleanup_json = NULL;
	const struct json *e;

	if (json_parse(
		plan->model, strlen(plan->model), "the model", &model, dg) != 0)
		return -1;
	e = json_get(
	    json_get(json_get(model, "services"), service), "environment");
	for (size_t i = 0; i < json_len(e); i++) {
		const char *value = json_string(json_value_at(e, i));

		if (value == NULL)
			return diag_set(dg, DIAG_DATA,
			    "the model's environment has no value for %s",
			    json_key_at(e, i));
		strvec_pushf(env, "%s=%s", json_key_at(e, i), value);
	}
	return 0;
}
