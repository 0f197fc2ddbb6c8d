/* SPDX-License-Identifier: MIT */
/* useroverlays: found, checked, read once and written anew for Compose. */
#include "plan/useroverlays.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/project.h"
#include "plan/plan.h"
#include "plan/yaml.h"

#define DIRECTORY "compose.d"
#define MAX_SIZE (64UL * 1024)
#define MAX_FILES 32

static int
check_owner(const struct paths *paths, const char *name, const struct stat *st,
    struct diag *dg)
{
	if ((st->st_uid != 0 && st->st_uid != paths->uid) ||
	    (st->st_mode & 022) != 0)
		return diag_set(dg, DIAG_CONFIG,
		    "%s/%s belongs to or can be written by others",
		    paths->config_dir, name);
	return 0;
}

/* Opens name below the configuration directory; -1 when it is not there. */
static int
open_checked(const struct paths *paths, int config_fd, const char *name,
    int flags, int *ret_fd, struct diag *dg)
{
	struct diag cause cleanup_diag = DIAG_INIT;
	int fd cleanup_close = -1;
	struct stat st;

	*ret_fd = -1;
	if (fs_open_nolinks(config_fd, name,
		O_RDONLY | O_NONBLOCK | O_NOCTTY | flags, 0, &fd,
		&cause) != 0) {
		if (cause.errnum == ENOENT)
			return 0;
		diag_set_errno(dg, DIAG_CONFIG, cause.errnum, "%s/%s%s",
		    paths->config_dir, name,
		    cause.errnum == ELOOP ? " is or lies behind a link" : "");
		return -1;
	}
	if (fstat(fd, &st) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "look at %s", name);
	if (check_owner(paths, name, &st, dg) != 0)
		return -1;
	*ret_fd = steal_fd(&fd);
	return 0;
}

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

/* The sorted overlays of one directory, as DIRECTORY/NAME. */
static int
list_names(const struct paths *paths, int config_fd, const char *directory,
    struct strvec *overlays, struct diag *dg)
{
	struct strvec names cleanup_strvec = STRVEC_INIT;
	int fd cleanup_close = -1;

	if (open_checked(paths, config_fd, directory, O_DIRECTORY, &fd, dg) !=
	    0)
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

/* Given a place in the list, which its owner releases on failure too. */
static int
read_one(const struct paths *paths, int config_fd, struct overlay *o,
    struct diag *dg)
{
	struct yaml_node *top cleanup_yaml = NULL;
	struct strbuf compose cleanup_strbuf = STRBUF_INIT;
	int fd cleanup_close = -1;

	if (open_checked(paths, config_fd, o->name, 0, &fd, dg) != 0)
		return -1;
	if (fd == -1)
		return diag_set(dg, DIAG_CONFIG, "%s vanished", o->name);
	if (fs_read_fd(fd, o->name, MAX_SIZE, &o->text, dg) != 0) {
		dg->class = DIAG_CONFIG;
		return -1;
	}
	if (yaml_parse(o->name, o->text.buf, o->text.len, &top, dg) != 0)
		return -1;
	yaml_print(top, false, &o->tree);
	yaml_print(top, true, &compose);
	return fs_memfd("overlay", compose.buf, compose.len, &o->fd, dg);
}

/* why is static. */
static int
add_directory(const struct paths *paths, int config_fd, const char *directory,
    const char *why, struct assembly *assembly, struct diag *dg)
{
	struct strvec names cleanup_strvec = STRVEC_INIT;

	if (list_names(paths, config_fd, directory, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		struct overlay *o = assembly_insert(
		    assembly, assembly->nr, xstrdup(names.v[i]), xstrdup(why));

		if (read_one(paths, config_fd, o, dg) != 0)
			return -1;
	}
	return 0;
}

int
useroverlays_add(const struct plan_request *request, struct assembly *assembly,
    struct diag *dg)
{
	const struct paths *paths = request->paths;
	char *own cleanup_free =
	    xasprintf(DIRECTORY "/%s", request->project->key);
	int config_fd cleanup_close = open(
	    paths->config_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (config_fd == -1 && errno == ENOENT)
		return 0;
	if (config_fd == -1 || fstat(config_fd, &st) != 0)
		return diag_set_errno(
		    dg, DIAG_CONFIG, errno, "open %s", paths->config_dir);
	if (check_owner(paths, ".", &st, dg) != 0 ||
	    add_directory(paths, config_fd, DIRECTORY,
		"yours, for all projects", assembly, dg) != 0 ||
	    add_directory(paths, config_fd, own, "yours, for this project",
		assembly, dg) != 0)
		return -1;
	return 0;
}
