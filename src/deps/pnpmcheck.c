/* SPDX-License-Identifier: MIT */
/* Compares patchedDependencies, patch files and pnpm-lock.yaml. */
#include "deps/otherpatches.h"

#include <nettle/md5.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/patchcheck.h"
#include "deps/patchledger.h"
#include "deps/pnpmlock.h"
#include "deps/yamlread.h"

#define NAME "pnpm"
#define LOCK "pnpm-lock.yaml"
#define MANIFEST "package.json"
#define WORKSPACE "pnpm-workspace.yaml"
#define SECTION "patchedDependencies"
#define PATCHES "patches"
#define MAX_MANIFEST ((size_t)4 * 1024 * 1024)
#define SHA256_HEX 64

/* A patch that a manifest has. */
struct declared {
	char *key; /* owned */
	char *path; /* owned */
	const char *file; /* static; the manifest */
};

struct run {
	int project_fd; /* borrowed */
	struct patchcheck *check; /* borrowed */
	struct declared *v; /* owned */
	size_t nr;
	struct pnpmlock lock;
	size_t left; /* bytes of patch files that may be read */
	bool has_lock;
	bool has_workspace;
};

static struct declared *
find_declared(const struct run *r, const char *key)
{
	for (size_t i = 0; i < r->nr; i++)
		if (strcmp(r->v[i].key, key) == 0)
			return &r->v[i];
	return NULL;
}

/* pnpm 11 and later: the lock has a hash alone. */
static bool
is_late(const struct run *r)
{
	return r->lock.nr > 0 && r->lock.v[0].path == NULL;
}

static int
add_declared(struct run *r, const char *key, const char *path, const char *file,
    struct diag *dg)
{
	struct declared *same = find_declared(r, key);

	if (*key == '\0' || strlen(key) > PNPMLOCK_MAX_KEY)
		return diag_set(dg, DIAG_DATA,
		    "%s: a patch whose key is empty or too long", file);
	if (same != NULL && same->file == file)
		return diag_set(
		    dg, DIAG_DATA, "%s: %s occurs twice", file, key);
	if (same != NULL) {
		/* pnpm 10 reads both files, and takes package.json's. */
		if (is_late(r)) {
			free(same->path);
			same->path = otherpatches_path("", path);
			same->file = file;
		}
		return 0;
	}
	if (r->nr == PNPMLOCK_MAX_PATCHES)
		return diag_set(dg, DIAG_DATA, "%s: more than %d patches", file,
		    PNPMLOCK_MAX_PATCHES);
	r->v = xreallocarray(r->v, r->nr + 1, sizeof(*r->v));
	r->v[r->nr++] = (struct declared){ xstrdup(key),
		otherpatches_path("", path), file };
	return 0;
}

static int
take_manifest(struct run *r, const struct strbuf *text, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	const struct json *section;

	if (json_parse(text->buf, text->len, MANIFEST, &root, dg) != 0)
		return -1;
	section = json_get(json_get(root, "pnpm"), SECTION);
	for (size_t i = 0; i < json_len(section); i++) {
		const char *key = json_key_at(section, i);
		const char *path = json_string(json_value_at(section, i));

		if (key == NULL || path == NULL)
			return diag_set(dg, DIAG_DATA,
			    MANIFEST ": " SECTION " is not paths by name");
		if (add_declared(r, key, path, MANIFEST, dg) != 0)
			return -1;
	}
	return 0;
}

/* A package.json of another program's that is no JSON is not pnpm's to judge. */
static int
read_manifest(struct run *r, struct diag *dg)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	bool strict = r->has_lock || r->has_workspace;
	struct diag *failure = strict ? dg : &ignored;
	bool there;

	if (fs_read_present(r->project_fd, MANIFEST, MAX_MANIFEST, &text,
		&there, failure) != 0 ||
	    (there && take_manifest(r, &text, failure) != 0))
		return strict ? -1 : 0;
	return 0;
}

