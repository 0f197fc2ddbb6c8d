/* SPDX-License-Identifier: MIT */
/* config: prints the settings, and changes them in the user's files. */

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "cmd/cmd.h"
#include "host/conffile.h"
#include "host/mode.h"
#include "host/project.h"
#include "host/trusted.h"
#include "host/userfile.h"

struct config_options {
	bool json;
	bool show_source;
	const char *project; /* NULL: not given; "": the working directory */
};

/* The state that the verbs share. */
struct config {
	struct context *ctx;
	const struct config_options *options;
	struct project project; /* open if options->project is given */
	char **argv; /* operands behind the verb */
};

static const struct project *
project_of(const struct config *c)
{
	return c->options->project != NULL ? &c->project : NULL;
}

/*
 * Appends the value as in drydock.conf: 4g and 15s are strings with their
 * units.
 */
static void
add_json_value(
    struct jsonw *w, const struct settings *s, const struct setting *row)
{
	const void *at = (const char *)s + row->offset;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	switch (row->type) {
	case SETTING_WORDS:
		jsonw_strvec(w, at);
		break;
	case SETTING_INT:
		jsonw_int(w, *(const int64_t *)at);
		break;
	case SETTING_BOOL:
		jsonw_bool(w, *(const bool *)at);
		break;
	case SETTING_STRING:
	case SETTING_SIZE:
	case SETTING_CPUS:
	case SETTING_DURATION:
		settings_print_value(s, row, &text);
		jsonw_str(w, text.buf);
		break;
	}
}

static void
add_json_row(const struct config *c, struct jsonw *w, const struct setting *row)
{
	const struct settings *s = c->ctx->settings;
	cleanup_free char *source =
	    settings_source_text(s, row, c->ctx->paths, project_of(c));

	jsonw_key(w, row->name);
	if (!c->options->show_source) {
		add_json_value(w, s, row);
		return;
	}
	jsonw_open_object(w);
	jsonw_key(w, "value");
	add_json_value(w, s, row);
	jsonw_key_str(w, "source", source);
	jsonw_close_object(w);
}

/* Appends "name = value", with the source as a comment if requested. */
static void
add_text_row(
    const struct config *c, const struct setting *row, struct strbuf *out)
{
	const struct settings *s = c->ctx->settings;
	cleanup_free char *source =
	    settings_source_text(s, row, c->ctx->paths, project_of(c));

	settings_print_row(s, row, out);
	if (c->options->show_source)
		strbuf_addf(out, " # %s", source);
	strbuf_addch(out, '\n');
}

/* Prints one row, or all (NULL). */
static int
print_rows(const struct config *c, const struct setting *only, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct jsonw *w = c->options->json ? jsonw_new(true) : NULL;

	if (w != NULL)
		jsonw_open_object(w);
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		if (only != NULL && row != only)
			continue;
		if (w != NULL)
			add_json_row(c, w, row);
		else
			add_text_row(c, row, &out);
	}
	if (w != NULL) {
		jsonw_close_object(w);
		if (jsonw_finish(w, &out, dg) != 0)
			return -1;
	}
	(void)fputs(out.buf, stdout);
	return 0;
}

static int
list(const struct config *c, struct diag *dg)
{
	return print_rows(c, NULL, dg);
}

/* Finds a setting by its name; an unknown name is DIAG_USAGE. */
static const struct setting *
named_row(const char *name, struct diag *dg)
{
	cleanup_settings struct settings defaults;
	const struct setting *row = settings_find(name);

	settings_init(&defaults);
	if (row != NULL)
		return row;
	/* Sets the message with the nearest name. */
	(void)settings_set(&defaults, SETTINGS_OPTION, name, "", "config", dg);
	dg->class = DIAG_USAGE;
	return NULL;
}

static int
get(const struct config *c, struct diag *dg)
{
	const struct setting *row = named_row(c->argv[0], dg);
	cleanup_strbuf struct strbuf value = STRBUF_INIT;

	if (row == NULL)
		return -1;
	if (c->options->json || c->options->show_source)
		return print_rows(c, row, dg);
	settings_print_value(c->ctx->settings, row, &value);
	(void)printf("%s\n", value.buf);
	return 0;
}

/* Fails with DIAG_USAGE if the value is invalid in the file. */
static int
check_value(const struct config *c, const struct setting *row,
    const char *value, struct diag *dg)
{
	cleanup_settings struct settings defaults;

	settings_init(&defaults);
	if (strcmp(row->name, "mode") == 0 && *value != '\0' &&
	    mode_check(value, "config: mode", dg) != 0)
		return -1;
	if (settings_set(&defaults,
		project_of(c) != NULL ? SETTINGS_PROJECT : SETTINGS_FILE,
		row->name, value, "config", dg) == 0)
		return 0;
	return diag_reclass(dg, DIAG_USAGE);
}

