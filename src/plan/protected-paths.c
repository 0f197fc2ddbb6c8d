/* SPDX-License-Identifier: MIT */
/*
 * protected-paths: builds the list by groups; policy.jq decides which relations
 * to refuse.
 */
#include "plan/protected-paths.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "host/agent.h"
#include "host/catalog.h"
#include "host/paths.h"
#include "host/program.h"
#include "host/protected.h"
#include "host/trusted.h"
#include "plan/location.h"
#include "plan/mountinfo.h"
#include "plan/plan.h"

#define MEDIA "/run/media/"

/* A path that was looked up.  Each path has one entry, after its parents. */
struct path_entry {
	char *path; /* owned */
	size_t near; /* index of itself, or of the nearest existing parent */
	struct location at; /* empty if the path does not exist */
};

struct protected_path {
	const char *group; /* static */
	size_t entry;
};

struct protected_paths {
	struct protected_path *v; /* owned */
	size_t nr;
	struct path_entry *entries; /* owned */
	size_t nentries;
	struct mountinfo mounts;
};

static const char *const sockets_of_user[] = { "docker.sock",
	"podman/podman.sock" };

/* The result of look() and follow() for a missing or inaccessible path. */
enum {
	NOT_THERE = 1
};

static int
look_failed(const char *path, struct diag *dg)
{
	if (errno == ENOENT || errno == ENOTDIR || errno == EACCES)
		return NOT_THERE;
	return diag_set_errno(dg, DIAG_IO, errno, "look at %s", path);
}

/* Finds the location that the kernel resolves path to. */
static int
follow(const char *path, const struct mountinfo *mounts,
    struct location *ret_at, struct diag *dg)
{
	cleanup_close int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd == -1)
		return look_failed(path, dg);
	if (location_find(fd, mounts, ret_at, dg) != 0)
		return diag_wrap(dg, "protected path %s", path);
	return 0;
}

/*
 * Finds the location of path, whose last component is name.  If that is no
 * symlink, the location follows from the parent's.
 */
static int
look(const char *path, const char *name, const struct location *parent,
    const struct mountinfo *mounts, struct location *ret_at, struct diag *dg)
{
	struct stat st;

	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return follow(path, mounts, ret_at, dg);
	if (lstat(path, &st) != 0)
		return look_failed(path, dg);
	if (S_ISLNK(st.st_mode))
		return follow(path, mounts, ret_at, dg);
	if (location_find_in(parent, name, &st, mounts, ret_at, dg) != 0)
		return diag_wrap(dg, "protected path %s", path);
	return 0;
}

/*
 * Finds or adds the entry of an absolute path.  If the path does not exist, a
 * bind that holds the nearest existing parent could create it.
 */
static int
find_entry(struct protected_paths *list, const char *path, size_t *ret_index,
    struct diag *dg)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *up = NULL;
	struct location at = LOCATION_INIT;
	size_t parent = 0;
	int rc;

	assert(slash != NULL);
	for (size_t i = 0; i < list->nentries; i++) {
		if (strcmp(list->entries[i].path, path) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	up = xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (path[1] == '\0') {
		rc = follow(path, &list->mounts, &at, dg);
		if (rc == NOT_THERE)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "open %s", path);
	} else if (find_entry(list, up, &parent, dg) != 0) {
		return -1;
	} else if (list->entries[parent].near != parent) {
		rc = NOT_THERE;
	} else {
		rc = look(path, slash + 1, &list->entries[parent].at,
		    &list->mounts, &at, dg);
	}
	if (rc == -1)
		return -1;
	list->entries = xreallocarray(
	    list->entries, list->nentries + 1, sizeof(*list->entries));
	list->entries[list->nentries] = (struct path_entry){ xstrdup(path),
		rc == 0 ? list->nentries : list->entries[parent].near, at };
	*ret_index = list->nentries++;
	return 0;
}

/* path is given. */
static int
add(struct protected_paths *list, const char *group, char *path,
    struct diag *dg)
{
	cleanup_free char *owned = path;
	size_t entry;

	if (find_entry(list, owned, &entry, dg) != 0)
		return -1;
	list->v = xreallocarray(list->v, list->nr + 1, sizeof(*list->v));
	list->v[list->nr++] = (struct protected_path){ group, entry };
	return 0;
}

