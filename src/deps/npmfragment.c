/* SPDX-License-Identifier: MIT */
/* Reads and writes the original values of a patched npm package. */
#include "deps/npmfragment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/npmlock.h"
#include "deps/npmrange.h"

const char *const npmfragment_sections[NPMFRAGMENT_SECTIONS] = { "dependencies",
	"devDependencies", "optionalDependencies", "peerDependencies" };

void
npmfragment_release(struct npmfragment *f)
{
	free(f->resolved);
	free(f->integrity);
	free(f->deprecated);
	for (size_t i = 0; i < NPMFRAGMENT_SECTIONS; i++)
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
	for (size_t i = 0; i < NPMFRAGMENT_SECTIONS; i++)
		if (strcmp(key, npmfragment_sections[i]) == 0)
			return &f->specs[i];
	return NULL;
}

static bool
spec_is_sound(const struct json *root, const char *section, const char *version)
{
	const char *spec = json_string(json_get(root, section));

	return spec == NULL || npmrange_judge(spec, version) == NPMRANGE_YES;
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
	for (size_t i = 0; i < NPMFRAGMENT_SECTIONS; i++)
		if (!spec_is_sound(root, npmfragment_sections[i], version))
			return false;
	return resolved != NULL && integrity != NULL &&
	    npmlock_is_tarball(resolved) &&
	    npmlock_read_integrity(integrity, ret_pristine) &&
	    ret_pristine->kind != DIGEST_NONE;
}

int
npmfragment_parse(struct npmfragment *ret, const char *text, const char *name,
    const char *version, struct digest *ret_pristine, struct diag *dg)
{
	cleanup_npmfragment struct npmfragment f = NPMFRAGMENT_INIT;
	cleanup_json struct json *root = NULL;
	struct digest pristine = { .kind = DIGEST_NONE };
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
		*slot = xstrndup(text + json_start(value),
		    json_end(value) - json_start(value));
	}
	if (!values_are_sound(root, version, &pristine))
		return diag_set(dg, DIAG_DATA,
		    "the kept values of %s %s are not those of a package-lock",
		    name, version);
	*ret_pristine = pristine;
	*ret = f;
	f = (struct npmfragment)NPMFRAGMENT_INIT;
	return 0;
}

void
npmfragment_write(const struct npmfragment *f, struct strbuf *out)
{
	strbuf_addf(out, "{\"resolved\":%s,\"integrity\":%s", f->resolved,
	    f->integrity);
	if (f->deprecated != NULL)
		strbuf_addf(out, ",\"deprecated\":%s", f->deprecated);
	for (size_t i = 0; i < NPMFRAGMENT_SECTIONS; i++)
		if (f->specs[i] != NULL)
			strbuf_addf(out, ",\"%s\":%s", npmfragment_sections[i],
			    f->specs[i]);
	strbuf_addch(out, '}');
}
