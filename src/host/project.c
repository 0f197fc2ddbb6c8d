/* SPDX-License-Identifier: MIT */
/* project: opens a directory and rejects those that must not be a project. */

#include "host/project.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/resolve.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/protected.h"
#include "host/text.h"

#define NAME_LEN_MAX 48

/*
 * Returned: the real path of fd, after a check that the path still leads to the
 * same inode.
 */
static int
real_path(int fd, const char *dir, char **ret_path, struct diag *dg)
{
	cleanup_free char *path = NULL;
	struct stat held;
	struct stat there;

	if (fs_real_path(fd, &path) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "real path of %s", dir);
	if (fstat(fd, &held) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "%s", dir);
	if (lstat(path, &there) < 0 || !fs_same(&held, &there))
		return diag_set(
		    dg, DIAG_CONFIG, "%s was moved or removed meanwhile", path);
	*ret_path = steal_ptr(&path);
	return 0;
}

int
project_check_path(const char *path, const char *what, struct diag *dg)
{
	const char *bad = NULL;

	if (strchr(path, '\n') != NULL)
		bad = "a newline";
	else if (strchr(path, ':') != NULL)
		bad = "a colon";
	else if (strchr(path, '\\') != NULL)
		bad = "a backslash";
	else if (!text_is_plain(path))
		bad = "a control character or bytes that are not UTF-8";
	if (bad == NULL)
		return 0;
	return diag_set(dg, DIAG_CONFIG,
	    "%s \"%s\" has %s in its path, which the engine cannot "
	    "mount: rename it",
	    what, path, bad);
}

/* Rejects directories that an agent must not be able to write to. */
static int
check_place(const char *path, const struct paths *paths, struct diag *dg)
{
	const struct {
		const char *dir;
		const char *what;
	} own[] = {
		{ paths->state_dir, "drydock's state" },
		{ paths->config_dir, "drydock's configuration" },
		{ paths->data_dir, "drydock's images and policy" },
		{ paths->libexec_dir, "drydock's programs" },
		{ paths->self, "drydock itself" },
	};

	if (strcmp(path, "/") == 0)
		return diag_set(dg, DIAG_POLICY,
		    "/ is not a project: it is the whole host; give the "
		    "directory that the agent should work on");
	if (strcmp(path, paths->home) == 0)
		return diag_set(dg, DIAG_POLICY,
		    "%s is your home, with your keys in it: give a directory "
		    "below it",
		    path);
	if (protected_is_below(paths->home, path))
		return diag_set(dg, DIAG_POLICY,
		    "%s holds your home: give the directory that the agent "
		    "should work on",
		    path);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		bool holds = protected_is_below(own[i].dir, path);

		if (!holds && !protected_is_below(path, own[i].dir))
			continue;
		return diag_set(dg, DIAG_POLICY,
		    "%s %s %s (%s), which no agent may change: give another "
		    "directory",
		    path, holds ? "holds" : "is in", own[i].what, own[i].dir);
	}
	return 0;
}

static char *
make_name(const char *path)
{
	static const char allowed[] = ASCII_ALNUM "._-";
	cleanup_strbuf struct strbuf name = STRBUF_INIT;

	for (const char *p = strrchr(path, '/') + 1; *p != '\0'; p++) {
		bool plain = strchr(allowed, *p) != NULL;

		/*
		 * The name starts with neither dot nor dash.  A run of other
		 * characters becomes one dash.
		 */
		if (name.len == 0 && (!plain || *p == '.' || *p == '-'))
			continue;
		if (plain)
			strbuf_addch(&name, *p);
		else if (name.buf[name.len - 1] != '-')
			strbuf_addch(&name, '-');
		if (name.len == NAME_LEN_MAX)
			break;
	}
	while (name.len > 0 && name.buf[name.len - 1] == '-')
		strbuf_setlen(&name, name.len - 1);
	if (name.len == 0)
		strbuf_addstr(&name, "project");
	return strbuf_detach(&name, NULL);
}

void
project_digits(const char *path, char ret_digits[PROJECT_DIGITS + 1])
{
	char hex[DIGEST_HEX_SIZE];

	digest_bytes(path, strlen(path), hex);
	memcpy(ret_digits, hex, PROJECT_DIGITS);
	ret_digits[PROJECT_DIGITS] = '\0';
}

/* State of the check of the symlinks in the path that names a project. */
struct naming {
	const struct paths *paths;
	const char *target; /* real path of the project */
	struct knownprojects *known; /* owned; NULL until the first symlink */
	struct diag *dg;
};

