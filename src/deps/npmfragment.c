/* SPDX-License-Identifier: MIT */
/* Makes, reads and writes the original values of a patched npm package. */
#include "deps/npmfragment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "deps/jsonedit.h"
#include "deps/npmlock.h"
#include "deps/npmrange.h"

#define MANIFEST "package.json"
#define LOCK "package-lock.json"

void
npmfragment_release(struct npmfragment *f)
{
	free(f->resolved);
	free(f->integrity);
	free(f->deprecated);
	for (size_t i = 0; i < NPMMANIFEST_SECTIONS; i++)
		free(f->specs[i]);
	*f = (struct npmfragment)NPMFRAGMENT_INIT;
}

/* Where the token of this key goes, or NULL. */
static char **
find_slot(struct npmfragment *f, const char *key)
{
	if (strcmp(key, "resolved") == 0)
		return &f->resolved;
	if (strcmp(key, "integrity") == 0)
		return &f->integrity;
	if (strcmp(key, "deprecated") == 0)
		return &f->deprecated;
	for (size_t i = 0; i < NPMMANIFEST_SECTIONS; i++)
		if (strcmp(key, npmmanifest_sections[i]) == 0)
			return &f->specs[i];
	return NULL;
}

/* The values are strings that lead to the registry and admit the version. */
static bool
values_are_sound(
    const struct json *root, const char *version, struct digest *ret_pristine)
{
	const char *resolved = json_string(json_get(root, "resolved"));
	const char *integrity = json_string(json_get(root, "integrity"));

	for (size_t i = 0; i < json_len(root); i++)
		if (!json_is_string(json_value_at(root, i)))
			return false;
	for (size_t i = 0; i < NPMMANIFEST_SECTIONS; i++) {
		const char *spec =
		    json_string(json_get(root, npmmanifest_sections[i]));

		if (spec != NULL &&
		    npmrange_judge(spec, version) != NPMRANGE_YES)
			return false;
	}
	return resolved != NULL && integrity != NULL &&
	    npmlock_is_tarball(resolved) &&
	    npmlock_read_integrity(integrity, ret_pristine) &&
	    ret_pristine->kind != DIGEST_NONE;
}

int
npmfragment_parse(struct npmfragment *ret, const char *text, const char *name,
    const char *version, struct diag *dg)
{
	cleanup_npmfragment struct npmfragment f = NPMFRAGMENT_INIT;
	cleanup_json struct json *root = NULL;
	size_t len = strlen(text);

	if (len > NPMFRAGMENT_MAX_SIZE)
		return diag_set(dg, DIAG_DATA,
		    "the kept values of %s %s are more than %zu bytes", name,
		    version, NPMFRAGMENT_MAX_SIZE);
	if (json_parse(text, len, "the kept values", &root, dg) != 0)
		return diag_wrap(dg, "%s %s", name, version);
	for (size_t i = 0; i < json_len(root); i++) {
		const struct json *value = json_value_at(root, i);
		char **slot = find_slot(&f, json_key_at(root, i));

		if (slot == NULL)
			return diag_set(dg, DIAG_DATA,
			    "the kept values of %s %s have an unknown \"%s\"",
			    name, version, json_key_at(root, i));
		*slot = jsonedit_token(text, value);
	}
	if (!values_are_sound(root, version, &f.pristine))
		return diag_set(dg, DIAG_DATA,
		    "the kept values of %s %s are not those of a package-lock",
		    name, version);
	*ret = f;
	f = (struct npmfragment)NPMFRAGMENT_INIT;
	return 0;
}

bool
npmfragment_is_direct(const struct npmfragment *f)
{
	for (size_t i = 0; i < NPMMANIFEST_SECTIONS; i++)
		if (f->specs[i] != NULL)
			return true;
	return false;
}

void
npmfragment_write(const struct npmfragment *f, struct strbuf *out)
{
	strbuf_addf(out, "{\"resolved\":%s,\"integrity\":%s", f->resolved,
	    f->integrity);
	if (f->deprecated != NULL)
		strbuf_addf(out, ",\"deprecated\":%s", f->deprecated);
	for (size_t i = 0; i < NPMMANIFEST_SECTIONS; i++)
		if (f->specs[i] != NULL)
			strbuf_addf(out, ",\"%s\":%s", npmmanifest_sections[i],
			    f->specs[i]);
	strbuf_addch(out, '}');
}

/*
 * Returned: what all entries of the package have as "deprecated", or NULL.  npm
 * drops it from redirected entries, and those that never had it get none.
 */
