/* SPDX-License-Identifier: MIT */
/*
 * Leads cargo to patched crates: edits one entry of a Cargo.lock, and keeps all
 * other bytes.
 */
#include "deps/cargoredirect.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/cargocheck.h"
#include "deps/cargolock.h"
#include "deps/cargomanifest.h"
#include "deps/crate.h"
#include "deps/ecosystem.h"
#include "deps/patchledger.h"

#define WHAT "Cargo.lock"

/* Finds the only entry of this name and version. */
static int
find_entry(const struct cargolock *lock, const char *name, const char *version,
    const struct cargolock_package **ret_package, struct diag *dg)
{
	size_t found;

	*ret_package = cargolock_find(lock->v, lock->nr, name, version, &found);
	if (found > 1)
		return diag_set(dg, DIAG_DATA,
		    WHAT ": %s %s comes from two sources", name, version);
	if (found == 0)
		return diag_set(dg, DIAG_CONFIG, WHAT " does not have %s %s",
		    name, version);
	return 0;
}

/* Returns true if the line between the two has the key. */
static bool
has_key(const char *line, const char *end, const char *key)
{
	size_t n = strlen(key);

	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	return (size_t)(end - line) > n && memcmp(line, key, n) == 0 &&
	    strchr(" \t=", line[n]) != NULL;
}

static const char *
next_line(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline == NULL ? end : newline + 1;
}

/* Appends an entry's lines without source and checksum. */
static void
add_redirected(struct strbuf *out, const char *entry, size_t len)
{
	for (const char *at = entry, *end = entry + len; at < end;) {
		const char *next = next_line(at, end);

		if (!has_key(at, next, "source") &&
		    !has_key(at, next, "checksum"))
			strbuf_add(out, at, (size_t)(next - at));
		else if (next[-1] != '\n')
			/* The last line goes with the line end before it. */
			while (out->len > 0 &&
			    strchr("\r\n", out->buf[out->len - 1]) != NULL)
				strbuf_setlen(out, out->len - 1);
		at = next;
	}
}

/* Appends the fragment's line of this key, without its line end. */
static void
add_line(struct strbuf *out, const char *fragment, const char *key)
{
	const char *end = fragment + strlen(fragment);

	for (const char *at = fragment; at < end; at = next_line(at, end))
		if (has_key(at, next_line(at, end), key))
			strbuf_add(out, at, strcspn(at, "\r\n"));
}

/* Appends an entry with the fragment's source and checksum. */
static void
add_restored(
    struct strbuf *out, const char *entry, size_t len, const char *fragment)
{
	/* The entry's last line is without its end. */
	size_t first = strcspn(entry, "\n");
	const char *eol = first > 0 && entry[first - 1] == '\r' ? "\r\n" : "\n";

	for (const char *at = entry, *end = entry + len; at < end;) {
		const char *next = next_line(at, end);
		bool is_last = next[-1] != '\n';

		strbuf_add(out, at, (size_t)(next - at));
		if (has_key(at, next, "version")) {
			strbuf_addstr(out, is_last ? eol : "");
			add_line(out, fragment, "source");
			strbuf_addstr(out, eol);
			add_line(out, fragment, "checksum");
			strbuf_addstr(out, is_last ? "" : eol);
		}
		at = next;
	}
}

int
cargoredirect_add(const char *text, size_t len, const char *name,
    const char *version, struct strbuf *out, struct strbuf *fragment,
    struct diag *dg)
{
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;
	const struct cargolock_package *p;

	if (cargolock_parse(&lock, text, len, WHAT, dg) != 0 ||
	    find_entry(&lock, name, version, &p, dg) != 0)
		return -1;
	if (!cargolock_is_crates_io(p) || p->checksum.kind == DIGEST_NONE)
		return diag_set(dg, DIAG_CONFIG,
		    WHAT ": %s %s is not from crates.io with a checksum", name,
		    version);
	strbuf_add(fragment, text + p->start, p->end - p->start);
	strbuf_add(out, text, p->start);
	add_redirected(out, text + p->start, p->end - p->start);
	strbuf_add(out, text + p->end, len - p->end);
	return 0;
}

/* Reads a fragment as a lock of one entry. */
static int
read_fragment(const char *fragment, const char *name, const char *version,
    struct digest *ret_checksum, struct diag *dg)
{
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct cargolock_package *p;

	strbuf_addf(&text, "version = 4\n%s", fragment);
	if (cargolock_parse(&lock, text.buf, text.len, "the kept entry", dg) !=
	    0)
		return -1;
	p = lock.v;
	if (lock.nr != 1 || strcmp(p->name, name) != 0 ||
	    strcmp(p->version, version) != 0 || !cargolock_is_crates_io(p) ||
	    p->checksum.kind == DIGEST_NONE ||
	    p->end - p->start != strlen(fragment))
		return diag_set(dg, DIAG_DATA,
		    "the kept entry of " WHAT " is not that of %s %s", name,
		    version);
	*ret_checksum = p->checksum;
	return 0;
}

