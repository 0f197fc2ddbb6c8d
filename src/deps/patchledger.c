/* SPDX-License-Identifier: MIT */
/* Reads and writes the record of patched packages. */
#include "deps/patchledger.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/ecosystem.h"

#define WHAT PATCHLEDGER_PATH
#define CONFLICT "\n<<<<<<< " /* of git */
#define LEDGER_VERSION 1
#define INTEGRITY_MARK "sha512-"

/* NAME-VERSION-HEX and what is put behind it stay within a file name. */
#define MAX_WORD ((size_t)100)
#define WORD_CHARS ASCII_ALNUM "-_.+"

static void
release_entry(struct patchledger_entry *entry)
{
	free(entry->ecosystem);
	free(entry->name);
	free(entry->version);
	free(entry->fragment);
	*entry = (struct patchledger_entry){ .ecosystem = NULL };
}

void
patchledger_release(struct patchledger *ledger)
{
	for (size_t i = 0; i < ledger->nr; i++)
		release_entry(&ledger->v[i]);
	free(ledger->v);
	*ledger = (struct patchledger)PATCHLEDGER_INIT;
}

bool
patchledger_is_word(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= MAX_WORD && *text != '-' && *text != '.' &&
	    strspn(text, WORD_CHARS) == len;
}

/* "@scope/name": both parts are words. */
static bool
is_scoped(const char *text)
{
	const char *slash = strchr(text, '/');
	cleanup_free char *scope = NULL;

	if (*text != '@' || slash == NULL || strchr(text, '+') != NULL ||
	    strlen(text) > MAX_WORD)
		return false;
	scope = xstrndup(text + 1, (size_t)(slash - text - 1));
	return patchledger_is_word(scope) && patchledger_is_word(slash + 1);
}

bool
patchledger_is_name(const char *ecosystem, const char *text)
{
	return patchledger_is_word(text) ||
	    ((ecosystem == NULL || strcmp(ecosystem, PATCHLEDGER_NPM) == 0) &&
		is_scoped(text));
}

/* Returned: a name as a part of a file name. */
static char *
name_in_file(const struct patchledger_entry *entry)
{
	char *name = xstrdup(entry->name);
	char *slash = strchr(name, '/');

	if (slash != NULL)
		*slash = '+';
	return name;
}

char *
patchledger_file_name(const struct patchledger_entry *entry)
{
	cleanup_free char *name = name_in_file(entry);

	return xasprintf("%s@%s", name, entry->version);
}

bool
patchledger_split(const char *ecosystem, const char *text, char **ret_name,
    char **ret_version)
{
	const char *at = *text == '\0' ? NULL : strchr(text + 1, '@');
	cleanup_free char *name =
	    at == NULL ? xstrdup(text) : xstrndup(text, (size_t)(at - text));
	char *plus = *name == '@' ? strchr(name, '+') : NULL;

	if (plus != NULL)
		*plus = '/';
	if (!patchledger_is_name(ecosystem, name) ||
	    (at != NULL && !patchledger_is_word(at + 1)))
		return false;
	*ret_name = steal_ptr(&name);
	*ret_version = at == NULL ? NULL : xstrdup(at + 1);
	return true;
}

char *
patchledger_patch_path(const struct patchledger_entry *entry)
{
	cleanup_free char *file = patchledger_file_name(entry);

	return xasprintf(
	    PATCHLEDGER_PATCHES "/%s/%s.patch", entry->ecosystem, file);
}

char *
patchledger_copy_path(const struct patchledger_entry *entry)
{
	cleanup_strbuf struct strbuf hex = STRBUF_INIT;
	cleanup_free char *name = name_in_file(entry);

	digest_add_hex(&hex, &entry->patch);
	return xasprintf(PATCHLEDGER_COPIES "/%s/%s-%s-%.12s", entry->ecosystem,
	    name, entry->version, hex.buf);
}

static int
compare(const void *a, const void *b)
{
	const struct patchledger_entry *x = a;
	const struct patchledger_entry *y = b;
	int rc = strcmp(x->ecosystem, y->ecosystem);

	if (rc == 0)
		rc = strcmp(x->name, y->name);
	return rc != 0 ? rc : strcmp(x->version, y->version);
}

/* How a member becomes a field of the entry.  Return false for bad text. */
static bool
take_word(const char *text, void *field)
{
	char **word = field;

	if (!patchledger_is_word(text))
		return false;
	*word = xstrdup(text);
	return true;
}

