/* SPDX-License-Identifier: MIT */
/* assemble: builds the ordered list of overlays and reads each one once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/text.h"
#include "host/trusted.h"
#include "plan/carried.h"
#include "plan/extra-service.h"
#include "plan/plan.h"
#include "plan/role.h"
#include "plan/values.h"
#include "plan/yaml.h"

/*
 * Overlays are written by hand; the limit is about 100 times the longest one.
 */
#define MAX_OVERLAY (256UL * 1024)

#define USERS_DIRECTORY "compose.d"
#define USERS_MAX_SIZE (64UL * 1024)
#define USERS_MAX_FILES 32

struct overlay *
assembly_insert(struct assembly *assembly, size_t at, char *name, char *why)
{
	struct overlay *o;

	assembly->v =
	    xreallocarray(assembly->v, assembly->nr + 1, sizeof(*assembly->v));
	o = &assembly->v[at];
	memmove(o + 1, o, (assembly->nr - at) * sizeof(*o));
	assembly->nr++;
	*o = (struct overlay){
		.fd = -1,
		.text = STRBUF_INIT,
		.tree = STRBUF_INIT,
	};
	o->name = name;
	o->why = why;
	return o;
}

/* why is given. */
static int
add_installed(struct assembly *assembly, const struct paths *paths,
    const char *name, char *why, struct diag *dg)
{
	struct overlay *o =
	    assembly_insert(assembly, assembly->nr, xstrdup(name), why);
	cleanup_free char *file = xasprintf("%s.yml", name);

	if (trusted_read_data(paths, file, MAX_OVERLAY, &o->text, dg) != 0 ||
	    fs_memfd(file, o->text.buf, o->text.len, &o->fd, dg) != 0)
		return diag_wrap(dg, "overlay %s", name);
	digest_bytes(o->text.buf, o->text.len, o->digest);
	return 0;
}

/* Adds the three overlays that every session has. */
static int
add_all_installed(const struct plan_request *request, struct assembly *assembly,
    struct diag *dg)
{
	const struct paths *paths = request->paths;
	const char *mode = mode_name(request->mode.mode);

	if (add_installed(assembly, paths, "base", xstrdup("always"), dg) !=
		0 ||
	    add_installed(assembly, paths, mode,
		xasprintf("mode %s (%s)", mode, request->mode.reason), dg) != 0)
		return -1;
	return add_installed(
	    assembly, paths, "hardening", xstrdup("always"), dg);
}

/* Adds one overlay, made from mount.yml, for each carried directory. */
static int
add_carried(const struct plan_request *request, struct assembly *assembly,
    struct diag *dg)
{
	const struct carried *carried = &assembly->carried;
	cleanup_strbuf struct strbuf template = STRBUF_INIT;

	if (carried->nr == 0)
		return 0;
	if (trusted_read_data(
		request->paths, "mount.yml", MAX_OVERLAY, &template, dg) != 0)
		return -1;
	for (size_t i = 0; i < carried->nr; i++) {
		struct overlay *o = assembly_insert(assembly, assembly->nr,
		    xasprintf("mount %s", carried->v[i].path),
		    xstrdup(carried->v[i].role == &mount_roles[MOUNT_GIT]
			    ? "the project's git directory"
			    : "mounted below the project"));
		char number[32];

		(void)snprintf(number, sizeof(number), "%zu", i);
		carried_variables(carried, i, &assembly->vars);
		strbuf_add_replaced(&o->text, template.buf, "@NUMBER@", number);
		digest_bytes(template.buf, template.len, o->digest);
		if (fs_memfd("mount", o->text.buf, o->text.len, &o->fd, dg) !=
		    0)
			return diag_wrap(dg, "overlay %s", o->name);
	}
	return 0;
}

int
plan_assemble_own(const struct plan_request *request,
    struct assembly *ret_assembly, struct diag *dg)
{
	cleanup_assembly struct assembly a = ASSEMBLY_INIT;

	if (plan_access(request, &a.access, dg) != 0 ||
	    carried_find(request, &a.carried, dg) != 0 ||
	    plan_variables(request, &a.vars, dg) != 0 ||
	    add_all_installed(request, &a, dg) != 0)
		return -1;
	strvec_pushf(&a.vars, "DRYDOCK_PROJECT_READ_ONLY=%s",
	    a.access.read_only ? "true" : "false");
	if (a.access.has_group) {
		strvec_pushf(&a.vars, "DRYDOCK_PROJECT_GID=%ju",
		    (uintmax_t)a.access.group);
		if (add_installed(&a, request->paths, "group",
			xstrdup("the project's group"), dg) != 0)
			return -1;
	}
	if (request->lease &&
	    add_installed(&a, request->paths, "lease",
		xstrdup("the sidecar ends with its agent"), dg) != 0)
		return -1;
	if (request->cache_dir != NULL &&
	    add_installed(&a, request->paths, "cache",
		xstrdup("the toolchains' caches"), dg) != 0)
		return -1;
	if (add_carried(request, &a, dg) != 0)
		return -1;
	*ret_assembly = a;
	a = (struct assembly)ASSEMBLY_INIT;
	return 0;
}

