/* SPDX-License-Identifier: MIT */
/*
 * diag: one failure, travelling up from whoever saw it to main().
 *
 * A function that can fail takes a struct diag, returns 0 or -1, leaves the
 * diag alone on success and sets it exactly once on failure.  Callers may add
 * context with diag_wrap().  The class alone decides the exit status.
 */
#ifndef DRYDOCK_DIAG_H
#define DRYDOCK_DIAG_H

#include <stddef.h>

/* One for each row of the exit status table in drydock(1). */
enum diag_class {
	DIAG_NONE = 0,
	DIAG_NO, /* 1: nothing failed, but the answer is no */
	DIAG_USAGE, /* 64 */
	DIAG_DATA, /* 65: a program wrote something wrong */
	DIAG_ENGINE, /* 69: engine missing, silent, or it failed */
	DIAG_BUG, /* 70 */
	DIAG_IO, /* 74 */
	DIAG_BUSY, /* 75: somebody else holds the lease */
	DIAG_POLICY, /* 77 */
	DIAG_CONFIG, /* 78: a file the user wrote is wrong */
	DIAG_CANCELLED, /* 130: cancelled at a prompt */
	DIAG_NCLASSES
};

struct diag {
	enum diag_class class;
	int errnum; /* errno of the failure, or 0 */
	char *message; /* owned; one line, already escaped for a terminal */
	char *detail; /* owned; NULL or the other program's words, raw */
};

#define DIAG_INIT                        \
	{                                \
		DIAG_NONE, 0, NULL, NULL \
	}

/* The row that stands for no class of ours: a command's own status. */
#define DIAG_STATUS_ANY (-1)

/* A row of the exit status table: what --help and the man page print. */
struct diag_status {
	int status; /* or DIAG_STATUS_ANY, printed "any" */
	const char *meaning;
};

/*
 * The setters format, escape control characters (vis(3) style) and bad UTF-8,
 * and return -1, so that failing is one statement.  diag_set_errno() appends
 * ": " and strerror(errnum).  A diag that is set already keeps its first words:
 * they are the cause.
 */
int diag_set(struct diag *dg, enum diag_class class, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int diag_set_errno(struct diag *dg, enum diag_class class, int errnum,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Puts "context: " before the message of a diag that is set; returns -1.  The
 * context is escaped, the message is not escaped a second time.
 */
int diag_wrap(struct diag *dg, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Attaches another program's own words (at most 8 KiB are kept, the end of
 * them); printed line by line, escaped, below the message.  What was attached
 * before stays in front, within the same bound.  Returns -1.
 */
int diag_add_detail(struct diag *dg, const char *text, size_t len);

/* Frees the contents and leaves *dg as DIAG_INIT. */
void diag_clear(struct diag *dg);

/* Moves src to dst, which must be clear; src is clear afterwards. */
void diag_move(struct diag *dst, struct diag *src);

/* The exit status for a class; 0 for DIAG_NONE. */
int diag_exit_status(const struct diag *dg);

/* The whole table, in order, ended by a row whose meaning is NULL. */
const struct diag_status *diag_status_table(void);

/* Prints "drydock: MESSAGE" and the detail's lines to stderr.  For main(). */
void diag_print(const struct diag *dg);

/* Prints "drydock: warning: ..." to stderr, one line, escaped. */
void diag_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints "drydock: ..." to stderr: progress and banners, one line, escaped. */
void diag_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* From now on diag_note() prints nothing; before there are threads. */
void diag_mute_notes(void);

#define cleanup_diag __attribute__((cleanup(diag_clear)))

#endif /* DRYDOCK_DIAG_H */
