/* SPDX-License-Identifier: MIT */
/*
 * viewer-kit: drydock's end of the holder's socket in a child, whose stdin,
 * stdout and stderr are in our hands.
 */
#ifndef DRYDOCK_TESTS_VIEWER_KIT_H
#define DRYDOCK_TESTS_VIEWER_KIT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "holder-kit.h"
#include "session/attach.h"

struct viewer {
	pid_t pid;
	int in, out, err; /* ours; on a terminal all of it is in */
	int result; /* reads the outcome */
	int slave; /* the terminal, kept open; or -1 */
	struct kit *kit;
	bool tty, ends, view;
	bool uncontrolled; /* the terminal sends no signals */
	const char *term; /* NULL: xterm */
	const char *script; /* NULL: a command that is not there */
	/* Files that it has instead of our pipe, or NULL; not on a terminal. */
	const char *in_path, *out_path;
	int in_flags; /* of open(2) */
	int not_its; /* a descriptor that it must not hold; 0: none */
};

struct viewer_result {
	int rc;
	struct attach_outcome outcome;
	enum diag_class class;
};

/* Opens a terminal of 33 rows and 111 columns; the caller closes both. */
bool viewer_open_terminal(int *ret_master, int *ret_slave);

/* kit, tty, ends, view, script and the paths are set before. */
bool viewer_start(struct viewer *v);

/* Waits for its end. */
struct viewer_result viewer_wait(struct viewer *v);

/* To the end, which closes it. */
void viewer_read_rest(int fd, struct strbuf *out);

/* Until the text is there; on a terminal what comes after it stays unread. */
bool viewer_read_for(int fd, struct strbuf *out, const char *text);

bool viewer_type(int fd, const char *text);

#endif /* DRYDOCK_TESTS_VIEWER_KIT_H */
