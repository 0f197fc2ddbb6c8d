/* SPDX-License-Identifier: MIT */
/*
 * cmd: one const object per subcommand; usage, completions, man page checks
 * and the parser read it.
 */
#ifndef DRYDOCK_CMD_H
#define DRYDOCK_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "host/paths.h"
#include "host/settings.h"

struct diag;
struct engine;

enum opt_type {
	OPT_FLAG, /* bool */
	OPT_STRING, /* const char *, borrowed from argv */
	OPT_SETTING, /* sets the setting of that name; offset unused */
};

/*
 * Every command that has CMD_NEED_SETTINGS takes every setting as an option
 * (engine_timeout as --engine-timeout TIME) without a row of its own; a row is
 * there to give one a letter or to show it in the command's --help.
 */

struct optdef {
	const char *name; /* long name, without dashes */
	char letter; /* or 0 */
	enum opt_type type;
	size_t offset; /* in the command's own option struct */
	const char *arg; /* "IMAGE" for help; NULL for a flag */
	const char *help;
};

/* What main() made ready for a command; all of it borrowed. */
struct context {
	struct paths *paths;
	struct settings *settings;
	const char *const *environ_; /* the caller's */
	struct engine
	    *engine; /* asked who it is once, by the first that needs it */
	int status; /* what the program ends with when run() returns 0 */
};

enum cmd_needs {
	CMD_NEED_SETTINGS = 1 << 0, /* paths and settings are loaded */
	CMD_SHOW_SETTINGS = 1 << 1, /* --help lists all settings */
	CMD_NEED_SETUID = 1 << 2, /* starts set-id helpers (newuidmap) */
};

struct cmd {
	const char *name;
	const char *args; /* "[DIR] [-- CMD...]" */
	const char *summary;
	const char *description; /* paragraphs for --help; may be NULL */
	unsigned needs;
	const struct optdef *options; /* ended by a row without a name */
	size_t options_size; /* of the command's option struct */
	/*
	 * argv holds the operands (after the options); those behind "--" are
	 * argv[dashdash..argc-1], dashdash is argc when there was none.
	 * options is a zeroed, filled struct of options_size bytes.
	 */
	int (*run)(struct context *ctx, const void *options, int argc,
	    char **argv, int dashdash, struct diag *dg);
};

/* All commands in the order of --help, ended by NULL. */
const struct cmd *const *cmd_table(void);

extern const struct cmd cmd_run;
extern const struct cmd cmd_shell;
extern const struct cmd cmd_new;
extern const struct cmd cmd_attach;
extern const struct cmd cmd_list;
extern const struct cmd cmd_stop;
extern const struct cmd cmd_exec;
extern const struct cmd cmd_logs;
extern const struct cmd cmd_gc;
extern const struct cmd cmd_build;
extern const struct cmd cmd_plan;
extern const struct cmd cmd_setup;
extern const struct cmd cmd_sync;
extern const struct cmd cmd_token;
extern const struct cmd cmd_config;
extern const struct cmd cmd_help;
extern const struct cmd cmd_version;

/* Of the program that companion_start() starts; argv: ID PROCESS. */
int cmd_companion(int argc, char **argv, struct diag *dg);

#endif /* DRYDOCK_CMD_H */
