/* SPDX-License-Identifier: MIT */
/*
 * knownprojects: the file `projects`, and the history directories of older
 * versions.
 */
#include "host/knownprojects.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/lock.h"
#include "base/resolve.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/project.h"

#define FILE_NAME "projects"
#define LOCK_NAME "projects.lock"
#define FILE_MAX ((size_t)16 << 20)
/* From this size on, paths that no longer exist are dropped. */
#define FILE_LARGE ((size_t)1 << 20)

enum {
	LOCK_WAIT_MS = 10000,
	/* "@INODE SECONDS.NANOSECONDS" of a directory's birth */
	BIRTH_SIZE = 64,
	/* Limit for directories that are recreated for each launch. */
	BIRTHS_MAX = 16384
};

/* A listed directory that exists. */
struct present {
	struct stat st;
	const char *path; /* borrowed from paths */
};

struct knownprojects {
	struct strvec paths;
	struct strvec digests; /* PROJECT_DIGITS hex digits of a path */
	struct strvec births; /* oldest first */
	struct present *present; /* owned */
	size_t npresent;
	bool has_file;
};

/*
 * Writes inode and birth time, which a rename keeps and no other directory
 * shares.  birth is "" if they are not known.  The device number is left out:
 * it may change at a reboot.
 */
static void
find_birth(const char *path, char birth[BIRTH_SIZE])
{
	struct statx st;

	birth[0] = '\0';
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		STATX_INO | STATX_BTIME, &st) == 0 &&
	    (st.stx_mask & STATX_BTIME) != 0 && st.stx_btime.tv_sec > 0)
		(void)snprintf(birth, BIRTH_SIZE, "@%llu %lld.%09u",
		    (unsigned long long)st.stx_ino,
		    (long long)st.stx_btime.tv_sec,
		    (unsigned)st.stx_btime.tv_nsec);
}

static bool
is_birth(const char *word)
{
	return word[0] == '@' && strlen(word) < BIRTH_SIZE &&
	    strspn(word + 1, "0123456789 .") == strlen(word + 1);
}

static bool
is_digest(const char *word)
{
	return strlen(word) == PROJECT_DIGITS &&
	    strspn(word, "0123456789abcdef") == PROJECT_DIGITS;
}

