/* SPDX-License-Identifier: MIT */
/* table: finds commands and prints the contents of the tables. */
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

/* Append the output of `drydock help` and of `drydock help NAME`. */
void table_help(struct strbuf *out);
void table_help_command(const struct cmd *cmd, struct strbuf *out);

/*
 * Handles the options that completions and tests use: --list-commands,
 * --list-options CMD, --list-settings (name, default, placeholder, and
 * "project" if a project's own file may have it, else "user"; separated by
 * tabs), --list-statuses (status and meaning) and --list-floors (program and
 * oldest version).  argv[0] is the option.
 */
int table_list(int argc, char **argv, struct strbuf *out, struct diag *dg);

#endif /* DRYDOCK_TABLE_H */