static int
visit_workspace(void *arg, const struct yamlread_entry *e, struct diag *dg)
{
	if (e->nkeys == 1 && strcmp(e->keys[0], "<<") == 0)
		return yamlread_refuse(e, "a merge key", dg);
	if (strcmp(e->keys[0], SECTION) != 0)
		return 0;
	/* "patchedDependencies:" with nothing behind it. */
	if (e->nkeys == 1 &&
	    (e->kind == YAMLREAD_MAPPING ||
		(e->kind == YAMLREAD_TEXT && *e->text == '\0')))
		return 0;
	if (e->nkeys != 2 || e->kind != YAMLREAD_TEXT)
		return yamlread_refuse(e, SECTION " is not paths by name", dg);
	return add_declared(arg, e->keys[1], e->text, WORKSPACE, dg);
}

static int
read_lock(struct run *r, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_present(r->project_fd, LOCK, PNPMLOCK_MAX_SIZE, &text,
		&r->has_lock, dg) != 0)
		return -1;
	return r->has_lock
	    ? pnpmlock_parse(&r->lock, text.buf, text.len, LOCK, dg)
	    : 0;
}

static int
read_all(struct run *r, struct diag *dg)
{
	cleanup_strbuf struct strbuf workspace = STRBUF_INIT;

	if (read_lock(r, dg) != 0 ||
	    fs_read_present(r->project_fd, WORKSPACE, MAX_MANIFEST, &workspace,
		&r->has_workspace, dg) != 0 ||
	    read_manifest(r, dg) != 0)
		return -1;
	return r->has_workspace ? yamlread(workspace.buf, workspace.len,
				      WORKSPACE, visit_workspace, r, dg)
				: 0;
}

/* Appends base32 (RFC 4648) in lower case, without padding. */
static void
add_base32(struct strbuf *out, const unsigned char *bytes, size_t len)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned int bits = 0;
	unsigned int nbits = 0;

	for (size_t i = 0; i < len; i++) {
		bits = (bits & 0x1fU) << 8 | bytes[i];
		nbits += 8;
		for (; nbits >= 5; nbits -= 5)
			strbuf_addch(out, digits[bits >> (nbits - 5) & 0x1fU]);
	}
	if (nbits > 0)
		strbuf_addch(out, digits[bits << (5 - nbits) & 0x1fU]);
}

/* pnpm 10 and later hash with SHA-256, older ones with MD5. */
static bool
has_hash(const struct strbuf *text, const char *hash)
{
	cleanup_strbuf struct strbuf lines = STRBUF_INIT;
	cleanup_strbuf struct strbuf made = STRBUF_INIT;
	char hex[DIGEST_HEX_SIZE];
	unsigned char md5[MD5_DIGEST_SIZE];
	struct md5_ctx ctx;

	/* pnpm hashes CRLF as LF. */
	for (size_t i = 0; i < text->len; i++)
		if (text->buf[i] != '\r' || i + 1 == text->len ||
		    text->buf[i + 1] != '\n')
			strbuf_addch(&lines, text->buf[i]);
	if (strlen(hash) == SHA256_HEX) {
		digest_bytes(lines.buf, lines.len, hex);
		return strcmp(hex, hash) == 0;
	}
	md5_init(&ctx);
	md5_update(&ctx, lines.len, (const uint8_t *)lines.buf);
	md5_digest(&ctx, sizeof(md5), md5);
	add_base32(&made, md5, sizeof(md5));
	return strcmp(made.buf, hash) == 0;
}

/* locked: NULL if the lock does not have the patch. */
static void
check_file(struct run *r, const struct declared *d,
    const struct patchledger_entry *e, const struct pnpmlock_patch *locked)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (!otherpatches_read_patch(
		r->project_fd, d->path, NAME, e, &r->left, &text, r->check))
		return;
	if (locked != NULL && !has_hash(&text, locked->hash))
		patchcheck_add(r->check, PATCHCHECK_PATCH_CHANGED, NAME, e,
		    d->path, "not the patch that " LOCK " has");
}

