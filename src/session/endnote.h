/* SPDX-License-Identifier: MIT */
/*
 * endnote: what the holder notes in run/: that the command has ended, and the
 * limits that it met, which the holder reads from the kernel (guest/limits.h).
 *
 * The agent can write to run/, so the limits are for messages only.  An agent
 * that forges a note ends its own session, as it could by exiting.  An agent
 * that removes the note, or puts something else in its place, keeps its session
 * from counting as ended.  Read permission that the agent removed is restored.
 */
#ifndef DRYDOCK_ENDNOTE_H
#define DRYDOCK_ENDNOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;
struct strbuf;

/*
 * Reads the note.  *ret_noted is true when the note exists and has a status, 0
 * to 255, in *ret_status.  Anything else at its place counts as no note.  An
 * existing note that cannot be read is a failure.
 */
int endnote_read(
    int session_fd, bool *ret_noted, int *ret_status, struct diag *dg);

enum {
	LIMIT_MEMORY,
	LIMIT_PIDS,
	LIMIT_TMP,
	LIMITS_NR
};

struct limitsmet {
	int64_t count[LIMITS_NR]; /* 0: the limit was not met */
	int64_t limit[LIMITS_NR]; /* bytes or processes; 0: unknown */
};

/* Ignores lines that cannot be parsed. */
void limitsmet_parse(struct limitsmet *met, const char *text, size_t len);

/*
 * Reads the file in run/ of the session in session_fd.  Without a file, no
 * limit counts as met.
 */
void limitsmet_read(struct limitsmet *met, int session_fd);

/*
 * Appends a text for each limit that was met, separated by "; ".  Appends
 * nothing if there is none.  status is the command's exit status, or -1.
 */
void limitsmet_describe(
    const struct limitsmet *met, int status, struct strbuf *out);

/* Returns the name of a limit in the holder's file and in drydock's own. */
const char *limitsmet_name(size_t kind);

#endif /* DRYDOCK_ENDNOTE_H */
