/* SPDX-License-Identifier: MIT */
/*
 * answer: checks the result of a docker or Compose command: its completeness,
 * its exit status and its output.  Reads what several answers have in common.
 */
#ifndef DRYDOCK_ANSWER_H
#define DRYDOCK_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct json;
struct proc_result;
struct strbuf;
struct strvec;

#define CONTAINER_ID_LEN 64

/*
 * Appends the program and its subcommand: "docker buildx version".  Returns the
 * last word, or NULL if there is no subcommand.
 */
const char *answer_command_name(const char *const *argv, struct strbuf *out);

/*
 * Returns 0 if the child exited within its deadline and its output limits, with
 * any exit status.  Otherwise fails with DIAG_ENGINE; the message names the
 * command and the setting.
 */
int answer_is_whole(const char *const *argv, const struct proc_result *result,
    int timeout_ms, struct diag *dg);

/*
 * Sets DIAG_ENGINE for a nonzero exit status and returns -1.  The message has
 * advice for a known error, or the status.  The detail is the child's stderr.
 */
int answer_failed(
    const char *const *argv, const struct proc_result *result, struct diag *dg);

/* Returns advice (static) for a known error message of the engine, or NULL. */
const char *answer_advice(const char *words);

/* Returns true for exactly 64 lower-case hex digits. */
bool answer_is_container_id(const char *s);
/* Returns true for "sha256:" followed by 64 lower-case hex digits. */
bool answer_is_image_id(const char *s);

/* json_parse() of an answer of the engine: a malformed one is DIAG_ENGINE. */
int answer_parse(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg);

struct version {
	int major;
	int minor;
};

/*
 * Parses "MAJOR.MINOR" with an optional "v" before it and any text after it
 * ("26.1.5+dfsg1", "v2.20.0", "2.26.1-4").  Returns false for anything else.
 */
bool version_parse(const char *text, struct version *ret_version);

/* Returns true if a is older than b. */
bool version_before(struct version a, struct version b);

/*
 * Both append to out.  null or an absent value is an empty list.  They return
 * false if a value is not a string.  Labels are appended as NAME=VALUE.
 */
bool answer_read_strings(const struct json *array, struct strvec *out);
bool answer_read_labels(const struct json *object, struct strvec *out);

#endif /* DRYDOCK_ANSWER_H */
