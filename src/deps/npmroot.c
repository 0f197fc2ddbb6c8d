/* SPDX-License-Identifier: MIT */
/* Finds what wins over the redirects in package.json and package-lock.json. */
#include "deps/npmroot.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "deps/npmrc.h"
#include "deps/patchcheck.h"

#define MANIFEST "package.json"
#define SHRINKWRAP "npm-shrinkwrap.json"
#define SETTINGS ".npmrc"

struct judge {
	void (*found)(void *arg, const char *path, const char *why);
	void *arg;
};

static void
tell(const struct judge *j, const char *path, const char *why)
{
	j->found(j->arg, path, why);
}

static void
judge_shrinkwrap(const struct judge *j, int project_fd)
{
	if (patchcheck_may_exist(project_fd, SHRINKWRAP))
		tell(j, SHRINKWRAP,
		    "npm reads this file instead of package-lock.json; rename "
		    "it to that, or do not patch packages of npm here");
}

/* npm follows a link; one that leads out of the project cannot be judged. */
static void
judge_settings(const struct judge *j, int project_fd)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf why = STRBUF_INIT;

	if (fs_read_file(project_fd, SETTINGS, NPMRC_MAX_SIZE, &text, &dg) == 0)
		npmrc_judge(text.buf, text.len, &why);
	else if (!fs_is_absent(&dg))
		strbuf_addf(&why, "cannot be read: %s", dg.message);
	if (why.len > 0)
		tell(j, SETTINGS, why.buf);
}

static void
judge_manager(const struct judge *j, const struct strbuf *manifest)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_json struct json *root = NULL;
	cleanup_strbuf struct strbuf why = STRBUF_INIT;
	const char *manager;

	if (json_parse(
		manifest->buf, manifest->len, MANIFEST, &root, &ignored) != 0)
		return;
	manager = json_string(json_get(root, "packageManager"));
	if (manager == NULL || strcmp(manager, "npm") == 0 ||
	    strncmp(manager, "npm@", 4) == 0)
		return;
	strbuf_addf(&why,
	    "\"packageManager\" is %.100s, which does not use patches of npm; "
	    "remove it, or do not patch packages of npm here",
	    manager);
	tell(j, MANIFEST, why.buf);
}

void
npmroot_judge(int project_fd, const struct strbuf *manifest,
    void (*found)(void *arg, const char *path, const char *why), void *arg)
{
	const struct judge j = { found, arg };

	judge_shrinkwrap(&j, project_fd);
	judge_settings(&j, project_fd);
	if (manifest != NULL)
		judge_manager(&j, manifest);
}

static void
set_first(void *arg, const char *path, const char *why)
{
	struct diag *dg = arg;

	if (dg->class == DIAG_NONE)
		(void)diag_set(dg, DIAG_CONFIG, "%s: %s", path, why);
}

int
npmroot_check(int project_fd, const struct strbuf *manifest, struct diag *dg)
{
	cleanup_diag struct diag first = DIAG_INIT;

	npmroot_judge(project_fd, manifest, set_first, &first);
	if (first.class == DIAG_NONE)
		return 0;
	diag_move(dg, &first);
	return -1;
}