static bool
is_overlay(const char *name)
{
	return name[0] != '.' &&
	    (text_ends_with(name, ".yml") || text_ends_with(name, ".yaml") ||
		text_ends_with(name, ".json"));
}

/* Appends the sorted overlays of one directory, as USERS_DIRECTORY/NAME. */
static int
list_names(const struct paths *paths, const char *directory,
    struct strvec *overlays, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;

	if (paths_open_config(paths, directory,
		TRUSTED_DIRECTORY | TRUSTED_NO_LINK, &fd, dg) != 0)
		return -1;
	if (fd == -1)
		return 0;
	if (fs_list_names(fd, directory, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		if (is_overlay(names.v[i]))
			strvec_pushf(overlays, "%s/%s", directory, names.v[i]);
	if (overlays->nr > USERS_MAX_FILES)
		return diag_set(dg, DIAG_CONFIG, "%s/%s: more than %d overlays",
		    paths->config_dir, directory, USERS_MAX_FILES);
	return 0;
}

/*
 * Reads one file into an empty overlay.  The assembly owns the overlay, also
 * after a failure.
 */
static int
read_one(const struct paths *paths, struct overlay *o, struct diag *dg)
{
	cleanup_yaml struct yaml_node *top = NULL;
	cleanup_strbuf struct strbuf compose = STRBUF_INIT;
	cleanup_close int fd = -1;

	if (paths_open_config(paths, o->name, TRUSTED_NO_LINK, &fd, dg) != 0)
		return -1;
	if (fd == -1)
		return diag_set(dg, DIAG_CONFIG, "%s vanished", o->name);
	if (fs_read_fd(fd, o->name, USERS_MAX_SIZE, &o->text, dg) != 0)
		return diag_reclass(dg, DIAG_CONFIG);
	if (yaml_parse(o->name, o->text.buf, o->text.len, &top, dg) != 0)
		return -1;
	yaml_print(top, false, &o->tree);
	yaml_print(top, true, &compose);
	return fs_memfd("overlay", compose.buf, compose.len, &o->fd, dg);
}

/* why is copied for each overlay. */
static int
add_directory(const struct paths *paths, const char *directory, const char *why,
    struct assembly *assembly, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (list_names(paths, directory, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		struct overlay *o = assembly_insert(
		    assembly, assembly->nr, xstrdup(names.v[i]), xstrdup(why));

		if (read_one(paths, o, dg) != 0)
			return -1;
	}
	return 0;
}

static int
add_users(const struct plan_request *request, struct assembly *assembly,
    struct diag *dg)
{
	const struct paths *paths = request->paths;
	const struct project *project = request->project;
	cleanup_free char *own =
	    xasprintf("%s/" USERS_DIRECTORY, project->config);
	cleanup_free char *older =
	    xasprintf(USERS_DIRECTORY "/%s", project->key);
	size_t before;

	if (add_directory(paths, USERS_DIRECTORY, "yours, for all projects",
		assembly, dg) != 0)
		return -1;
	before = assembly->nr;
	if (add_directory(
		paths, older, "yours, for this project", assembly, dg) != 0)
		return -1;
	if (assembly->nr > before)
		diag_note("move this project's overlays from %s/%s to %s/%s",
		    paths->config_dir, older, paths->config_dir, own);
	return add_directory(
	    paths, own, "yours, for this project", assembly, dg);
}

int
plan_assemble(const struct plan_request *request, struct assembly *ret_assembly,
    struct diag *dg)
{
	cleanup_assembly struct assembly a = ASSEMBLY_INIT;
	size_t own;

	if (plan_assemble_own(request, &a, dg) != 0)
		return -1;
	own = a.nr;
	if (add_users(request, &a, dg) != 0 ||
	    extra_services_add(request, own, &a, dg) != 0)
		return -1;
	*ret_assembly = a;
	a = (struct assembly)ASSEMBLY_INIT;
	return 0;
}

void
assembly_release(struct assembly *assembly)
{
	for (size_t i = 0; i < assembly->nr; i++) {
		struct overlay *o = &assembly->v[i];

		free(o->name);
		free(o->why);
		cleanup_close_fn(&o->fd);
		strbuf_release(&o->text);
		strbuf_release(&o->tree);
	}
	free(assembly->v);
	extra_services_free(
	    assembly->extra_services, assembly->nextra_services);
	strvec_release(&assembly->vars);
	carried_release(&assembly->carried);
	*assembly = (struct assembly)ASSEMBLY_INIT;
}
