/* SPDX-License-Identifier: MIT */
/* patch: changes dependencies of one project. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "cmd/cmd.h"
#include "deps/ecosystem.h"
#include "deps/otherpatches.h"
#include "deps/packages.h"
#include "deps/patchcheck.h"
#include "deps/patches.h"
#include "deps/patchledger.h"
#include "host/project.h"
#include "host/statedir.h"
#include "session/caches.h"

#define EDITABLE ".drydock/edit"

struct patch_options {
	const char *project; /* NULL: not given; "": the working directory */
	const char *ecosystem; /* NULL: not given */
	bool json;
};

/* The state that the verbs share. */
struct patch {
	struct context *ctx;
	const struct patch_options *options;
	struct project project;
	int fd; /* owned; the project's directory, open for reading */
	const struct ecosystem *eco; /* as given, or NULL */
	const char *operand; /* NAME[@VERSION] as given, or NULL */
	char *name; /* owned; or NULL */
	char *version; /* owned; or NULL */
	struct cache_sources slots;
	struct package_sources sources; /* borrows the rest */
	struct patches_project target; /* filled for writers */
	struct strvec steps; /* what a writer did */
};

static void
patch_release(struct patch *p)
{
	cache_sources_release(&p->slots);
	if (p->fd >= 0)
		(void)close(p->fd);
	project_release(&p->project);
	free(p->name);
	free(p->version);
	strvec_release(&p->steps);
}

/* Splits NAME[@VERSION]. */
static int
parse_operand(struct patch *p, struct diag *dg)
{
	if (patchledger_split(p->eco == NULL ? NULL : p->eco->name, p->operand,
		&p->name, &p->version))
		return 0;
	return diag_set(dg, DIAG_USAGE,
	    "patch: \"%s\" is not the name of a package; write NAME or "
	    "NAME@VERSION",
	    p->operand);
}

