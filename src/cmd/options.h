/* SPDX-License-Identifier: MIT */
/*
 * options: one parser for the option tables of all commands.
 *
 * --name VALUE, --name=VALUE, -n VALUE, -nVALUE and bundled flags (-ab) may
 * stand before, between and behind operands, up to "--".  Every command takes
 * -h, --help, -q and --quiet (options_common).
 */
#ifndef DRYDOCK_OPTIONS_H
#define DRYDOCK_OPTIONS_H

#include <stdbool.h>

#include "base/strvec.h"
#include "cmd/cmd.h"

struct diag;

struct options {
	void *values; /* owned; the command's option struct */
	char **argv; /* owned array, borrowed strings: the operands */
	int argc;
	int dashdash; /* index of the first operand behind "--", or argc */
	bool help;
	bool quiet;
	struct strvec settings; /* name, value, name, value, ... */
};

#define OPTIONS_INIT                                        \
	{                                                   \
		NULL, NULL, 0, 0, false, false, STRVEC_INIT \
	}

/*
 * Parses argv, without program and command, with cmd's table.  An unknown
 * option, a missing value and a value for a flag are DIAG_USAGE; for an unknown
 * option the message has the nearest name.  The strings of argv must outlive
 * ret_options.
 */
int options_parse(const struct cmd *cmd, int argc, char **argv,
    struct options *ret_options, struct diag *dg);

/* Sets the settings among the options in s.  A bad value is DIAG_USAGE. */
int options_apply(
    const struct options *options, struct settings *s, struct diag *dg);

/* The options that every command takes, unless it has its own of that name. */
extern const struct optdef options_common[];

/*
 * Returns the first row with this name (NULL: any name with this letter), or
 * NULL.  rows may be NULL.
 */
const struct optdef *options_find(
    const struct optdef *rows, const char *name, char letter);

void options_release(struct options *options);

#define cleanup_options __attribute__((cleanup(options_release)))

#endif /* DRYDOCK_OPTIONS_H */
