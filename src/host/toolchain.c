/* SPDX-License-Identifier: MIT */
/* toolchain: a strict parser of toolchains/NAME.json. */
#include "host/toolchain.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "host/catalog.h"
#include "host/reserved.h"
#include "host/text.h"

enum {
	SUITES_MAX = 16,
	PACKAGES_MAX = 64, /* per release */
	CACHES_MAX = 16,
	WORD_MAX = 128 /* bytes of a package name or codename */
};

static const char lower_digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";

const char *
toolchain_check_package(const char *word)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "0123456789+.-";
	size_t len = strlen(word);

	/* A first character of this set cannot start an option. */
	return len >= 2 && len <= WORD_MAX &&
		strchr(lower_digits, word[0]) != NULL &&
		word[strspn(word, allowed)] == '\0'
	    ? NULL
	    : "is not the name of a Debian package";
}

static int
read_suite(struct toolchain *tc, const char *suite, const struct json *value,
    struct diag *dg)
{
	struct toolchain_suite *s;

	if (*suite == '\0' || strlen(suite) > WORD_MAX ||
	    suite[strspn(suite, lower_digits)] != '\0')
		return diag_set(dg, DIAG_CONFIG,
		    "packages: \"%s\" is not the codename of a Debian release",
		    suite);
	if (tc->nsuites == SUITES_MAX)
		return diag_set(dg, DIAG_CONFIG,
		    "packages: more than %d releases", SUITES_MAX);
	tc->suites =
	    xreallocarray(tc->suites, tc->nsuites + 1, sizeof(*tc->suites));
	s = &tc->suites[tc->nsuites++];
	s->name = xstrdup(suite);
	strvec_init(&s->packages);
	if (catalog_read_list(value, "packages", toolchain_check_package,
		&s->packages, dg) != 0)
		return -1;
	if (s->packages.nr > PACKAGES_MAX)
		return diag_set(
		    dg, DIAG_CONFIG, "packages: more than %d", PACKAGES_MAX);
	return 0;
}

static int
read_packages(
    void *member, const char *key, const struct json *value, struct diag *dg)
{
	struct toolchain *tc = member;

	(void)key;
	if (json_is_array(value))
		return read_suite(tc, TOOLCHAIN_ANY_SUITE, value, dg);
	if (!json_is_object(value))
		return diag_set(
		    dg, DIAG_CONFIG, "packages: neither a list nor an object");
	for (size_t i = 0; i < json_len(value); i++)
		if (read_suite(tc, json_key_at(value, i),
			json_value_at(value, i), dg) != 0)
			return -1;
	return 0;
}

/*
 * Returns a key of a cache object, or NULL if it is absent or not plain text.
 */
static const char *
cache_text(const struct json *cache, const char *key)
{
	const char *text = json_string(json_get(cache, key));

	return text != NULL && text_is_plain(text) ? text : NULL;
}

static int
read_cache(struct toolchain *tc, const struct json *value, size_t number,
    struct diag *dg)
{
	const char *path = cache_text(value, "path");
	const char *variable = cache_text(value, "variable");
	const char *link = cache_text(value, "link");
	const char *source = cache_text(value, "source");
	struct toolchain_cache *cache;

	if (path == NULL || source == NULL ||
	    (variable != NULL) == (link != NULL) || json_len(value) != 3)
		return diag_set(dg, DIAG_CONFIG,
		    "caches: entry %zu is not an object of a path, a variable "
		    "or a link, and a source",
		    number);
	if (!text_is_below(path))
		return diag_set(dg, DIAG_CONFIG,
		    "caches: \"%s\" is not a path below the cache directory",
		    path);
	if (variable != NULL && !text_is_variable(variable))
		return diag_set(dg, DIAG_CONFIG,
		    "caches: \"%s\" is not the name of a variable", variable);
	if (link != NULL && !text_is_below(link))
		return diag_set(dg, DIAG_CONFIG,
		    "caches: \"%s\" is not a path below the home", link);
	tc->caches =
	    xreallocarray(tc->caches, tc->ncaches + 1, sizeof(*tc->caches));
	cache = &tc->caches[tc->ncaches++];
	cache->path = xstrdup(path);
	cache->variable = variable != NULL ? xstrdup(variable) : NULL;
	cache->link = link != NULL ? xstrdup(link) : NULL;
	return 0;
}

static int
read_caches(
    void *member, const char *key, const struct json *value, struct diag *dg)
{
	struct toolchain *tc = member;

	(void)key;
	if (!json_is_array(value))
		return diag_set(dg, DIAG_CONFIG, "caches: not a list");
	if (json_len(value) > CACHES_MAX)
		return diag_set(
		    dg, DIAG_CONFIG, "caches: more than %d", CACHES_MAX);
	for (size_t i = 0; i < json_len(value); i++)
		if (read_cache(tc, json_at(value, i), i + 1, dg) != 0)
			return -1;
	return 0;
}

