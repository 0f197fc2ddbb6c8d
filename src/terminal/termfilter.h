/* SPDX-License-Identifier: MIT */
/*
 * termfilter: filters everything that a container writes to one terminal of the
 * user.
 *
 * An allowlist selects the control strings (OSC, DCS, APC) that pass; all
 * others are dropped.  Also dropped are sequences with a late effect (macros,
 * keys, printing, another character set) and wrappers that pass their content
 * to an outer terminal.  Sequences are written whole and in one form.  Neither
 * a cut nor a second stream to the same terminal can therefore join two
 * harmless parts into something else.  For that reason one terminal has one
 * filter.
 */
#ifndef DRYDOCK_TERMFILTER_H
#define DRYDOCK_TERMFILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "terminal/termmodes.h"
#include "terminal/vt.h"

struct strbuf;

struct termfilter {
	bool clipboard; /* the program may write and read it */
	/* Answers would not be read: drop each query to the terminal. */
	bool silent;
	bool asked; /* the terminal may have been made to send input */
	unsigned int asked_attributes; /* number of DA1 queries */
	struct termmodes modes; /* modes that the stream left set */
	struct vt vt;
	struct strbuf *out; /* borrowed during one call */
};

#define TERMFILTER_INIT                                               \
	{                                                             \
		false, false, false, 0, TERMMODES_INIT, VT_INIT, NULL \
	}

/*
 * Appends the part of data that may be written to out.  An incomplete sequence
 * at the end is kept for the next call.
 */
void termfilter_add(
    struct termfilter *f, const char *data, size_t len, struct strbuf *out);

void termfilter_release(struct termfilter *f);

#endif /* DRYDOCK_TERMFILTER_H */
