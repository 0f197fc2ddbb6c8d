/* SPDX-License-Identifier: MIT */
/* home-kit: a HOME of the test's own. */
#ifndef DRYDOCK_TESTS_HOME_KIT_H
#define DRYDOCK_TESTS_HOME_KIT_H

/*
 * A real home below the temporary directory; HOME points at it, and nothing
 * else tells where things are.  Returned: its path.
 */
char *home_enter(void);

/* Returned: DIR/NAME. */
char *home_below(const char *dir, const char *name);

#endif /* DRYDOCK_TESTS_HOME_KIT_H */
