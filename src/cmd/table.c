/* SPDX-License-Identifier: MIT */
/*
 * table: the list of commands, and the output that is generated from it; help
 * and version.
 */

#include "cmd/table.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "cmd/options.h"
#include "engine/engine.h"
#include "host/text.h"

#define HELP_WIDTH 79
#define HELP_COLUMN 28 /* column in which the right texts start */

static const struct cmd *const commands[] = {
	&cmd_run,
	&cmd_new,
	&cmd_attach,
	&cmd_list,
	&cmd_stop,
	&cmd_shell,
	&cmd_exec,
	&cmd_port,
	&cmd_logs,
	&cmd_egress,
	&cmd_diff,
	&cmd_allow,
	&cmd_deny,
	&cmd_gc,
	&cmd_cache,
	&cmd_patch,
	&cmd_build,
	&cmd_plan,
	&cmd_prove,
	&cmd_reseal,
	&cmd_setup,
	&cmd_sync,
	&cmd_token,
	&cmd_config,
	&cmd_help,
	&cmd_version,
	NULL,
};

/* Aliases that other tools use; help does not list them. */
static const struct {
	const char *name;
	const struct cmd *cmd;
} aliases[] = {
	{ "ls", &cmd_list },
	{ "ps", &cmd_list },
	{ "resume", &cmd_attach },
	{ "rm", &cmd_stop },
};

const struct cmd *const *
cmd_table(void)
{
	return commands;
}

int
table_find(const char *name, const struct cmd **ret_cmd, struct diag *dg)
{
	cleanup_strbuf struct strbuf advice = STRBUF_INIT;
	struct nearest near;
	struct stat st;

	nearest_init(&near, name);
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (strcmp(aliases[i].name, name) == 0) {
			*ret_cmd = aliases[i].cmd;
			return 0;
		}
	}
	for (const struct cmd *const *c = commands; *c != NULL; c++) {
		if (strcmp((*c)->name, name) == 0) {
			*ret_cmd = *c;
			return 0;
		}
		nearest_offer(&near, (*c)->name);
	}
	if (stat(name, &st) == 0 && S_ISDIR(st.st_mode)) {
		strbuf_addstr(&advice, "; for a directory: drydock run ");
		strbuf_add_shell_quoted(&advice, name);
	} else if (near.name != NULL) {
		strbuf_addf(&advice, " (nearest: %s)", near.name);
	} else {
		strbuf_addstr(&advice, " (see drydock help)");
	}
	return diag_set(
	    dg, DIAG_USAGE, "unknown command \"%s\"%s", name, advice.buf);
}

/*
 * Appends text in lines of at most HELP_WIDTH columns that start at column.  at
 * is the current column of out's last line.  A newline in text starts a new
 * line.
 */
static void
add_wrapped(struct strbuf *out, const char *text, size_t column, size_t at)
{
	bool first = true; /* next word is the first of the line */

	while (*text != '\0') {
		size_t len = strcspn(text, " \n");

		if (!first && at + 1 + len > HELP_WIDTH) {
			strbuf_addch(out, '\n');
			at = 0;
			first = true;
		}
		if (!first) {
			strbuf_addch(out, ' ');
			at++;
		} else if (len > 0 && at < column) {
			strbuf_addf(out, "%*s", (int)(column - at), "");
			at = column;
		}
		strbuf_add(out, text, len);
		at += len;
		first = false;
		text += len;
		if (*text == '\n') {
			strbuf_addch(out, '\n');
			at = 0;
			first = true;
		}
		text += *text != '\0' ? 1 : 0;
	}
	strbuf_addch(out, '\n');
}

/* Appends "  LEFT    RIGHT"; RIGHT starts at HELP_COLUMN. */
static void
add_row(struct strbuf *out, const char *left, const char *right)
{
	size_t at = strlen(left) + 2;

	strbuf_addf(out, "  %s", left);
	if (at + 2 > HELP_COLUMN) {
		strbuf_addch(out, '\n');
		at = 0;
	}
	add_wrapped(out, right, HELP_COLUMN, at);
}

static void
add_commands(struct strbuf *out)
{
	strbuf_addstr(out,
	    "usage: drydock [COMMAND] [OPTION...] [OPERAND...]\n"
	    "\n"
	    "Runs an AI coding agent, or any command, on a project inside a\n"
	    "container session.  Without a command: drydock run.\n"
	    "\n"
	    "commands:\n");
	for (const struct cmd *const *c = commands; *c != NULL; c++) {
		cleanup_free char *left = NULL;

		left = xasprintf("%s%s%s", (*c)->name,
		    (*c)->args != NULL ? " " : "",
		    (*c)->args != NULL ? (*c)->args : "");
		add_row(out, left, (*c)->summary);
	}
	strbuf_addstr(out,
	    "\n"
	    "\"drydock help COMMAND\" prints more; see also drydock(1) and "
	    "drydock.conf(5).\n");
}

static void
add_option(struct strbuf *out, const struct optdef *o)
{
	cleanup_strbuf struct strbuf left = STRBUF_INIT;

	if (o->letter != '\0')
		strbuf_addf(&left, "-%c, ", o->letter);
	strbuf_addf(&left, "--%s", o->name);
	if (o->arg != NULL)
		strbuf_addf(&left, " %s", o->arg);
	add_row(out, left.buf, o->help);
}

