/* SPDX-License-Identifier: MIT */
/* program: the table of programs, and who could have replaced one. */
#include "host/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/resolve.h"
#include "base/xalloc.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/protected.h"
#include "host/settings.h"
#include "host/trusted.h"

static const struct row {
	const char *name;
	const char *directories; /* the system's, searched in order */
	const char *setting; /* that names one; NULL: there is none */
	size_t offset; /* of the setting's value */
	bool elsewhere; /* may be in a directory of PATH */
} programs[] = {
	[PROGRAM_DOCKER] = { "docker", PROC_SYSTEM_PATH, "docker",
	    offsetof(struct settings, docker), true },
	[PROGRAM_COMPOSE] = { "docker-compose", PROC_SYSTEM_PATH, "compose",
	    offsetof(struct settings, compose), true },
	[PROGRAM_COMPOSE_PLUGIN] = { "docker-compose", PROGRAM_PLUGIN_PATH,
	    NULL, 0, false },
};

/* Who may be able to replace what is on the way to a program. */
enum trust {
	TRUST_SYSTEM, /* whoever administers the system's directories */
	TRUST_ROOT, /* root alone */
	TRUST_CALLER /* root and the caller, who named it */
};

/* Why a program may not be run. */
enum verdict {
	FINE,
	NO_PROGRAM,
	FOREIGN, /* somebody else can replace it */
	TWO_NAMES, /* and may be a session's by the other one */
	OF_A_SESSION /* a session could have written it */
};

/* As the kernel does (execve(2)), in whose first bytes an interpreter is. */
enum {
	MAX_INTERPRETERS = 5,
	HEAD_SIZE = 256
};

struct candidate {
	const struct program_search *search;
	const char *cwd; /* NULL: it does not count */
	enum trust trust;
};

/* A directory that holds the home is no project. */
static bool
holds(const char *project, const char *real, const char *home)
{
	return protected_is_below(real, project) &&
	    !protected_is_below(home, project);
}

/* One of the system's directories: the policy refuses a project that has it. */
static bool
is_systems_directory(const char *real)
{
	static const char list[] = PROC_SYSTEM_PATH;

	for (const char *p = list; *p != '\0';) {
		size_t len = strcspn(p, ":");

		if (strlen(real) == len && strncmp(real, p, len) == 0)
			return true;
		p += len + (p[len] == ':' ? 1 : 0);
	}
	return false;
}

/* The way to a program, or to what runs a script. */
struct way {
	const struct candidate *c;
	bool interpreter;
};

/* Whether an agent may have written what is in this real directory. */
static bool
is_of_session(const struct way *way, const char *real)
{
	const struct candidate *c = way->c;
	const struct paths *paths = c->search->paths;
	const char *const *project = c->search->projects;
	cleanup_free char *known = knownprojects_find(c->search->known, real);

	if (known != NULL || protected_is_below(real, paths->state_dir))
		return true;
	/* /bin/sh does not stand in for what the policy says of /usr. */
	if (way->interpreter && is_systems_directory(real))
		return false;
	if (c->cwd != NULL && holds(c->cwd, real, paths->home))
		return true;
	for (; project != NULL && *project != NULL; project++)
		if (protected_is_below(real, *project))
			return true;
	return false;
}

/* What root gave a group below /usr: Debian's /usr/local is of staff. */
static bool
is_systems_own(int dirfd, const struct stat *st)
{
	cleanup_free char *real = NULL;

	return st->st_uid == 0 && fs_real_path(dirfd, &real) == 0 &&
	    protected_is_below(real, "/usr");
}

/*
 * A sticky directory keeps others from replacing what is not theirs: /tmp, and
 * the store of nix.
 */
static bool
is_replaceable(const struct candidate *c, int dirfd, const char *name,
    const struct stat *st)
{
	mode_t others = st->st_mode & (S_IWGRP | S_IWOTH);

	if (c->trust == TRUST_SYSTEM)
		return false;
	if (st->st_uid != 0 &&
	    (c->trust == TRUST_ROOT || st->st_uid != c->search->paths->uid))
		return true;
	if (S_ISLNK(st->st_mode) || others == 0 ||
	    (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0))
		return false;
	if (c->trust == TRUST_ROOT || others != S_IWGRP)
		return true;
	return !trusted_group_is_own(c->search->paths, dirfd, name, st) &&
	    !is_systems_own(dirfd, st);
}

/* A program of the caller's, which an agent with the same uid may have, too. */
static bool
has_two_names(const struct candidate *c, const struct stat *st)
{
	return c->trust == TRUST_CALLER && S_ISREG(st->st_mode) &&
	    st->st_nlink > 1 && st->st_uid != 0;
}

static int
judge_step(void *arg, int dirfd, const char *name, const struct stat *st)
{
	const struct way *way = arg;
	const struct candidate *c = way->c;
	cleanup_free char *real = NULL;

	if (is_replaceable(c, dirfd, name, st))
		return FOREIGN;
	if (has_two_names(c, st))
		return TWO_NAMES;
	/* A directory on the way leads where the last step will tell. */
	if (S_ISDIR(st->st_mode))
		return 0;
	if (fs_real_path(dirfd, &real) < 0)
		return NO_PROGRAM;
	return is_of_session(way, real) ? OF_A_SESSION : 0;
}

