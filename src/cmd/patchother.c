/* SPDX-License-Identifier: MIT */
/* Refuses, checks and lists patches that other programs apply. */
#include "cmd/patchother.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/otherpatches.h"
#include "deps/patchcheck.h"

int
patchother_refuse(
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
patchother_refuse_locks(int project_fd, const char *verb, struct diag *dg)
{
	struct stat st;

	for (size_t i = 0; i < OTHERPATCHES_NR; i++)
		if (fstatat(project_fd, otherpatches[i].lock, &st,
			AT_SYMLINK_NOFOLLOW) == 0)
			return patchother_refuse(&otherpatches[i], verb, dg);
	return 0;
}

int
patchother_check(int project_fd, const char *ecosystem,
    struct patchcheck *check, struct diag *dg)
{
	const struct otherpatches *other = otherpatches_find(ecosystem);

	if (other != NULL)
		return other->check(project_fd, check, dg);
	if (patchcheck_run(project_fd, check, dg) != 0)
		return -1;
	for (size_t i = 0; ecosystem == NULL && i < OTHERPATCHES_NR; i++)
		if (otherpatches[i].check(project_fd, check, dg) != 0)
			return -1;
	return 0;
}

char *
patchother_advice(const struct otherpatches *other,
    const struct patchcheck_finding *f, const char *mend)
{
	bool missing = f->kind == PATCHCHECK_PATCH_MISSING;
	bool restore = missing || f->kind == PATCHCHECK_LOCK_OTHER_VERSION;

	return xasprintf("%s%srun \"%s\" in a session",
	    restore ? "restore this file, or " : "",
	    missing ? other->before_remove : "", mend);
}

static void
write_other(struct jsonw *w, const struct patchcheck_other *o,
    const struct patchcheck_finding *f)
{
	jsonw_open_object(w);
	jsonw_key_str(w, "ecosystem", o->ecosystem);
	jsonw_key_str(w, "name", o->name);
	jsonw_key_str(w, "version", o->version);
	jsonw_key_str(w, "patch", o->path);
	jsonw_key_str(w, "copy", NULL);
	jsonw_key_str(
	    w, "state", f == NULL ? "in-sync" : patchcheck_kind_name(f->kind));
	jsonw_close_object(w);
}

static void
print_other(
    const struct patchcheck_other *o, const struct patchcheck_finding *f)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "%s ", o->ecosystem);
	strbuf_add_escaped(&line, o->name, strlen(o->name));
	if (o->version != NULL) {
		strbuf_addch(&line, '@');
		strbuf_add_escaped(&line, o->version, strlen(o->version));
	}
	if (f == NULL)
		strbuf_addstr(&line, ": in sync");
	else
		strbuf_addf(&line, ": %s: %s", f->path, f->text);
	(void)printf("%s\n", line.buf);
}

void
patchother_list(struct jsonw *w, const struct patchcheck *check)
{
	for (size_t i = 0; i < check->nothers; i++) {
		const struct patchcheck_other *o = &check->others[i];
		const struct patchcheck_finding *f =
		    patchcheck_find(check, o->ecosystem, o->name, o->version);

		if (w != NULL)
			write_other(w, o, f);
		else
			print_other(o, f);
	}
}
