/* SPDX-License-Identifier: MIT */
/*
 * cmd: one const object per subcommand.  The help text, the completions, the
 * man page checks and the parser read it.
 */
#ifndef DRYDOCK_CMD_H
#define DRYDOCK_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "host/paths.h"
#include "host/settings.h"

struct build_recipe;
struct diag;
struct engine;

enum opt_type {
	OPT_FLAG, /* bool */
	OPT_STRING, /* const char *, borrowed from argv */
	/*
	 * The same, but the value is optional; without one it is "".  The next
	 * word is the value only if it is ".", "..", or has a slash.
	 * --name=VALUE takes any value.
	 */
	OPT_OPTIONAL,
	OPT_SETTING, /* sets the setting of this name; offset is unused */
	OPT_COMMON, /* bool in struct options (cmd/options.h) */
};

/*
 * A command with CMD_NEED_SETTINGS takes every setting as an option
 * (engine_timeout as --engine-timeout TIME) without a row.  A row adds a
 * letter, or shows the option in the command's --help.
 */

struct optdef {
	const char *name; /* long name, without dashes */
	char letter; /* 0: none */
	enum opt_type type;
	size_t offset; /* in the command's own option struct */
	const char *arg; /* "IMAGE" for help; NULL for a flag */
	const char *help;
};

/* What main() prepares for a command; all pointers are borrowed. */
struct context {
	struct paths *paths;
	struct settings *settings;
	const char *const *environ_; /* the caller's environment */
	struct engine *engine; /* connected once, on first use */
	const void *options; /* the command's option struct; unset ones are 0 */
	/*
	 * The operands, ended by NULL.  Those behind "--" are
	 * argv[dashdash..argc-1]; dashdash is argc without a "--".
	 */
	char **argv;
	int argc;
	int dashdash;
	int status; /* exit status when run() returns 0 */
};

enum cmd_needs {
	CMD_NEED_SETTINGS = 1 << 0, /* paths and settings are loaded */
	CMD_SHOW_SETTINGS = 1 << 1, /* --help lists all settings */
	CMD_NEED_SETUID = 1 << 2, /* starts set-user-ID helpers (newuidmap) */
};

struct cmd {
	const char *name;
	const char *args; /* "[DIR] [-- CMD...]"; NULL: takes no operands */
	const char *summary;
	const char *description; /* paragraphs for --help; may be NULL */
	unsigned needs;
	const struct optdef *options; /* ended by a row whose name is NULL */
	size_t options_size; /* of the command's option struct */
	int (*run)(struct context *ctx, struct diag *dg);
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
extern const struct cmd cmd_port;
extern const struct cmd cmd_logs;
extern const struct cmd cmd_gc;
extern const struct cmd cmd_cache;
extern const struct cmd cmd_patch;
extern const struct cmd cmd_build;
extern const struct cmd cmd_plan;
extern const struct cmd cmd_prove;
extern const struct cmd cmd_reseal;
extern const struct cmd cmd_setup;
extern const struct cmd cmd_sync;
extern const struct cmd cmd_token;
extern const struct cmd cmd_config;
extern const struct cmd cmd_allow;
extern const struct cmd cmd_deny;
extern const struct cmd cmd_diff;
extern const struct cmd cmd_egress;
extern const struct cmd cmd_help;
extern const struct cmd cmd_version;

/* Builds both images, shows progress on stderr; an images_builder. */
int build_both(const struct engine *engine, const struct build_recipe *recipe,
    const char *const *environ_, struct diag *dg);

#endif /* DRYDOCK_CMD_H */
