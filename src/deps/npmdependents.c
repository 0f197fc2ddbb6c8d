/* SPDX-License-Identifier: MIT */
/* Finds which entry each dependent has, as node does, and judges its range. */
#include "deps/npmdependents.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/npmfragment.h"
#include "deps/npmlock.h"
#include "deps/npmrange.h"

/* An entry of the package, of any version. */
struct place {
	const char *path;
	const struct json *entry;
};

struct dependents {
	struct place *places; /* sorted by path */
	size_t nr;
	const char *name;
	const char *version;
};

static int
compare_places(const void *a, const void *b)
{
	return strcmp(
	    ((const struct place *)a)->path, ((const struct place *)b)->path);
}

/* Returned: all places of the package, so that none is searched for in all. */
static struct place *
find_places(const struct json *packages, const char *name, size_t *ret_nr)
{
	struct place *places = xcalloc(json_len(packages) + 1, sizeof(*places));
	size_t nr = 0;

	for (size_t i = 0; i < json_len(packages); i++) {
		const char *path = json_key_at(packages, i);
		const char *found = npmlock_name_of(path);

		if (found != NULL && strcmp(found, name) == 0)
			places[nr++] =
			    (struct place){ path, json_value_at(packages, i) };
	}
	if (nr > 1)
		qsort(places, nr, sizeof(*places), compare_places);
	*ret_nr = nr;
	return places;
}

static const struct json *
get_place(const struct dependents *d, const char *path)
{
	const struct place key = { path, NULL };
	const struct place *found = d->nr == 0
	    ? NULL
	    : bsearch(&key, d->places, d->nr, sizeof(key), compare_places);

	return found != NULL ? found->entry : NULL;
}

/* The entry that node finds from this path: in the nearest node_modules. */
static const struct json *
resolve(const struct dependents *d, const char *path)
{
	cleanup_strbuf struct strbuf at = STRBUF_INIT;
	const struct json *entry = NULL;
	size_t len = strlen(path);

	while (entry == NULL) {
		strbuf_reset(&at);
		strbuf_add(&at, path, len);
		strbuf_addf(
		    &at, "%snode_modules/%s", len > 0 ? "/" : "", d->name);
		entry = get_place(d, at.buf);
		if (len == 0)
			break;
		while (len > 0 && path[len - 1] != '/')
			len--;
		if (len > 0)
			len--;
	}
	return entry;
}

static int
judge_spec(const struct dependents *d, const char *path, const char *spec,
    struct diag *dg)
{
	static const char front[] = "node_modules/";
	const struct json *entry = resolve(d, path);
	const char *found = json_string(json_get(entry, "version"));
	enum npmrange range;

	if (entry == NULL)
		return 0; /* optional, and not installed */
	range = npmrange_judge(spec, d->version);
	if (*path != '\0' && strncmp(path, front, strlen(front)) != 0 &&
	    range != NPMRANGE_NO)
		return diag_set(dg, DIAG_CONFIG,
		    "package-lock.json: %s, %s, depends on %s itself, and npm "
		    "update would give it the original; drydock cannot patch "
		    "it here",
		    path,
		    npmlock_name_of(path) == NULL
			? "a member of the workspace"
			: "in a member of the workspace",
		    d->name);
	if (found != NULL && strcmp(found, d->version) == 0) {
		if (range == NPMRANGE_YES)
			return 0;
		return diag_set(dg, DIAG_CONFIG,
		    "package-lock.json: %s has %s %s by \"%.80s\", which npm "
		    "does not lead to another place; drydock cannot patch it "
		    "here",
		    *path != '\0' ? path : "the project", d->name, d->version,
		    spec);
	}
	if (range == NPMRANGE_NO)
		return 0;
	return diag_set(dg, DIAG_CONFIG,
	    "package-lock.json: %s has %s %s, and its range \"%.80s\" may also "
	    "admit %s: npm would give it the patched copy; narrow that range, "
	    "or patch the other version",
	    *path != '\0' ? path : "the project", d->name,
	    found != NULL ? found : "elsewhere", spec, d->version);
}

int
npmdependents_judge(const struct json *packages, const char *name,
    const char *version, struct diag *dg)
{
	cleanup_free struct place *places = NULL;
	struct dependents d = { NULL, 0, name, version };

	places = find_places(packages, name, &d.nr);
	d.places = places;

	for (size_t i = 0; i < json_len(packages); i++) {
		const struct json *entry = json_value_at(packages, i);

		for (size_t s = 0; s < NPMFRAGMENT_SECTIONS; s++) {
			const struct json *spec = json_get(
			    json_get(entry, npmfragment_sections[s]), name);

			if (json_is_string(spec) &&
			    judge_spec(&d, json_key_at(packages, i),
				json_string(spec), dg) != 0)
				return -1;
		}
	}
	return 0;
}