/*
 * Returned: the interpreter that a script names behind "#!", or NULL.  What
 * cannot be read is no script.
 */
static char *
find_interpreter(const char *path)
{
	char head[HEAD_SIZE];
	cleanup_close int fd =
	    open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof(head) - 1, 0);
	const char *start = head + 2;

	if (n < 2 || head[0] != '#' || head[1] != '!')
		return NULL;
	head[n] = '\0';
	start += strspn(start, " \t");
	return xstrndup(start, strcspn(start, " \t\n"));
}

/* Of a script also what runs it, which is another program. */
static enum verdict
judge_depth(const struct candidate *c, const char *path, int depth)
{
	struct way way = { c, depth > 0 };
	struct resolve walk = { .judge = judge_step, .arg = &way };
	cleanup_free char *interpreter = NULL;
	cleanup_close int fd = -1;
	struct stat st;
	int rc = resolve_open(&walk, AT_FDCWD, path, &fd);

	if (rc > 0)
		return (enum verdict)rc;
	if (rc < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    eaccess(path, X_OK) < 0)
		return NO_PROGRAM;
	interpreter = find_interpreter(path);
	if (interpreter == NULL)
		return FINE;
	/* A relative one is the working directory's say. */
	if (interpreter[0] != '/' || depth == MAX_INTERPRETERS)
		return NO_PROGRAM;
	return judge_depth(c, interpreter, depth + 1);
}

static enum verdict
judge(const struct candidate *c, const char *path)
{
	return judge_depth(c, path, 0);
}

/*
 * The first program of that name in a list of directories that may be run; what
 * may not is kept in *passed_over.
 */
static char *
look_in(const struct candidate *c, const char *name, const char *directories,
    char **passed_over)
{
	for (const char *p = directories; *p != '\0';) {
		size_t len = strcspn(p, ":");
		cleanup_free char *path = NULL;
		enum verdict verdict = NO_PROGRAM;

		/* An empty or relative entry would be the project's say. */
		if (*p == '/') {
			path = xasprintf("%.*s/%s", (int)len, p, name);
			verdict = judge(c, path);
		}
		if (verdict == FINE)
			return steal_ptr(&path);
		if (verdict != NO_PROGRAM && *passed_over == NULL &&
		    eaccess(path, X_OK) == 0)
			*passed_over = steal_ptr(&path);
		p += len + (p[len] == ':' ? 1 : 0);
	}
	return NULL;
}

static int
check_named(const struct program_search *search, const struct row *row,
    const char *path, struct diag *dg)
{
	const struct candidate c = { search, NULL, TRUST_CALLER };

	switch (judge(&c, path)) {
	case FINE:
		return 0;
	case NO_PROGRAM:
		return diag_set(dg, DIAG_CONFIG,
		    "%s is not a program that can be run (setting %s)", path,
		    row->setting);
	case FOREIGN:
		return diag_set(dg, DIAG_POLICY,
		    "%s is not run: others than you and root can replace it "
		    "(setting %s)",
		    path, row->setting);
	case TWO_NAMES:
		return diag_set(dg, DIAG_POLICY,
		    "%s is not run: it, or what runs it, has another name (a "
		    "hard link), by which it can be changed: name a copy "
		    "(setting %s)",
		    path, row->setting);
	case OF_A_SESSION:
		break;
	}
	return diag_set(dg, DIAG_POLICY,
	    "%s is not run: it, a link to it, or what runs it is where "
	    "sessions can write; name one outside of every project (setting "
	    "%s)",
	    path, row->setting);
}

int
program_find(enum program which, const struct program_search *search,
    char **ret_path, char **ret_passed_over, struct diag *dg)
{
	const struct row *row = &programs[which];
	struct candidate c = { search, NULL, TRUST_SYSTEM };
	cleanup_free char *passed_over = NULL;
	cleanup_free char *cwd = NULL;

	*ret_path = NULL;
	*ret_passed_over = NULL;
	if (row->setting != NULL) {
		const char *named = *(char *const *)(const void
			*)((const char *)search->settings + row->offset);

		if (*named != '\0') {
			if (check_named(search, row, named, dg) != 0)
				return -1;
			*ret_path = xstrdup(named);
			return 0;
		}
	}
	*ret_path = look_in(&c, row->name, row->directories, &passed_over);
	if (*ret_path == NULL && row->elsewhere && search->path != NULL) {
		cwd = getcwd(NULL, 0);
		c.cwd = cwd;
		c.trust = TRUST_ROOT;
		*ret_path = look_in(&c, row->name, search->path, &passed_over);
	}
	if (*ret_path == NULL)
		*ret_passed_over = steal_ptr(&passed_over);
	return 0;
}

char *
program_find_system(const char *name)
{
	for (const char *at = PROC_SYSTEM_PATH; *at != '\0';) {
		size_t len = strcspn(at, ":");
		cleanup_free char *path =
		    xasprintf("%.*s/%s", (int)len, at, name);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    eaccess(path, X_OK) == 0)
			return steal_ptr(&path);
		at += len + (at[len] == ':' ? 1 : 0);
	}
	return NULL;
}
