/* SPDX-License-Identifier: MIT */
/*
 * attach: drydock's end of the holder's socket: the go message and the viewer.
 *
 * The peer runs beside the agent and is hostile.  Frames are bounded, each read
 * that needs an answer has a deadline, and messages escape its text.
 * guest/wire.h defines the wire format.
 */
#ifndef DRYDOCK_ATTACH_H
#define DRYDOCK_ATTACH_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/wire.h"

struct diag;
struct settings;
struct strbuf;

/* The holder's hello, which precedes go. */
struct holder_hello {
	unsigned version; /* version of the wire format to use */
	bool running; /* the command has been started: view it */
	bool tty; /* the command runs on a pty */
};

/*
 * Connects to holder.sock in run_fd (the session's run/ directory, open) and
 * reads the holder's hello.  Waits at most timeout_ms for the socket and the
 * hello.  A refusal (guardrails) is DIAG_POLICY with the holder's text, no
 * answer is DIAG_ENGINE, an unsupported version is DIAG_DATA.  *ret_fd is the
 * connection; the caller closes it.
 */
int holder_connect(int run_fd, int timeout_ms, struct holder_hello *ret_hello,
    int *ret_fd, struct diag *dg);

/*
 * Sends the command (WIRE_GO), or an additional command that ends with this
 * connection (WIRE_EXEC, requires holder_can_exec()), and waits until it runs
 * (*ret_started).  Sets go->size to the terminal at stdin.  The environment of
 * WIRE_GO is the whole one, with secrets; that of WIRE_EXEC is added.
 *
 * A command that cannot be executed is no failure: *ret_started is false, and
 * attach_view() prints the reason and returns the container's exit status (127
 * not found, 126 not executable).  A refusal, no answer or a closed connection
 * is DIAG_ENGINE.  A message over 1 MiB is DIAG_CONFIG.
 */
int holder_go(int fd, enum wire_type type, struct wire_go *go, int timeout_ms,
    bool *ret_started, struct diag *dg);

/* False for holders of older images, which pass no signals on either. */
bool holder_can_exec(const struct holder_hello *hello);

/*
 * Waits for the end of a command that runs on pipes and appends what it writes
 * to stdout, at most max bytes.  *ret_status is its exit status.  More output,
 * no end within timeout_ms and a closed connection are DIAG_ENGINE.
 */
int holder_collect(int fd, int timeout_ms, size_t max, struct strbuf *out,
    int *ret_status, struct diag *dg);

/* Sends view instead of go: the client becomes a viewer of the pty. */
int holder_view(int fd, struct diag *dg);

enum attach_end {
	ATTACH_EXITED, /* the command ended; status is its exit status */
	ATTACH_DETACHED, /* by the key, a signal, or output without a reader */
	ATTACH_LOST, /* the holder closed without an exit status */
};

struct attach_outcome {
	enum attach_end end;
	/*
	 * Exited: 0 to 255, or 128 + signal.  Lost: 0.  Detached: 0 by the key,
	 * else 128 + the signal that ended the view: SIGPIPE (141) when stdout
	 * or stderr is closed, SIGHUP (129) when the terminal is gone, SIGKILL
	 * (137) when the command has not ended after it was killed.
	 */
	int status;
};

enum attach_flags {
	/* stdin and stdout are a terminal */
	ATTACH_TTY = 1 << 0,
	ATTACH_DETACHABLE = 1 << 1, /* the command outlives this client */
	ATTACH_SIGNALS = 1 << 2, /* the holder passes signals on */
};

/*
 * Forwards stdin, stdout, stderr and window sizes until the command ends or the
 * view is left.
 *
 * With ATTACH_DETACHABLE, HUP, INT, QUIT and TERM leave the view, and so does
 * the detach key of the settings on a terminal.  Without ATTACH_DETACHABLE, the
 * command gets the key as input, and with ATTACH_SIGNALS also the signals.  The
 * command's output is then read until the command ends, and the command is
 * killed if it has not ended ATTACH_GRACE_MS after the first signal.  Without
 * both flags, a signal ends the view.  Signals that the caller ignores stay
 * ignored.
 *
 * With ATTACH_TTY the terminal is raw during the view.  It is restored at every
 * end of the view and while SIGTSTP stops drydock.  Late replies to the
 * program's terminal queries are discarded.  Without ATTACH_TTY, a terminal at
 * stdin is read only while drydock is in its foreground.
 *
 * All output to a terminal passes termfilter.h, with ATTACH_TTY or without.
 * The modes that the output set are undone, unless TERM is "dumb".  A failed
 * read of the input or write of the output is DIAG_IO; the command then gets no
 * end of input.
 */
#define ATTACH_GRACE_MS 10000
int attach_view(int fd, unsigned flags, const struct settings *settings,
    struct attach_outcome *ret_outcome, struct diag *dg);

/* Returns the size of the terminal at stdin, or 0 by 0 (tty_size()). */
struct wire_size attach_size(void);

#endif /* DRYDOCK_ATTACH_H */
