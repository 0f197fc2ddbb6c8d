/* SPDX-License-Identifier: MIT */
/* Reads and writes the record of patched packages. */
#include "deps/patchledger.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/cargoredirect.h"

#define WHAT PATCHLEDGER_PATH
#define CONFLICT "\n<<<<<<< " /* of git */
#define LEDGER_VERSION 1
#define DIGEST_MARK "sha256:"

/* NAME-VERSION-HEX and what is put behind it stay within a file name. */
#define MAX_WORD ((size_t)100)
#define WORD_CHARS                   \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-_.+"

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

char *
patchledger_patch_path(const struct patchledger_entry *entry)
{
	return xasprintf(".drydock/patches/%s/%s@%s.patch", entry->ecosystem,
	    entry->name, entry->version);
}

char *
patchledger_copy_path(const struct patchledger_entry *entry)
{
	cleanup_strbuf struct strbuf hex = STRBUF_INIT;

	digest_add_hex(&hex, &entry->patch);
	return xasprintf(".drydock/patched/%s/%s-%s-%.12s", entry->ecosystem,
	    entry->name, entry->version, hex.buf);
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
take_digest(const char *text, void *field)
{
	size_t n = strlen(DIGEST_MARK);

	return strncmp(text, DIGEST_MARK, n) == 0 &&
	    digest_parse_hex(DIGEST_SHA256, text + n, strlen(text + n), field);
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
} fields[] = {
	{ "ecosystem", offsetof(struct patchledger_entry, ecosystem), take_word,
	    "not the name of an ecosystem" },
	{ "name", offsetof(struct patchledger_entry, name), take_word,
	    "not the name of a package" },
	{ "version", offsetof(struct patchledger_entry, version), take_word,
	    "not a version" },
	{ "pristine", offsetof(struct patchledger_entry, pristine), take_digest,
	    "not a digest" },
	{ "patch", offsetof(struct patchledger_entry, patch), take_digest,
	    "not a digest" },
	{ "tree", offsetof(struct patchledger_entry, tree), take_digest,
	    "not a digest" },
	{ "lock", offsetof(struct patchledger_entry, fragment), take_fragment,
	    "not an entry of a lock file" },
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

		if (value == NULL)
			return refuse(text, n, f->key, "missing", dg);
		if (word == NULL || !f->take(word, (char *)entry + f->offset))
			return refuse(text, value, f->key, f->bad, dg);
	}
	return 0;
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

/*
 * "a-1" of version "2" and "a" of version "1-2" have the same copy if their
 * patches are the same.
 */
static int
check_copies(const struct patchledger *ledger, struct diag *dg)
{
	cleanup_strvec struct strvec paths = STRVEC_INIT;

	for (size_t i = 0; i < ledger->nr; i++)
		strvec_push_given(&paths, patchledger_copy_path(&ledger->v[i]));
	strvec_sort(&paths);
	for (size_t i = 1; i < paths.nr; i++)
		if (strcmp(paths.v[i - 1], paths.v[i]) == 0)
			return diag_set(dg, DIAG_DATA,
			    WHAT ": two entries have the copy %s", paths.v[i]);
	return 0;
}

static int
check_entries(const struct patchledger *ledger, struct diag *dg)
{
	for (size_t i = 1; i < ledger->nr; i++)
		if (compare(&ledger->v[i - 1], &ledger->v[i]) == 0)
			return diag_set(dg, DIAG_DATA,
			    WHAT ": %s %s occurs twice", ledger->v[i].name,
			    ledger->v[i].version);
	return check_copies(ledger, dg);
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
			 "it and of Cargo.toml and Cargo.lock, and run: "
			 "drydock patch seal");
	if (json_parse(text, len, WHAT, &root, dg) != 0 ||
	    take_root(&ledger, text, root, dg) != 0)
		return -1;
	*ret_ledger = ledger;
	ledger = (struct patchledger)PATCHLEDGER_INIT;
	return 0;
}

int
patchledger_judge(const struct patchledger *ledger, struct diag *dg)
{
	for (size_t i = 0; i < ledger->nr; i++) {
		const struct patchledger_entry *e = &ledger->v[i];

		if (strcmp(e->ecosystem, PATCHLEDGER_CARGO) != 0)
			return diag_set(dg, DIAG_CONFIG,
			    WHAT ": %s %s: this version of drydock cannot "
				 "check patches of %s",
			    e->name, e->version, e->ecosystem);
		/* It restores the lock. */
		if (cargoredirect_judge(e->fragment, e->name, e->version,
			&e->pristine, dg) != 0)
			return diag_wrap(dg, WHAT);
	}
	return 0;
}

static void
write_digest(struct jsonw *w, const char *key, const struct digest *digest)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addstr(&text, DIGEST_MARK);
	digest_add_hex(&text, digest);
	jsonw_key_str(w, key, text.buf);
}

static void
write_entry(struct jsonw *w, const struct patchledger_entry *entry)
{
	jsonw_open_object(w);
	jsonw_key_str(w, "ecosystem", entry->ecosystem);
	jsonw_key_str(w, "name", entry->name);
	jsonw_key_str(w, "version", entry->version);
	write_digest(w, "pristine", &entry->pristine);
	write_digest(w, "patch", &entry->patch);
	write_digest(w, "tree", &entry->tree);
	jsonw_key_str(w, "lock", entry->fragment);
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
	jsonw_key(w, "patches");
	jsonw_open_array(w);
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

struct patchledger_entry *
patchledger_find(const struct patchledger *ledger, const char *ecosystem,
    const char *name, const char *version)
{
	struct patchledger_entry *found = NULL;

	for (size_t i = 0; i < ledger->nr; i++) {
		struct patchledger_entry *e = &ledger->v[i];

		if (strcmp(e->ecosystem, ecosystem) != 0 ||
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
