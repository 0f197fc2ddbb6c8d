/* SPDX-License-Identifier: MIT */
/*
 * reserved: variables that neither overlays nor pass_env may set.
 *
 * These variables make a shell, an interpreter, the dynamic linker, git or the
 * agent load other code, or the session's guardrails depend on them.  One table
 * has the variables that apply to all agents.  The files of agents and
 * toolchains add their own (reserved_env).  All of them apply to each session,
 * because a user may run another agent or install another toolchain in it.
 *
 * A pattern is a name, a prefix followed by *, or * followed by a suffix.  Case
 * does not count.
 */
#ifndef DRYDOCK_RESERVED_H
#define DRYDOCK_RESERVED_H

struct diag;
struct paths;
struct strvec;

/* Appends all patterns: those of the table, the agents and the toolchains. */
int reserved_load(
    const struct paths *paths, struct strvec *ret_patterns, struct diag *dg);

/* Returns NULL for a pattern, else static text that describes the error. */
const char *reserved_check_pattern(const char *word);

/*
 * Fails with DIAG_CONFIG when a name of pass_env is reserved; the message gives
 * the first one.  Table rows that pass_env may contain do not count.
 */
int reserved_check_passed(
    const struct strvec *names, const struct paths *paths, struct diag *dg);

#endif /* DRYDOCK_RESERVED_H */
