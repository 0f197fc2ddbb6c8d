/* SPDX-License-Identifier: MIT */
/*
 * check: the smallest checker that speaks TAP.
 *
 * A test program lists its tests in a table and returns check_run() from
 * main().  A failed check prints file:line, got and want, marks the test that
 * runs as failed and lets it go on, so a table-driven test reports every bad
 * row.  Checks return whether they held.
 */
#ifndef DRYDOCK_TESTS_CHECK_H
#define DRYDOCK_TESTS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct check_test {
	const char *name; /* a sentence */
	void (*run)(void);
};

/* Runs all n tests in order; the status for main(), 0 if all passed. */
int check_run(const struct check_test *tests, size_t n);

/* Ends the running test as skipped if nothing failed in it; say why. */
void check_skip(const char *reason);

/* An empty directory for the running test, removed after it; borrowed. */
const char *check_tmpdir(void);

/*
 * Ends the program with SIGPROF once the running test has had more seconds of a
 * processor than these: for input that must not take quadratic time.
 */
void check_processor_limit(unsigned int seconds);

/* Returns true in check --full, where what is nearly repetition runs, too. */
bool check_all_cases(void);

/* Runs print(arg).  Returned: what it wrote to stderr, at most 4096 bytes. */
char *check_stderr(void (*print)(void *arg), void *arg);

bool check_true(const char *file, int line, const char *what, bool got);
bool check_int(
    const char *file, int line, const char *what, intmax_t got, intmax_t want);
bool check_str(const char *file, int line, const char *what, const char *got,
    const char *want);
bool check_has(const char *file, int line, const char *what, const char *got,
    const char *part);

#define CHECK(cond) check_true(__FILE__, __LINE__, #cond, (cond))
#define CHECK_INT(got, want) \
	check_int(__FILE__, __LINE__, #got, (intmax_t)(got), (intmax_t)(want))
/* NULL equals NULL and nothing else. */
#define CHECK_STR(got, want) check_str(__FILE__, __LINE__, #got, (got), (want))
/* A text that may be NULL has the part. */
#define CHECK_HAS(got, part) check_has(__FILE__, __LINE__, #got, (got), (part))

#endif /* DRYDOCK_TESTS_CHECK_H */
