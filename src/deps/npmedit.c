/* SPDX-License-Identifier: MIT */
/* Changes what package.json and package-lock.json have in common. */
#include "deps/npmedit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "deps/npmmanifest.h"
#include "deps/npmrange.h"
#include "deps/npmredirect.h"

#define HEX_LEN 12
#define TARBALL "/package.tar"

static char *
integrity_token(const struct digest *d)
{
	struct strbuf token = STRBUF_INIT;

	strbuf_addstr(&token, "\"sha512-");
	digest_add_base64(&token, d);
	strbuf_addch(&token, '"');
	return strbuf_detach(&token, NULL);
}

static bool
is_direct(const struct npmedit_entry *entry)
{
	for (size_t s = 0; s < NPMFRAGMENT_SECTIONS; s++)
		if (entry->fragment.specs[s] != NULL)
			return true;
	return false;
}

/* Direct dependencies first, and otherwise in the given order. */
static void
sort_direct(struct npmedit_list *list)
{
	struct npmedit_entry *sorted = xcalloc(list->nr + 1, sizeof(*sorted));
	size_t nr = 0;

	for (int direct = 1; direct >= 0; direct--)
		for (size_t i = 0; i < list->nr; i++)
			if (is_direct(&list->v[i]) == (direct == 1))
				sorted[nr++] = list->v[i];
	free(list->v);
	list->v = sorted;
}

static int
open_list(struct npmedit_list *list, const struct npmredirect *v, size_t nr,
    struct diag *dg)
{
	list->v = xcalloc(nr + 1, sizeof(*list->v));
	for (size_t i = 0; i < nr; i++) {
		struct npmedit_entry *entry = &list->v[list->nr];
		struct digest pristine;

		if (npmfragment_parse(&entry->fragment, v[i].fragment,
			v[i].name, v[i].version, &pristine, dg) != 0)
			return -1;
		entry->redirect = &v[i];
		entry->key = xasprintf("%s@%s", v[i].name, v[i].version);
		entry->spec = xasprintf("\"file:%s\"", v[i].path);
		entry->integrity = integrity_token(v[i].integrity);
		list->nr++;
	}
	sort_direct(list);
	return 0;
}

static void
close_list(struct npmedit_list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		npmfragment_release(&list->v[i].fragment);
		free(list->v[i].key);
		free(list->v[i].spec);
		free(list->v[i].integrity);
	}
	free(list->v);
	*list = (struct npmedit_list){ NULL, 0 };
}

int
npmedit_open(struct npmedit *e, const struct npmredirect *had, size_t nhad,
    const struct npmredirect *want, size_t nwant, struct diag *dg)
{
	if (open_list(&e->had, had, nhad, dg) != 0)
		return -1;
	return open_list(&e->want, want, nwant, dg);
}

void
npmedit_release(struct npmedit *e)
{
	close_list(&e->had);
	close_list(&e->want);
	jsonedit_release(&e->changes);
}

const struct npmedit_entry *
npmedit_find(
    const struct npmedit_list *list, const char *name, const char *version)
{
	for (size_t i = 0; i < list->nr; i++)
		if (strcmp(list->v[i].redirect->name, name) == 0 &&
		    strcmp(list->v[i].redirect->version, version) == 0)
			return &list->v[i];
	return NULL;
}

/* Returns true if the path is that of a copy of the package, of any patch. */
static bool
is_copy_of(const char *path, const struct npmredirect *r)
{
	size_t len = strlen(r->path);
	size_t tail = HEX_LEN + strlen(TARBALL);

	return strcmp(path, r->path) == 0 ||
	    (len > tail && strlen(path) == len &&
		strncmp(path, r->path, len - tail) == 0 &&
		strcmp(path + len - strlen(TARBALL), TARBALL) == 0);
}

const struct npmedit_entry *
npmedit_find_spec(
    const struct npmedit_list *list, const char *name, const struct json *spec)
{
	const char *path = json_string_or(spec, "file:") + strlen("file:");

	for (size_t i = 0; i < list->nr; i++)
		if (strcmp(list->v[i].redirect->name, name) == 0 &&
		    is_copy_of(path, list->v[i].redirect))
			return &list->v[i];
	return NULL;
}

int
npmedit_refuse_orphan(
    const struct npmedit *e, const char *name, struct diag *dg)
{
	return diag_set(dg, DIAG_CONFIG,
	    "%s leads %s to a copy that .drydock/patches.json does not have; "
	    "restore either file, or write the range of versions there",
	    e->what, name);
}

int
npmedit_refuse_changed(
    const struct npmedit *e, const struct npmedit_entry *entry, struct diag *dg)
{
	const char *name = entry->redirect->name;

	return diag_set(dg, DIAG_CONFIG,
	    "%s has %s in another way than when it was patched; run: drydock "
	    "patch remove %s; then patch it again",
	    e->what, entry->key, name);
}

/* The entry of want that has redirected this section's dependency. */
static const struct npmedit_entry *
find_direct(const struct npmedit_list *list, const char *name, size_t section)
{
	for (size_t i = 0; i < list->nr; i++)
		if (strcmp(list->v[i].redirect->name, name) == 0 &&
		    list->v[i].fragment.specs[section] != NULL)
			return &list->v[i];
	return NULL;
}

/* A range that admits a patched version would contradict the override. */
static int
judge_spec(const struct npmedit *e, const char *name, const struct json *spec,
    struct diag *dg)
{
	for (size_t i = 0; i < e->want.nr; i++) {
		const struct npmedit_entry *entry = &e->want.v[i];

		if (strcmp(entry->redirect->name, name) == 0 &&
		    npmrange_judge(json_string_or(spec, "file:"),
			entry->redirect->version) != NPMRANGE_NO)
			return npmedit_refuse_changed(e, entry, dg);
	}
	return 0;
}

static int
edit_spec(struct npmedit *e, size_t section, const char *name,
    const struct json *spec, struct diag *dg)
{
	const struct npmedit_entry *want = find_direct(&e->want, name, section);
	const struct npmedit_entry *had;

	if (npmmanifest_is_ours(spec)) {
		had = find_direct(&e->had, name, section);
		if (want != NULL)
			jsonedit_replace(&e->changes, spec, want->spec);
		else if (had != NULL)
			jsonedit_replace(
			    &e->changes, spec, had->fragment.specs[section]);
		else
			return npmedit_refuse_orphan(e, name, dg);
		return 0;
	}
	if (want == NULL)
		return judge_spec(e, name, spec, dg);
	if (!jsonedit_is(e->changes.text, spec, want->fragment.specs[section]))
		return npmedit_refuse_changed(e, want, dg);
	jsonedit_replace(&e->changes, spec, want->spec);
	return 0;
}

int
npmedit_sections(struct npmedit *e, const struct json *object, struct diag *dg)
{
	for (size_t s = 0; s < NPMFRAGMENT_SECTIONS; s++) {
		const struct json *section =
		    json_get(object, npmfragment_sections[s]);

		for (size_t i = 0; i < json_len(section); i++)
			if (edit_spec(e, s, json_key_at(section, i),
				json_value_at(section, i), dg) != 0)
				return -1;
	}
	return 0;
}
