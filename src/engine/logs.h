/* SPDX-License-Identifier: MIT */
/* logs: the stdout and stderr of a container, as stored by the engine. */
#ifndef DRYDOCK_LOGS_H
#define DRYDOCK_LOGS_H

#include <stddef.h>

struct diag;
struct engine;
struct strbuf;

/*
 * Appends the last lines of each stream; lines is a decimal number.  An
 * incomplete answer is DIAG_ENGINE, and nothing is appended.
 */
int logs_ask(const struct engine *engine, const char *container_id,
    const char *lines, struct strbuf *out, struct strbuf *err, struct diag *dg);

/*
 * Splits the engine's log of a container without a terminal into its streams.
 * A frame has one byte for the stream, three zero bytes, a length of four bytes
 * (big endian), and the data.  For tests and fuzzing too.
 */
int logs_read(const char *data, size_t len, struct strbuf *out,
    struct strbuf *err, struct diag *dg);

/*
 * Adds the last 20 lines of both streams to the detail of a diag that is set.
 * If the log is not available, nothing is added.
 */
void logs_add(
    const struct engine *engine, const char *container_id, struct diag *dg);

#endif /* DRYDOCK_LOGS_H */
