/* SPDX-License-Identifier: MIT */
/*
 * attach: drydock's end of the holder's socket: go, and being a viewer.
 *
 * The other end runs beside the agent and is hostile: frames are bounded,
 * reads that must be answered have a deadline, what is printed of it in
 * messages is escaped.  The wire format is guest/wire.h.
 */
#ifndef DRYDOCK_ATTACH_H
#define DRYDOCK_ATTACH_H

#include <stdbool.h>

struct diag;
struct settings;

struct go_message {
	const char *const *argv; /* what the agent's process runs */
	/* Of go the whole environment with secrets, of exec what is added. */
	const char *const *envp;
	const char *cwd;
	bool tty; /* a pty of the holder's, else three pipes */
	bool ends_with_client; /* HUP the command when its client is gone */
};

/* What the holder said before go. */
struct holder_hello {
	unsigned version; /* of the wire format, the one that is spoken */
	bool running; /* go was given: view it */
	bool tty; /* and it runs on a pty */
};

/*
 * Connects to holder.sock in run_fd (the session's run/ directory, opened) and
 * reads the holder's hello; waits at most timeout_ms for the socket to appear.
 * A holder that refuses (guardrails) is DIAG_POLICY with its words; silence is
 * DIAG_ENGINE; another version is DIAG_DATA.  *ret_fd is the connection.
 */
int holder_connect(int run_fd, int timeout_ms, struct holder_hello *ret_hello,
    int *ret_fd, struct diag *dg);

/*
 * Hands over the command, with the size of the terminal at stdin, and awaits
 * that it runs: *ret_started.  One that cannot be executed is not a failure of this function:
 * attach_view() then prints why and gives the status that the container ends
 * with (127 not found, 126 not executable).  A holder that refuses, is silent or
 * gone is DIAG_ENGINE; a message over 1 MiB is DIAG_CONFIG.
 */
int holder_go(int fd, const struct go_message *go, int timeout_ms,
    bool *ret_started, struct diag *dg);

/*
 * The same for one more command beside the session's, which ends with this
 * connection.  Only where holder_can_exec().
 */
int holder_exec(int fd, const struct go_message *go, int timeout_ms,
    bool *ret_started, struct diag *dg);
/* Holders of older images cannot, and take no signals either. */
bool holder_can_exec(const struct holder_hello *hello);

/* Instead of go: become one more viewer of what runs on a pty. */
int holder_view(int fd, struct diag *dg);

enum attach_end {
	ATTACH_EXITED, /* the command ended: status is its own */
	ATTACH_DETACHED, /* by the key, a signal, or output that nobody takes */
	ATTACH_LOST, /* the holder closed without an exit status */
};

struct attach_outcome {
	enum attach_end end;
	/*
	 * 0 to 255; 128 + signal.  Detached: 0 by the key, or the signal that
	 * ended it, SIGPIPE (141) when stdout or stderr is closed, SIGHUP (129)
	 * when the terminal is gone, SIGKILL (137) when a command that was sent
	 * a signal does not end.  Lost: 0.
	 */
	int status;
};

enum attach_flags {
	ATTACH_TTY = 1 << 0, /* stdin and stdout are a terminal to draw on */
	ATTACH_DETACHABLE = 1 << 1, /* the command goes on without us */
	ATTACH_SIGNALS = 1 << 2, /* its holder passes signals on */
};

/*
 * Carries stdin, stdout, stderr and window sizes until the end.
 *
 * A command that goes on without us is left by HUP, INT, QUIT and TERM, and by
 * the setting's key on a terminal.  One that ends with us gets the key, and the
 * signals where its holder passes them on: its output is read until it ends,
 * and it is killed when it has not ended ATTACH_GRACE_MS after the first
 * signal.  Signals that the caller ignores are ignored.
 *
 * With ATTACH_TTY the terminal is made raw and restored, however it ends, and
 * while TSTP stops us; what the terminal was asked is answered to nobody else.
 * What goes to a terminal, with it or not, passes termfilter.h, and the modes
 * that it set are undone where TERM is not "dumb".  Without it, a terminal at
 * stdin is read only while we are in its foreground.  DIAG_IO when input cannot
 * be read or output not be written; the command is never told an end of input
 * then.
 */
#define ATTACH_GRACE_MS 10000
int attach_view(int fd, unsigned flags, const struct settings *settings,
    struct attach_outcome *ret_outcome, struct diag *dg);

#endif /* DRYDOCK_ATTACH_H */
