/* SPDX-License-Identifier: MIT */
/*
 * options: one parser for the option tables of all commands.
 *
 * --name VALUE, --name=VALUE, -n VALUE, -nVALUE and bundled flags (-ab) may
 * stand before, between and behind operands, up to "--".  -h, --help, -q
 * and --quiet are known to every command.
 */
#ifndef DRYDOCK_OPTIONS_H
#define DRYDOCK_OPTIONS_H

#include <stdbool.h>

#include "base/strvec.h"
#include "cmd/cmd.h"

struct diag;
struct strbuf;

struct options {
	void *values; /* owned; the command's option struct, filled */
	char **argv; /* owned array, borrowed strings: the operands */
	int argc;
	int dashdash; /* where the operands behind "--" start, or argc */
	bool help;
	bool quiet;
	struct strvec settings; /* name, value, name, value, ... */
};

#define OPTIONS_INIT                                        \
	{                                                   \
		NULL, NULL, 0, 0, false, false, STRVEC_INIT \
	}

/*
 * Parses argv, without program and command, against cmd's table.  Anything
 * unknown, a missing value or one too many is DIAG_USAGE, with the nearest
 * name.  argv's strings must outlive ret_options.
 */
int options_parse(const struct cmd *cmd, int argc, char **argv,
    struct options *ret_options, struct diag *dg);

/* Puts the settings among the options over s; a bad value is DIAG_USAGE. */
int options_apply(
    const struct options *options, struct settings *s, struct diag *dg);

/* Returned: the long option of a setting, without dashes. */
char *options_setting_name(const char *setting);

/* Appends each option that cmd takes, a line each: "-n", "--name". */
void options_list(const struct cmd *cmd, struct strbuf *out);

void options_release(struct options *options);

#define cleanup_options __attribute__((cleanup(options_release)))

#endif /* DRYDOCK_OPTIONS_H */