static bool
take_name(const char *text, void *field)
{
	char **name = field;

	if (!patchledger_is_name(NULL, text))
		return false;
	*name = xstrdup(text);
	return true;
}

/* Both marks have the same length. */
static const struct mark {
	enum digest_kind kind;
	const char *text;
} marks[] = { { DIGEST_SHA256, "sha256:" }, { DIGEST_SHA512, "sha512:" } };

static bool
take_any_digest(const char *text, void *field)
{
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		size_t n = strlen(marks[i].text);

		if (strncmp(text, marks[i].text, n) == 0)
			return digest_parse_hex(
			    marks[i].kind, text + n, strlen(text + n), field);
	}
	return false;
}

static bool
take_digest(const char *text, void *field)
{
	const struct digest *digest = field;

	return take_any_digest(text, field) && digest->kind == DIGEST_SHA256;
}

static bool
take_integrity(const char *text, void *field)
{
	size_t n = strlen(INTEGRITY_MARK);

	return strncmp(text, INTEGRITY_MARK, n) == 0 &&
	    digest_parse_base64(
		DIGEST_SHA512, text + n, strlen(text + n), field);
}

static bool
take_fragment(const char *text, void *field)
{
	char **fragment = field;

	if (*text == '\0')
		return false;
	*fragment = xstrdup(text);
	return true;
}

static const struct field {
	const char *key;
	size_t offset;
	bool (*take)(const char *text, void *field);
	const char *bad;
	bool optional;
} fields[] = {
	{ "ecosystem", offsetof(struct patchledger_entry, ecosystem), take_word,
	    "not the name of an ecosystem", false },
	{ "name", offsetof(struct patchledger_entry, name), take_name,
	    "not the name of a package", false },
	{ "version", offsetof(struct patchledger_entry, version), take_word,
	    "not a version", false },
	{ "pristine", offsetof(struct patchledger_entry, pristine),
	    take_any_digest, "not a digest", false },
	{ "patch", offsetof(struct patchledger_entry, patch), take_digest,
	    "not a digest", false },
	{ "tree", offsetof(struct patchledger_entry, tree), take_digest,
	    "not a digest", false },
	{ "lock", offsetof(struct patchledger_entry, fragment), take_fragment,
	    "not an entry of a lock file", false },
	{ "integrity", offsetof(struct patchledger_entry, integrity),
	    take_integrity, "not a SHA-512", true },
};

static const struct field *
find_field(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(fields[i].key, key) == 0)
			return &fields[i];
	return NULL;
}

static int
refuse(const char *text, const struct json *n, const char *key, const char *why,
    struct diag *dg)
{
	cleanup_free char *whole = xasprintf("%s: %s", key, why);

	return json_refuse_at(text, json_start(n), WHAT, whole, dg);
}

/* The ecosystem says which digests an entry has. */
static int
check_digests(const struct patchledger_entry *entry, const char *text,
    const struct json *n, struct diag *dg)
{
	const struct ecosystem *eco = ecosystem_find(entry->ecosystem);
	const struct json *integrity = json_get(n, "integrity");

	if (eco == NULL)
		return 0;
	if (entry->pristine.kind != eco->pristine)
		return refuse(text, json_get(n, "pristine"), "pristine",
		    "not a digest", dg);
	if (integrity == NULL && eco->pack != NULL)
		return refuse(text, n, "integrity", "missing", dg);
	if (integrity != NULL && eco->pack == NULL)
		return refuse(
		    text, integrity, "integrity", "an unknown key", dg);
	return 0;
}

/* Fails for a key other than those of the table; none occurs twice. */
static int
take_entry(struct patchledger_entry *entry, const char *text,
    const struct json *n, struct diag *dg)
{
	if (!json_is_object(n))
		return json_refuse_at(
		    text, json_start(n), WHAT, "not an object", dg);
	for (size_t i = 0; i < json_len(n); i++)
		if (find_field(json_key_at(n, i)) == NULL)
			return refuse(text, json_value_at(n, i),
			    json_key_at(n, i), "an unknown key", dg);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];
		const struct json *value = json_get(n, f->key);
		const char *word = json_string(value);

		if (value == NULL && f->optional)
			continue;
		if (value == NULL)
			return refuse(text, n, f->key, "missing", dg);
		if (word == NULL || !f->take(word, (char *)entry + f->offset))
			return refuse(text, value, f->key, f->bad, dg);
	}
	if (!patchledger_is_name(entry->ecosystem, entry->name))
		return refuse(text, json_get(n, "name"), "name",
		    "not the name of a package", dg);
	return check_digests(entry, text, n, dg);
}

