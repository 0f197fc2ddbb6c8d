/* SPDX-License-Identifier: MIT */
/*
 * program: the table of host programs, and the checks that only root or the
 * caller can replace them.
 */
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
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/protected.h"
#include "host/settings.h"
#include "host/trusted.h"

static const struct row {
	const char *name;
	const char *directories; /* system directories, searched in order */
	const char *setting; /* setting that names the program; NULL: none */
	size_t offset; /* of the setting's value */
	bool elsewhere; /* also searched in PATH */
} programs[] = {
	[PROGRAM_DOCKER] = { "docker", PROC_SYSTEM_PATH, "docker",
	    offsetof(struct settings, docker), true },
	[PROGRAM_COMPOSE] = { "docker-compose", PROC_SYSTEM_PATH, "compose",
	    offsetof(struct settings, compose), true },
	[PROGRAM_COMPOSE_PLUGIN] = { "docker-compose", PROGRAM_PLUGIN_PATH,
	    NULL, 0, false },
};

/* The users that may be able to replace a component of a program's path. */
enum trust {
	TRUST_SYSTEM, /* the owner and writers of the system directories */
	TRUST_ROOT, /* root only */
	TRUST_CALLER /* root and the caller, who named the program */
};

/* The result of the checks on a program. */
enum verdict {
	FINE,
	NO_PROGRAM,
	FOREIGN, /* another user can replace it */
	TWO_NAMES, /* has a second hard link, possibly in a session */
	OF_A_SESSION /* a session could have written it */
};

/*
 * The kernel's limits (execve(2)): nested interpreters, and the bytes that are
 * read for "#!".
 */
enum {
	MAX_INTERPRETERS = 5,
	HEAD_SIZE = 256
};

struct candidate {
	const struct program_search *search;
	const char *cwd; /* NULL: not checked */
	enum trust trust;
};

/* The path of a program, or of the interpreter of a script. */
struct way {
	const struct candidate *c;
	bool interpreter;
};

/*
 * Returns true if an agent may have written the files of this real directory.
 */
static bool
is_of_session(const struct way *way, const char *real)
{
	const struct candidate *c = way->c;
	const struct paths *paths = c->search->paths;
	const char *const *project = c->search->projects;
	cleanup_free char *known = knownprojects_find(c->search->known, real);
	cleanup_strvec struct strvec system = STRVEC_INIT;

	if (known != NULL || protected_is_below(real, paths->state_dir))
		return true;
	/*
	 * An interpreter in a system directory (/bin/sh) is not rejected when
	 * the project contains that directory: the policy refuses the project.
	 */
	if (way->interpreter)
		strvec_split(&system, PROC_SYSTEM_PATH, ':');
	if (strvec_has(&system, real))
		return false;
	/* A directory that contains the home cannot be a project. */
	if (c->cwd != NULL && protected_is_below(real, c->cwd) &&
	    !protected_is_below(paths->home, c->cwd))
		return true;
	for (; project != NULL && *project != NULL; project++)
		if (protected_is_below(real, *project))
			return true;
	return false;
}

/*
 * Returns true for an entry below /usr that root owns.  Debian's /usr/local is
 * group-writable for staff.
 */
static bool
is_systems_own(int dirfd, const struct stat *st)
{
	cleanup_free char *real = NULL;

	return st->st_uid == 0 && fs_real_path(dirfd, &real) == 0 &&
	    protected_is_below(real, "/usr");
}

/*
 * Returns true if another user can replace the entry.  In a directory with the
 * sticky bit (/tmp, the store of nix) other users cannot replace an entry that
 * they do not own.
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

/*
 * Returns true for a file of the caller with several hard links: an agent with
 * the same uid may have one of them.
 */
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
	/* A directory on the path is checked through the entry below it. */
	if (S_ISDIR(st->st_mode))
		return 0;
	if (fs_real_path(dirfd, &real) < 0)
		return NO_PROGRAM;
	return is_of_session(way, real) ? OF_A_SESSION : 0;
}

/*
 * Returned: the interpreter after "#!", or NULL.  An unreadable file counts as
 * a binary.
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

/* Judges a program and, for a script, its interpreter. */
static enum verdict
judge(const struct candidate *c, const char *path, int depth)
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
	/* A relative interpreter would depend on the working directory. */
	if (interpreter[0] != '/' || depth == MAX_INTERPRETERS)
		return NO_PROGRAM;
	return judge(c, interpreter, depth + 1);
}

/*
 * Returned: the first permitted program of that name in a list of directories,
 * or NULL.  *passed_over keeps the first executable that was rejected.
 */
static char *
look_in(const struct candidate *c, const char *name, const char *directories,
    char **passed_over)
{
	cleanup_strvec struct strvec dirs = STRVEC_INIT;

	strvec_split(&dirs, directories, ':');
	for (size_t i = 0; i < dirs.nr; i++) {
		cleanup_free char *path = xasprintf("%s/%s", dirs.v[i], name);
		/* A relative entry would depend on the working directory. */
		enum verdict verdict =
		    path[0] == '/' ? judge(c, path, 0) : NO_PROGRAM;

		if (verdict == FINE)
			return steal_ptr(&path);
		if (verdict != NO_PROGRAM && *passed_over == NULL &&
		    eaccess(path, X_OK) == 0)
			*passed_over = steal_ptr(&path);
	}
	return NULL;
}

static int
check_named(const struct program_search *search, const struct row *row,
    const char *path, struct diag *dg)
{
	const struct candidate c = { search, NULL, TRUST_CALLER };

	switch (judge(&c, path, 0)) {
	case FINE:
		return 0;
	case NO_PROGRAM:
		return diag_set(dg, DIAG_CONFIG,
		    "%s is not a program that can be run (setting %s)", path,
		    row->setting);
	case FOREIGN:
		return diag_set(dg, DIAG_POLICY,
		    "%s is not run: a user other than you and root can "
		    "replace it (setting %s)",
		    path, row->setting);
	case TWO_NAMES:
		return diag_set(dg, DIAG_POLICY,
		    "%s is not run: it or its interpreter has a second hard "
		    "link, through which it can be changed: name a copy "
		    "(setting %s)",
		    path, row->setting);
	case OF_A_SESSION:
		break;
	}
	return diag_set(dg, DIAG_POLICY,
	    "%s is not run: it, a link to it or its interpreter lies where "
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
	cleanup_strvec struct strvec dirs = STRVEC_INIT;

	strvec_split(&dirs, PROC_SYSTEM_PATH, ':');
	for (size_t i = 0; i < dirs.nr; i++) {
		cleanup_free char *path = xasprintf("%s/%s", dirs.v[i], name);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    eaccess(path, X_OK) == 0)
			return steal_ptr(&path);
	}
	return NULL;
}
