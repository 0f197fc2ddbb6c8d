/* SPDX-License-Identifier: MIT */
/*
 * table: looks commands up, and shows what the tables hold.
 */
#ifndef DRYDOCK_TABLE_H
#define DRYDOCK_TABLE_H

#include "cmd/cmd.h"

struct diag;
struct strbuf;

/* The command of that name; none is DIAG_USAGE with the nearest name. */
int table_find(const char *name, const struct cmd **ret_cmd, struct diag *dg);

/* Appends what `drydock help` and `drydock help NAME` print. */
void table_help(struct strbuf *out);
void table_help_command(const struct cmd *cmd, struct strbuf *out);

/*
 * Answers --list-commands, --list-options CMD, --list-settings (name, default
 * and what to write, separated by tabs), --list-statuses (status and meaning)
 * and --list-floors (program and oldest version): what completions and tests
 * read.  argv[0] is the word.
 */
int table_list(int argc, char **argv, struct strbuf *out, struct diag *dg);

#endif /* DRYDOCK_TABLE_H */
