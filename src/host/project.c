/* SPDX-License-Identifier: MIT */
/* project: opens a directory and refuses those that must not be one. */

#include "host/project.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/protected.h"
#include "host/text.h"

#define NAME_LEN_MAX 48

/* The real path of what fd holds, checked to still lead to it. */
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

static int
check_characters(const char *path, struct diag *dg)
{
	const char *what = NULL;

	if (strchr(path, '\n') != NULL)
		what = "a newline";
	else if (strchr(path, ':') != NULL)
		what = "a colon";
	else if (strchr(path, '\\') != NULL)
		what = "a backslash";
	else if (!text_is_plain(path))
		what = "a control character or bytes that are not UTF-8";
	if (what == NULL)
		return 0;
	return diag_set(dg, DIAG_CONFIG,
	    "project \"%s\" has %s in its path, which the engine cannot "
	    "mount: rename it",
	    path, what);
}

/* Refuses what an agent must not be able to write to. */
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
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	cleanup_strbuf struct strbuf name = STRBUF_INIT;

	for (const char *p = strrchr(path, '/') + 1; *p != '\0'; p++) {
		bool plain = strchr(allowed, *p) != NULL;

		/* No leading dot or dash; a run of others is one dash. */
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
	if (real_path(project.fd, dir, &project.path, dg) < 0)
		return -1;
	assert(project.path != NULL);
	if (check_characters(project.path, dg) < 0 ||
	    check_place(project.path, paths, dg) < 0)
		return -1;
	project_digits(project.path, digits);
	project.name = make_name(project.path);
	project.key = xasprintf("%s-%s", digits, project.name);
	ret_project->path = steal_ptr(&project.path);
	ret_project->name = steal_ptr(&project.name);
	ret_project->key = steal_ptr(&project.key);
	ret_project->fd = steal_fd(&project.fd);
	return 0;
}

void
project_release(struct project *project)
{
	free(project->path);
	free(project->name);
	free(project->key);
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