/*
 * Rejects a symlink that another user owns, or that an agent may have created
 * in its project: the next session would open a directory of the agent's
 * choice.  A symlink whose target is in the same project is allowed.
 */
static int
judge_link(void *arg, int dirfd, const char *name, const struct stat *st)
{
	struct naming *n = arg;
	cleanup_free char *where = NULL;
	cleanup_free char *in = NULL;

	if (!S_ISLNK(st->st_mode))
		return 0;
	if (fs_real_path(dirfd, &where) < 0) {
		(void)diag_set_errno(
		    n->dg, DIAG_IO, errno, "real path of what %s is in", name);
		return 1;
	}
	if (st->st_uid != n->paths->uid && st->st_uid != 0) {
		(void)diag_set(n->dg, DIAG_POLICY,
		    "%s/%s is a link of uid %lu, and leads to %s: name that "
		    "directory itself if you mean it",
		    where, name, (unsigned long)st->st_uid, n->target);
		return 1;
	}
	if (n->known == NULL &&
	    knownprojects_load(n->paths, &n->known, n->dg) != 0)
		return 1;
	in = knownprojects_find(n->known, where);
	if (in == NULL || protected_is_below(n->target, in))
		return 0;
	(void)diag_set(n->dg, DIAG_POLICY,
	    "%s/%s is a link that a session on %s can have made, and leads to "
	    "%s: name that directory itself if you mean it",
	    where, name, in, n->target);
	return 1;
}

/*
 * Returned: dir below $PWD, which keeps the symlinks that the shell followed.
 * dir alone if it is absolute or $PWD is not the working directory.
 */
static char *
named_path(const char *dir)
{
	const char *pwd = getenv("PWD");
	struct stat named;
	struct stat here;

	if (*dir == '/' || pwd == NULL || *pwd != '/' ||
	    stat(pwd, &named) < 0 || stat(".", &here) < 0 ||
	    !fs_same(&named, &here))
		return xstrdup(dir);
	return xasprintf("%s/%s", pwd, dir);
}

static int
check_links(const struct project *project, const char *dir,
    const struct paths *paths, struct diag *dg)
{
	cleanup_free char *path = named_path(dir);
	struct naming naming = { paths, project->path, NULL, dg };
	struct resolve walk = { .judge = judge_link, .arg = &naming };
	cleanup_close int fd = -1;
	struct stat held;
	struct stat found;
	int rc = resolve_open(&walk, AT_FDCWD, path, &fd);
	int error = errno;

	knownprojects_freep(&naming.known);
	if (rc > 0)
		return -1;
	if (rc < 0)
		return diag_set_errno(
		    dg, DIAG_CONFIG, error, "project %s", dir);
	if (fstat(fd, &found) < 0 || fstat(project->fd, &held) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "%s", dir);
	if (!fs_same(&found, &held))
		return diag_set(
		    dg, DIAG_CONFIG, "%s was moved or removed meanwhile", dir);
	return 0;
}

int
project_open(struct project *ret_project, const char *dir,
    const struct paths *paths, struct diag *dg)
{
	cleanup_project struct project project = PROJECT_INIT;
	char digits[PROJECT_DIGITS + 1];

	if (dir == NULL)
		dir = ".";
	project.fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (project.fd < 0)
		return diag_set_errno(
		    dg, DIAG_CONFIG, errno, "project %s", dir);
	if (real_path(project.fd, dir, &project.path, dg) != 0)
		return -1;
	assert(project.path != NULL);
	if (check_links(&project, dir, paths, dg) != 0 ||
	    project_check_path(project.path, "project", dg) != 0 ||
	    check_place(project.path, paths, dg) != 0)
		return -1;
	project_digits(project.path, digits);
	project.name = make_name(project.path);
	project.key = xasprintf("%s-%s", digits, project.name);
	project.config = xasprintf("projects/%s", project.key);
	*ret_project = project;
	project = (struct project)PROJECT_INIT;
	return 0;
}

void
project_release(struct project *project)
{
	free(project->path);
	free(project->name);
	free(project->key);
	free(project->config);
	cleanup_close_fn(&project->fd);
	*project = (struct project)PROJECT_INIT;
}

char *
project_history(const struct project *project, const struct paths *paths,
    const char *agent, enum mode mode)
{
	return xasprintf("%s/agents/%s/history/%s-%s", paths->state_dir, agent,
	    project->key, mode_name(mode));
}

char *
project_file(const struct project *project, const char *name)
{
	return project == NULL ? xstrdup(name)
			       : xasprintf("%s/%s", project->config, name);
}
