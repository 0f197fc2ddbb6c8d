/* SPDX-License-Identifier: MIT */
/* Judges overrides of the user's, which npm may take before the redirects. */
#include "deps/npmmanifest.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "deps/npmredirect.h"

#define WHAT "package.json"

const char *const npmmanifest_sections[NPMMANIFEST_SECTIONS] = { "dependencies",
	"devDependencies", "optionalDependencies", "peerDependencies" };

int
npmmanifest_parse(
    const struct strbuf *text, struct json **ret_root, struct diag *dg)
{
	cleanup_json struct json *root = NULL;

	if (text->len > NPMREDIRECT_MANIFEST_MAX)
		return diag_set(dg, DIAG_DATA, WHAT ": more than %zu bytes",
		    NPMREDIRECT_MANIFEST_MAX);
	if (strncmp(text->buf, "\xef\xbb\xbf", 3) == 0)
		return diag_set(dg, DIAG_CONFIG,
		    WHAT " begins with a byte order mark; remove it");
	if (json_parse(text->buf, text->len, WHAT, &root, dg) != 0)
		return -1;
	if (!json_is_object(root))
		return diag_set(dg, DIAG_DATA, WHAT ": not an object");
	*ret_root = steal_ptr(&root);
	return 0;
}

bool
npmmanifest_is_ours(const struct json *value)
{
	return strncmp(json_string_or(value, ""), NPMREDIRECT_FRONT,
		   strlen(NPMREDIRECT_FRONT)) == 0;
}

/* "NAME" or "NAME@RANGE" */
static bool
names(const char *spec, const char *name)
{
	size_t len = strlen(name);

	return strncmp(spec, name, len) == 0 &&
	    (spec[len] == '\0' || spec[len] == '@');
}

static bool
value_names(const struct json *value, const char *name)
{
	const char *text = json_string(value);

	if (text == NULL)
		return false;
	if (*text == '$')
		return strcmp(text + 1, name) == 0;
	return strncmp(text, "npm:", 4) == 0 && names(text + 4, name);
}

/* Recursion is bounded by JSON_MAX_DEPTH. */
static int
judge_object(
    const struct json *object, const char *name, bool is_top, struct diag *dg)
{
	for (size_t i = 0; i < json_len(object); i++) {
		const char *key = json_key_at(object, i);
		const struct json *value = json_value_at(object, i);

		if (is_top && npmmanifest_is_ours(value))
			continue;
		if (names(key, name) || value_names(value, name))
			return diag_set(dg, DIAG_CONFIG,
			    WHAT ": \"overrides\" has \"%.100s\", and "
				 "npm may take that instead of the patched %s; "
				 "remove it, or do not patch %s here",
			    key, name, name);
		if (json_is_object(value) &&
		    judge_object(value, name, false, dg) != 0)
			return -1;
	}
	return 0;
}

int
npmmanifest_judge_overrides(
    const struct json *root, const char *name, struct diag *dg)
{
	const struct json *overrides = json_get(root, "overrides");

	if (overrides == NULL)
		return 0;
	if (!json_is_object(overrides))
		return diag_set(dg, DIAG_CONFIG,
		    WHAT ": \"overrides\" is not an object; remove it");
	if (json_len(overrides) == 0)
		return diag_set(dg, DIAG_CONFIG,
		    WHAT ": \"overrides\" is empty; remove it");
	return judge_object(overrides, name, true, dg);
}