static int
judge(const char *fragment, const char *name, const char *version,
    const struct digest *checksum, struct diag *dg)
{
	struct digest found;

	if (read_fragment(fragment, name, version, &found, dg) != 0)
		return -1;
	if (digest_equal(&found, checksum))
		return 0;
	return diag_set(dg, DIAG_DATA,
	    "the kept entry of " WHAT " has another checksum of %s %s", name,
	    version);
}

int
cargoredirect_remove(const char *text, size_t len, const char *name,
    const char *version, const char *fragment, struct strbuf *out,
    struct diag *dg)
{
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;
	cleanup_strbuf struct strbuf redirected = STRBUF_INIT;
	const struct cargolock_package *p;
	struct digest checksum;

	if (read_fragment(fragment, name, version, &checksum, dg) != 0 ||
	    cargolock_parse(&lock, text, len, WHAT, dg) != 0 ||
	    find_entry(&lock, name, version, &p, dg) != 0)
		return -1;
	if (p->source != NULL)
		return diag_set(dg, DIAG_NO,
		    WHAT ": the entry of %s %s is not redirected", name,
		    version);
	add_redirected(&redirected, fragment, strlen(fragment));
	strbuf_add(out, text, p->start);
	if (p->end - p->start == redirected.len &&
	    memcmp(text + p->start, redirected.buf, redirected.len) == 0)
		strbuf_addstr(out, fragment);
	else
		add_restored(out, text + p->start, p->end - p->start, fragment);
	strbuf_add(out, text + p->end, len - p->end);
	return 0;
}

static int
list_versions(const struct strbuf *text, const char *name,
    const struct patchledger *patched, struct strvec *ret_versions,
    struct diag *dg)
{
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;

	if (cargolock_parse(&lock, text->buf, text->len, WHAT, dg) != 0)
		return -1;
	for (size_t i = 0; i < lock.nr; i++) {
		const struct cargolock_package *p = &lock.v[i];

		if (strcmp(p->name, name) == 0 &&
		    (cargolock_is_crates_io(p) ||
			patchledger_find(patched, NULL, name, p->version) !=
			    NULL))
			strvec_push(ret_versions, p->version);
	}
	return 0;
}

static int
find(const struct strbuf *lock, const char *name, const char *version,
    enum ecosystem_locked *ret_locked, struct digest *ret_pristine,
    struct diag *dg)
{
	cleanup_cargolock struct cargolock all = CARGOLOCK_INIT;
	const struct cargolock_package *p;
	size_t found;

	*ret_pristine = (struct digest){ .kind = DIGEST_NONE };
	if (cargolock_parse(&all, lock->buf, lock->len, WHAT, dg) != 0)
		return -1;
	p = cargolock_find(all.v, all.nr, name, version, &found);
	*ret_locked = ECOSYSTEM_OTHER;
	if (found == 0)
		*ret_locked = ECOSYSTEM_ABSENT;
	else if (found == 1 && p->source == NULL)
		*ret_locked = ECOSYSTEM_REDIRECTED;
	else if (found == 1 && cargolock_is_crates_io(p) &&
	    p->checksum.kind != DIGEST_NONE)
		*ret_locked = ECOSYSTEM_ORIGINAL;
	if (*ret_locked == ECOSYSTEM_ORIGINAL)
		*ret_pristine = p->checksum;
	return 0;
}

static void
replace(struct strbuf *text, const struct strbuf *by)
{
	strbuf_reset(text);
	strbuf_add(text, by->buf, by->len);
}

/* Leads the lock's entry to the copy. */
static int
redirect_entry(
    struct strbuf *lock, struct patchledger_entry *entry, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf fragment = STRBUF_INIT;
	enum ecosystem_locked locked;
	struct digest checksum;

	if (find(lock, entry->name, entry->version, &locked, &checksum, dg) !=
	    0)
		return -1;
	/* The lock may have lost it while another patch is removed. */
	if (locked == ECOSYSTEM_REDIRECTED ||
	    (locked == ECOSYSTEM_ABSENT && entry->fragment != NULL))
		return 0;
	if (cargoredirect_add(lock->buf, lock->len, entry->name, entry->version,
		&out, &fragment, dg) != 0)
		return -1;
	free(entry->fragment);
	entry->fragment = strbuf_detach(&fragment, NULL);
	replace(lock, &out);
	return 0;
}

/* Gives the lock back its entry of a patch that goes. */
static int
restore_entry(
    struct strbuf *lock, const struct patchledger_entry *old, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	enum ecosystem_locked locked;
	struct digest checksum;

	if (find(lock, old->name, old->version, &locked, &checksum, dg) != 0)
		return -1;
	if (locked != ECOSYSTEM_REDIRECTED)
		return 0;
	if (cargoredirect_remove(lock->buf, lock->len, old->name, old->version,
		old->fragment, &out, dg) != 0)
		return -1;
	replace(lock, &out);
	return 0;
}

