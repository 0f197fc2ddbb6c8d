/* SPDX-License-Identifier: MIT */
/*
 * limitsmet: the limits that a session's command met.
 *
 * The holder reads them from the kernel and writes them to run/
 * (guest/limits.h).  The agent can write there too, so the values are for
 * messages only.
 */
#ifndef DRYDOCK_LIMITSMET_H
#define DRYDOCK_LIMITSMET_H

#include <stddef.h>
#include <stdint.h>

struct strbuf;

enum limitsmet_kind {
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

/* Returns the name of a kind in the holder's file and in drydock's own. */
const char *limitsmet_name(enum limitsmet_kind kind);

#endif /* DRYDOCK_LIMITSMET_H */
