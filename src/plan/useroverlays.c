/* SPDX-License-Identifier: MIT */
/*
 * useroverlays: finds the files, checks them, reads each once and writes them
 * anew for Compose.
 */
#include "plan/useroverlays.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/trusted.h"
#include "plan/plan.h"
#include "plan/yaml.h"

#define DIRECTORY "compose.d"
#define MAX_SIZE (64UL * 1024)
#define MAX_FILES 32

static bool
is_overlay(const char *name)
{
	static const char *const ends[] = { ".yml", ".yaml", ".json" };
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t n = strlen(ends[i]);

		if (name[0] != '.' && len > n &&
		    strcmp(name + len - n, ends[i]) == 0)
			return true;
	}
	return false;
}

/* Appends the sorted overlays of one directory, as DIRECTORY/NAME. */
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
	if (overlays->nr > MAX_FILES)
		return diag_set(dg, DIAG_CONFIG, "%s/%s: more than %d overlays",
		    paths->config_dir, directory, MAX_FILES);
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
	if (fs_read_fd(fd, o->name, MAX_SIZE, &o->text, dg) != 0)
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

int
useroverlays_add(const struct plan_request *request, struct assembly *assembly,
    struct diag *dg)
{
	const struct paths *paths = request->paths;
	const struct project *project = request->project;
	cleanup_free char *own = xasprintf("%s/" DIRECTORY, project->config);
	cleanup_free char *older = xasprintf(DIRECTORY "/%s", project->key);
	size_t before;

	if (add_directory(
		paths, DIRECTORY, "yours, for all projects", assembly, dg) != 0)
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
