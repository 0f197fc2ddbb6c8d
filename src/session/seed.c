/* SPDX-License-Identifier: MIT */
/*
 * Fills a session's home: snapshot, identity, user's files, link to the
 * history.
 */
#include "session/seed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/jsonadd.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/programs.h"
#include "host/agent.h"
#include "host/gitident.h"
#include "host/packagehosts.h"
#include "host/paths.h"
#include "host/settings.h"
#include "host/toolchain.h"
#include "session/home-files.h"
#include "session/slot.h"
#include "sync/generation.h"
#include "sync/jsonfilter.h"
#include "sync/programfilter.h"

static int
write_new(int dirfd, const char *name, const struct strbuf *text, mode_t mode,
    struct diag *dg)
{
	cleanup_close int fd = openat(dirfd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "create %s", name);
	if (fs_write_all(fd, text->buf, text->len, name, dg) != 0)
		return -1;
	if (fchmod(fd, mode) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "chmod %s", name);
	return 0;
}

/* Bytes above which the user gets a note about the size of the home. */
#define LARGE ((int64_t)64 << 20)

/* Names in the note about dropped values. */
#define NAMES_SHOWN 8

/* A snapshot that is being copied into a home. */
struct copy {
	const struct seed_spec *spec;
	int64_t bytes;
	struct strvec programs; /* of the image */
	bool programs_known;
};

static void
copy_release(struct copy *c)
{
	strvec_release(&c->programs);
}

/*
 * Returns true if the agent's rules leave the path out.  The snapshot may be
 * older than the rules if no sync has succeeded since they changed.
 */
static bool
is_left_out(const struct agent_sync *rules, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (agent_sync_is_credential(rules, slash != NULL ? slash + 1 : path))
		return true;
	for (size_t i = 0; i < rules->trees.nr; i++) {
		const struct agent_source *tree = &rules->trees.v[i];
		size_t len = strlen(tree->to);

		if (strncmp(path, tree->to, len) == 0 && path[len] == '/' &&
		    agent_source_excludes(tree, path + len + 1))
			return true;
	}
	return false;
}

/* Returns true if a path of the snapshot is copied unchanged. */
static bool
is_wanted(void *arg, const char *path, const struct stat *st)
{
	struct copy *c = arg;
	const struct agent_sources *documents = &c->spec->agent->sync.documents;

	if (strvec_has(&c->spec->settings->seed_leave_out, path) ||
	    is_left_out(&c->spec->agent->sync, path))
		return false;
	for (size_t i = 0; i < documents->nr; i++) {
		if (strcmp(documents->v[i].to, path) == 0)
			return false;
	}
	if (S_ISREG(st->st_mode))
		c->bytes += st->st_size;
	return true;
}

/*
 * Opens the parent directory of path, below the home.  *ret_name points to the
 * last component of path.
 */
static int
open_parent(const char *path, int home_fd, int *ret_fd, const char **ret_name,
    struct diag *dg)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *parent = slash == NULL
	    ? xstrdup(".")
	    : xstrndup(path, (size_t)(slash - path));

	*ret_name = slash == NULL ? path : slash + 1;
	return fs_open_nolinks(
	    home_fd, parent, O_RDONLY | O_DIRECTORY, 0, ret_fd, dg);
}

/* If the list cannot be read, warns and leaves out nothing. */
static void
read_programs(struct copy *copy)
{
	cleanup_diag struct diag mine = DIAG_INIT;

	if (programs_read(copy->spec->paths, copy->spec->image_id,
		&copy->programs, &copy->programs_known, &mine) != 0)
		diag_warn("the programs of the image: %s", mine.message);
}

/* Drops the values that need a program that the image does not have. */
static int
leave_out_absent(const struct copy *copy, const struct agent_source *source,
    struct strbuf *text, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf names = STRBUF_INIT;
	cleanup_strvec struct strvec left_out = STRVEC_INIT;

	if (!copy->programs_known || source->programs.nr == 0)
		return 0;
	if (programfilter_run(&source->programs, &copy->programs, text->buf,
		text->len, source->to, &out, &left_out, dg) != 0)
		return -1;
	for (size_t i = 0; i < left_out.nr && i < NAMES_SHOWN; i++)
		strbuf_addf(
		    &names, "%s%.80s", i > 0 ? ", " : "", left_out.v[i]);
	if (left_out.nr > NAMES_SHOWN)
		strbuf_addf(&names, " and %zu more", left_out.nr - NAMES_SHOWN);
	if (left_out.nr > 0)
		diag_note("%s: left out %s: the image does not have the "
			  "program; the setting packages adds programs",
		    source->to, names.buf);
	strbuf_setlen(text, 0);
	strbuf_add(text, out.buf, out.len);
	return 0;
}

