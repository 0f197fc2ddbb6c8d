/* SPDX-License-Identifier: MIT */
/*
 * termfilter: everything that a container writes to one terminal of the user.
 *
 * A list says which control strings (OSC, DCS, APC) pass; any other is left
 * out, as are sequences that a terminal obeys long after (macros, keys,
 * printing, another character set) and wrappers that hand their content to an
 * outer terminal.  What passes is written in one form, whole, so that neither
 * a cut nor a second stream to the same terminal makes two harmless parts into
 * something else: one terminal has one filter.
 */
#ifndef DRYDOCK_TERMFILTER_H
#define DRYDOCK_TERMFILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "session/termmodes.h"
#include "session/vt.h"

struct strbuf;

struct termfilter {
	bool clipboard; /* may be written and read */
	/* Nobody would read an answer: what asks the terminal is left out. */
	bool silent;
	bool asked; /* the terminal was asked something */
	unsigned int asked_attributes; /* how often for DA1 */
	struct termmodes modes; /* that the stream left set */
	struct vt vt;
	struct strbuf *out; /* while one call lasts */
};

#define TERMFILTER_INIT                                               \
	{                                                             \
		false, false, false, 0, TERMMODES_INIT, VT_INIT, NULL \
	}

/* Appends what may be written of data to out; an incomplete end is kept. */
void termfilter_add(
    struct termfilter *f, const char *data, size_t len, struct strbuf *out);

void termfilter_release(struct termfilter *f);

#endif /* DRYDOCK_TERMFILTER_H */
