/* SPDX-License-Identifier: MIT */
/* compose up: containers of a sealed plan, which is made sure of first. */
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/xalloc.h"

char *
world_container(const struct world *w, const char *id)
{
	return xasprintf("%s/containers/%s", w->dir, id);
}

static char *
new_id(void)
{
	unsigned char raw[32];
	cleanup_strbuf struct strbuf id = STRBUF_INIT;

	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		world_die("getrandom");
	for (size_t i = 0; i < sizeof(raw); i++)
		strbuf_addf(&id, "%02x", raw[i]);
	return strbuf_detach(&id, NULL);
}

/*
 * The plan that Compose was given is the one that lies in the session's
 * directory, whole, and the record has its digest.
 */
static void
check_sealed(struct world *w, const char *text)
{
	const char *dir = world_option(w, "--project-directory=");
	char digest[DIGEST_HEX_SIZE];

	if (dir == NULL) {
		world_complain(w, "up without a project directory");
		return;
	}
	cleanup_free char *plan_path = xasprintf("%s/plan.json", dir);
	cleanup_free char *plan = world_read(plan_path, true);
	cleanup_free char *record_path = xasprintf("%s/session.json", dir);
	cleanup_free char *record = world_read(record_path, true);

	if (plan == NULL || strcmp(plan, text) != 0)
		world_complain(w, "up with another plan than the sealed one");
	digest_bytes(text, strlen(text), digest);
	if (record == NULL || strstr(record, digest) == NULL)
		world_complain(w, "up with a plan that no record names");
}

/* A launcher that is killed frees the lease, and Compose goes on. */
static void
check_lease(struct world *w)
{
	for (int fd = 3; fd < 16; fd++) {
		char path[64];
		char target[4096];
		ssize_t n;

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (n > 6 && strcmp(target + n - 6, "/lease") == 0)
			return;
	}
	world_complain(w, "up without the session's lease");
}

/* Where nothing is said the engine makes what is missing, as root. */
static bool
make_source(const struct json *volume, const char *source)
{
	const struct json *create =
	    json_get(json_get(volume, "bind"), "create_host_path");

	return json_bool(create, true) && mkdir(source, 0755) == 0;
}

/* A directory that the plan binds goes away. */
static void
lose_source(const struct world *w)
{
	cleanup_free char *path =
	    xasprintf("%s/egress", world_option(w, "--project-directory="));

	if (rmdir(path) != 0)
		world_die("remove %s: %s", path, strerror(errno));
}

static bool
check_sources(struct world *w, const struct json *service)
{
	const struct json *volumes = json_get(service, "volumes");

	for (size_t i = 0; i < json_len(volumes); i++) {
		const struct json *v = json_at(volumes, i);
		cleanup_free char *source =
		    world_undouble(json_string_or(json_get(v, "source"), ""));

		if (access(source, F_OK) == 0 || make_source(v, source))
			continue;
		strbuf_addf(&w->err,
		    "Error response from daemon: invalid mount config for "
		    "type \"bind\": bind source path does not exist: %s\n",
		    source);
		w->status = 1;
		return false;
	}
	return true;
}

/* Whether a container, of whomever, has the name of the one to be made. */
static bool
is_taken(struct world *w, const char *role)
{
	const char *project = world_option(w, "--project-name=");
	cleanup_free char *name = xasprintf(
	    "\"Name\":\"/%s-%s-1\"", project != NULL ? project : "", role);
	cleanup_free char *path = xasprintf("%s/containers", w->dir);
	cleanup_closedir DIR *dir = opendir(path);

	for (const struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
		cleanup_free char *body =
		    xasprintf("%s/%s/body", path, e->d_name);
		cleanup_free char *text = world_read(body, true);

		if (*e->d_name == '.' || text == NULL ||
		    strstr(text, name) == NULL)
			continue;
		strbuf_addf(&w->err,
		    "Error response from daemon: Conflict. The container name "
		    "\"/%s-%s-1\" is already in use by container \"%s\".\n",
		    project != NULL ? project : "", role, e->d_name);
		w->status = 1;
		return true;
	}
	return false;
}

