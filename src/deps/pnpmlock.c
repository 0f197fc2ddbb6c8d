/* SPDX-License-Identifier: MIT */
/* Reads what pnpm-lock.yaml has of patches. */
#include "deps/pnpmlock.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/yamlread.h"

#define SECTION "patchedDependencies"
#define MARK "(patch_hash="
#define HEX "0123456789abcdef"
#define BASE32 "abcdefghijklmnopqrstuvwxyz234567"
#define HEX_SIZE 64
#define BASE32_SIZE 26
#define MAX_USES 10000

struct parser {
	struct pnpmlock lock;
	struct strvec uses; /* "NAME HASH" of packages with a patch */
	size_t versions; /* documents that have a lockfileVersion */
	size_t documents;
};

size_t
pnpmlock_name_len(const char *key)
{
	/* A scope's '@' comes first. */
	return *key == '\0' ? 0 : 1 + strcspn(key + 1, "@");
}

const struct pnpmlock_patch *
pnpmlock_find(const struct pnpmlock *lock, const char *key)
{
	for (size_t i = 0; i < lock->nr; i++)
		if (strcmp(lock->v[i].key, key) == 0)
			return &lock->v[i];
	return NULL;
}

static int
take_version(struct parser *p, const struct yamlread_entry *e, struct diag *dg)
{
	static const char *const known[] = { "6.0", "6.1", "9.0" };

	if (e->kind != YAMLREAD_TEXT || p->versions == e->document)
		return yamlread_refuse(e, "a bad lockfileVersion", dg);
	p->versions++;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(e->text, known[i]) == 0)
			return 0;
	return diag_set(dg, DIAG_CONFIG,
	    "%s: lockfileVersion %s is not known to this version of drydock; "
	    "6 and 9 are",
	    e->what, e->text);
}

/* A new key: its patch is the last one of the lock. */
static int
add_patch(struct parser *p, const struct yamlread_entry *e, struct diag *dg)
{
	const char *key = e->keys[1];

	if (*key == '\0' || strlen(key) > PNPMLOCK_MAX_KEY)
		return yamlread_refuse(
		    e, "a patch whose key is empty or too long", dg);
	if (pnpmlock_find(&p->lock, key) != NULL)
		return yamlread_refuse(e, "a patch that occurs twice", dg);
	if (p->lock.nr == PNPMLOCK_MAX_PATCHES)
		return yamlread_refuse(e, "too many patches", dg);
	p->lock.v =
	    xreallocarray(p->lock.v, p->lock.nr + 1, sizeof(*p->lock.v));
	p->lock.v[p->lock.nr++] =
	    (struct pnpmlock_patch){ .key = xstrdup(key) };
	return 0;
}

static int
set_text(char **field, const struct yamlread_entry *e, struct diag *dg)
{
	if (e->kind != YAMLREAD_TEXT || *field != NULL)
		return yamlread_refuse(e, "a value that is not one text", dg);
	*field = xstrdup(e->text);
	return 0;
}

static int
take_hash(struct parser *p, const struct yamlread_entry *e, struct diag *dg)
{
	size_t len = e->kind == YAMLREAD_TEXT ? strlen(e->text) : 0;

	if (!(len == HEX_SIZE && strspn(e->text, HEX) == len) &&
	    !(len == BASE32_SIZE && strspn(e->text, BASE32) == len))
		return yamlread_refuse(e, "not the hash of a patch", dg);
	return set_text(&p->lock.v[p->lock.nr - 1].hash, e, dg);
}

static int
take_patch(struct parser *p, const struct yamlread_entry *e, struct diag *dg)
{
	if (e->nkeys == 1)
		return e->kind == YAMLREAD_MAPPING
		    ? 0
		    : yamlread_refuse(e, SECTION " is no mapping", dg);
	if (e->nkeys == 2) {
		if (add_patch(p, e, dg) != 0)
			return -1;
		return e->kind == YAMLREAD_MAPPING ? 0 : take_hash(p, e, dg);
	}
	if (strcmp(e->keys[2], "hash") == 0)
		return take_hash(p, e, dg);
	if (strcmp(e->keys[2], "path") == 0)
		return set_text(&p->lock.v[p->lock.nr - 1].path, e, dg);
	return 0;
}

/* "/NAME@VERSION(patch_hash=HASH)(PEER)"; the slash is version 6's. */
static int
take_package(struct parser *p, const struct yamlread_entry *e, struct diag *dg)
{
	const char *key = e->keys[1] + (*e->keys[1] == '/');
	const char *mark = strstr(key, MARK);
	const char *hash;
	size_t name = pnpmlock_name_len(key);

	if (mark == NULL || name > (size_t)(mark - key))
		return 0;
	hash = mark + strlen(MARK);
	if (p->uses.nr == MAX_USES)
		return yamlread_refuse(e, "too many patched packages", dg);
	strvec_pushf(&p->uses, "%.*s %.*s", (int)name, key,
	    (int)strcspn(hash, ")"), hash);
	return 0;
}

static int
visit(void *arg, const struct yamlread_entry *e, struct diag *dg)
{
	struct parser *p = arg;
	const char *section = e->keys[0];

	p->documents = e->document;
	if (strcmp(section, SECTION) == 0)
		return take_patch(p, e, dg);
	if (e->nkeys == 1 && strcmp(section, "lockfileVersion") == 0)
		return take_version(p, e, dg);
	if (e->nkeys == 1 && strcmp(section, "<<") == 0)
		return yamlread_refuse(e, "a merge key", dg);
	if (e->nkeys == 2 &&
	    (strcmp(section, "packages") == 0 ||
		strcmp(section, "snapshots") == 0))
		return take_package(p, e, dg);
	return 0;
}

static int
finish(struct parser *p, const char *what, struct diag *dg)
{
	if (p->versions == 0 || p->versions != p->documents)
		return diag_set(dg, DIAG_DATA, "%s: no lockfileVersion", what);
	for (size_t i = 0; i < p->lock.nr; i++) {
		struct pnpmlock_patch *patch = &p->lock.v[i];
		cleanup_free char *use = NULL;

		if (patch->hash == NULL)
			return diag_set(dg, DIAG_DATA, "%s: %s has no hash",
			    what, patch->key);
		use = xasprintf("%.*s %s", (int)pnpmlock_name_len(patch->key),
		    patch->key, patch->hash);
		patch->used = strvec_has(&p->uses, use);
	}
	return 0;
}

int
pnpmlock_parse(struct pnpmlock *ret_lock, const char *text, size_t len,
    const char *what, struct diag *dg)
{
	struct parser p = { .lock = PNPMLOCK_INIT, .uses = STRVEC_INIT };
	int rc;

	if (len > PNPMLOCK_MAX_SIZE)
		return diag_set(dg, DIAG_DATA, "%s: more than %zu bytes", what,
		    PNPMLOCK_MAX_SIZE);
	rc = yamlread(text, len, what, visit, &p, dg);
	if (rc == 0)
		rc = finish(&p, what, dg);
	strvec_release(&p.uses);
	if (rc != 0) {
		pnpmlock_release(&p.lock);
		return -1;
	}
	*ret_lock = p.lock;
	return 0;
}

void
pnpmlock_release(struct pnpmlock *lock)
{
	for (size_t i = 0; i < lock->nr; i++) {
		free(lock->v[i].key);
		free(lock->v[i].hash);
		free(lock->v[i].path);
	}
	free(lock->v);
	*lock = (struct pnpmlock)PNPMLOCK_INIT;
}
