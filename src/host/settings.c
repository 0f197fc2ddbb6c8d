/* SPDX-License-Identifier: MIT */
/* settings: the values of the settings, and their sources. */

#include "host/settings.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/conffile.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/setting-value.h"
#include "host/text.h"

#define CONF_NAME "drydock.conf"
#define ENV_PREFIX "DRYDOCK_"

static void *
member(struct settings *s, const struct setting *row)
{
	return (char *)s + row->offset;
}

static const void *
const_member(const struct settings *s, const struct setting *row)
{
	return (const char *)s + row->offset;
}

/* Checks value; stores it if keep is true. */
static int
write_row(struct settings *s, const struct setting *row, bool keep,
    const char *value, const char *origin, struct diag *dg)
{
	int64_t number;

	if (row->type == SETTING_WORDS) {
		cleanup_strvec struct strvec unused = STRVEC_INIT;

		return setting_value_words(
		    row, value, origin, keep ? member(s, row) : &unused, dg);
	}
	if (row->type == SETTING_STRING) {
		char **string = member(s, row);

		if (setting_value_check(row, value, origin, dg) != 0)
			return -1;
		if (!keep)
			return 0;
		value = xstrdup(value);
		cleanup_free_fn(string);
		memcpy(string, &value, sizeof(value));
		return 0;
	}
	if (setting_value_number(row, value, origin, &number, dg) != 0)
		return -1;
	if (keep && row->type == SETTING_BOOL)
		*(bool *)member(s, row) = number != 0;
	else if (keep)
		*(int64_t *)member(s, row) = number;
	return 0;
}

static int
set_row(struct settings *s, const struct setting *row,
    enum settings_source source, const char *value, const char *origin,
    struct diag *dg)
{
	unsigned char *now = &s->sources[row - settings_table()];
	bool keep = source >= *now;

	if (source == SETTINGS_PROJECT && !row->per_project)
		return diag_set(dg, DIAG_CONFIG,
		    "%s: %s cannot be set for one project: set it in "
		    "drydock.conf",
		    origin, row->name);
	if (write_row(s, row, keep, value, origin, dg) != 0)
		return -1;
	if (keep)
		*now = (unsigned char)source;
	return 0;
}

void
settings_init(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		cleanup_diag struct diag dg = DIAG_INIT;

		if (row->type == SETTING_WORDS)
			strvec_init(member(s, row));
		/* A test verifies that every fallback parses. */
		(void)set_row(
		    s, row, SETTINGS_DEFAULT, row->fallback, "default", &dg);
	}
}

void
settings_release(struct settings *s)
{
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		if (row->type == SETTING_STRING) {
			cleanup_free_fn(member(s, row));
		} else if (row->type == SETTING_WORDS) {
			strvec_release(member(s, row));
		}
	}
}

/* Fails with DIAG_CONFIG "ORIGIN: unknown key "NAME" (nearest: ...)". */
static int
fail_unknown(const char *origin, const char *name, struct diag *dg)
{
	struct nearest near;

	nearest_init(&near, name);
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++)
		nearest_offer(&near, row->name);
	if (near.name == NULL)
		return diag_set(
		    dg, DIAG_CONFIG, "%s: unknown key \"%s\"", origin, name);
	return diag_set(dg, DIAG_CONFIG, "%s: unknown key \"%s\" (nearest: %s)",
	    origin, name, near.name);
}

int
settings_set(struct settings *s, enum settings_source source, const char *name,
    const char *value, const char *origin, struct diag *dg)
{
	const struct setting *row = settings_find(name);

	if (row == NULL)
		return fail_unknown(origin, name, dg);
	return set_row(s, row, source, value, origin, dg);
}

void
settings_print_value(
    const struct settings *s, const struct setting *row, struct strbuf *out)
{
	const void *at = const_member(s, row);

	switch (row->type) {
	case SETTING_STRING:
		strbuf_addstr(out, *(char *const *)at);
		break;
	case SETTING_WORDS: {
		cleanup_free char *words = strvec_join(at, " ");

		strbuf_addstr(out, words);
		break;
	}
	case SETTING_BOOL:
		setting_value_print(row->type, *(const bool *)at, out);
		break;
	case SETTING_INT:
	case SETTING_SIZE:
	case SETTING_CPUS:
	case SETTING_DURATION:
		setting_value_print(row->type, *(const int64_t *)at, out);
		break;
	}
}

void
settings_print_row(
    const struct settings *s, const struct setting *row, struct strbuf *out)
{
	cleanup_strbuf struct strbuf value = STRBUF_INIT;

	settings_print_value(s, row, &value);
	strbuf_addf(out, "%s = ", row->name);
	conffile_quote(value.buf, out);
}