static void
write_labels(const char *dir, const struct json *service)
{
	cleanup_free char *path = xasprintf("%s/labels", dir);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct jsonw *j = jsonw_new(false);

	jsonw_node(j, json_get(service, "labels"));
	if (jsonw_finish(j, &text, NULL) != 0)
		world_die("labels");
	world_write(path, text.buf, text.len);
}

static void
write_service(const char *dir, const char *role, const struct json *service)
{
	cleanup_free char *path = xasprintf("%s/service", dir);
	cleanup_free char *role_path = xasprintf("%s/role", dir);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct jsonw *j = jsonw_new(false);

	jsonw_node(j, service);
	if (jsonw_finish(j, &text, NULL) != 0)
		world_die("service");
	world_write(path, text.buf, text.len);
	world_write(role_path, role, strlen(role));
}

/* All at once, as an engine does: who is killed at it has made none. */
static char *
create(struct world *w, const char *role, const struct json *service)
{
	const char *project = world_option(w, "--project-name=");
	char *id = new_id();
	cleanup_free char *made = world_container(w, id);
	cleanup_free char *name = xasprintf(".%s", id);
	cleanup_free char *dir = world_container(w, name);

	if (mkdir(dir, 0755) != 0)
		world_die("make %s: %s", dir, strerror(errno));
	write_service(dir, role, service);
	world_write_facts(w, dir, service);
	world_write_body(w, dir, service, role, project != NULL ? project : "");
	write_labels(dir, service);
	if (rename(dir, made) != 0)
		world_die("make %s: %s", made, strerror(errno));
	return id;
}

/* One with the session's labels that its plan does not have. */
static void
make_stray(struct world *w, const struct json *services)
{
	cleanup_free char *id = create(w, "agent", json_get(services, "agent"));
	cleanup_free char *dir = world_container(w, id);
	cleanup_free char *path = xasprintf("%s/stray", dir);

	world_write(path, "", 0);
}

void
world_hash(const struct json *service, char ret_digest[DIGEST_HEX_SIZE])
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct jsonw *j = jsonw_new(false);

	jsonw_node(j, service);
	if (jsonw_finish(j, &text, NULL) != 0)
		world_die("hash");
	digest_bytes(text.buf, text.len, ret_digest);
}

void
world_hashes(struct world *w)
{
	const char *file = world_option(w, "--file=");
	cleanup_free char *text = world_read(file, false);
	cleanup_json struct json *plan = world_parse(text, "the plan");
	const struct json *services = json_get(plan, "services");
	char digest[DIGEST_HEX_SIZE];

	for (size_t i = 0; i < json_len(services); i++) {
		world_hash(json_value_at(services, i), digest);
		strbuf_addf(
		    &w->out, "%s %s\n", json_key_at(services, i), digest);
	}
}

void
world_up(struct world *w)
{
	const char *file = world_option(w, "--file=");
	cleanup_free char *text = NULL;
	cleanup_json struct json *plan = NULL;
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	const struct json *services;

	if (file == NULL)
		world_die("up without a file");
	text = world_read(file, false);
	plan = world_parse(text, "the plan");
	services = json_get(plan, "services");
	check_sealed(w, text);
	check_lease(w);
	if (world_has_fault(w, "lose"))
		lose_source(w);
	for (size_t i = 0; i < json_len(services); i++)
		if (is_taken(w, json_key_at(services, i)) ||
		    !check_sources(w, json_value_at(services, i)))
			return;
	if (world_has_fault(w, "stray"))
		make_stray(w, services);
	for (size_t i = 0; i < json_len(services); i++)
		strvec_push_given(&ids,
		    create(w, json_key_at(services, i),
			json_value_at(services, i)));
	/* As a runtime that cannot start what was created. */
	if (world_has_fault(w, "half")) {
		strbuf_addstr(&w->err,
		    "Error response from daemon: failed to create task for "
		    "container: made up\n");
		w->status = 1;
		return;
	}
	for (size_t i = 0; i < ids.nr; i++)
		world_start(w, ids.v[i]);
	if (world_has_fault(w, "vanish"))
		world_remove(w, ids.v[0]);
}