static bool
is_recorded(const struct patchledger *ledger, const char *name)
{
	for (size_t i = 0; i < ledger->nr; i++)
		if (strcmp(ledger->v[i].name, name) == 0)
			return true;
	return false;
}

/*
 * Refuses to drop the redirect of a patch that was never recorded, or whose
 * record is lost.  The original lock entry is lost with the record: cargo would
 * resolve the crate anew, and build the original without a word.
 */
static int
check_unrecorded(const struct strbuf *text,
    const struct cargomanifest_block *block, const struct patchledger *had,
    const struct patchledger *want, struct diag *dg)
{
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;

	if (text == NULL || block->nr == 0)
		return 0;
	if (cargolock_parse(&lock, text->buf, text->len, WHAT, dg) != 0)
		return -1;
	for (size_t i = 0; i < block->nr; i++) {
		const char *name = block->v[i].name;

		if (is_recorded(want, name) || is_recorded(had, name))
			continue;
		for (size_t k = 0; k < lock.nr; k++)
			if (strcmp(lock.v[k].name, name) == 0 &&
			    lock.v[k].source == NULL)
				return diag_set(dg, DIAG_NO,
				    "Cargo.toml and Cargo.lock lead to a patch "
				    "of %s that " PATCHLEDGER_PATH
				    " does not record: restore this file, or "
				    "the other two",
				    name);
	}
	return 0;
}

/* What a person wrote into the block would go with it. */
static int
check_block(const struct ecosystem_texts *now, const struct patchledger *had,
    const struct patchledger *want, struct diag *dg)
{
	cleanup_cargomanifest_block struct cargomanifest_block block =
	    CARGOMANIFEST_BLOCK_INIT;

	if (cargomanifest_read(
		now->manifest->buf, now->manifest->len, NULL, &block, dg) != 0)
		return -1;
	if (block.state != CARGOMANIFEST_FOREIGN)
		return check_unrecorded(now->lock, &block, had, want, dg);
	return diag_set(dg, DIAG_CONFIG,
	    "Cargo.toml: the block of drydock's was edited; move your own lines "
	    "out of it, remove it, and run: drydock patch apply");
}

static int
redirect_manifest(const struct ecosystem_texts *now,
    const struct patchledger *had, const struct patchledger *want,
    struct strbuf *ret_manifest, struct diag *dg)
{
	cleanup_free struct cargomanifest_patch *patches =
	    xcalloc(want->nr + 1, sizeof(*patches));
	cleanup_strvec struct strvec paths = STRVEC_INIT;

	for (size_t i = 0; i < want->nr; i++) {
		if (i > 0 && strcmp(want->v[i].name, want->v[i - 1].name) == 0)
			return diag_set(dg, DIAG_CONFIG,
			    "%s: two versions of a package cannot be patched "
			    "in one project",
			    want->v[i].name);
		strvec_push_given(&paths, patchledger_copy_path(&want->v[i]));
		patches[i] =
		    (struct cargomanifest_patch){ want->v[i].name, paths.v[i] };
	}
	if (check_block(now, had, want, dg) != 0)
		return -1;
	return cargomanifest_set(now->manifest->buf, now->manifest->len,
	    patches, want->nr, ret_manifest, dg);
}

static int
redirect(const struct ecosystem_texts *now, const struct patchledger *had,
    const struct patchledger *want, struct strbuf *ret_manifest,
    struct strbuf *ret_lock, struct diag *dg)
{
	if (now->manifest != NULL &&
	    redirect_manifest(now, had, want, ret_manifest, dg) != 0)
		return -1;
	if (now->lock == NULL)
		return 0;
	strbuf_add(ret_lock, now->lock->buf, now->lock->len);
	for (size_t i = 0; i < had->nr; i++) {
		const struct patchledger_entry *e = &had->v[i];

		if (patchledger_find(want, e->ecosystem, e->name, e->version) ==
			NULL &&
		    restore_entry(ret_lock, e, dg) != 0)
			return -1;
	}
	for (size_t i = 0; i < want->nr; i++)
		if (redirect_entry(ret_lock, &want->v[i], dg) != 0)
			return -1;
	return 0;
}

const struct ecosystem cargopatch = {
	.name = PATCHLEDGER_CARGO,
	.manifest = "Cargo.toml",
	.lock = WHAT,
	.manifest_max = CARGOMANIFEST_MAX_SIZE,
	.lock_max = CARGOLOCK_MAX_SIZE,
	.origin = "crates.io",
	.make_lock = "cargo generate-lockfile",
	.output = "target",
	.pristine = DIGEST_SHA256,
	.check_root = cargocheck_root,
	.list_versions = list_versions,
	.find = find,
	.judge = judge,
	.redirect = redirect,
	.has_mark = cargomanifest_has_mark,
	.check = cargocheck_run,
	.read = crate_find,
	.unpack = crate_unpack,
	.compare = crate_compare,
};
