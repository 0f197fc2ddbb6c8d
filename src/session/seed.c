/* SPDX-License-Identifier: MIT */
/*
 * Fills a session's home: snapshot, identity, user's files, link to the
 * history, terminfo entry.
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
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/inimage.h"
#include "host/agent.h"
#include "host/gitident.h"
#include "host/packagehosts.h"
#include "host/paths.h"
#include "host/settings.h"
#include "host/toolchain.h"
#include "session/agent-env.h"
#include "session/home-files.h"
#include "session/slot.h"
#include "sync/generation.h"
#include "sync/jsonfilter.h"

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

/* term(5): the maximum size of an extended entry. */
#define TERMINFO_MAX ((size_t)32768)

/* A snapshot that is being copied into a home. */
struct copy {
	const struct seed_spec *spec;
	int64_t bytes;
};

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
 * Opens the directory of path, below the home.  *ret_name points to the last
 * component of path.  With make, missing directories are made.
 *
 * The agent has no access to the home yet.  But the content was copied from a
 * directory that users write to: follow no symlink on the way.
 */
static int
open_parent(const char *path, bool make, int home_fd, int *ret_fd,
    const char **ret_name, struct diag *dg)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *parent = slash == NULL
	    ? xstrdup(".")
	    : xstrndup(path, (size_t)(slash - path));

	*ret_name = slash == NULL ? path : slash + 1;
	if (make && slash != NULL)
		return fs_make_dirs(home_fd, parent, 0700, ret_fd, dg);
	return fs_open_nolinks(
	    home_fd, parent, O_RDONLY | O_DIRECTORY, 0, ret_fd, dg);
}

/*
 * Drops the values that need a program that the image does not have.  programs
 * are the image's; NULL: unknown.
 */
