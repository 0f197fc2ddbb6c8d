/* SPDX-License-Identifier: MIT */
/*
 * limitsmet: which limits a session's command met, as its holder read them
 * from the kernel and left them in run/ (guest/limits.h).
 *
 * The agent can write there, so that this is for messages alone.
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
	int64_t count[LIMITS_NR]; /* 0: not met */
	int64_t limit[LIMITS_NR]; /* bytes or processes; 0: not known */
};

/* What is not understood is left out. */
void limitsmet_parse(struct limitsmet *met, const char *text, size_t len);

/* From run/ of the session in session_fd; without a file nothing. */
void limitsmet_read(struct limitsmet *met, int session_fd);

/*
 * Appends what to tell of it, sentences separated by "; ", nothing without any.
 * status is the command's, or -1.
 */
void limitsmet_describe(
    const struct limitsmet *met, int status, struct strbuf *out);

/* The name of a kind in the holder's file and in drydock's own. */
const char *limitsmet_name(enum limitsmet_kind kind);

#endif /* DRYDOCK_LIMITSMET_H */
