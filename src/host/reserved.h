/* SPDX-License-Identifier: MIT */
/*
 * reserved: variables that neither overlays nor pass_env may set.
 *
 * They make a shell, an interpreter, the dynamic linker, git or the agent load
 * other code, or they are what a session's guardrails stand on.  One table has
 * those that concern each agent; the files of agents and of toolchains add their
 * own (reserved_env).  All of them count in each session: somebody may run
 * another agent there, or install another toolchain.
 *
 * A pattern is a name, or the start of names with * behind it, or the end of
 * names with * before it.  Case does not count.
 */
#ifndef DRYDOCK_RESERVED_H
#define DRYDOCK_RESERVED_H

#include <stdbool.h>

struct diag;
struct paths;
struct strvec;

/* The i-th pattern of the table, or NULL. */
const char *reserved_pattern(unsigned i);

/* Appends all patterns: the table's, the agents' and the toolchains'. */
int reserved_load(
    const struct paths *paths, struct strvec *ret_patterns, struct diag *dg);

bool reserved_is_pattern(const char *word);
bool reserved_matches(const char *pattern, const char *name);

/* DIAG_CONFIG that names the first of pass_env's names that is reserved. */
int reserved_check_passed(
    const struct strvec *names, const struct paths *paths, struct diag *dg);

#endif /* DRYDOCK_RESERVED_H */