static const char *
check_file_name(const char *word)
{
	return text_is_below(word) && strchr(word, '/') == NULL
	    ? NULL
	    : "is not the name of a file";
}

#define AT(member) offsetof(struct toolchain, member)

static const struct catalog_field fields[] = {
	{ "packages", 0, read_packages, NULL },
	{ "hosts", AT(hosts), catalog_read_hosts, NULL },
	{ "caches", 0, read_caches, NULL },
	{ "shown_by", AT(shown_by), NULL, check_file_name },
	{ "reserved_env", AT(reserved_env), NULL, reserved_check_pattern },
};

int
toolchain_parse(struct toolchain *ret_toolchain, const char *name,
    const char *label, const char *text, size_t len, struct diag *dg)
{
	cleanup_toolchain struct toolchain tc = TOOLCHAIN_INIT;

	tc.name = xstrdup(name);
	if (catalog_parse(
		label, text, len, fields, ARRAY_SIZE(fields), &tc, dg) != 0)
		return -1;
	*ret_toolchain = tc;
	tc = (struct toolchain)TOOLCHAIN_INIT;
	return 0;
}

int
toolchain_load(struct toolchain *ret_toolchain, const char *name,
    const struct paths *paths, struct diag *dg)
{
	cleanup_catalog_file struct catalog_file file = CATALOG_FILE_INIT;

	if (catalog_read(&catalog_toolchains, name, paths, &file, dg) != 0 ||
	    toolchain_parse(ret_toolchain, name, file.label, file.text.buf,
		file.text.len, dg) != 0)
		return -1;
	if (file.replaces)
		ret_toolchain->replacement = steal_ptr(&file.label);
	return 0;
}

void
toolchain_release(struct toolchain *toolchain)
{
	free(toolchain->name);
	free(toolchain->replacement);
	for (size_t i = 0; i < toolchain->nsuites; i++) {
		free(toolchain->suites[i].name);
		strvec_release(&toolchain->suites[i].packages);
	}
	free(toolchain->suites);
	for (size_t i = 0; i < toolchain->ncaches; i++) {
		free(toolchain->caches[i].path);
		free(toolchain->caches[i].variable);
		free(toolchain->caches[i].link);
	}
	free(toolchain->caches);
	strvec_release(&toolchain->hosts);
	strvec_release(&toolchain->shown_by);
	strvec_release(&toolchain->reserved_env);
	*toolchain = (struct toolchain)TOOLCHAIN_INIT;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct toolchain *)a)->name,
	    ((const struct toolchain *)b)->name);
}

int
toolchains_load(struct toolchains *ret_toolchains, const struct strvec *names,
    const struct paths *paths, struct diag *dg)
{
	cleanup_toolchains struct toolchains list = TOOLCHAINS_INIT;

	if (names->nr == 0)
		return 0;
	list.v = xcalloc(names->nr, sizeof(*list.v));
	for (size_t i = 0; i < names->nr; i++) {
		list.v[list.nr] = (struct toolchain)TOOLCHAIN_INIT;
		if (toolchain_load(&list.v[list.nr], names->v[i], paths, dg) !=
		    0)
			return -1;
		list.nr++;
	}
	qsort(list.v, list.nr, sizeof(*list.v), compare);
	*ret_toolchains = list;
	list = (struct toolchains)TOOLCHAINS_INIT;
	return 0;
}

void
toolchains_release(struct toolchains *toolchains)
{
	for (size_t i = 0; i < toolchains->nr; i++)
		toolchain_release(&toolchains->v[i]);
	free(toolchains->v);
	*toolchains = (struct toolchains)TOOLCHAINS_INIT;
}

static bool
is_shown(const struct toolchain *tc, int project_fd)
{
	for (size_t i = 0; i < tc->shown_by.nr; i++) {
		struct stat st;

		if (fstatat(project_fd, tc->shown_by.v[i], &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			return true;
	}
	return false;
}

int
toolchains_shown(const struct paths *paths, int project_fd,
    struct strvec *ret_names, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (catalog_list(&catalog_toolchains, paths, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_toolchain struct toolchain tc = TOOLCHAIN_INIT;

		if (toolchain_load(&tc, names.v[i], paths, dg) != 0)
			return -1;
		if (!strvec_has(ret_names, tc.name) &&
		    is_shown(&tc, project_fd))
			strvec_push(ret_names, tc.name);
	}
	return 0;
}