static int
check_version(const char *text, const struct json *root, struct diag *dg)
{
	const struct json *n = json_get(root, "version");
	int64_t version;

	if (!json_int(n, &version) || version < LEDGER_VERSION)
		return refuse(
		    text, n != NULL ? n : root, "version", "not a version", dg);
	if (version > LEDGER_VERSION)
		return diag_set(dg, DIAG_DATA,
		    WHAT ": a newer drydock wrote this file; install that");
	return 0;
}

static int
check_entries(const struct patchledger *ledger, struct diag *dg)
{
	cleanup_strvec struct strvec copies = STRVEC_INIT;

	for (size_t i = 0; i < ledger->nr; i++) {
		const struct patchledger_entry *e = &ledger->v[i];

		if (i > 0 && compare(e - 1, e) == 0)
			return diag_set(dg, DIAG_DATA,
			    WHAT ": %s %s occurs twice", e->name, e->version);
		strvec_push_given(&copies, patchledger_copy_path(e));
	}
	/*
	 * "a-1" of version "2" and "a" of version "1-2" have the same copy if
	 * their patches are the same.
	 */
	strvec_sort(&copies);
	for (size_t i = 1; i < copies.nr; i++)
		if (strcmp(copies.v[i - 1], copies.v[i]) == 0)
			return diag_set(dg, DIAG_DATA,
			    WHAT ": two entries have the copy %s", copies.v[i]);
	return 0;
}

static int
take_root(struct patchledger *ledger, const char *text, const struct json *root,
    struct diag *dg)
{
	const struct json *patches = json_get(root, "patches");
	size_t nr = json_len(patches);

	if (!json_is_object(root))
		return json_refuse_at(text, 0, WHAT, "not an object", dg);
	if (check_version(text, root, dg) != 0)
		return -1;
	for (size_t i = 0; i < json_len(root); i++)
		if (strcmp(json_key_at(root, i), "version") != 0 &&
		    strcmp(json_key_at(root, i), "patches") != 0)
			return refuse(text, json_value_at(root, i),
			    json_key_at(root, i), "an unknown key", dg);
	if (!json_is_array(patches))
		return refuse(text, patches != NULL ? patches : root, "patches",
		    "not a list", dg);
	if (nr > PATCHLEDGER_MAX)
		return diag_set(dg, DIAG_DATA, WHAT ": more than %d patches",
		    PATCHLEDGER_MAX);
	ledger->v = xcalloc(nr + 1, sizeof(*ledger->v));
	for (size_t i = 0; i < nr; i++) {
		ledger->nr++;
		if (take_entry(&ledger->v[i], text, json_at(patches, i), dg) !=
		    0)
			return -1;
	}
	qsort(ledger->v, nr, sizeof(*ledger->v), compare);
	return check_entries(ledger, dg);
}

int
patchledger_parse(struct patchledger *ret_ledger, const char *text, size_t len,
    struct diag *dg)
{
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;
	cleanup_json struct json *root = NULL;

	if (len > PATCHLEDGER_MAX_SIZE)
		return diag_set(dg, DIAG_DATA, WHAT ": more than %zu bytes",
		    PATCHLEDGER_MAX_SIZE);
	/* No JSON text has such a line. */
	if (memmem(text, len, CONFLICT, strlen(CONFLICT)) != NULL)
		return diag_set(dg, DIAG_DATA,
		    WHAT ": a merge conflict is not resolved; take one side of "
			 "it, of the manifest and of the lock file, and run: "
			 "drydock patch seal");
	if (json_parse(text, len, WHAT, &root, dg) != 0 ||
	    take_root(&ledger, text, root, dg) != 0)
		return -1;
	*ret_ledger = ledger;
	ledger = (struct patchledger)PATCHLEDGER_INIT;
	return 0;
}

int
patchledger_read(
    int project_fd, struct patchledger *ret_ledger, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_nolinks(project_fd, PATCHLEDGER_PATH, PATCHLEDGER_MAX_SIZE,
		&text, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (patchledger_parse(ret_ledger, text.buf, text.len, dg) != 0)
		return -1;
	for (size_t i = 0; i < ret_ledger->nr; i++) {
		const struct patchledger_entry *e = &ret_ledger->v[i];
		const struct ecosystem *eco = ecosystem_find(e->ecosystem);

		if (eco == NULL)
			return diag_set(dg, DIAG_CONFIG,
			    WHAT ": %s %s: this version of drydock cannot "
				 "check patches of %s",
			    e->name, e->version, e->ecosystem);
		/* It restores the lock. */
		if (eco->judge(e->fragment, e->name, e->version, &e->pristine,
			dg) != 0)
			return diag_wrap(dg, WHAT);
	}
	return 0;
}

static void
write_digest(struct jsonw *w, const char *key, const struct digest *digest)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (marks[i].kind == digest->kind)
			strbuf_addstr(&text, marks[i].text);
	digest_add_hex(&text, digest);
	jsonw_key_str(w, key, text.buf);
}