static bool
project_has(const struct patch *p, const char *name)
{
	struct stat st;

	return fstatat(p->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * Refuses an ecosystem whose patches this version cannot make or judge.
 * Without --ecosystem, the lock files of the project tell which one it is.
 */
static int
check_ecosystem(struct patch *p, const char *verb, bool writes, struct diag *dg)
{
	const char *ecosystem = p->options->ecosystem;
	const struct otherpatches *other = otherpatches_find(ecosystem);

	if (other != NULL)
		return writes ? otherpatches_refuse(other, verb, dg) : 0;
	if (ecosystem != NULL) {
		p->eco = ecosystem_find(ecosystem);
		if (p->eco != NULL)
			return 0;
		return diag_set(dg, DIAG_USAGE,
		    "patch: --ecosystem is cargo, npm, pnpm or yarn, and not "
		    "\"%s\"",
		    ecosystem);
	}
	for (size_t i = 0; i < ECOSYSTEM_NR; i++)
		if (project_has(p, ecosystems[i]->lock))
			return 0;
	if (patchcheck_is_needed(p->fd))
		return 0;
	for (size_t i = 0; writes && i < OTHERPATCHES_NR; i++)
		if (project_has(p, otherpatches[i]->lock))
			return otherpatches_refuse(otherpatches[i], verb, dg);
	return 0;
}

/* Prepares what writers need: the state directory and sources of packages. */
static int
open_target(struct patch *p, struct diag *dg)
{
	if (statedir_open(p->ctx->paths, dg) != 0)
		return -1;
	/* All slots: a digest proves what is taken. */
	cache_sources_open(p->ctx->paths, p->project.path, true, &p->slots);
	p->sources = (struct package_sources){ p->ctx->paths->home,
		p->ctx->environ_, p->slots.fds, p->slots.nr };
	p->target = (struct patches_project){ .fd = p->fd,
		.path = p->project.path,
		.paths = p->ctx->paths,
		.sources = &p->sources,
		.steps = &p->steps };
	return 0;
}

static int
start(struct patch *p, struct diag *dg)
{
	cleanup_free char *dir = NULL;
	struct jsonw *w;

	if (patches_start(&p->target, p->eco, p->name, p->version, &dir, dg) !=
	    0)
		return -1;
	if (p->options->json) {
		w = jsonw_new(true);
		jsonw_open_object(w);
		jsonw_key_str(w, "name", p->name);
		jsonw_key_str(w, "directory", dir);
		jsonw_close_object(w);
		return jsonw_print(w, dg);
	}
	(void)printf("%s\n", dir);
	diag_note("edit the files in this directory, then run \"drydock patch "
		  "save %s\"",
	    p->operand);
	return 0;
}

/* Prints what a writer did. */
static int
print_steps(const struct patch *p, struct diag *dg)
{
	if (p->options->json) {
		struct jsonw *w = jsonw_new(true);

		jsonw_open_object(w);
		jsonw_key_strvec(w, "steps", &p->steps);
		jsonw_close_object(w);
		return jsonw_print(w, dg);
	}
	for (size_t i = 0; i < p->steps.nr; i++) {
		const char *step = p->steps.v[i];
		cleanup_strbuf struct strbuf line = STRBUF_INIT;

		strbuf_add_escaped(&line, step, strlen(step));
		(void)printf("%s\n", line.buf);
	}
	if (p->steps.nr == 0)
		diag_note("there is nothing to change");
	return 0;
}

/* Prints what a writer did, and tells what still has the original. */
static int
tell_written(const struct patch *p, bool is_committed, struct diag *dg)
{
	cleanup_patchcheck struct patchcheck c = PATCHCHECK_INIT;
	cleanup_diag struct diag failure = DIAG_INIT;

	if (print_steps(p, dg) != 0)
		return -1;
	if (p->options->json || p->steps.nr == 0)
		return 0;
	if (is_committed)
		diag_note("commit the manifest, the lock file and .drydock "
			  "(its .gitignore leaves the copies out)");
	if (patchcheck_run(p->fd, &c, &failure) != 0) {
		diag_warn("the patches cannot be checked: %s", failure.message);
		return 0;
	}
	if (c.nr > 0)
		diag_warn("not all is in sync; run: drydock patch check");
	for (size_t i = 0; i < c.notes.nr; i++)
		diag_note("%s", c.notes.v[i]);
	return 0;
}

static int
save(struct patch *p, struct diag *dg)
{
	if (patches_save(&p->target, p->eco, p->name, p->version, dg) != 0)
		return -1;
	return tell_written(p, true, dg);
}

static int
apply(struct patch *p, struct diag *dg)
{
	if (patches_apply(&p->target, dg) != 0)
		return -1;
	return tell_written(p, false, dg);
}

static int
seal(struct patch *p, struct diag *dg)
{
	if (patches_seal(&p->target, dg) != 0)
		return -1;
	return tell_written(p, true, dg);
}

/* remove(3) has the shorter name. */
static int
remove_patch(struct patch *p, struct diag *dg)
{
	if (patches_remove(&p->target, p->eco, p->name, p->version, dg) != 0 ||
	    print_steps(p, dg) != 0)
		return -1;
	if (!p->options->json && project_has(p, EDITABLE))
		diag_note("%s stays; remove it if you do not need your edits",
		    EDITABLE);
	return 0;
}

static int
print_check_json(const struct patchcheck *c, struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_bool(w, "in_sync", c->nr == 0);
	jsonw_key_int(w, "patches", (int64_t)c->npatches);
	jsonw_key_array(w, "findings");
	for (size_t i = 0; i < c->nr; i++) {
		const struct patchcheck_finding *f = &c->v[i];
		cleanup_free char *mend = patchcheck_mend(f);

		jsonw_open_object(w);
		jsonw_key_str(w, "kind", patchcheck_kind_name(f->kind));
		jsonw_key_str(w, "ecosystem", f->ecosystem);
		jsonw_key_str(w, "name", f->name);
		jsonw_key_str(w, "version", f->version);
		jsonw_key_str(w, "path", f->path);
		jsonw_key_str(w, "text", f->text);
		jsonw_key_str(w, "mend", mend);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	jsonw_key_strvec(w, "notes", &c->notes);
	jsonw_close_object(w);
	return jsonw_print(w, dg);
}

/* Returned: how to mend a finding; what loses nothing comes first. */
static char *
advice_of(const struct patchcheck_finding *f)
{
	cleanup_free char *mend = patchcheck_mend(f);
	const struct otherpatches *other = otherpatches_find(f->ecosystem);
	static const char *const first[PATCHCHECK_NKINDS] = {
		[PATCHCHECK_PATCH_MISSING] = "restore this file, or ",
		[PATCHCHECK_BLOCK_ORPHAN] = "restore " PATCHLEDGER_PATH ", or ",
		[PATCHCHECK_LOCK_OTHER_VERSION] = "restore this file, or ",
		[PATCHCHECK_LOCK_OTHER_SOURCE] = "restore this file, or ",
		[PATCHCHECK_LOCK_TWICE] = "restore this file, or ",
	};

	if (other != NULL && f->kind == PATCHCHECK_PATCH_MISSING)
		return xasprintf("%s%srun \"%s\" in a session", first[f->kind],
		    other->before_remove, mend);
	if (other != NULL)
		return xasprintf("%srun \"%s\" in a session",
		    f->kind == PATCHCHECK_LOCK_OTHER_VERSION ? first[f->kind]
							     : "",
		    mend);
	/* What only a person can mend is checked again. */
	return xasprintf("%s%srun \"%s\"",
	    first[f->kind] != NULL ? first[f->kind] : "",
	    strcmp(mend, PATCHCHECK_AGAIN) == 0 ? "edit this file, then " : "",
	    mend);
}

/* Prints the findings that have the same advice, and the advice. */
static void
print_group(const struct patch *p, const struct patchcheck *c,
    const struct strvec *advice, const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < c->nr; i++)
		if (strcmp(advice->v[i], text) == 0)
			strbuf_addf(
			    &out, "%s: %s\n", c->v[i].path, c->v[i].text);
	strbuf_addf(&out, "  %s", text);
	if (p->options->project != NULL) {
		strbuf_addstr(&out, " in ");
		strbuf_add_escaped(
		    &out, p->project.path, strlen(p->project.path));
	}
	(void)printf("%s\n", out.buf);
}

static void
print_check(const struct patch *p, const struct patchcheck *c)
{
	cleanup_strvec struct strvec advice = STRVEC_INIT;

	for (size_t i = 0; i < c->nr; i++)
		strvec_push_given(&advice, advice_of(&c->v[i]));
	for (size_t i = 0; i < c->nr; i++) {
		size_t k = 0;

		while (strcmp(advice.v[k], advice.v[i]) != 0)
			k++;
		if (k == i)
			print_group(p, c, &advice, advice.v[i]);
	}
	for (size_t i = 0; i < c->notes.nr; i++)
		diag_note("%s", c->notes.v[i]);
	if (c->nr >= PATCHCHECK_MAX)
		diag_note(
		    "only the first %d differences are shown", PATCHCHECK_MAX);
	if (c->nr == 0 && c->npatches == 0)
		(void)printf("no patches\n");
	else if (c->nr == 0)
		(void)printf("%zu %s in sync\n", c->npatches,
		    c->npatches == 1 ? "patch" : "patches");
}

static int
check(struct patch *p, struct diag *dg)
{
	cleanup_patchcheck struct patchcheck c = PATCHCHECK_INIT;

	if (otherpatches_check(p->fd, p->options->ecosystem, &c, dg) != 0)
		return -1;
	p->ctx->status = c.nr > 0 ? 1 : 0;
	if (p->options->json)
		return print_check_json(&c, dg);
	print_check(p, &c);
	return 0;
}

/* Prints a patch, into the open array w if not NULL; copy may be NULL. */
static void
print_patch(struct jsonw *w, const struct patchcheck *c,
    const struct patchcheck_other *o, const char *copy)
{
	const struct patchcheck_finding *f =
	    patchcheck_find(c, o->ecosystem, o->name, o->version);
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	if (w != NULL) {
		jsonw_open_object(w);
		jsonw_key_str(w, "ecosystem", o->ecosystem);
		jsonw_key_str(w, "name", o->name);
		jsonw_key_str(w, "version", o->version);
		jsonw_key_str(w, "patch", o->path);
		jsonw_key_str(w, "copy", copy);
		jsonw_key_str(w, "state",
		    f == NULL ? "in-sync" : patchcheck_kind_name(f->kind));
		jsonw_close_object(w);
		return;
	}
	strbuf_addf(&line, "%s ", o->ecosystem);
	strbuf_add_escaped(&line, o->name, strlen(o->name));
	if (o->version != NULL) {
		strbuf_addch(&line, '@');
		strbuf_add_escaped(&line, o->version, strlen(o->version));
	}
	(void)printf("%s: %s%s%s\n", line.buf, f == NULL ? "" : f->path,
	    f == NULL ? "in sync" : ": ", f == NULL ? "" : f->text);
}

static int
list(struct patch *p, struct diag *dg)
{
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;
	cleanup_patchcheck struct patchcheck c = PATCHCHECK_INIT;
	const char *ecosystem = p->options->ecosystem;
	struct jsonw *w = NULL;

	if (otherpatches_check(p->fd, ecosystem, &c, dg) != 0 ||
	    (otherpatches_find(ecosystem) == NULL &&
		patchledger_read(p->fd, &ledger, dg) != 0))
		return -1;
	if (p->options->json) {
		w = jsonw_new(true);
		jsonw_open_array(w);
	}
	for (size_t i = 0; i < ledger.nr; i++) {
		const struct patchledger_entry *e = &ledger.v[i];
		cleanup_free char *path = patchledger_patch_path(e);
		cleanup_free char *copy = patchledger_copy_path(e);
		const struct patchcheck_other patch = { e->ecosystem, e->name,
			e->version, path };

		print_patch(w, &c, &patch, copy);
	}
	for (size_t i = 0; i < c.nothers; i++)
		print_patch(w, &c, &c.others[i], NULL);
	if (w != NULL) {
		jsonw_close_array(w);
		return jsonw_print(w, dg);
	}
	if (ledger.nr + c.nothers == 0)
		diag_note("%s has no patches", p->project.path);
	if (c.nr > 0)
		diag_note("run \"drydock patch check\" to see what differs, "
			  "and how to mend it");
	return 0;
}

static const struct verb {
	const char *name;
	int least; /* operands behind the verb */
	int most;
	bool writes;
	int (*run)(struct patch *p, struct diag *dg);
	const char *usage;
} verbs[] = {
	{ "start", 1, 1, true, start, "start NAME[@VERSION]" },
	{ "save", 0, 1, true, save, "save [NAME[@VERSION]]" },
	{ "apply", 0, 0, true, apply, "apply" },
	{ "check", 0, 0, false, check, "check" },
	{ "list", 0, 0, false, list, "list" },
	{ "remove", 1, 1, true, remove_patch, "remove NAME[@VERSION]" },
	{ "seal", 0, 0, true, seal, "seal" },
};

static int
run_verb(struct patch *p, const struct verb *verb, struct diag *dg)
{
	const char *dir = p->options->project;

	if (project_open(&p->project, dir != NULL && *dir != '\0' ? dir : NULL,
		p->ctx->paths, dg) != 0)
		return -1;
	p->fd = openat(p->project.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->fd < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "open %s", p->project.path);
	if (check_ecosystem(p, verb->name, verb->writes, dg) != 0 ||
	    (p->operand != NULL && parse_operand(p, dg) != 0) ||
	    (verb->writes && open_target(p, dg) != 0))
		return -1;
	return verb->run(p, dg);
}

static int
patch_run(struct context *ctx, struct diag *dg)
{
	const struct verb *verb = NULL;
	struct patch p = { .ctx = ctx,
		.options = ctx->options,
		.project = PROJECT_INIT,
		.fd = -1,
		.operand = ctx->argc > 1 ? ctx->argv[1] : NULL,
		.slots = CACHE_SOURCES_INIT,
		.steps = STRVEC_INIT };
	int rc;

	for (size_t i = 0; ctx->argc > 0 && i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, ctx->argv[0]) == 0)
			verb = &verbs[i];
	if (verb == NULL)
		return diag_set(dg, DIAG_USAGE,
		    "patch needs start, save, apply, check, list, remove or "
		    "seal");
	if (ctx->argc - 1 < verb->least || ctx->argc - 1 > verb->most)
		return diag_set(
		    dg, DIAG_USAGE, "usage: drydock patch %s", verb->usage);
	rc = run_verb(&p, verb, dg);
	patch_release(&p);
	return rc;
}

static const struct optdef patch_optdefs[] = {
	{ "project", 'p', OPT_OPTIONAL, offsetof(struct patch_options, project),
	    "[DIR]", "of this project (default: the working directory)" },
	{ "ecosystem", 'e', OPT_STRING,
	    offsetof(struct patch_options, ecosystem), "cargo|npm|pnpm|yarn",
	    "what NAME is a package of (default: by the lock file)" },
	{ "json", 'j', OPT_FLAG, offsetof(struct patch_options, json), NULL,
	    "print JSON" },
	{ .name = NULL },
};

const struct cmd cmd_patch = {
	.name = "patch",
	.args = "start|save|apply|check|list|remove|seal [NAME]",
	.summary = "change a dependency for one project",
	.description =
	    "start unpacks a package of the project's Cargo.lock or "
	    "package-lock.json into a directory of the project, where you "
	    "edit it; save makes a patch of your changes and applies it. "
	    "apply makes the patched copies and the redirect that the "
	    "recorded patches need, for example in a fresh clone. check "
	    "compares patches, copies, manifests and lock files, changes "
	    "nothing, and exits with 1 if they differ; list names the "
	    "patches. remove takes a patch away, and manifest and lock file "
	    "get their own bytes back. seal records patch files that you "
	    "edited or merged.\n"
	    "Commit the manifest, the lock file and .drydock, whose "
	    ".gitignore leaves the copies out. No cache and no other project "
	    "changes. A session of the project does not start while check "
	    "finds a difference.",
	.needs = CMD_NEED_SETTINGS,
	.options = patch_optdefs,
	.options_size = sizeof(struct patch_options),
	.run = patch_run,
};
