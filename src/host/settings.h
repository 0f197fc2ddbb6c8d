/* SPDX-License-Identifier: MIT */
/*
 * settings: one table for drydock.conf, DRYDOCK_* variables and options.
 *
 * Each row has a name (memory), a type, bounds, a default and a help text.  The
 * variable (DRYDOCK_MEMORY) and the option (--memory) follow from the name.
 * The parser, `drydock config`, --help, the completions and the man page checks
 * read the table.
 *
 * Precedence, highest first: option, environment, the project's own file,
 * drydock.conf, default.
 */
#ifndef DRYDOCK_SETTINGS_H
#define DRYDOCK_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strvec.h"

struct diag;
struct paths;
struct project;
struct strbuf;

/* Where a value comes from; a later source beats an earlier one. */
enum settings_source {
	SETTINGS_DEFAULT,
	SETTINGS_FILE, /* drydock.conf */
	SETTINGS_PROJECT, /* the project's drydock.conf */
	SETTINGS_ENVIRONMENT,
	SETTINGS_OPTION,
};

#define SETTINGS_MAX 64 /* rows of the table */

struct settings {
	char *engine; /* "" or a socket path, or a unix:// URL */
	char *docker; /* "" or the absolute path of the program */
	char *compose; /* "" or the absolute path of the program */
	char *base_image;
	char *ca_file; /* owned */
	struct strvec packages; /* added to the agent image */
	struct strvec toolchains; /* names (host/toolchain.h) */
	int64_t memory; /* bytes */
	int64_t cpus_milli; /* thousandths of a CPU; 0: all of the host's */
	int64_t pids;
	int64_t tmp_size; /* bytes */
	int64_t shm_size;
	int64_t disk_warn; /* bytes of a session's home; 0: never */
	int64_t files_warn; /* entries of a session's home; 0: never */
	/* retention of outcomes of ended sessions; 0: none */
	int64_t keep_ended_ms;
	struct strvec pass_env; /* names of variables passed at exec */
	int64_t engine_timeout_ms; /* one engine query */
	/* until compose up is done and the session ready */
	int64_t launch_timeout_ms;
	int64_t build_timeout_ms;
	char *agent; /* name, or "" */
	bool agent_hosts; /* the agent's own hosts are open */
	char *upstream_proxy; /* "" or http://HOST:PORT (host/allowlist.h) */
	struct strvec agent_version; /* [AGENT@]VERSION */
	char *mode; /* as written, or ""; mode_resolve() reads it */
	bool clipboard; /* sessions may read and write the terminal's */
	char *detach_key; /* "ctrl-\\", or "none" */
	int64_t sync_max_json; /* bytes of one JSON document */
	int64_t sync_max_size; /* bytes of all files */
	int64_t sync_max_files; /* files, directories and links */
	struct strvec seed_leave_out; /* paths below the home */
	/* contained sessions may connect to sockets in the project */
	bool project_sockets;
	bool ssh_agent; /* contained sessions may use the user's ssh agent */
	struct strvec ssh_keys; /* fingerprints of the usable keys */
	struct strvec binds; /* PATH or PATH:ro; overlays may bind these */
	unsigned char sources[SETTINGS_MAX]; /* settings_source, by row */
	bool cache; /* sessions have a slot for their toolchains' caches */
	int64_t cache_size; /* bytes of all slots; 0: no limit */
	int64_t cache_seed; /* bytes that fill a new slot; 0: none */
	int64_t cache_days; /* since the last use of a slot; 0: no limit */
	bool of_project; /* the project has its own settings file */
};

enum setting_type {
	SETTING_STRING,
	SETTING_WORDS, /* separated by blanks or commas */
	SETTING_INT,
	SETTING_SIZE, /* 512m, 4g; stored in bytes */
	SETTING_CPUS, /* 1.5; stored in thousandths */
	SETTING_DURATION, /* 15s, 2m, 500ms; stored in milliseconds */
	SETTING_BOOL, /* yes or no */
};

struct setting {
	const char *name; /* as in drydock.conf: engine_timeout */
	enum setting_type type;
	size_t offset; /* in struct settings */
	int64_t min, max; /* of the stored value; for numbers */
	const char *fallback; /* the default, as written in drydock.conf */
	const char *values; /* placeholder for help: "SIZE", "yes|no" */
	/*
	 * Checks a string, or each word of a list.  Returns NULL when it is
	 * valid, else static text that describes the error.  NULL: no check.
	 */
	const char *(*check)(const char *value);
	const char *help;
	bool per_project; /* a project's own settings file may set it */
};

/* The table, ended by a row whose name is NULL. */
const struct setting *settings_table(void);

/* The row of that name, or NULL. */
const struct setting *settings_find(const char *name);

void settings_init(struct settings *s); /* the defaults */
void settings_release(struct settings *s);

/*
 * Reads drydock.conf and then the environment over the defaults.  An absent
 * file is skipped.  An unknown key, an unknown DRYDOCK_ variable or a bad value
 * is DIAG_CONFIG; the message has the origin, and the nearest name for an
 * unknown one.  An empty variable counts as unset.  DRYDOCK, DRYDOCK_VERSION
 * and DRYDOCK_SESSION (set in sessions) and DRYDOCK_TEST_* (set by tests) are
 * ignored.
 */
int settings_load(struct settings *s, const struct paths *paths,
    const char *const *environ_, struct diag *dg);

/*
 * Reads projects/KEY/drydock.conf of the configuration directory over *s.  An
 * absent file is skipped.  A key that cannot be set for one project is
 * DIAG_CONFIG.
 */
int settings_load_project(struct settings *s, const struct paths *paths,
    const struct project *project, struct diag *dg);

/* Its name, for project_file() (host/project.h). */
#define SETTINGS_FILE_NAME "drydock.conf"

/* Returns the source of the value of the setting with this name. */
enum settings_source settings_source(
    const struct settings *s, const char *name);

/* Returned: the long option of a setting, without the two dashes before it. */
char *settings_option_name(const char *setting);

/*
 * Returned: where the value of a row comes from: "default", the path of a file,
 * a variable or an option.
 */
char *settings_source_text(const struct settings *s, const struct setting *row,
    const struct paths *paths, const struct project *project);

/*
 * Parses the text of a drydock.conf (host/conffile.h) of at most
 * SETTINGS_FILE_MAX bytes.  Each key occurs at most once.  name is the file's
 * name in messages.
 */
#define SETTINGS_FILE_MAX ((size_t)64 << 10)
int settings_parse(struct settings *s, enum settings_source source,
    const char *name, const char *text, size_t len, struct diag *dg);

/*
 * Sets one setting by name, unless a later source has set it.  origin
 * ("--memory", "drydock.conf:3") is for messages.  An unknown name, a bad value
 * and a project's setting that cannot be set for one project are DIAG_CONFIG
 * and change nothing.
 */
int settings_set(struct settings *s, enum settings_source source,
    const char *name, const char *value, const char *origin, struct diag *dg);

/*
 * Appends "name = value" without a line end.  settings_parse() reads the lines
 * of all rows back unchanged.
 */
void settings_print_row(
    const struct settings *s, const struct setting *row, struct strbuf *out);

/* Appends one value as written in drydock.conf, without quotes. */
void settings_print_value(
    const struct settings *s, const struct setting *row, struct strbuf *out);

#define cleanup_settings __attribute__((cleanup(settings_release)))

#endif /* DRYDOCK_SETTINGS_H */
