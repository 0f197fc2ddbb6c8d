/* SPDX-License-Identifier: MIT */
/* The list of findings of a check, and the kinds of findings. */
#include "deps/patchfinding.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/otherpatches.h"
#include "deps/patchledger.h"

static const struct {
	const char *name;
	const char *mend;
} kinds[PATCHCHECK_NKINDS] = {
	[PATCHCHECK_COPY_MISSING] = { "copy-missing", "drydock patch apply" },
	[PATCHCHECK_COPY_CHANGED] = { "copy-changed", "drydock patch apply" },
	[PATCHCHECK_COPY_ORPHAN] = { "copy-orphan", "drydock patch apply" },
	[PATCHCHECK_PATCH_MISSING] = { "patch-missing",
	    "drydock patch remove NAME" },
	[PATCHCHECK_PATCH_CHANGED] = { "patch-changed", "drydock patch seal" },
	[PATCHCHECK_PATCH_ORPHAN] = { "patch-orphan", "drydock patch seal" },
	[PATCHCHECK_BLOCK_MISSING] = { "block-missing", "drydock patch apply" },
	[PATCHCHECK_BLOCK_OTHER] = { "block-other", "drydock patch apply" },
	[PATCHCHECK_BLOCK_FOREIGN] = { "block-foreign", "drydock patch apply" },
	[PATCHCHECK_BLOCK_ORPHAN] = { "block-orphan", "drydock patch apply" },
	/* Only a person can mend a conflict: the finding's text says how. */
	[PATCHCHECK_CONFLICT] = { "conflict", "drydock patch check" },
	[PATCHCHECK_LOCK_ORIGINAL] = { "lock-original", "drydock patch apply" },
	[PATCHCHECK_LOCK_OTHER_VERSION] = { "lock-other-version",
	    "drydock patch remove NAME" },
	[PATCHCHECK_LOCK_OTHER_SOURCE] = { "lock-other-source",
	    "drydock patch remove NAME" },
	[PATCHCHECK_LOCK_TWICE] = { "lock-twice", "drydock patch remove NAME" },
	/* Of another program's patches alone. */
	[PATCHCHECK_LOCK_ORPHAN] = { "lock-orphan", "drydock patch check" },
};

static void
release_finding(struct patchcheck_finding *f)
{
	free(f->ecosystem);
	free(f->name);
	free(f->version);
	free(f->path);
	free(f->text);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
has_finding(const struct patchcheck *check, const struct patchcheck_finding *f)
{
	for (size_t i = 0; i < check->nr; i++) {
		const struct patchcheck_finding *g = &check->v[i];

		if (g->kind == f->kind &&
		    same_text(g->ecosystem, f->ecosystem) &&
		    same_text(g->name, f->name) &&
		    same_text(g->version, f->version) &&
		    strcmp(g->path, f->path) == 0 &&
		    strcmp(g->text, f->text) == 0)
			return true;
	}
	return false;
}

void
patchfinding_add(struct patchcheck *check, enum patchcheck_kind kind,
    const char *ecosystem, const struct patchledger_entry *e, const char *path,
    const char *fmt, ...)
{
	struct patchcheck_finding f = { .kind = kind };
	cleanup_strbuf struct strbuf escaped = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	va_list ap;

	if (check->nr == PATCHCHECK_MAX)
		return;
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	strbuf_add_escaped(&escaped, path, strlen(path));
	if (ecosystem != NULL)
		f.ecosystem = xstrdup(ecosystem);
	if (e != NULL && e->name != NULL)
		f.name = xstrdup(e->name);
	if (e != NULL && e->version != NULL)
		f.version = xstrdup(e->version);
	f.path = strbuf_detach(&escaped, NULL);
	f.text = strbuf_detach(&text, NULL);
	if (has_finding(check, &f)) {
		release_finding(&f);
		return;
	}
	if (check->v == NULL)
		check->v = xcalloc(PATCHCHECK_MAX, sizeof(*check->v));
	check->v[check->nr++] = f;
}

void
patchfinding_note(
    struct patchcheck *check, const char *path, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf note = STRBUF_INIT;
	va_list ap;

	strbuf_add_escaped(&note, path, strlen(path));
	strbuf_addch(&note, ' ');
	va_start(ap, fmt);
	strbuf_vaddf(&note, fmt, ap);
	va_end(ap);
	if (check->notes.nr < PATCHCHECK_MAX_NOTES &&
	    !strvec_has(&check->notes, note.buf))
		strvec_push(&check->notes, note.buf);
}

void
patchfinding_add_other(struct patchcheck *check, const char *ecosystem,
    const char *name, const char *version, const char *path)
{
	check->npatches++;
	check->others = xreallocarray(
	    check->others, check->nothers + 1, sizeof(*check->others));
	check->others[check->nothers++] = (struct patchcheck_other){
		.ecosystem = ecosystem,
		.name = xstrdup(name),
		.version = version == NULL ? NULL : xstrdup(version),
		.path = xstrdup(path),
	};
}

static void
release_other(struct patchcheck_other *other)
{
	free(other->name);
	free(other->version);
	free(other->path);
}

void
patchcheck_release(struct patchcheck *check)
{
	for (size_t i = 0; i < check->nr; i++)
		release_finding(&check->v[i]);
	free(check->v);
	for (size_t i = 0; i < check->nothers; i++)
		release_other(&check->others[i]);
	free(check->others);
	strvec_release(&check->notes);
	*check = (struct patchcheck)PATCHCHECK_INIT;
}

const struct patchcheck_finding *
patchcheck_find(const struct patchcheck *check, const char *ecosystem,
    const char *name, const char *version)
{
	for (size_t i = 0; i < check->nr; i++) {
		const struct patchcheck_finding *f = &check->v[i];

		if (same_text(f->ecosystem, ecosystem) &&
		    same_text(f->name, name) && same_text(f->version, version))
			return f;
	}
	return NULL;
}

const char *
patchcheck_kind_name(enum patchcheck_kind kind)
{
	return kinds[kind].name;
}

/* Whether a word of another program's file can stand in a command. */
static bool
is_word(const char *text)
{
	return *text != '\0' && *text != '-' &&
	    text[strspn(text, ASCII_ALNUM "@/._+-")] == '\0';
}

/* A name that is no word stays "NAME". */
char *
patchcheck_mend(const struct patchcheck_finding *f)
{
	const struct otherpatches *other = otherpatches_find(f->ecosystem);
	const char *mend = other != NULL ? otherpatches_mend(other, f->kind)
					 : kinds[f->kind].mend;
	const char *at = strstr(mend, " NAME");
	const char *version = f->version;

	/* The ledger alone had the values that a redirect of npm replaced. */
	if (f->kind == PATCHCHECK_BLOCK_ORPHAN &&
	    same_text(f->ecosystem, PATCHLEDGER_NPM))
		return xstrdup(kinds[PATCHCHECK_CONFLICT].mend);
	if (at == NULL || f->name == NULL || !is_word(f->name) ||
	    (version == NULL ? other == NULL : !is_word(version)))
		return xstrdup(mend);
	return xasprintf("%.*s %s%s%s", (int)(at - mend), mend, f->name,
	    version == NULL ? "" : "@", version == NULL ? "" : version);
}