/* Changes the key's line (value NULL: removes it) and checks the result. */
static int
change(const struct config *c, const char *key, const char *value,
    bool *ret_found, struct diag *dg)
{
	cleanup_userfile struct userfile file = USERFILE_INIT;
	cleanup_settings struct settings check;
	cleanup_free char *name =
	    project_file(project_of(c), SETTINGS_FILE_NAME);

	settings_init(&check);
	if (userfile_open(&file, c->ctx->paths, name, SETTINGS_FILE_MAX, dg) !=
		0 ||
	    conffile_edit(&file.text, file.path, key, value, ret_found, dg) !=
		0)
		return -1;
	if (value == NULL && !*ret_found)
		return 0;
	if (settings_parse(&check,
		project_of(c) != NULL ? SETTINGS_PROJECT : SETTINGS_FILE,
		file.path, file.text.buf, file.text.len, dg) != 0 ||
	    trusted_check(c->ctx->paths, c->project.path, dg) != 0)
		return -1;
	return userfile_write(&file, dg);
}

static int
set(const struct config *c, struct diag *dg)
{
	const struct setting *row = named_row(c->argv[0], dg);
	bool ignored;

	if (row == NULL || check_value(c, row, c->argv[1], dg) != 0)
		return -1;
	return change(c, row->name, c->argv[1], &ignored, dg);
}

static int
unset(const struct config *c, struct diag *dg)
{
	const struct setting *row = named_row(c->argv[0], dg);
	bool found;

	if (row == NULL || change(c, row->name, NULL, &found, dg) != 0)
		return -1;
	if (!found) {
		diag_note("%s is not set in this file", row->name);
		c->ctx->status = 1;
	}
	return 0;
}

static const struct verb {
	const char *name;
	int operands;
	int (*run)(const struct config *c, struct diag *dg);
	const char *usage;
} verbs[] = {
	{ "list", 0, list, "list" },
	{ "get", 1, get, "get NAME" },
	{ "set", 2, set, "set NAME VALUE" },
	{ "unset", 1, unset, "unset NAME" },
};

static int
config_run(struct context *ctx, struct diag *dg)
{
	struct config c = { ctx, ctx->options, PROJECT_INIT, ctx->argv + 1 };
	const char *name = ctx->argc > 0 ? ctx->argv[0] : "list";
	const struct verb *verb = NULL;
	const char *dir = c.options->project;
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			verb = &verbs[i];
	if (verb == NULL)
		return diag_set(dg, DIAG_USAGE,
		    "config: \"%s\" is none of list, get, set and unset "
		    "(settings of a project: drydock config --project=DIR)",
		    name);
	if (ctx->argc > 0 && ctx->argc - 1 != verb->operands)
		return diag_set(
		    dg, DIAG_USAGE, "usage: drydock config %s", verb->usage);
	if (dir != NULL &&
	    project_open(
		&c.project, *dir == '\0' ? NULL : dir, ctx->paths, dg) != 0)
		return -1;
	if (dir != NULL && verb->run != unset)
		rc = settings_load_project(
		    ctx->settings, ctx->paths, &c.project, dg);
	else
		rc = 0;
	if (rc == 0)
		rc = verb->run(&c, dg);
	project_release(&c.project);
	return rc;
}

static const struct optdef config_optdefs[] = {
	{ "project", 'p', OPT_OPTIONAL,
	    offsetof(struct config_options, project), "[DIR]",
	    "of one project (default: the working directory)" },
	{ "show-source", 's', OPT_FLAG,
	    offsetof(struct config_options, show_source), NULL,
	    "print where each value comes from" },
	{ "json", 'j', OPT_FLAG, offsetof(struct config_options, json), NULL,
	    "print JSON" },
	{ .name = NULL },
};

const struct cmd cmd_config = {
	.name = "config",
	.args = "[list|get|set|unset] [NAME [VALUE]]",
	.summary = "print and change settings",
	.description =
	    "list, the default, prints the settings in effect as a "
	    "drydock.conf that sets the same; get prints one.  Settings come "
	    "from options, the environment, the project's own file with "
	    "--project, drydock.conf and the defaults, in this order.  set and "
	    "unset change one line of drydock.conf, or of the project's own "
	    "file with --project; comments and order stay.",
	.needs = CMD_NEED_SETTINGS | CMD_SHOW_SETTINGS,
	.options = config_optdefs,
	.options_size = sizeof(struct config_options),
	.run = config_run,
};
