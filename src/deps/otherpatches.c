/* SPDX-License-Identifier: MIT */
/* The table of programs that have patches of their own. */
#include "deps/otherpatches.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/patchcheck.h"
#include "deps/patchtext.h"
#include "host/text.h"

const struct otherpatches *const otherpatches[OTHERPATCHES_NR] = {
	&pnpmcheck,
	&yarncheck,
};

const struct otherpatches *
otherpatches_find(const char *ecosystem)
{
	for (size_t i = 0; ecosystem != NULL && i < OTHERPATCHES_NR; i++)
		if (strcmp(otherpatches[i]->ecosystem, ecosystem) == 0)
			return otherpatches[i];
	return NULL;
}

const char *
otherpatches_mend(const struct otherpatches *other, enum patchcheck_kind kind)
{
	return kind == PATCHCHECK_PATCH_MISSING ||
		kind == PATCHCHECK_LOCK_OTHER_VERSION
	    ? other->remove
	    : other->apply;
}

int
otherpatches_refuse(
    const struct otherpatches *other, const char *verb, struct diag *dg)
{
	const char *command = other->apply;
	const char *before = "";

	if (strcmp(verb, "start") == 0)
		command = other->start;
	else if (strcmp(verb, "save") == 0)
		command = other->save;
	else if (strcmp(verb, "remove") == 0) {
		command = other->remove;
		before = other->before_remove;
	}
	return diag_set(dg, DIAG_CONFIG,
	    "%s has patches of its own, which drydock only checks: %srun \"%s\" "
	    "in a session instead of \"drydock patch %s\"",
	    other->ecosystem, before, command, verb);
}

int
otherpatches_check(int project_fd, const char *ecosystem,
    struct patchcheck *check, struct diag *dg)
{
	const struct otherpatches *other = otherpatches_find(ecosystem);

	if (other != NULL)
		return other->check(project_fd, check, dg);
	if (patchcheck_run(project_fd, check, dg) != 0)
		return -1;
	for (size_t i = 0; ecosystem == NULL && i < OTHERPATCHES_NR; i++)
		if (otherpatches[i]->check(project_fd, check, dg) != 0)
			return -1;
	return 0;
}

bool
otherpatches_read_patch(int project_fd, const char *path, const char *ecosystem,
    const struct patchledger_entry *e, size_t *left, struct strbuf *out,
    struct patchcheck *check)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	size_t max = *left < PATCHTEXT_MAX_SIZE ? *left : PATCHTEXT_MAX_SIZE;

	if (fs_read_nolinks(project_fd, path, max, out, &dg) == 0) {
		*left -= out->len;
		return true;
	}
	if (fs_is_absent(&dg))
		patchcheck_add(check, PATCHCHECK_PATCH_MISSING, ecosystem, e,
		    path, "missing");
	else
		patchcheck_add(check, PATCHCHECK_PATCH_CHANGED, ecosystem, e,
		    path, "cannot be read: %s", dg.message);
	return false;
}

/* Takes the last component away.  Returns false if it is none, or "..". */
static bool
drop_last(struct strbuf *path)
{
	size_t at = path->len;

	while (at > 0 && path->buf[at - 1] != '/')
		at--;
	if (path->len == 0 || strcmp(path->buf + at, "..") == 0)
		return false;
	strbuf_setlen(path, at > 0 ? at - 1 : 0);
	return true;
}

/* Appends the components of a path. */
static void
add_components(struct strbuf *out, const char *path)
{
	for (const char *p = path; *p != '\0';) {
		size_t len = strcspn(p, "/");

		if (len == 2 && strncmp(p, "..", 2) == 0 && drop_last(out)) {
			p += len + (p[len] == '/');
			continue;
		}
		if (len > 0 && (len != 1 || *p != '.')) {
			if (out->len > 0)
				strbuf_addch(out, '/');
			strbuf_add(out, p, len);
		}
		p += len + (p[len] == '/');
	}
}

char *
otherpatches_path(const char *dir, const char *path)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	/* An absolute path leads out of the project, and stays as it is. */
	if (*path == '/')
		return xstrdup(path);
	add_components(&out, dir);
	add_components(&out, path);
	return strbuf_detach(&out, NULL);
}

void
otherpatches_note_unused(int project_fd, const char *dir,
    const struct strvec *paths, struct patchcheck *check)
{
	static const char end[] = ".patch";
	cleanup_close int fd = -1;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (fs_open_nolinks(project_fd, dir,
		O_RDONLY | O_NONBLOCK | O_DIRECTORY, 0, &fd, &dg) != 0 ||
	    fs_list_names(fd, dir, &names, &dg) != 0) {
		if (!fs_is_absent(&dg))
			patchcheck_note(
			    check, dir, "cannot be read: %s", dg.message);
		return;
	}
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *path = xasprintf("%s/%s", dir, names.v[i]);

		if (text_ends_with(path, end) && !strvec_has(paths, path))
			patchcheck_note(
			    check, path, "is a patch that no manifest has");
	}
}
