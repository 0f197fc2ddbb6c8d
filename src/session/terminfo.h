/* SPDX-License-Identifier: MIT */
/*
 * terminfo: copies the host's terminfo entry of the caller's terminal.
 */
#ifndef DRYDOCK_SESSION_TERMINFO_H
#define DRYDOCK_SESSION_TERMINFO_H

struct paths;

/*
 * Copies the entry for TERM into .terminfo of a session's home, unless the home
 * has one.  The entry must be compiled, must belong to the caller or root, and
 * must be in a place that ncurses searches (terminfo(5)).  Without such an
 * entry nothing happens.  A failed write is a warning.
 */
void terminfo_carry(
    const struct paths *paths, const char *const *environ_, int home_fd);

#endif /* DRYDOCK_SESSION_TERMINFO_H */