/*
 * Writes a document without the entries of other projects, and without entries
 * whose program the image lacks.
 */
static int
write_document(const struct copy *copy, const struct agent_source *source,
    int snapshot_fd, int home_fd, struct diag *dg)
{
	const struct seed_spec *spec = copy->spec;
	cleanup_diag struct diag mine = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_jsonfilter struct jsonfilter *filter = NULL;
	cleanup_strvec struct strvec drop = STRVEC_INIT;
	cleanup_close int parent = -1;
	const char *name;

	/* The snapshot may come from a sync with older rules. */
	strvec_push_all(&drop, (const char *const *)source->drop.v);
	strvec_push_all(&drop, (const char *const *)source->drop_at_seed.v);
	if (fs_read_file(snapshot_fd, source->to,
		(size_t)spec->settings->sync_max_json, &text, &mine) != 0) {
		if (mine.errnum == ENOENT)
			return 0;
		diag_move(dg, &mine);
		return -1;
	}
	if (jsonfilter_new(
		&drop, spec->paths->home, spec->project, &filter, dg) != 0 ||
	    jsonfilter_run(filter, text.buf, text.len, source->to, &out, dg) !=
		0 ||
	    leave_out_absent(copy, source, &out, dg) != 0 ||
	    open_parent(source->to, home_fd, &parent, &name, dg) != 0)
		return -1;
	return write_new(parent, name, &out, 0600, dg);
}

static int
copy_snapshot(const struct seed_spec *spec, int home_fd, struct diag *dg)
{
	const struct agent_sources *documents = &spec->agent->sync.documents;
	__attribute__((cleanup(copy_release))) struct copy copy = { spec, 0,
		STRVEC_INIT, false };
	cleanup_close int fd = -1;

	if (generation_open(spec->paths, spec->agent->name, &fd, dg) != 0)
		return -1;
	if (fd < 0)
		return 0;
	if (fs_copy_wanted(fd, home_fd, is_wanted, &copy, dg) != 0)
		return -1;
	read_programs(&copy);
	for (size_t i = 0; i < documents->nr; i++) {
		if (write_document(&copy, &documents->v[i], fd, home_fd, dg) !=
		    0)
			return -1;
	}
	if (copy.bytes > LARGE)
		diag_note("each session starts with %lld MB of configuration; "
			  "the setting seed_leave_out leaves directories out",
		    (long long)(copy.bytes >> 20));
	return 0;
}

/* An unreadable identity is a warning: the session starts without one. */
static int
write_identity(const struct seed_spec *spec, int home_fd, struct diag *dg)
{
	cleanup_gitident struct gitident ident = GITIDENT_INIT;
	cleanup_free char *key = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag mine = DIAG_INIT;

	if (gitident_load(&ident, spec->paths, spec->project, &mine) != 0)
		diag_warn("your git identity: %s", mine.message);
	if (spec->ssh_agent) {
		key = gitident_signing_key(
		    &ident, spec->paths, &spec->settings->ssh_keys);
		*spec->ret_git_signs = key != NULL;
	}
	gitident_write(&ident, key, &text);
	return text.len == 0
	    ? 0
	    : write_new(home_fd, ".gitconfig", &text, 0644, dg);
}

/*
 * npm in the session then uses the registries that the list was opened for.
 */
static int
write_npmrc(const struct seed_spec *spec, int home_fd, struct diag *dg)
{
	cleanup_packagehosts struct packagehosts found = PACKAGEHOSTS_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (!spec->npm)
		return 0;
	if (packagehosts_read(&found, "npm", spec->paths, dg) != 0)
		return -1;
	for (size_t i = 0; i < found.settings.nr; i++)
		strbuf_addf(&text, "%s\n", found.settings.v[i]);
	return text.len == 0 ? 0
			     : write_new(home_fd, ".npmrc", &text, 0644, dg);
}

/*
 * Makes the parent directories of path, below the home, and opens the last one.
 * *ret_name points to the last component of path.
 *
 * The agent has no access to the home yet.  But the content was copied from a
 * directory that users write to: follow no symlink on the way.
 */
static int
make_parent(const char *path, int home_fd, int *ret_fd, const char **ret_name,
    struct diag *dg)
{
	cleanup_close int parent = fcntl(home_fd, F_DUPFD_CLOEXEC, 3);
	const char *name = path;

