/* SPDX-License-Identifier: MIT */
/*
 * diag: one failure, passed up from the function that detects it to main().
 *
 * A function that can fail takes a struct diag and returns 0 or -1.  The
 * function leaves the diag alone on success and sets it exactly once on
 * failure.  Callers may add context with diag_wrap().  The class alone decides
 * the exit status.
 */
#ifndef DRYDOCK_DIAG_H
#define DRYDOCK_DIAG_H

#include <stddef.h>

/* One class for each row of the exit status table in drydock(1). */
enum diag_class {
	DIAG_NONE = 0,
	DIAG_NO, /* 1: no failure, but the answer is no */
	DIAG_USAGE, /* 64 */
	DIAG_DATA, /* 65: data that a program wrote is wrong */
	DIAG_ENGINE, /* 69: engine missing, unresponsive or failed */
	DIAG_BUG, /* 70 */
	DIAG_IO, /* 74 */
	DIAG_BUSY, /* 75: another process holds the lease */
	DIAG_POLICY, /* 77 */
	DIAG_CONFIG, /* 78: a file the user wrote is wrong */
	DIAG_CANCELLED, /* 130: cancelled at a prompt */
	DIAG_NCLASSES
};

struct diag {
	enum diag_class class;
	int errnum; /* errno of the failure, or 0 */
	char *message; /* owned; one line, escaped for a terminal */
	char *detail; /* owned; another program's output, raw, or NULL */
};

#define DIAG_INIT                        \
	{                                \
		DIAG_NONE, 0, NULL, NULL \
	}

/* The row of statuses that no class has: a command's own exit status. */
#define DIAG_STATUS_ANY (-1)

/* A row of the exit status table, which --help and the man page print. */
struct diag_status {
	int status; /* or DIAG_STATUS_ANY, printed "any" */
	const char *meaning;
};

/*
 * The setters format the message, escape control characters (vis(3) style) and
 * bad UTF-8, and return -1, so that failing is one statement.  diag_set_errno()
 * appends ": " and strerror(errnum).  A diag that is already set keeps its
 * first message, which is the cause.
 */
int diag_set(struct diag *dg, enum diag_class class, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int diag_set_errno(struct diag *dg, enum diag_class class, int errnum,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Puts "context: " before the message of a diag that is set.  The context is
 * escaped; the message is not escaped again.  Returns -1.
 */
int diag_wrap(struct diag *dg, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Analyzers do not look into diag.c.  By these macros they know that the caller
 * fails, and so did not write its outputs.
 */
static inline int
diag_minus_one(int rc)
{
	(void)rc;
	return -1;
}
#define diag_set(...) diag_minus_one(diag_set(__VA_ARGS__))
#define diag_set_errno(...) diag_minus_one(diag_set_errno(__VA_ARGS__))
#define diag_wrap(...) diag_minus_one(diag_wrap(__VA_ARGS__))

/*
 * Attaches another program's output, for example its stderr.  diag_print()
 * prints the detail escaped, line by line, below the message.  The last 8 KiB
 * are kept.  Earlier detail stays in front, within the same limit.  Returns -1.
 */
int diag_add_detail(struct diag *dg, const char *text, size_t len);

/* Gives a failure another class.  Returns -1. */
int diag_reclass(struct diag *dg, enum diag_class class);

/*
 * Clears a failure with this errno, for example that of an absent file, which is
 * none for the caller, and returns 0.  Returns -1 for any other failure.
 */
int diag_ignore(struct diag *dg, int errnum);

/* Frees the contents and resets *dg to DIAG_INIT. */
void diag_clear(struct diag *dg);

/* Moves src to dst and clears src.  dst must be clear.  Returns -1. */
int diag_move(struct diag *dst, struct diag *src);

/* Returns the exit status for the diag's class; 0 for DIAG_NONE. */
int diag_exit_status(const struct diag *dg);

/* Returns the whole table in order.  The last row's meaning is NULL. */
const struct diag_status *diag_status_table(void);

/* Prints "drydock: MESSAGE" and the detail's lines to stderr.  For main(). */
void diag_print(const struct diag *dg);

/* Prints "drydock: warning: ..." to stderr, escaped, on one line. */
void diag_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Prints "drydock: ..." to stderr, escaped, on one line: progress and banners.
 */
void diag_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Turns diag_note() off.  Call this before any thread is started. */
void diag_mute_notes(void);

#define cleanup_diag __attribute__((cleanup(diag_clear)))

#endif /* DRYDOCK_DIAG_H */