/* The name of a history directory starts with the project's digits. */
static int
add_history(struct knownprojects *known, int history_fd, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (fs_list_names(history_fd, "history", &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		char *name = names.v[i];

		if (strlen(name) <= PROJECT_DIGITS ||
		    name[PROJECT_DIGITS] != '-')
			continue;
		name[PROJECT_DIGITS] = '\0';
		if (is_digest(name) && !strvec_has(&known->digests, name))
			strvec_push(&known->digests, name);
	}
	return 0;
}

/* Adds the digests that versions without the file left. */
static int
read_histories(struct knownprojects *known, int state_fd, struct diag *dg)
{
	cleanup_strvec struct strvec agents = STRVEC_INIT;
	cleanup_close int agents_fd = fs_walk_open(state_fd, "agents");

	if (agents_fd < 0)
		return errno == ENOENT
		    ? 0
		    : diag_set_errno(dg, DIAG_IO, errno, "open agents");
	if (fs_list_names(agents_fd, "agents", &agents, dg) != 0)
		return -1;
	for (size_t i = 0; i < agents.nr; i++) {
		cleanup_close int agent_fd =
		    fs_walk_open(agents_fd, agents.v[i]);
		cleanup_close int history_fd =
		    agent_fd < 0 ? -1 : fs_walk_open(agent_fd, "history");

		if (history_fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			continue;
		if (history_fd < 0)
			return diag_set_errno(dg, DIAG_IO, errno,
			    "open agents/%s/history", agents.v[i]);
		if (add_history(known, history_fd, dg) != 0)
			return -1;
	}
	return 0;
}

static int
parse(struct knownprojects *known, const struct strbuf *text, struct diag *dg)
{
	const char *end = text->buf + text->len;
	size_t number = 0;

	for (const char *at = text->buf; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		cleanup_free char *line = NULL;

		number++;
		if (newline != NULL)
			line = xstrndup(at, (size_t)(newline - at));
		if (line != NULL && line[0] == '/')
			strvec_push_given(&known->paths, steal_ptr(&line));
		else if (line != NULL && is_digest(line))
			strvec_push_given(&known->digests, steal_ptr(&line));
		else if (line != NULL && is_birth(line))
			strvec_push_given(&known->births, steal_ptr(&line));
		else
			return diag_set(dg, DIAG_DATA,
			    FILE_NAME ":%zu: not understood: remove the line",
			    number);
		at = newline + 1;
	}
	return 0;
}

/* Returns true if real, or a parent of it, is listed by path or digest. */
static bool
is_named(const struct knownprojects *known, const char *real)
{
	cleanup_free char *path = xstrdup(real);
	char digits[PROJECT_DIGITS + 1];

	for (;;) {
		char *slash = strrchr(path, '/');

		if (slash == NULL || *path == '\0')
			return false;
		project_digits(path, digits);
		if (strvec_has(&known->paths, path) ||
		    strvec_has(&known->digests, digits))
			return true;
		*slash = '\0';
	}
}

static int
judge_link(void *arg, int dirfd, const char *name, const struct stat *st)
{
	cleanup_free char *real = NULL;

	(void)name;
	if (!S_ISLNK(st->st_mode))
		return 0;
	return fs_real_path(dirfd, &real) < 0 || is_named(arg, real);
}

/*
 * Opens the directory that now has a listed path.  A symlink is followed unless
 * it lies in a listed directory: an agent could have made that one, and it
 * would turn any directory of the user into a project.
 */
static int
open_named(struct knownprojects *known, int slash_fd, const char *path)
{
	struct resolve resolve = { .judge = judge_link, .arg = known };
	cleanup_diag struct diag closed = DIAG_INIT;
	int fd = -1;

	if (fs_open_nolinks(slash_fd, path + strspn(path, "/"),
		O_PATH | O_DIRECTORY, 0, &fd, &closed) == 0)
		return fd;
	if (closed.errnum != ELOOP ||
	    resolve_open(&resolve, slash_fd, path, &fd) != 0)
		return -1;
	return fd;
}

/* Finds the listed directories that exist; an absent one contains nothing. */
static void
find_present(struct knownprojects *known)
{
	cleanup_close int slash_fd =
	    open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	known->present = xcalloc(known->paths.nr + 1, sizeof(*known->present));
	for (size_t i = 0; i < known->paths.nr; i++) {
		struct present *p = &known->present[known->npresent];
		cleanup_close int fd =
		    open_named(known, slash_fd, known->paths.v[i]);

		p->path = known->paths.v[i];
		if (fd >= 0 && fstat(fd, &p->st) == 0)
			known->npresent++;
	}
}

static int
read_list(struct knownprojects *known, int state_fd, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_file(state_fd, FILE_NAME, FILE_MAX, &text, dg) != 0)
		return diag_ignore(dg, ENOENT) == 0
		    ? read_histories(known, state_fd, dg)
		    : -1;
	known->has_file = true;
	return parse(known, &text, dg);
}

int
knownprojects_load(const struct paths *paths, struct knownprojects **ret_known,
    struct diag *dg)
{
	cleanup_knownprojects struct knownprojects *known =
	    xcalloc(1, sizeof(*known));
	cleanup_close int fd = -1;

	strvec_init(&known->paths);
	strvec_init(&known->digests);
	strvec_init(&known->births);
	fd = paths->state_fd >= 0
	    ? fcntl(paths->state_fd, F_DUPFD_CLOEXEC, 3)
	    : open(paths->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (paths->state_fd >= 0 || errno != ENOENT))
		return diag_set_errno(
		    dg, DIAG_IO, errno, "open %s", paths->state_dir);
	if (fd >= 0 && read_list(known, fd, dg) != 0)
		return diag_wrap(dg, "%s", paths->state_dir);
	find_present(known);
	*ret_known = steal_ptr(&known);
	return 0;
}

/*
 * Returns the entry that matches path itself; parents of path are not checked.
 */
static const char *
find_directory(const struct knownprojects *known, const char *path)
{
	char digits[PROJECT_DIGITS + 1];
	char birth[BIRTH_SIZE];
	struct stat st;

	if (strvec_has(&known->paths, path))
		return path;
	project_digits(path, digits);
	if (strvec_has(&known->digests, digits))
		return path;
	if (known->births.nr > 0) {
		find_birth(path, birth);
		if (strvec_has(&known->births, birth))
			return path;
	}
	if (known->npresent == 0 || stat(path, &st) < 0)
		return NULL;
	for (size_t i = 0; i < known->npresent; i++)
		if (fs_same(&known->present[i].st, &st))
			return known->present[i].path;
	return NULL;
}

char *
knownprojects_find(const struct knownprojects *known, const char *real_path)
{
	cleanup_free char *path = xstrdup(real_path);

	/* "/" cannot be a project. */
	for (;;) {
		char *slash = strrchr(path, '/');
		const char *found;

		if (slash == NULL || path[1] == '\0')
			return NULL;
		found = find_directory(known, path);
		if (found != NULL)
			return xstrdup(found);
		if (slash == path)
			return NULL;
		*slash = '\0';
	}
}

static void
print(const struct knownprojects *known, struct strbuf *out)
{
	size_t bytes = 0;

	for (size_t i = 0; i < known->paths.nr; i++)
		bytes += strlen(known->paths.v[i]) + 1;
	for (size_t i = 0; i < known->digests.nr; i++)
		strbuf_addf(out, "%s\n", known->digests.v[i]);
	for (size_t i = known->births.nr < BIRTHS_MAX
		 ? 0
		 : known->births.nr - BIRTHS_MAX;
	     i < known->births.nr; i++)
		strbuf_addf(out, "%s\n", known->births.v[i]);
	for (size_t i = 0; i < known->paths.nr; i++) {
		if (bytes > FILE_LARGE &&
		    access(known->paths.v[i], F_OK) != 0 && errno == ENOENT)
			continue;
		strbuf_addf(out, "%s\n", known->paths.v[i]);
	}
}

/*
 * Returns true if both the path and the directory that now has it are listed.
 */
static bool
has_both(const struct knownprojects *known, const char *path, const char *birth)
{
	return strvec_has(&known->paths, path) &&
	    (*birth == '\0' || strvec_has(&known->births, birth));
}

/* Creates the file if absent, and adds path unless it is NULL. */
static int
write_locked(const struct paths *paths, const char *path, struct diag *dg)
{
	cleanup_knownprojects struct knownprojects *known = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char birth[BIRTH_SIZE] = "";

	if (knownprojects_load(paths, &known, dg) != 0)
		return -1;
	assert(known != NULL);
	if (path != NULL)
		find_birth(path, birth);
	if (known->has_file && (path == NULL || has_both(known, path, birth)))
		return 0;
	if (path != NULL && !strvec_has(&known->paths, path))
		strvec_push(&known->paths, path);
	if (*birth != '\0' && !strvec_has(&known->births, birth))
		strvec_push(&known->births, birth);
	print(known, &text);
	fs_temp_clean(paths->state_fd, FILE_NAME);
	return fs_replace_file(
	    paths->state_fd, FILE_NAME, text.buf, text.len, 0600, dg);
}

static int
write_list(const struct paths *paths, const char *path, struct diag *dg)
{
	cleanup_close int lock_fd = -1;
	enum lock_answer answer;

	if (lock_wait(paths->state_fd, LOCK_NAME, true, LOCK_WAIT_MS, &answer,
		&lock_fd, dg) != 0)
		return diag_wrap(dg, "%s", paths->state_dir);
	if (answer != LOCK_WON)
		return diag_set(dg, DIAG_BUSY,
		    "%s/" LOCK_NAME " is held by another drydock: try again",
		    paths->state_dir);
	if (write_locked(paths, path, dg) != 0)
		return diag_wrap(dg, "note the project");
	return 0;
}

int
knownprojects_begin(const struct paths *paths, struct diag *dg)
{
	struct stat st;

	if (fstatat(paths->state_fd, FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno != ENOENT)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "%s/" FILE_NAME, paths->state_dir);
	return write_list(paths, NULL, dg);
}

int
knownprojects_add(
    const struct paths *paths, const char *real_path, struct diag *dg)
{
	cleanup_knownprojects struct knownprojects *known = NULL;
	char birth[BIRTH_SIZE];

	/* Most launches use a listed project; they take no lock. */
	if (knownprojects_load(paths, &known, dg) != 0)
		return -1;
	find_birth(real_path, birth);
	if (has_both(known, real_path, birth))
		return 0;
	return write_list(paths, real_path, dg);
}

void
knownprojects_freep(struct knownprojects **knownp)
{
	struct knownprojects *known = *knownp;

	if (known == NULL)
		return;
	strvec_release(&known->paths);
	strvec_release(&known->digests);
	strvec_release(&known->births);
	free(known->present);
	free(known);
	*knownp = NULL;
}
