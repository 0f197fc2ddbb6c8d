/* SPDX-License-Identifier: MIT */
/*
 * answer: what docker and Compose said, and whether it can be relied on.
 */
#ifndef DRYDOCK_ANSWER_H
#define DRYDOCK_ANSWER_H

#include <stdbool.h>

struct diag;
struct proc_result;
struct strbuf;

#define CONTAINER_ID_LEN 64

/* Program and subcommand of a command line: "docker buildx version". */
void answer_command_name(const char *const *argv, struct strbuf *out);

/*
 * 0 for a child that ended by itself within its deadline and its bounds,
 * whatever its status; else DIAG_ENGINE, naming the command and the setting.
 */
int answer_is_whole(const char *const *argv, const struct proc_result *result,
    int timeout_ms, struct diag *dg);

/* DIAG_ENGINE for a status that is not 0, with the words and what to do. */
int answer_failed(
    const char *const *argv, const struct proc_result *result, struct diag *dg);

/* What to do about well-known words of the engine's; NULL if none is known. */
const char *answer_advice(const char *words);

/* Exactly 64 lower-case hex digits. */
bool answer_is_container_id(const char *s);
/* "sha256:" and 64 of them. */
bool answer_is_image_id(const char *s);

#endif /* DRYDOCK_ANSWER_H */