static void
write_entry(struct jsonw *w, const struct patchledger_entry *entry)
{
	cleanup_strbuf struct strbuf integrity = STRBUF_INIT;

	jsonw_open_object(w);
	jsonw_key_str(w, "ecosystem", entry->ecosystem);
	jsonw_key_str(w, "name", entry->name);
	jsonw_key_str(w, "version", entry->version);
	write_digest(w, "pristine", &entry->pristine);
	write_digest(w, "patch", &entry->patch);
	write_digest(w, "tree", &entry->tree);
	jsonw_key_str(w, "lock", entry->fragment);
	if (entry->integrity.kind != DIGEST_NONE) {
		strbuf_addstr(&integrity, INTEGRITY_MARK);
		digest_add_base64(&integrity, &entry->integrity);
		jsonw_key_str(w, "integrity", integrity.buf);
	}
	jsonw_close_object(w);
}

int
patchledger_write(
    const struct patchledger *ledger, struct strbuf *out, struct diag *dg)
{
	struct jsonw *w;
	size_t before = out->len;

	if (ledger->nr > PATCHLEDGER_MAX)
		return diag_set(dg, DIAG_CONFIG, WHAT ": more than %d patches",
		    PATCHLEDGER_MAX);
	w = jsonw_new(true);
	jsonw_open_object(w);
	jsonw_key_int(w, "version", LEDGER_VERSION);
	jsonw_key_array(w, "patches");
	for (size_t i = 0; i < ledger->nr; i++)
		write_entry(w, &ledger->v[i]);
	jsonw_close_array(w);
	jsonw_close_object(w);
	if (jsonw_finish(w, out, dg) != 0)
		return diag_wrap(dg, WHAT);
	if (out->len - before > PATCHLEDGER_MAX_SIZE) {
		strbuf_setlen(out, before);
		return diag_set(dg, DIAG_CONFIG, WHAT ": more than %zu bytes",
		    PATCHLEDGER_MAX_SIZE);
	}
	return 0;
}

struct patchledger
patchledger_part(const struct patchledger *ledger, const char *ecosystem)
{
	struct patchledger part = { ledger->v, 0 };

	for (size_t i = 0; i < ledger->nr; i++) {
		if (strcmp(ledger->v[i].ecosystem, ecosystem) != 0)
			continue;
		if (part.nr++ == 0)
			part.v = &ledger->v[i];
	}
	return part;
}

struct patchledger_entry *
patchledger_find(const struct patchledger *ledger, const char *ecosystem,
    const char *name, const char *version)
{
	struct patchledger_entry *found = NULL;

	for (size_t i = 0; i < ledger->nr; i++) {
		struct patchledger_entry *e = &ledger->v[i];

		if ((ecosystem != NULL &&
			strcmp(e->ecosystem, ecosystem) != 0) ||
		    strcmp(e->name, name) != 0 ||
		    (version != NULL && strcmp(e->version, version) != 0))
			continue;
		if (found != NULL)
			return NULL;
		found = e;
	}
	return found;
}

void
patchledger_put(struct patchledger *ledger, struct patchledger_entry *entry)
{
	size_t i = 0;

	while (i < ledger->nr && compare(&ledger->v[i], entry) < 0)
		i++;
	if (i < ledger->nr && compare(&ledger->v[i], entry) == 0) {
		release_entry(&ledger->v[i]);
	} else {
		ledger->v = xreallocarray(
		    ledger->v, ledger->nr + 1, sizeof(*ledger->v));
		memmove(&ledger->v[i + 1], &ledger->v[i],
		    (ledger->nr - i) * sizeof(*ledger->v));
		ledger->nr++;
	}
	ledger->v[i] = *entry;
	*entry = (struct patchledger_entry){ .ecosystem = NULL };
}

void
patchledger_drop(struct patchledger *ledger, struct patchledger_entry *entry)
{
	size_t i = (size_t)(entry - ledger->v);

	release_entry(entry);
	ledger->nr--;
	memmove(entry, entry + 1, (ledger->nr - i) * sizeof(*entry));
}