static void
check_lock(struct run *r, const struct declared *d,
    const struct patchledger_entry *e, const struct pnpmlock_patch *locked,
    const char *key)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;

	if (!r->has_lock) {
		patchcheck_add(r->check, PATCHCHECK_LOCK_ORIGINAL, NAME, e,
		    LOCK, "missing");
	} else if (locked == NULL && is_late(r) &&
	    strcmp(d->file, MANIFEST) == 0) {
		patchcheck_add(r->check, PATCHCHECK_LOCK_ORIGINAL, NAME, e,
		    MANIFEST,
		    "pnpm 11 and later do not read \"pnpm\" of this file: "
		    "move the patch of %s to " WORKSPACE,
		    key);
	} else if (locked == NULL) {
		patchcheck_add(r->check, PATCHCHECK_LOCK_ORIGINAL, NAME, e,
		    LOCK, "does not have the patch of %s that %s has", key,
		    d->file);
	} else if (locked->path != NULL && strcmp(locked->path, d->path) != 0) {
		strbuf_add_escaped(&path, locked->path, strlen(locked->path));
		patchcheck_add(r->check, PATCHCHECK_LOCK_OTHER_SOURCE, NAME, e,
		    LOCK, "has %s as the patch of %s, and not the one of %s",
		    path.buf, key, d->file);
	} else if (!locked->used) {
		patchcheck_add(r->check, PATCHCHECK_LOCK_OTHER_VERSION, NAME, e,
		    LOCK, "has no package that the patch of %s changes", key);
	}
}

/* Returned: the key, safe for a terminal.  The entry borrows its parts. */
static char *
split_key(const char *key, struct strvec *parts, struct patchledger_entry *ret)
{
	cleanup_strbuf struct strbuf safe = STRBUF_INIT;
	size_t len = pnpmlock_name_len(key);

	strvec_pushf(parts, "%.*s", (int)len, key);
	if (key[len] == '@')
		strvec_push(parts, key + len + 1);
	*ret = (struct patchledger_entry){ .name = parts->v[0],
		.version = parts->nr > 1 ? parts->v[1] : NULL };
	strbuf_add_escaped(&safe, key, strlen(key));
	return strbuf_detach(&safe, NULL);
}

static void
check_declared(struct run *r, const struct declared *d)
{
	const struct pnpmlock_patch *locked = pnpmlock_find(&r->lock, d->key);
	cleanup_strvec struct strvec parts = STRVEC_INIT;
	struct patchledger_entry e;
	cleanup_free char *key = split_key(d->key, &parts, &e);

	patchcheck_add_other(r->check, NAME, e.name, e.version, d->path);
	check_file(r, d, &e, locked);
	check_lock(r, d, &e, locked, key);
}

static void
check_orphan(struct run *r, const struct pnpmlock_patch *locked)
{
	cleanup_strvec struct strvec parts = STRVEC_INIT;
	struct patchledger_entry e;
	cleanup_free char *key = split_key(locked->key, &parts, &e);

	if (find_declared(r, locked->key) == NULL)
		patchcheck_add(r->check, PATCHCHECK_LOCK_ORPHAN, NAME, &e, LOCK,
		    "has a patch of %s, which neither " MANIFEST
		    " nor " WORKSPACE " has",
		    key);
}

static void
compare(struct run *r)
{
	cleanup_strvec struct strvec paths = STRVEC_INIT;

	for (size_t i = 0; i < r->nr; i++) {
		check_declared(r, &r->v[i]);
		strvec_push(&paths, r->v[i].path);
	}
	for (size_t i = 0; i < r->lock.nr; i++)
		check_orphan(r, &r->lock.v[i]);
	if (r->has_lock || r->nr > 0)
		otherpatches_note_unused(
		    r->project_fd, PATCHES, &paths, r->check);
}

static int
check_project(int project_fd, struct patchcheck *check, struct diag *dg)
{
	struct run r = { .project_fd = project_fd,
		.check = check,
		.lock = PNPMLOCK_INIT,
		.left = OTHERPATCHES_MAX_BYTES };
	int rc = read_all(&r, dg);

	if (rc == 0)
		compare(&r);
	for (size_t i = 0; i < r.nr; i++) {
		free(r.v[i].key);
		free(r.v[i].path);
	}
	free(r.v);
	pnpmlock_release(&r.lock);
	return rc;
}

/*
 * "pnpm patch-commit" writes patches into patchedDependencies, which is in
 * pnpm-workspace.yaml (pnpm 10 and later) or in "pnpm" of package.json (pnpm 10
 * and older).
 */
const struct otherpatches pnpmcheck = {
	.ecosystem = NAME,
	.lock = LOCK,
	.start = "pnpm patch NAME",
	.save = "pnpm patch-commit DIR",
	.apply = "pnpm install",
	.remove = "pnpm patch-remove NAME",
	.before_remove = "",
	.check = check_project,
};
