/* SPDX-License-Identifier: MIT */
/* catalog: reads a file of the user's directory, or else a shipped file. */
#include "host/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/allowlist.h"
#include "host/paths.h"
#include "host/text.h"
#include "host/trusted.h"

#define FILE_MAX ((size_t)64 << 10)
#define SUFFIX ".json"

const struct catalog catalog_agents = { "agents", "agent", DIAG_USAGE };
const struct catalog catalog_toolchains = { "toolchains", "toolchain",
	DIAG_CONFIG };

bool
catalog_is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "0123456789-";

	return *name != '\0' && *name != '-' && strlen(name) <= 64 &&
	    name[strspn(name, allowed)] == '\0';
}

static int
add_names(int dirfd, const char *label, struct strvec *names, struct diag *dg)
{
	cleanup_strvec struct strvec files = STRVEC_INIT;

	if (fs_list_names(dirfd, label, &files, dg) != 0)
		return -1;
	for (size_t i = 0; i < files.nr; i++) {
		cleanup_free char *stem = NULL;
		size_t len = strlen(files.v[i]);

		if (len <= strlen(SUFFIX) ||
		    strcmp(files.v[i] + len - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		stem = xstrndup(files.v[i], len - strlen(SUFFIX));
		if (catalog_is_name(stem) && !strvec_has(names, stem))
			strvec_push_given(names, steal_ptr(&stem));
	}
	return 0;
}

int
catalog_list(const struct catalog *catalog, const struct paths *paths,
    struct strvec *ret_names, struct diag *dg)
{
	cleanup_free char *dir =
	    xasprintf("%s/%s", paths->data_dir, catalog->folder);
	cleanup_close int shipped = -1;
	cleanup_close int own = -1;

	if (fs_open_dir(dir, &shipped, dg) != 0 ||
	    add_names(shipped, dir, ret_names, dg) != 0)
		return -1;
	if (paths->config_dir != NULL &&
	    (paths_open_config(
		 paths, catalog->folder, TRUSTED_DIRECTORY, &own, dg) != 0 ||
		(own >= 0 &&
		    add_names(own, catalog->folder, ret_names, dg) != 0)))
		return -1;
	strvec_sort(ret_names);
	return 0;
}

static int
fail_unknown(const struct catalog *catalog, const char *name,
    const struct paths *paths, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_free char *list = NULL;

	if (catalog_list(catalog, paths, &names, dg) != 0)
		return -1;
	list = strvec_join(&names, ", ");
	return diag_set(dg, catalog->unknown,
	    "unknown %s \"%s\" (there is: %s)", catalog->noun, name,
	    names.nr > 0 ? list : "none");
}

int
catalog_read(const struct catalog *catalog, const char *name,
    const struct paths *paths, struct catalog_file *ret_file, struct diag *dg)
{
	cleanup_catalog_file struct catalog_file file = CATALOG_FILE_INIT;
	cleanup_free char *path =
	    xasprintf("%s/%s" SUFFIX, catalog->folder, name);
	cleanup_close int shipped = -1;
	cleanup_close int own = -1;

	if (!catalog_is_name(name))
		return fail_unknown(catalog, name, paths, dg);
	if (paths->config_dir != NULL &&
	    paths_open_config(paths, path, 0, &own, dg) != 0)
		return -1;
	if (trusted_open(paths, paths->data_dir, path, 0, &shipped, dg) != 0)
		return -1;
	if (own < 0 && shipped < 0)
		return fail_unknown(catalog, name, paths, dg);
	file.replaces = own >= 0 && shipped >= 0;
	file.label = own >= 0 ? xasprintf("%s/%s", paths->config_dir, path)
			      : steal_ptr(&path);
	if (trusted_read(own >= 0 ? own : shipped, file.label, FILE_MAX,
		&file.text, dg) != 0)
		return -1;
	*ret_file = file;
	file = (struct catalog_file)CATALOG_FILE_INIT;
	return 0;
}

void
catalog_file_release(struct catalog_file *file)
{
	strbuf_release(&file->text);
	free(file->label);
	*file = (struct catalog_file)CATALOG_FILE_INIT;
}

int
catalog_read_list(const struct json *value, const char *key,
    const char *(*check)(const char *word), struct strvec *ret_list,
    struct diag *dg)
{
	if (!json_is_array(value))
		return diag_set(dg, DIAG_CONFIG, "%s: not a list", key);
	for (size_t i = 0; i < json_len(value); i++) {
		const char *word = json_string(json_at(value, i));
		const char *why;

		if (word == NULL || !text_is_plain(word))
			return diag_set(dg, DIAG_CONFIG,
			    "%s: entry %zu is not plain text", key, i + 1);
		why = check != NULL ? check(word) : NULL;
		if (why != NULL)
			return diag_set(
			    dg, DIAG_CONFIG, "%s: \"%s\" %s", key, word, why);
		strvec_push(ret_list, word);
	}
	return 0;
}

int
catalog_read_hosts(
    void *member, const char *key, const struct json *value, struct diag *dg)
{
	struct strvec *hosts = member;
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;

	if (catalog_read_list(value, key, NULL, hosts, dg) != 0)
		return -1;
	for (size_t i = 0; i < hosts->nr; i++)
		if (allowlist_parse(&list, ALLOW_AGENT, NULL, key, hosts->v[i],
			strlen(hosts->v[i]), dg) != 0)
			return -1;
	return 0;
}

static int
read_string(char **ret, const char *text)
{
	free(*ret);
	*ret = xstrdup(text);
	return 0;
}

int
catalog_read_path(
    void *member, const char *key, const struct json *value, struct diag *dg)
{
	const char *path = json_string(value);

	if (path == NULL || !text_is_plain(path) || !text_is_below(path))
		return diag_set(
		    dg, DIAG_CONFIG, "%s: not a path below the home", key);
	return read_string(member, path);
}

int
catalog_read_text(
    void *member, const char *key, const struct json *value, struct diag *dg)
{
	const char *text = json_string(value);

	if (text == NULL || *text == '\0' || !text_is_plain(text))
		return diag_set(dg, DIAG_CONFIG, "%s: not plain text", key);
	return read_string(member, text);
}

int
catalog_read_object(const struct json *object,
    const struct catalog_field *fields, size_t nfields, void *into,
    struct diag *dg)
{
	if (!json_is_object(object))
		return diag_set(dg, DIAG_CONFIG, "not an object");
	for (size_t i = 0; i < json_len(object); i++) {
		const char *key = json_key_at(object, i);
		const struct json *value = json_value_at(object, i);
		const struct catalog_field *f = fields;
		void *member;

		while (f < fields + nfields && strcmp(f->key, key) != 0)
			f++;
		if (f == fields + nfields)
			return diag_set(
			    dg, DIAG_CONFIG, "unknown key \"%s\"", key);
		member = (char *)into + f->offset;
		if ((f->read != NULL ? f->read(member, key, value, dg)
				     : catalog_read_list(value, key, f->check,
					   member, dg)) != 0)
			return -1;
	}
	return 0;
}

int
catalog_parse(const char *label, const char *text, size_t len,
    const struct catalog_field *fields, size_t nfields, void *into,
    struct diag *dg)
{
	cleanup_json struct json *root = NULL;

	if (json_parse(text, len, label, &root, dg) != 0)
		return diag_reclass(dg, DIAG_CONFIG);
	if (catalog_read_object(root, fields, nfields, into, dg) != 0)
		return diag_wrap(dg, "%s", label);
	return 0;
}
