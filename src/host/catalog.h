/* SPDX-License-Identifier: MIT */
/*
 * catalog: the JSON files that describe agents and toolchains, one for each.
 *
 * What is shipped is in PREFIX/share/drydock/agents/ and toolchains/; the user's
 * own files are in the folders of the same names in the configuration directory,
 * and are read as host/trusted.h says.  A file of the user's replaces a shipped
 * one of the same name.  A project has no say.
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
	enum diag_class unknown; /* the failure for a name without a file */
};

extern const struct catalog catalog_agents;
extern const struct catalog catalog_toolchains;

struct catalog_file {
	struct strbuf text;
	char *label; /* owned; "agents/NAME.json", or the user's own path */
	bool replaces; /* the user's own, in place of a shipped one */
};

#define CATALOG_FILE_INIT           \
	{                           \
		.text = STRBUF_INIT \
	}

/* [a-z0-9-], at most 64 of them, no dash at the start. */
bool catalog_is_name(const char *name);

/* Appends the names there are, sorted by bytes, each once. */
int catalog_list(const struct catalog *catalog, const struct paths *paths,
    struct strvec *ret_names, struct diag *dg);

/*
 * Reads a file.  A name that is none or has no file is of the class
 * catalog->unknown, and the message lists the names there are.
 */
int catalog_read(const struct catalog *catalog, const char *name,
    const struct paths *paths, struct catalog_file *ret_file, struct diag *dg);
void catalog_file_release(struct catalog_file *file);

/*
 * Readers of values that agents and toolchains have alike.  Each appends to
 * *ret_list; failures are DIAG_CONFIG "KEY: why".
 */
int catalog_read_list(const struct json *value, const char *key,
    struct strvec *ret_list, struct diag *dg);
int catalog_read_hosts(
    const struct json *value, struct strvec *ret_hosts, struct diag *dg);
int catalog_read_reserved(
    const struct json *value, struct strvec *ret_patterns, struct diag *dg);

#define cleanup_catalog_file __attribute__((cleanup(catalog_file_release)))

#endif /* DRYDOCK_CATALOG_H */
