/* SPDX-License-Identifier: MIT */
/* settings-load: reads drydock.conf and the environment. */

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/nearest.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"
#include "host/text.h"

#define CONF_NAME "drydock.conf"
#define CONF_MAX ((size_t)64 << 10)
#define ENV_PREFIX "DRYDOCK_"

/*
 * Parses a quoted value.  Only blanks and a comment may follow the closing
 * quote.
 */
static int
unquote(
    const char *text, struct strbuf *value, const char *origin, struct diag *dg)
{
	const char *p = text + 1;

	for (; *p != '\0' && *p != '"'; p++) {
		if (*p == '\\') {
			p++;
			if (*p != '"' && *p != '\\')
				return diag_set(dg, DIAG_CONFIG,
				    "%s: after a backslash in quotes comes "
				    "\" or another backslash",
				    origin);
		}
		strbuf_addch(value, *p);
	}
	if (*p != '"')
		return diag_set(
		    dg, DIAG_CONFIG, "%s: the quote is not closed", origin);
	p++;
	if (*p != '\0' && *p != ' ' && *p != '\t')
		return diag_set(dg, DIAG_CONFIG,
		    "%s: text behind the closing quote", origin);
	p += strspn(p, " \t");
	if (*p != '\0' && *p != '#')
		return diag_set(dg, DIAG_CONFIG,
		    "%s: text behind the closing quote", origin);
	return 0;
}

/*
 * Parses one "key = value" line.  seen[] holds, per row, the line that set it.
 */
static int
parse_line(struct settings *s, const char *name, size_t number,
    const struct strbuf *line, size_t *seen, struct diag *dg)
{
	cleanup_free char *origin = xasprintf("%s:%zu", name, number);
	cleanup_free char *key = NULL;
	cleanup_strbuf struct strbuf value = STRBUF_INIT;
	const struct setting *row;
	size_t *first;
	size_t len = strcspn(line->buf, " \t=");
	const char *p = line->buf + len;

	key = xstrndup(line->buf, len);
	p += strspn(p, " \t");
	if (*p != '=' || len == 0)
		return diag_set(
		    dg, DIAG_CONFIG, "%s: not a \"key = value\" line", origin);
	p++;
	p += strspn(p, " \t");
	row = settings_find(key);
	first = row != NULL ? &seen[row - settings_table()] : NULL;
	if (first != NULL && *first != 0)
		return diag_set(dg, DIAG_CONFIG,
		    "%s: %s was given in line %zu already", origin, key,
		    *first);
	if (first != NULL)
		*first = number;
	if (*p == '"') {
		if (unquote(p, &value, origin, dg) != 0)
			return -1;
	} else {
		/* p may start at the #: "key = # comment" is an empty value. */
		strbuf_addstr(&value, p);
		lines_cut_comment(&value);
	}
	return settings_set(s, key, value.buf, origin, dg);
}

int
settings_parse(struct settings *s, const char *name, const char *text,
    size_t len, struct diag *dg)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	cleanup_free size_t *seen = NULL;
	struct lines lines;
	size_t rows = 0;

	if (lines_init(&lines, name, text, len, CONF_MAX, dg) != 0)
		return -1;
	while (settings_table()[rows].name != NULL)
		rows++;
	seen = xcalloc(rows, sizeof(*seen));
	while (lines_next(&lines, &line)) {
		if (parse_line(s, name, lines.number, &line, seen, dg) != 0)
			return -1;
	}
	return 0;
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
			return settings_set(s, row->name, equals + 1, name, dg);
	}
	return fail_unknown_variable(name, dg);
}

int
settings_load(struct settings *s, const struct paths *paths,
    const char *const *environ_, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *file = xasprintf("%s/" CONF_NAME, paths->config_dir);

	if (paths_read_config_file(paths, CONF_NAME, CONF_MAX, &text, dg) !=
		0 ||
	    settings_parse(s, file, text.buf, text.len, dg) != 0)
		return -1;
	s->given = 0;
	for (; *environ_ != NULL; environ_++) {
		if (strncmp(*environ_, ENV_PREFIX, strlen(ENV_PREFIX)) == 0 &&
		    set_variable(s, *environ_, dg) != 0)
			return -1;
	}
	return 0;
}

static char *
project_file_name(const struct project *project)
{
	return xasprintf("projects/%s/" CONF_NAME, project->key);
}

char *
settings_project_file(const struct paths *paths, const struct project *project)
{
	cleanup_free char *name = project_file_name(project);

	return xasprintf("%s/%s", paths->config_dir, name);
}

int
settings_load_project(struct settings *s, const struct paths *paths,
    const struct project *project, struct diag *dg)
{
	cleanup_settings struct settings own;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = project_file_name(project);
	cleanup_free char *file = settings_project_file(paths, project);

	settings_init(&own);
	if (paths_read_config_file(paths, name, CONF_MAX, &text, dg) != 0)
		return -1;
	if (text.len == 0)
		return 0;
	if (settings_parse(&own, file, text.buf, text.len, dg) != 0)
		return -1;
	return settings_take_project(s, &own, file, dg);
}
