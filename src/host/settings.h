/* SPDX-License-Identifier: MIT */
/*
 * settings: one table for drydock.conf, DRYDOCK_* variables and options.
 *
 * Each row has a name (memory), from which the variable (DRYDOCK_MEMORY) and
 * the option (--memory) follow, a type, bounds, a default and a help text; the
 * parser, `drydock config`, --help, completions and man page read it.
 * An option beats the environment, which beats the project's own file, which
 * beats drydock.conf, which beats the default.
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

struct settings {
	char *engine; /* "" or a socket path, or a unix:// URL */
	char *docker; /* "" or the absolute path of the program */
	char *compose; /* the same */
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
	int64_t files_warn; /* entries in it; 0: never */
	int64_t keep_ended_ms; /* outcomes of ended sessions; 0: not kept */
	struct strvec pass_env; /* names of variables handed over at exec */
	int64_t engine_timeout_ms; /* one engine query */
	int64_t launch_timeout_ms; /* compose up, and ready */
	int64_t build_timeout_ms;
	char *agent; /* name of the default agent */
	char *mode; /* as written or "": mode_resolve() reads it */
	bool clipboard; /* let the agent's terminal write the clipboard */
	char *detach_key; /* "ctrl-\\", or "none" */
	int64_t sync_max_json; /* bytes of one JSON document */
	int64_t sync_max_size; /* bytes of all files */
	int64_t sync_max_files; /* files, directories and links */
	struct strvec seed_leave_out; /* paths below the home */
	bool project_sockets; /* contained sessions may connect to them */
	struct strvec binds; /* PATH or PATH:ro, that overlays may bind */
	/* Rows that were set since the defaults or the file, a bit each. */
	uint64_t given;
	bool of_project; /* the project has a file of its own */
};

enum setting_type {
	SETTING_STRING,
	SETTING_WORDS, /* separated by blanks or commas */
	SETTING_INT,
	SETTING_SIZE, /* 512m, 4g; bytes inside */
	SETTING_CPUS, /* 1.5; thousandths inside */
	SETTING_DURATION, /* 15s, 2m, 500ms; milliseconds inside */
	SETTING_BOOL, /* yes or no */
};

struct setting {
	const char *name; /* as in drydock.conf: engine_timeout */
	enum setting_type type;
	size_t offset; /* in struct settings */
	int64_t min, max; /* of the inside value; for numbers */
	const char *fallback; /* as one would write it */
	const char *values; /* what to write, for help: "SIZE", "yes|no" */
	/*
	 * NULL, or for a string, or each of the words: what is wrong with it,
	 * static text; NULL when nothing is.
	 */
	const char *(*check)(const char *value);
	const char *help;
	bool per_project; /* a project's own file may set it */
};

/* The table, ended by a row whose name is NULL. */
const struct setting *settings_table(void);

/* The row of that name, or NULL. */
const struct setting *settings_find(const char *name);

void settings_init(struct settings *s); /* the defaults */
void settings_release(struct settings *s);

/*
 * Reads drydock.conf (absent: nothing) and the environment over the defaults.
 * An unknown key, an unknown DRYDOCK_ variable or a bad value is DIAG_CONFIG
 * with file, line and the nearest name.  An empty variable counts as unset;
 * DRYDOCK, DRYDOCK_VERSION and DRYDOCK_SESSION (which sessions have) and
 * DRYDOCK_TEST_* (the tests') are left alone.
 */
int settings_load(struct settings *s, const struct paths *paths,
    const char *const *environ_, struct diag *dg);

/*
 * Reads projects/KEY/drydock.conf of the configuration directory over what is
 * there (absent: nothing), except for what the environment or an option set.
 * A key that is not for one project is DIAG_CONFIG.
 */
int settings_load_project(struct settings *s, const struct paths *paths,
    const struct project *project, struct diag *dg);

/* Returned: where that file is. */
char *settings_project_file(
    const struct paths *paths, const struct project *project);

/*
 * Parses a whole drydock.conf of at most 64 KiB: "key = value" lines, each key
 * once; # starts a comment at the start or after a blank; a value may stand in
 * double quotes, where \" and \\ are escapes.  name is for messages.
 */
int settings_parse(struct settings *s, const char *name, const char *text,
    size_t len, struct diag *dg);

/*
 * Sets one by its name; origin ("--memory", "drydock.conf:3") for messages.
 * An unknown name or a bad value is DIAG_CONFIG and changes nothing.
 */
int settings_set(struct settings *s, const char *name, const char *value,
    const char *origin, struct diag *dg);

/*
 * Puts what own was given over *s, except for what *s was given; name is own's
 * file.  A key that is not for one project is DIAG_CONFIG and changes nothing.
 */
int settings_take_project(struct settings *s, struct settings *own,
    const char *name, struct diag *dg);

/* Appends "name = value" lines that settings_parse() reads back to the same. */
void settings_print(const struct settings *s, struct strbuf *out);

/* Appends one value as one would write it, without quotes. */
void settings_print_value(
    const struct settings *s, const struct setting *row, struct strbuf *out);

#define cleanup_settings __attribute__((cleanup(settings_release)))

#endif /* DRYDOCK_SETTINGS_H */
