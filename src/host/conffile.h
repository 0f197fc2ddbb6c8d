/* SPDX-License-Identifier: MIT */
/*
 * conffile: the syntax of drydock.conf, and a change of one of its lines.
 *
 * Each line is "key = value".  # starts a comment at the start of a line or
 * after a blank.  A value may be in double quotes, where \" and \\ are escapes.
 */
#ifndef DRYDOCK_CONFFILE_H
#define DRYDOCK_CONFFILE_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "host/text.h"

struct diag;

struct conf_entry {
	struct strbuf line; /* without surrounding blanks */
	struct strbuf value; /* without quotes */
	char *key; /* owned */
};

#define CONF_ENTRY_INIT                        \
	{                                      \
		STRBUF_INIT, STRBUF_INIT, NULL \
	}

/*
 * Stores the next line's key and value.  Returns 1, 0 at the end, or -1 with
 * DIAG_CONFIG "NAME:LINE: why".
 */
int conffile_next(
    struct lines *lines, struct conf_entry *entry, struct diag *dg);

/*
 * Replaces the value in key's line of text, or removes the line (value NULL).
 * An absent key is appended.  Comments, blanks and the other lines stay as they
 * are.  *ret_found is true if the key had a line.  Other errors in text do not
 * matter here.  name is the file's name in messages.
 */
int conffile_edit(struct strbuf *text, const char *name, const char *key,
    const char *value, bool *ret_found, struct diag *dg);

/* Appends value, in quotes if it needs them. */
void conffile_quote(const char *value, struct strbuf *out);

void conf_entry_release(struct conf_entry *entry);

#define cleanup_conf_entry __attribute__((cleanup(conf_entry_release)))

#endif /* DRYDOCK_CONFFILE_H */