static int
leave_out_absent(const struct strvec *programs,
    const struct agent_source *source, struct strbuf *text, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf names = STRBUF_INIT;
	cleanup_strvec struct strvec left_out = STRVEC_INIT;

	if (programs == NULL || source->programs.nr == 0)
		return 0;
	if (jsonfilter_run_programs(&source->programs, programs, text->buf,
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
write_document(const struct seed_spec *spec, const struct strvec *programs,
    const struct agent_source *source, int snapshot_fd, int home_fd,
    struct diag *dg)
{
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
		(size_t)spec->settings->sync_max_json, &text, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (jsonfilter_new(
		&drop, spec->paths->home, spec->project, &filter, dg) != 0 ||
	    jsonfilter_run(filter, text.buf, text.len, source->to, &out, dg) !=
		0 ||
	    leave_out_absent(programs, source, &out, dg) != 0 ||
	    open_parent(source->to, false, home_fd, &parent, &name, dg) != 0)
		return -1;
	return write_new(parent, name, &out, 0600, dg);
}

static int
copy_snapshot(const struct seed_spec *spec, int home_fd, struct diag *dg)
{
	const struct agent_sources *documents = &spec->agent->sync.documents;
	struct copy copy = { spec, 0 };
	cleanup_strvec struct strvec programs = STRVEC_INIT;
	cleanup_diag struct diag unlisted = DIAG_INIT;
	cleanup_close int fd = -1;
	bool known = false;

	if (generation_open(spec->paths, spec->agent->name, &fd, dg) != 0)
		return -1;
	if (fd < 0)
		return 0;
	if (fs_copy_wanted(fd, home_fd, is_wanted, &copy, dg) != 0)
		return -1;
	/* Without the list no value is left out. */
	if (inimage_read_programs(
		spec->paths, spec->image_id, &programs, &known, &unlisted) != 0)
		diag_warn("the programs of the image: %s", unlisted.message);
	for (size_t i = 0; i < documents->nr; i++) {
		if (write_document(spec, known ? &programs : NULL,
			&documents->v[i], fd, home_fd, dg) != 0)
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

static int
link_history(const char *link, int home_fd, struct diag *dg)
{
	cleanup_close int parent = -1;
	const char *name;

	if (open_parent(link, true, home_fd, &parent, &name, dg) != 0 ||
	    fs_remove_tree(parent, name, dg) != 0)
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
	    open_parent(path, true, home_fd, &parent, &name, dg) != 0)
		return -1;
	if ((fs_read_file(parent, name, (size_t)spec->settings->sync_max_json,
		 &text, &mine) != 0 &&
		mine.errnum != ENOENT) ||
	    json_add_missing(text.buf, text.len, path, defaults, &out, &mine) !=
		0) {
		diag_warn(
		    "%s: %s may ask how to log in", mine.message, agent->name);
		return 0;
	}
	return fs_replace_file(parent, name, out.buf, out.len, 0600, dg);
}

/* Without the link a package manager works, with a cold cache. */
static void
link_cache(const struct toolchain_cache *cache, int home_fd)
{
	cleanup_free char *target = xasprintf(SLOT_TARGET "/%s", cache->path);
	cleanup_close int parent = -1;
	cleanup_diag struct diag dg = DIAG_INIT;
	const char *name;

	if (open_parent(cache->link, true, home_fd, &parent, &name, &dg) == 0 &&
	    symlinkat(target, parent, name) != 0)
		(void)diag_set_errno(&dg, DIAG_IO, errno, "link it");
	if (dg.class != DIAG_NONE)
		diag_note("the session does not keep the cache in ~/%s for the "
			  "next one: %s",
		    cache->link, dg.message);
}

/* Reads a compiled entry, of the caller or root. */
static bool
read_terminfo(const struct paths *paths, const char *path, struct strbuf *out)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd =
	    open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	strbuf_setlen(out, 0);
	/*
	 * term(5): the magic number is octal 432, or 01036 with wider numbers;
	 * it is little-endian.
	 */
	return fd >= 0 && fstat(fd, &st) == 0 &&
	    (st.st_uid == 0 || st.st_uid == paths->uid) &&
	    fs_read_fd(fd, path, TERMINFO_MAX, out, &ignored) == 0 &&
	    out->len > 12 &&
	    (memcmp(out->buf, "\x1a\x01", 2) == 0 ||
		memcmp(out->buf, "\x1e\x02", 2) == 0);
}

/* Searches the directories that ncurses searches. */
static bool
find_terminfo(const struct paths *paths, const char *const *environ_,
    const char *name, struct strbuf *out)
{
	cleanup_free char *own = xasprintf("%s/.terminfo", paths->home);
	const char *dir = envp_get(environ_, "TERMINFO");
	const char *list = envp_get(environ_, "TERMINFO_DIRS");
	const char *const system[] = { own, "/etc/terminfo", "/lib/terminfo",
		"/usr/lib/terminfo", "/usr/share/terminfo", NULL };
	cleanup_strvec struct strvec dirs = STRVEC_INIT;

	if (dir != NULL)
		strvec_push(&dirs, dir);
	if (list != NULL)
		strvec_split(&dirs, list, ':');
	strvec_push_all(&dirs, system);
	for (size_t i = 0; i < dirs.nr; i++) {
		cleanup_free char *letter =
		    xasprintf("%s/%c/%s", dirs.v[i], name[0], name);
		cleanup_free char *number = xasprintf(
		    "%s/%02x/%s", dirs.v[i], (unsigned char)name[0], name);

		if (dirs.v[i][0] == '/' &&
		    (read_terminfo(paths, letter, out) ||
			read_terminfo(paths, number, out)))
			return true;
	}
	return false;
}

/*
 * Copies the caller's terminfo entry into the home.  Keeps an existing entry:
 * .terminfo may come from the user's own files.
 */
static int
carry_terminfo(const struct seed_spec *spec, int home_fd, struct diag *dg)
{
	const char *name = agent_env_terminal(spec->environ_, "TERM");
	cleanup_strbuf struct strbuf entry = STRBUF_INIT;
	cleanup_free char *dir = NULL;
	cleanup_close int fd = -1;
	struct stat st;

	if (name == NULL ||
	    !find_terminfo(spec->paths, spec->environ_, name, &entry))
		return 0;
	dir = xasprintf(".terminfo/%c", name[0]);
	if (fs_make_dirs(home_fd, dir, 0700, &fd, dg) != 0)
		return -1;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return fs_replace_file(fd, name, entry.buf, entry.len, 0644, dg);
}

int
seed_home(const struct seed_spec *spec, int home_fd, struct diag *dg)
{
	cleanup_home_files struct home_files common = HOME_FILES_INIT;
	cleanup_home_files struct home_files home_files = HOME_FILES_INIT;
	const struct toolchains *caches = spec->caches;
	const char *link = spec->agent->history_link;
	cleanup_diag struct diag mine = DIAG_INIT;

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
		return diag_wrap(dg, "seed the session's home");
	for (size_t i = 0; caches != NULL && i < caches->nr; i++)
		for (size_t n = 0; n < caches->v[i].ncaches; n++)
			if (caches->v[i].caches[n].link != NULL)
				link_cache(&caches->v[i].caches[n], home_fd);
	if (link != NULL && link_history(link, home_fd, dg) != 0)
		return diag_wrap(dg, "seed the session's home");
	if (carry_terminfo(spec, home_fd, &mine) != 0)
		diag_warn("cannot copy your terminal's description to the "
			  "session: %s",
		    mine.message);
	return 0;
}