static int
add_all(struct protected_paths *list, const char *group,
    const struct strvec *paths, struct diag *dg)
{
	for (size_t i = 0; i < paths->nr; i++)
		if (add(list, group, xstrdup(paths->v[i]), dg) != 0)
			return -1;
	return 0;
}

/*
 * Adds name below both homes of the caller: HOME, and the account's home, which
 * does not depend on the environment.
 */
static int
add_below_homes(struct protected_paths *list, const struct paths *paths,
    const char *group, const char *name, struct diag *dg)
{
	const char *home = paths->home;
	const char *other = paths->account_home;

	if (add(list, group, xasprintf("%s/%s", home, name), dg) != 0)
		return -1;
	if (other == NULL || strcmp(other, home) == 0)
		return 0;
	return add(list, group, xasprintf("%s/%s", other, name), dg);
}

static int
add_table(
    struct protected_paths *list, const struct paths *paths, struct diag *dg)
{
	const struct protected_place *row;

	for (size_t i = 0; (row = protected_at(i)) != NULL; i++) {
		int rc = row->path[0] == '/'
		    ? add(list, row->group, xstrdup(row->path), dg)
		    : add_below_homes(list, paths, row->group, row->path, dg);

		if (rc != 0)
			return -1;
	}
	return 0;
}