static void
add_settings(struct strbuf *out)
{
	strbuf_addstr(out, "\nsettings:\n");
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		cleanup_free char *option = settings_option_name(row->name);
		cleanup_free char *left = NULL;
		cleanup_free char *right = NULL;

		left = xasprintf("--%s %s", option, row->values);
		right = xasprintf("%s (%s%s)", row->help,
		    *row->fallback != '\0' ? "default " : "default empty",
		    row->fallback);
		add_row(out, left, right);
	}
	strbuf_addstr(out,
	    "\n"
	    "--engine-timeout 20s, DRYDOCK_ENGINE_TIMEOUT=20s and the line\n"
	    "\"engine_timeout = 20s\" in drydock.conf mean the same; the first "
	    "wins.\n");
}

void
table_help_command(const struct cmd *cmd, struct strbuf *out)
{
	strbuf_addf(out, "usage: drydock %s [OPTION...]%s%s\n\n%s\n", cmd->name,
	    cmd->args != NULL ? " " : "", cmd->args != NULL ? cmd->args : "",
	    cmd->summary);
	if (cmd->description != NULL) {
		strbuf_addch(out, '\n');
		add_wrapped(out, cmd->description, 0, 0);
	}
	strbuf_addstr(out, "\noptions:\n");
	for (const struct optdef *o = cmd->options;
	     o != NULL && o->name != NULL; o++)
		add_option(out, o);
	for (const struct optdef *o = options_common; o->name != NULL; o++)
		if (options_find(cmd->options, NULL, o->letter) == NULL)
			add_option(out, o);
	if ((cmd->needs & CMD_SHOW_SETTINGS) != 0)
		add_settings(out);
	else if ((cmd->needs & CMD_NEED_SETTINGS) != 0)
		add_row(out, "--SETTING VALUE",
		    "any setting of drydock.conf(5), as \"drydock config "
		    "--help\" lists them");
}

static int
help_run(struct context *ctx, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const struct cmd *cmd;

	if (ctx->argc > 1)
		return diag_set(dg, DIAG_USAGE,
		    "help takes one command; unexpected \"%s\"", ctx->argv[1]);
	if (ctx->argc == 0) {
		add_commands(&out);
	} else {
		if (table_find(ctx->argv[0], &cmd, dg) != 0)
			return -1;
		table_help_command(cmd, &out);
	}
	(void)fputs(out.buf, stdout);
	return 0;
}

const struct cmd cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.summary = "list the commands, or print the help of one",
	.run = help_run,
};

static int
version_run(struct context *ctx, struct diag *dg)
{
	(void)ctx;
	(void)dg;
	(void)puts("drydock " PACKAGE_VERSION);
	return 0;
}

const struct cmd cmd_version = {
	.name = "version",
	.summary = "print the version",
	.run = version_run,
};

static void
list_options(const struct cmd *cmd)
{
	for (const struct optdef *o = options_common; o->name != NULL; o++)
		if (options_find(cmd->options, NULL, o->letter) == NULL)
			(void)printf("-%c\n--%s\n", o->letter, o->name);
	for (const struct optdef *o = cmd->options;
	     o != NULL && o->name != NULL; o++) {
		if (o->letter != '\0')
			(void)printf("-%c\n", o->letter);
		(void)printf("--%s\n", o->name);
	}
	if ((cmd->needs & CMD_NEED_SETTINGS) == 0)
		return;
	for (const struct setting *row = settings_table(); row->name != NULL;
	     row++) {
		cleanup_free char *name = settings_option_name(row->name);

		if (options_find(cmd->options, name, 0) == NULL)
			(void)printf("--%s\n", name);
	}
}

int
table_list(int argc, char **argv, struct diag *dg)
{
	const char *what = argv[0];
	const struct cmd *cmd;

	if (strcmp(what, "--list-options") == 0 && argc == 2) {
		if (table_find(argv[1], &cmd, dg) != 0)
			return -1;
		list_options(cmd);
		return 0;
	}
	if (argc != 1)
		return diag_set(
		    dg, DIAG_USAGE, "%s takes no operand here", what);
	if (strcmp(what, "--list-commands") == 0) {
		for (const struct cmd *const *c = commands; *c != NULL; c++)
			(void)puts((*c)->name);
	} else if (strcmp(what, "--list-settings") == 0) {
		for (const struct setting *row = settings_table();
		     row->name != NULL; row++)
			(void)printf("%s\t%s\t%s\t%s\n", row->name,
			    row->fallback, row->values,
			    row->per_project ? "project" : "user");
	} else if (strcmp(what, "--list-statuses") == 0) {
		for (const struct diag_status *row = diag_status_table();
		     row->meaning != NULL; row++)
			if (row->status == DIAG_STATUS_ANY)
				(void)printf("any\t%s\n", row->meaning);
			else
				(void)printf(
				    "%d\t%s\n", row->status, row->meaning);
	} else if (strcmp(what, "--list-floors") == 0) {
		for (const struct engine_floor *row = engine_floors();
		     row->program != NULL; row++)
			(void)printf("%s\t%s\n", row->program, row->version);
	} else {
		return diag_set(dg, DIAG_USAGE, "unknown option %s", what);
	}
	return 0;
}
