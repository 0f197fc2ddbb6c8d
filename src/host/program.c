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
	OF_A_SESSION /* a session could have written it */
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

/* Whether an agent may have written what is at this real path. */
static bool
is_of_session(const struct candidate *c, const char *real)
{
	const struct paths *paths = c->search->paths;
	const char *const *project = c->search->projects;
	cleanup_free char *known = knownprojects_find(c->search->known, real);

	if (known != NULL || protected_is_below(real, paths->state_dir) ||
	    (c->cwd != NULL && holds(c->cwd, real, paths->home)))
		return true;
	for (; project != NULL && *project != NULL; project++)
		if (protected_is_below(real, *project))
			return true;
	return false;
}

/*
 * A sticky directory keeps others from replacing what is not theirs: /tmp, and
 * the store of nix.
 */
static bool
is_replaceable(const struct candidate *c, const struct stat *st)
{
	mode_t others = c->trust == TRUST_ROOT ? S_IWGRP | S_IWOTH : S_IWOTH;

	if (c->trust == TRUST_SYSTEM)
		return false;
	if (st->st_uid != 0 &&
	    (c->trust == TRUST_ROOT || st->st_uid != c->search->paths->uid))
		return true;
	return !S_ISLNK(st->st_mode) && (st->st_mode & others) != 0 &&
	    !(S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0);
}

static int
judge_step(void *arg, int dirfd, const char *name, const struct stat *st)
{
	const struct candidate *c = arg;
	cleanup_free char *real = NULL;

	(void)name;
	if (is_replaceable(c, st))
		return FOREIGN;
	/* A directory on the way leads where the last step will tell. */
	if (S_ISDIR(st->st_mode))
		return 0;
	if (fs_real_path(dirfd, &real) < 0)
		return NO_PROGRAM;
	return is_of_session(c, real) ? OF_A_SESSION : 0;
}

static enum verdict
judge(const struct candidate *c, const char *path)
{
	struct resolve walk = { .judge = judge_step, .arg = (void *)c };
	cleanup_close int fd = -1;
	struct stat st;
	int rc = resolve_open(&walk, AT_FDCWD, path, &fd);

	if (rc > 0)
		return (enum verdict)rc;
	if (rc < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    eaccess(path, X_OK) < 0)
		return NO_PROGRAM;
	return FINE;
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
	case OF_A_SESSION:
		break;
	}
	return diag_set(dg, DIAG_POLICY,
	    "%s is not run: it is where sessions can write; name one outside "
	    "of every project (setting %s)",
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