	if (parent < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open the home");
	for (const char *slash; (slash = strchr(name, '/')) != NULL;
	     name = slash + 1) {
		cleanup_free char *dir = xstrndup(name, (size_t)(slash - name));
		cleanup_close int child = -1;
		int previous = parent;

		if (fs_make_dir(previous, dir, 0700, &child, dg) != 0)
			return -1;
		parent = steal_fd(&child);
		(void)close(previous);
	}
	*ret_name = name;
	*ret_fd = steal_fd(&parent);
	return 0;
}

static int
link_history(const char *link, int home_fd, struct diag *dg)
{
	cleanup_close int parent = -1;
	const char *name;

	if (make_parent(link, home_fd, &parent, &name, dg) != 0)
		return -1;
	if (fs_remove_tree(parent, name, dg) != 0)
		return -1;
	if (symlinkat(SEED_HISTORY_TARGET, parent, name) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "link %s", link);
	return 0;
}

/* Adds the members that keep a client with a token from asking for a login. */
static int
write_token_document(const struct seed_spec *spec, int home_fd, struct diag *dg)
{
	const struct agent *agent = spec->agent;
	const char *path = agent->token_document;
	cleanup_json struct json *defaults = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_diag struct diag mine = DIAG_INIT;
	cleanup_close int parent = -1;
	const char *name;

	if (!spec->token || path == NULL)
		return 0;
	if (json_parse(agent->token_defaults.buf, agent->token_defaults.len,
		"defaults", &defaults, dg) != 0 ||
	    make_parent(path, home_fd, &parent, &name, dg) != 0)
		return -1;
	if ((fs_read_file(parent, name, (size_t)spec->settings->sync_max_json,
		 &text, &mine) != 0 &&
		mine.errnum != ENOENT) ||
	    jsonadd_missing(text.buf, text.len, path, defaults, &out, &mine) !=
		0) {
		diag_warn(
		    "%s: %s may ask how to log in", mine.message, agent->name);
		return 0;
	}
	return fs_replace_file(parent, name, out.buf, out.len, 0600, dg);
}

static void
link_cache(const struct toolchain_cache *cache, int home_fd)
{
	cleanup_free char *target = xasprintf(SLOT_TARGET "/%s", cache->path);
	cleanup_close int parent = -1;
	cleanup_diag struct diag dg = DIAG_INIT;
	const char *name;

	if (make_parent(cache->link, home_fd, &parent, &name, &dg) == 0 &&
	    symlinkat(target, parent, name) != 0)
		(void)diag_set_errno(&dg, DIAG_IO, errno, "link it");
	if (dg.class != DIAG_NONE)
		diag_note("the session does not keep the cache in ~/%s for the "
			  "next one: %s",
		    cache->link, dg.message);
}

/* Without the link a package manager works, with a cold cache. */
static void
link_caches(const struct toolchains *toolchains, int home_fd)
{
	for (size_t i = 0; toolchains != NULL && i < toolchains->nr; i++) {
		const struct toolchain *tc = &toolchains->v[i];

		for (size_t n = 0; n < tc->ncaches; n++)
			if (tc->caches[n].link != NULL)
				link_cache(&tc->caches[n], home_fd);
	}
}

static int
fill(const struct seed_spec *spec, int home_fd, struct diag *dg)
{
	cleanup_home_files struct home_files common = HOME_FILES_INIT;
	cleanup_home_files struct home_files home_files = HOME_FILES_INIT;
	const char *link = spec->agent->history_link;

	if (home_files_open(&common, true, spec->paths, spec->settings,
		spec->agent, dg) != 0 ||
	    home_files_open(&home_files, false, spec->paths, spec->settings,
		spec->agent, dg) != 0 ||
	    copy_snapshot(spec, home_fd, dg) != 0 ||
	    write_identity(spec, home_fd, dg) != 0 ||
	    write_npmrc(spec, home_fd, dg) != 0 ||
	    home_files_copy(&common, home_fd, dg) != 0 ||
	    home_files_copy(&home_files, home_fd, dg) != 0 ||
	    write_token_document(spec, home_fd, dg) != 0)
		return -1;
	link_caches(spec->caches, home_fd);
	return link == NULL ? 0 : link_history(link, home_fd, dg);
}

int
seed_home(const struct seed_spec *spec, int home_fd, struct diag *dg)
{
	if (fill(spec, home_fd, dg) != 0)
		return diag_wrap(dg, "seed the session's home");
	return 0;
}
