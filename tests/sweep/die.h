/* SPDX-License-Identifier: MIT */
/* die: what fails in the harness itself ends it. */
#ifndef DRYDOCK_TESTS_DIE_H
#define DRYDOCK_TESTS_DIE_H

/* A status that no drydock has. */
#define DIE_STATUS 99

/* Prints the words and errno's, and ends with DIE_STATUS. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* DRYDOCK_TESTS_DIE_H */
