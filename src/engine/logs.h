/* SPDX-License-Identifier: MIT */
/*
 * logs: what a container wrote to stdout and stderr, as the engine kept it.
 */
#ifndef DRYDOCK_LOGS_H
#define DRYDOCK_LOGS_H

#include <stddef.h>

struct diag;
struct engine;
struct strbuf;

/*
 * Appends the last lines (a number) of each stream.  An answer that is not
 * whole is DIAG_ENGINE, and nothing of it is appended.
 */
int logs_ask(const struct engine *engine, const char *container_id,
    const char *lines, struct strbuf *out, struct strbuf *err, struct diag *dg);

/*
 * Takes apart what the engine answers for a container without a terminal:
 * frames of one byte that names the stream, three zeros, a length of four bytes,
 * most significant first, and the data.  For tests and fuzzing too.
 */
int logs_read(const char *data, size_t len, struct strbuf *out,
    struct strbuf *err, struct diag *dg);

/*
 * Attaches the last lines of both streams to a diag that is set; a log that
 * cannot be had adds nothing.
 */
void logs_add(
    const struct engine *engine, const char *container_id, struct diag *dg);

#endif /* DRYDOCK_LOGS_H */
