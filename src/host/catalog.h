/* SPDX-License-Identifier: MIT */
/*
 * catalog: the JSON files that describe agents and toolchains, one file each.
 *
 * The shipped files are in PREFIX/share/drydock/agents/ and toolchains/.  The
 * user's files are in the directories of the same names in the configuration
 * directory; host/trusted.h states the checks on them.  A user's file replaces
 * the shipped file of the same name.  A project cannot supply a file.
 *
 * A file has at most 64 KiB.
 */
#ifndef DRYDOCK_CATALOG_H
#define DRYDOCK_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/strbuf.h"

struct allowlist;
struct json;
struct paths;
struct strvec;

struct catalog {
	const char *folder; /* "agents" */
	const char *noun; /* "agent", for messages */
	enum diag_class unknown; /* class of the failure for an unknown name */
};

extern const struct catalog catalog_agents;
extern const struct catalog catalog_toolchains;

struct catalog_file {
	struct strbuf text;
	/* owned; "agents/NAME.json", or the path of the user's file */
	char *label;
	bool replaces; /* the user's file replaces a shipped one */
};

#define CATALOG_FILE_INIT           \
	{                           \
		.text = STRBUF_INIT \
	}

/*
 * Returns true for 1 to 64 characters of [a-z0-9-] that do not start with a
 * dash.
 */
bool catalog_is_name(const char *name);

/* Appends all known names, sorted by bytes, without duplicates. */
int catalog_list(const struct catalog *catalog, const struct paths *paths,
    struct strvec *ret_names, struct diag *dg);

/*
 * Reads the file of that name.  An invalid or unknown name fails with the class
 * catalog->unknown, and the message lists the known names.
 */
int catalog_read(const struct catalog *catalog, const char *name,
    const struct paths *paths, struct catalog_file *ret_file, struct diag *dg);
void catalog_file_release(struct catalog_file *file);

/*
 * One key of an object, and how its value is stored in *into, the struct that
 * the object is read into.
 */
struct catalog_field {
	const char *key;
	size_t offset; /* in *into, of the member; 0: read fills several */
	/*
	 * Reads the value into that member.  NULL: the member is a struct
	 * strvec, and the value a list of words.
	 */
	int (*read)(void *member, const char *key, const struct json *value,
	    struct diag *dg);
	/*
	 * Checks each word of that list.  Returns NULL when it is valid, else
	 * static text that describes the error.  NULL: no check.
	 */
	const char *(*check)(const char *word);
};

/*
 * Parses the text of a file, an object of the keys in fields.  label is the
 * file's name in messages.  Failures are DIAG_CONFIG "LABEL: KEY: why".
 */
int catalog_parse(const char *label, const char *text, size_t len,
    const struct catalog_field *fields, size_t nfields, void *into,
    struct diag *dg);

/* The same for an object in a file.  Failures are DIAG_CONFIG "KEY: why". */
int catalog_read_object(const struct json *object,
    const struct catalog_field *fields, size_t nfields, void *into,
    struct diag *dg);

/*
 * Readers of fields.  The member is a char * for a path below the home and for
 * text that is not empty (owned; replaced), and a struct strvec for allowlist
 * lines.  Failures are DIAG_CONFIG "KEY: why".
 */
int catalog_read_path(
    void *member, const char *key, const struct json *value, struct diag *dg);
int catalog_read_text(
    void *member, const char *key, const struct json *value, struct diag *dg);
int catalog_read_hosts(
    void *member, const char *key, const struct json *value, struct diag *dg);

/* Appends a list of words.  check is as in a field. */
int catalog_read_list(const struct json *value, const char *key,
    const char *(*check)(const char *word), struct strvec *ret_list,
    struct diag *dg);

#define cleanup_catalog_file __attribute__((cleanup(catalog_file_release)))

#endif /* DRYDOCK_CATALOG_H */
