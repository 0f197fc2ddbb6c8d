/* SPDX-License-Identifier: MIT */
/* table: finds commands and prints the contents of the tables, as help does. */
#ifndef DRYDOCK_TABLE_H
#define DRYDOCK_TABLE_H

#include "cmd/cmd.h"

struct diag;
struct strbuf;

/*
 * Finds the command of that name.  An unknown name is DIAG_USAGE with the
 * nearest one.
 */
int table_find(const char *name, const struct cmd **ret_cmd, struct diag *dg);

/* Appends the output of `drydock help NAME`. */
void table_help_command(const struct cmd *cmd, struct strbuf *out);

/*
 * Prints what completions and tests ask for: --list-commands, --list-options
 * CMD, --list-settings (name, default, placeholder, and "project" if a
 * project's own file may have it, else "user"; separated by tabs),
 * --list-statuses (status and meaning) and --list-floors (program and oldest
 * version).  argv[0] is the option.
 */
int table_list(int argc, char **argv, struct diag *dg);

#endif /* DRYDOCK_TABLE_H */