/* A session gets only a copy of an agent's configuration. */
static int
add_agent(struct protected_paths *list, const struct paths *paths,
    const char *name, struct diag *dg)
{
	cleanup_agent struct agent agent = AGENT_INIT;
	const struct agent_sources *sources[] = { &agent.sync.trees,
		&agent.sync.documents };

	if (agent_load(&agent, name, paths, dg) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		for (size_t n = 0; n < sources[i]->nr; n++)
			if (add_below_homes(list, paths, "agent-config",
				sources[i]->v[n].from, dg) != 0)
				return -1;
	return 0;
}

/*
 * Adds the configuration of all agents: an agent must not change the
 * configuration of another agent on the host.
 */
static int
add_agents(
    struct protected_paths *list, const struct paths *paths, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (catalog_list(&catalog_agents, paths, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		if (add_agent(list, paths, names.v[i], dg) != 0)
			return -1;
	return 0;
}

/*
 * Adds the caller's PATH and the other directories that drydock runs programs
 * from.
 */
static int
add_path_dirs(struct protected_paths *list, struct diag *dg)
{
	cleanup_strvec struct strvec own = STRVEC_INIT;
	cleanup_strvec struct strvec callers = STRVEC_INIT;
	const char *path = getenv("PATH");

	strvec_split(&own, PROC_SYSTEM_PATH ":" PROGRAM_PLUGIN_PATH, ':');
	strvec_split(&callers, path != NULL ? path : "", ':');
	for (size_t i = 0; i < own.nr; i++)
		/* A directory that is also in PATH is added once. */
		if (!strvec_has(&callers, own.v[i]) &&
		    add(list, "programs", xstrdup(own.v[i]), dg) != 0)
			return -1;
	for (size_t i = 0; i < callers.nr; i++) {
		const char *dir = callers.v[i];
		const char *group =
		    protected_is_activated(dir) ? "path-activated" : "path";

		if (dir[0] == '/' && add(list, group, xstrdup(dir), dg) != 0)
			return -1;
	}
	return 0;
}

static int
add_sockets(struct protected_paths *list, const struct plan_request *request,
    struct diag *dg)
{
	uintmax_t uid = request->paths->uid;

	for (size_t i = 0; i < ARRAY_SIZE(sockets_of_user); i++)
		if (add(list, "engine-socket",
			xasprintf("/run/user/%ju/%s", uid, sockets_of_user[i]),
			dg) != 0)
			return -1;
	if (request->engine->data_root != NULL &&
	    request->engine->data_root[0] == '/' &&
	    add(list, "engine-data", xstrdup(request->engine->data_root), dg) !=
		0)
		return -1;
	return add(list, "engine-socket", xstrdup(request->engine->socket), dg);
}

/*
 * Adds the directories of links to sockets.  Who can change a link can pass for
 * an engine or a session.  Another user's symlink below /tmp is not used, and
 * protects nothing.
 */
static int
add_links(
    struct protected_paths *list, const struct paths *paths, struct diag *dg)
{
	struct stat st;

	if (paths->short_dir != NULL &&
	    (lstat(paths->short_dir, &st) != 0 || !S_ISLNK(st.st_mode)) &&
	    add(list, "drydock", xstrdup(paths->short_dir), dg) != 0)
		return -1;
	return paths->runtime_dir == NULL
	    ? 0
	    : add(list, "drydock", xstrdup(paths->runtime_dir), dg);
}

static int
add_own(struct protected_paths *list, const struct plan_request *request,
    struct diag *dg)
{
	const struct paths *p = request->paths;
	const struct {
		const char *group;
		const char *path;
	} own[] = {
		{ "home", p->home },
		{ "home", p->account_home },
		{ "drydock", p->config_dir },
		{ "drydock", p->state_dir },
		{ "program", p->self },
		{ "program", p->data_dir },
		{ "program", p->libexec_dir },
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (own[i].path != NULL &&
		    add(list, own[i].group, xstrdup(own[i].path), dg) != 0)
			return -1;
	if (add_links(list, p, dg) != 0)
		return -1;
	if (p->decisive != NULL &&
	    (add_all(list, "decisive", &p->decisive->found, dg) != 0 ||
		add_all(list, "decisive-link", &p->decisive->links, dg) != 0))
		return -1;
	return 0;
}

int
protected_paths_find(const struct plan_request *request,
    struct protected_paths **ret_list, struct diag *dg)
{
	cleanup_protected_paths struct protected_paths *list =
	    xcalloc(1, sizeof(*list));

	if (mountinfo_read_own(&list->mounts, dg) != 0)
		return -1;
	if (add_table(list, request->paths, dg) != 0 ||
	    add_own(list, request, dg) != 0 ||
	    add_agents(list, request->paths, dg) != 0 ||
	    add_sockets(list, request, dg) != 0 || add_path_dirs(list, dg) != 0)
		return -1;
	*ret_list = steal_ptr(&list);
	return 0;
}

void
protected_paths_freep(struct protected_paths **ret_list)
{
	struct protected_paths *list = steal_ptr(ret_list);

	if (list == NULL)
		return;
	for (size_t i = 0; i < list->nentries; i++) {
		free(list->entries[i].path);
		location_release(&list->entries[i].at);
	}
	free(list->entries);
	free(list->v);
	mountinfo_release(&list->mounts);
	free(list);
}

/* Returns the relation of the location to the entry, or NULL. */
static const char *
relation(
    const struct protected_paths *list, const struct location *at, size_t entry)
{
	size_t near = list->entries[entry].near;
	const struct location *there = &list->entries[near].at;
	bool is = location_is(at, there);

	if (near != entry)
		return is || location_holds(at, there) ? "holds" : NULL;
	return is                          ? "is"
	    : location_holds(at, there)    ? "holds"
	    : location_has_part(there, at) ? "under"
					   : NULL;
}

/*
 * Disks are mounted below /run/media (udisks(8)).  What lies on such a disk is
 * no part of the system's /run.
 */
static bool
is_on_media(const struct location *at, const struct path_entry *place)
{
	return strcmp(place->path, "/run") == 0 &&
	    strncmp(at->real, MEDIA, strlen(MEDIA)) == 0 &&
	    place->at.nchain > 0 &&
	    at->chain[0].st_dev != place->at.chain[0].st_dev;
}

int
protected_paths_write(const struct protected_paths *list, int fd,
    struct jsonw *w, struct diag *dg)
{
	cleanup_location struct location at = LOCATION_INIT;

	if (location_find(fd, &list->mounts, &at, dg) != 0 ||
	    location_find_below(&at, &list->mounts, dg) != 0)
		return -1;
	jsonw_open_array(w);
	for (size_t i = 0; i < list->nr; i++) {
		const struct protected_path *p = &list->v[i];
		const char *how = relation(list, &at, p->entry);

		if (how == NULL ||
		    (strcmp(how, "under") == 0 &&
			is_on_media(&at, &list->entries[p->entry])))
			continue;
		jsonw_open_object(w);
		jsonw_key_str(w, "group", p->group);
		jsonw_key_str(w, "place", list->entries[p->entry].path);
		jsonw_key_str(w, "how", how);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	return 0;
}