static char *
take_deprecated(const struct strbuf *lock, const struct json *packages,
    const char *name, const char *version)
{
	cleanup_free char *token = NULL;

	for (size_t i = 0; i < json_len(packages); i++) {
		const struct json *entry = json_value_at(packages, i);
		const struct json *value = json_get(entry, "deprecated");

		if (!npmlock_is_package(
			entry, json_key_at(packages, i), name, version))
			continue;
		if (value == NULL ||
		    (token != NULL && !jsonedit_is(lock->buf, value, token)))
			return NULL;
		if (token == NULL)
			token = jsonedit_token(lock->buf, value);
	}
	return steal_ptr(&token);
}

static int
find_original(const struct json *packages, const char *name,
    const char *version, const struct json **ret_entry, struct diag *dg)
{
	struct npmlock_found f;

	npmlock_find(packages, name, version, &f);
	if (f.locked == ECOSYSTEM_ABSENT)
		return diag_set(dg, DIAG_CONFIG, LOCK " does not have %s %s",
		    name, version);
	if (f.locked == ECOSYSTEM_OTHER)
		return diag_set(dg, DIAG_CONFIG,
		    LOCK ": %s %s cannot be patched: \"%.200s\" %s", name,
		    version, f.path, f.why);
	if (f.locked == ECOSYSTEM_REDIRECTED)
		return diag_set(dg, DIAG_CONFIG,
		    LOCK ": %s %s is patched already", name, version);
	*ret_entry = f.entry;
	return 0;
}

/* Takes a direct dependency of the project, if it admits the version. */
static int
take_spec(struct npmfragment *f, size_t section, const struct strbuf *text,
    const struct json *manifest, const char *name, const char *version,
    struct diag *dg)
{
	const char *key = npmmanifest_sections[section];
	const struct json *value = json_get(json_get(manifest, key), name);

	if (value == NULL)
		return 0;
	switch (npmrange_judge(json_string_or(value, "file:"), version)) {
	case NPMRANGE_NO:
		return 0;
	case NPMRANGE_YES:
		f->specs[section] = jsonedit_token(text->buf, value);
		return 0;
	case NPMRANGE_UNKNOWN:
		break;
	}
	return diag_set(dg, DIAG_CONFIG,
	    MANIFEST ": \"%s\" has %s by \"%.100s\", which drydock cannot "
		     "judge; write it as a range of versions",
	    key, name, json_string_or(value, ""));
}

int
npmfragment_make(const struct strbuf *manifest, const struct strbuf *lock,
    const char *name, const char *version, struct strbuf *out, struct diag *dg)
{
	cleanup_npmfragment struct npmfragment f = NPMFRAGMENT_INIT;
	cleanup_json struct json *root = NULL;
	cleanup_json struct json *lock_root = NULL;
	const struct json *packages;
	const struct json *entry;

	if (npmmanifest_parse(manifest, &root, dg) != 0 ||
	    npmlock_parse_json(lock->buf, lock->len, LOCK, &lock_root, dg) != 0)
		return -1;
	packages = json_get(lock_root, "packages");
	if (find_original(packages, name, version, &entry, dg) != 0 ||
	    npmmanifest_judge_overrides(root, name, dg) != 0)
		return -1;
	f.resolved = jsonedit_token(lock->buf, json_get(entry, "resolved"));
	f.integrity = jsonedit_token(lock->buf, json_get(entry, "integrity"));
	f.deprecated = take_deprecated(lock, packages, name, version);
	for (size_t i = 0; i < NPMMANIFEST_SECTIONS; i++)
		if (take_spec(&f, i, manifest, root, name, version, dg) != 0)
			return -1;
	/* npm copies the project's dependencies to the lock. */
	for (size_t i = 0; i < NPMMANIFEST_SECTIONS; i++) {
		const struct json *copy = json_get(
		    json_get(json_get(packages, ""), npmmanifest_sections[i]),
		    name);

		if (copy != NULL && f.specs[i] != NULL &&
		    !jsonedit_is(lock->buf, copy, f.specs[i]))
			return diag_set(dg, DIAG_CONFIG,
			    LOCK " has %s by another range than " MANIFEST
				 "; run npm install first",
			    name);
	}
	if (npmlock_judge_dependents(packages, name, version, dg) != 0)
		return -1;
	npmfragment_write(&f, out);
	return 0;
}

int
npmfragment_judge(const char *text, const char *name, const char *version,
    const struct digest *pristine, struct diag *dg)
{
	cleanup_npmfragment struct npmfragment f = NPMFRAGMENT_INIT;

	if (npmfragment_parse(&f, text, name, version, dg) != 0)
		return -1;
	if (digest_equal(&f.pristine, pristine))
		return 0;
	return diag_set(dg, DIAG_DATA,
	    "the kept values of %s %s have another integrity", name, version);
}