int
settings_parse(struct settings *s, enum settings_source source,
    const char *name, const char *text, size_t len, struct diag *dg)
{
	cleanup_conf_entry struct conf_entry entry = CONF_ENTRY_INIT;
	size_t seen[SETTINGS_MAX] = { 0 };
	struct lines lines;
	int rc;

	if (lines_init(&lines, name, text, len, SETTINGS_FILE_MAX, dg) != 0)
		return -1;
	while ((rc = conffile_next(&lines, &entry, dg)) > 0) {
		cleanup_free char *origin =
		    xasprintf("%s:%zu", name, lines.number);
		const struct setting *row = settings_find(entry.key);
		size_t *first =
		    row != NULL ? &seen[row - settings_table()] : NULL;

		if (first != NULL && *first != 0)
			return diag_set(dg, DIAG_CONFIG,
			    "%s: %s is already set in line %zu", origin,
			    entry.key, *first);
		if (first != NULL)
			*first = lines.number;
		if (settings_set(
			s, source, entry.key, entry.value.buf, origin, dg) != 0)
			return -1;
	}
	return rc;
}

static bool
is_foreign_variable(const char *name)
{
	/* Sessions set the last two, and drydock may run in a session. */
	return strncmp(name, ENV_PREFIX "TEST_", 13) == 0 ||
	    strcmp(name, ENV_PREFIX "VERSION") == 0 ||
	    strcmp(name, ENV_PREFIX "SESSION") == 0;
}

/* Returned: the row's variable, DRYDOCK_MEMORY for memory. */
static char *
variable_name(const struct setting *row)
{
	char *name = xasprintf(ENV_PREFIX "%s", row->name);

	for (char *p = name; *p != '\0'; p++)
		*p = text_upper(*p);
	return name;
}

static int
fail_unknown_variable(const char *name, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	struct nearest near;

	nearest_init(&near, name);
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++)
		strvec_push_given(&names, variable_name(row));
	for (size_t i = 0; i < names.nr; i++)
		nearest_offer(&near, names.v[i]);
	if (near.name == NULL)
		return diag_set(
		    dg, DIAG_CONFIG, "environment: unknown variable %s", name);
	return diag_set(dg, DIAG_CONFIG,
	    "environment: unknown variable %s (nearest: %s)", name, near.name);
}

static int
set_variable(struct settings *s, const char *entry, struct diag *dg)
{
	const char *equals = strchr(entry, '=');
	cleanup_free char *name = NULL;

	if (equals == NULL || equals[1] == '\0')
		return 0;
	name = xstrndup(entry, (size_t)(equals - entry));
	if (is_foreign_variable(name))
		return 0;
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		cleanup_free char *variable = variable_name(row);

		if (strcmp(variable, name) == 0)
			return set_row(
			    s, row, SETTINGS_ENVIRONMENT, equals + 1, name, dg);
	}
	return fail_unknown_variable(name, dg);
}

char *
settings_file_name(const struct project *project)
{
	return project == NULL ? xstrdup(CONF_NAME)
			       : xasprintf("%s/" CONF_NAME, project->config);
}

/* Reads one file of the configuration directory.  *ret_any: it has text. */
static int
load_file(struct settings *s, enum settings_source source,
    const struct paths *paths, const char *name, bool *ret_any, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *file = xasprintf("%s/%s", paths->config_dir, name);

	if (paths_read_config_file(paths, name, SETTINGS_FILE_MAX, &text, dg) !=
	    0)
		return -1;
	*ret_any = text.len > 0;
	return settings_parse(s, source, file, text.buf, text.len, dg);
}

int
settings_load(struct settings *s, const struct paths *paths,
    const char *const *environ_, struct diag *dg)
{
	bool ignored;

	if (load_file(s, SETTINGS_FILE, paths, CONF_NAME, &ignored, dg) != 0)
		return -1;
	for (; *environ_ != NULL; environ_++) {
		if (strncmp(*environ_, ENV_PREFIX, strlen(ENV_PREFIX)) == 0 &&
		    set_variable(s, *environ_, dg) != 0)
			return -1;
	}
	return 0;
}

int
settings_load_project(struct settings *s, const struct paths *paths,
    const struct project *project, struct diag *dg)
{
	cleanup_free char *name = settings_file_name(project);

	return load_file(s, SETTINGS_PROJECT, paths, name, &s->of_project, dg);
}

enum settings_source
settings_source(const struct settings *s, const char *name)
{
	return s->sources[settings_find(name) - settings_table()];
}

char *
settings_option_name(const char *setting)
{
	char *option = xstrdup(setting);

	for (char *p = option; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
	return option;
}

char *
settings_source_text(const struct settings *s, const struct setting *row,
    const struct paths *paths, const struct project *project)
{
	enum settings_source source = s->sources[row - settings_table()];
	cleanup_free char *name = NULL;
	cleanup_free char *option = NULL;

	switch (source) {
	case SETTINGS_DEFAULT:
		return xstrdup("default");
	case SETTINGS_FILE:
	case SETTINGS_PROJECT:
		name = settings_file_name(
		    source == SETTINGS_PROJECT ? project : NULL);
		return xasprintf("%s/%s", paths->config_dir, name);
	case SETTINGS_ENVIRONMENT:
		return variable_name(row);
	case SETTINGS_OPTION:
		break;
	}
	option = settings_option_name(row->name);
	return xasprintf("--%s", option);
}
