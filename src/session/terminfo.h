/* SPDX-License-Identifier: MIT */
/*
 * terminfo: the host's compiled description of the caller's terminal.
 */
#ifndef DRYDOCK_SESSION_TERMINFO_H
#define DRYDOCK_SESSION_TERMINFO_H

struct paths;

/*
 * Copies the entry for TERM into ~/.terminfo of a session's home, unless one is
 * there.  An entry counts that ncurses would find (terminfo(5)), that is the
 * caller's or root's, and that is compiled.  Without one nothing happens.
 */
void terminfo_carry(
    const struct paths *paths, const char *const *environ_, int home_fd);

#endif /* DRYDOCK_SESSION_TERMINFO_H */
