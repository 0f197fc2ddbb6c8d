/* SPDX-License-Identifier: MIT */
/* The viewer: a poll loop between the user's descriptors and the holder. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/monotime.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "guest/wire.h"
#include "host/settings.h"
#include "session/attach.h"
#include "terminal/detach-key.h"
#include "terminal/interrupt.h"
#include "terminal/sink.h"
#include "terminal/termfilter.h"
#include "terminal/tty.h"

#define CHUNK 32768
#define TTY_CHUNK ((size_t)8192)
/* Input limit while the holder does not read: more than a user pastes. */
#define TYPED_MAX ((size_t)16 << 20)
/* Time to wait after SIGKILL: the holder reports the exit at once. */
#define KILLED_MS 5000
/* Interval at which a background job checks for the foreground. */
#define BACKGROUND_MS 500
/* Delay between two window sizes, so that programs see both and redraw. */
#define REDRAW_MS 100

struct view {
	int fd; /* the holder */
	int signal_fd; /* owned */
	bool is_tty;
	bool passes_signals; /* the command gets them */
	bool plain; /* the terminal supports no sequences */
	/* the first signal that was passed on, or SIGKILL; 0: none */
	int signalled;
	int64_t signal_due; /* deadline for the command's end, or 0 */
	struct detach_key key;
	int64_t key_due; /* when the key's held bytes are forwarded, or 0 */
	bool redraw_queued; /* the smaller size is in to_holder */
	int64_t redraw_due; /* when the real window size is sent, or 0 */
	bool input_open; /* stdin has not ended */
	bool input_is_tty; /* also when the terminal is gone */
	bool exited; /* the holder sent the exit status */
	bool done;
	struct attach_outcome outcome;
	struct tty tty;
	struct tty_answers answers; /* replies that the program got */
	/* One for each terminal; stdout and stderr may share the first. */
	struct termfilter filters[2];
	struct wire_decoder *decoder; /* owned */
	struct strbuf to_holder;
	size_t to_holder_at;
	struct sink out, err;
	struct strbuf reason; /* why the command did not start */
	struct diag *dg;
};

static void
end(struct view *v, enum attach_end how, int status)
{
	v->done = true;
	v->outcome = (struct attach_outcome){ how, status };
}

/*
 * EPIPE: the reader has closed.  EIO on a terminal: the terminal is gone.  Any
 * other error is a failure.
 */
static int
on_unwritten(struct view *v, const struct sink *s)
{
	int saved = errno;
	if (saved == EPIPE)
		end(v, ATTACH_DETACHED, 128 + SIGPIPE);
	else if (saved == EIO && s->is_tty)
		end(v, ATTACH_DETACHED, 128 + SIGHUP);
	else
		return diag_set_errno(
		    v->dg, DIAG_IO, saved, "write what it prints");
	return 0;
}

static void
queue_size(struct view *v)
{
	struct wire_size size = attach_size();
	if (v->is_tty && size.rows != 0)
		wire_add_size(&v->to_holder, WIRE_SIZE, size);
}

static void
leave_terminals(struct view *v)
{
	const struct termfilter *f = v->out.filter;
	unsigned int questions = 0;
	if (v->err.filter != NULL && !v->plain)
		sink_undo_modes(&v->err, v->err.filter != f);
	if (f != NULL && !v->plain)
		sink_undo_modes(&v->out, true);
	if (f != NULL && f->asked && !f->silent && !v->plain) {
		/* The outstanding DA1 replies, and one for our own query. */
		questions = 1;
		if (f->asked_attributes > v->answers.n)
			questions += f->asked_attributes - v->answers.n;
	}
	tty_restore(&v->tty, questions);
}

/*
 * Sends a window size that is one row too small, and the real one REDRAW_MS
 * after that: full-screen programs then redraw.
 */
static void
queue_redraw(struct view *v)
{
	struct wire_size size = attach_size();
	if (size.rows > 1) {
		size.rows--;
		wire_add_size(&v->to_holder, WIRE_SIZE, size);
		v->redraw_queued = true;
		v->redraw_due = 0;
	}
}

static int
enter_terminal(struct view *v)
{
	if (!v->is_tty)
		return 0;
	return tty_make_raw(
	    &v->tty, STDIN_FILENO, sink_write_fd(&v->out), v->dg);
}

/*
 * Stops drydock by the default action of SIGTSTP.  The shell gets the terminal
 * with its modes restored.
 */
static int
suspend(struct view *v)
{
	sigset_t set;
	leave_terminals(v);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTSTP);
	(void)raise(SIGTSTP);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	if (enter_terminal(v) == -1)
		return -1;
	if (v->out.filter != NULL && !v->plain) {
		cleanup_strbuf struct strbuf redo = STRBUF_INIT;
		termmodes_redo(&v->out.filter->modes, &redo);
		tty_write(v->tty.out_fd, redo.buf, redo.len);
	}
	queue_redraw(v);
	return 0;
}

/* Sends a signal to the command.  The first one starts the grace period. */
static void
pass_signal(struct view *v, int sig)
{
	wire_add_signal(&v->to_holder, sig);
	if (v->signalled != 0)
		return;
	v->signalled = sig;
	v->signal_due = monotime_ms() + ATTACH_GRACE_MS;
}

static void
on_signal_due(struct view *v)
{
	static const char *const names[] = { [SIGHUP] = "SIGHUP",
		[SIGINT] = "SIGINT",
		[SIGQUIT] = "SIGQUIT",
		[SIGTERM] = "SIGTERM" };
	if (v->signalled == SIGKILL) {
		end(v, ATTACH_DETACHED, 128 + SIGKILL);
		return;
	}
	diag_warn("the command has not ended %d s after %s, and is killed",
	    ATTACH_GRACE_MS / 1000, names[v->signalled]);
	wire_add_signal(&v->to_holder, SIGKILL);
	v->signalled = SIGKILL;
	v->signal_due = monotime_ms() + KILLED_MS;
}

static int
on_signal(struct view *v)
{
	int sig = interrupt_read(v->signal_fd);
	if (sig == 0)
		return 0;
	if (sig == SIGTSTP)
		return suspend(v);
	if (sig == SIGCONT)
		tty_again(&v->tty);
	if (sig == SIGCONT || sig == SIGWINCH) {
		/* A redraw ends with the size that the window has then. */
		if (!v->redraw_queued && v->redraw_due == 0)
			queue_size(v);
	} else if (v->passes_signals) {
		pass_signal(v, sig);
	} else {
		end(v, ATTACH_DETACHED, 128 + sig);
	}
	return 0;
}

static void
queue_typed(struct view *v, const struct strbuf *typed)
{
	if (typed->len > 0)
		wire_add(&v->to_holder, WIRE_INPUT, typed->buf, typed->len);
	tty_count_answers(&v->answers, typed->buf, typed->len);
}

/* Forwards input of a terminal, except the detach key. */
static void
on_typed(struct view *v, const char *data, size_t len)
{
	cleanup_strbuf struct strbuf typed = STRBUF_INIT;
	bool pressed = detach_key_find(&v->key, data, len, &typed);
	queue_typed(v, &typed);
	v->key_due = v->key.nheld > 0 ? monotime_ms() + DETACH_KEY_WAIT_MS : 0;
	if (pressed)
		end(v, ATTACH_DETACHED, 0);
}

/*
 * Returns true if a read error is a failure, false if it is the end of the
 * input.  nohup(1) gives a stdin that cannot be read (EBADF), and a terminal
 * can go away (EIO).  Any other error must not look like an end: the command
 * would take truncated input for complete.
 */
static bool
input_failed(const struct view *v, int errnum)
{
	return !v->is_tty && errnum != EBADF &&
	    (errnum != EIO || !v->input_is_tty);
}

/* Returns true in a background job, which must not read the terminal. */
static bool
in_background(const struct view *v)
{
	return v->input_is_tty && !v->is_tty &&
	    !tty_in_foreground(STDIN_FILENO);
}

static int
on_input(struct view *v)
{
	char buf[CHUNK];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));
	int saved = errno;
	if (n == -1 && (saved == EINTR || saved == EAGAIN))
		return 0;
	/* SIGTTIN is blocked: a read in the background fails with EIO. */
	if (n == -1 && saved == EIO && in_background(v))
		return 0;
	if (n == -1 && input_failed(v, saved))
		return diag_set_errno(v->dg, DIAG_IO, saved, "read the input");
	if (n <= 0) {
		v->input_open = false;
		if (!v->is_tty)
			wire_add(&v->to_holder, WIRE_INPUT_END, NULL, 0);
		else if (v->signalled == 0)
			end(v, ATTACH_DETACHED, 128 + SIGHUP);
		return 0;
	}
	if (v->is_tty)
		on_typed(v, buf, (size_t)n);
	else
		wire_add(&v->to_holder, WIRE_INPUT, buf, (size_t)n);
	return 0;
}

/*
 * Sends queued frames to the holder.  A send error drops the queued frames and
 * ends the input; frames from the holder are still read.
 */
static void
flush_to_holder(struct view *v)
{
	if (v->to_holder_at == v->to_holder.len)
		return;
	ssize_t n = send(v->fd, v->to_holder.buf + v->to_holder_at,
	    v->to_holder.len - v->to_holder_at, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n >= 0)
		v->to_holder_at += (size_t)n;
	bool gone = n == -1 && errno != EAGAIN && errno != EINTR &&
	    errno != ENOBUFS && errno != ENOMEM;
	if (gone) {
		v->input_open = false;
		/*
		 * Keys are lost, so the connection must end: a shutdown ends it
		 * even if the holder has seen no error.
		 */
		if (v->is_tty)
			(void)shutdown(v->fd, SHUT_WR);
	}
	if (v->to_holder_at == v->to_holder.len || gone) {
		strbuf_reset(&v->to_holder);
		v->to_holder_at = 0;
		if (v->redraw_queued)
			v->redraw_due = monotime_ms() + REDRAW_MS;
		v->redraw_queued = false;
	}
}

static int
on_frame(struct view *v, const struct wire_frame *frame)
{
	const char *data = (const char *)frame->payload;
	if (frame->type == WIRE_OUTPUT) {
		sink_add(&v->out, data, frame->len);
	} else if (frame->type == WIRE_ERROR) {
		sink_add(&v->err, data, frame->len);
	} else if (frame->type == WIRE_EXIT) {
		const char *text;
		size_t len;
		int status = (int)wire_read_exit(frame, &text, &len);
		strbuf_add(&v->reason, text, len);
		v->exited = true;
		v->outcome = (struct attach_outcome){ ATTACH_EXITED, status };
	} else if (frame->type == WIRE_REFUSED) {
		return diag_set(v->dg, DIAG_ENGINE, "the holder refused: %.*s",
		    (int)frame->len, data);
	} else if (frame->type != WIRE_STARTED) {
		return diag_set(
		    v->dg, DIAG_DATA, "the holder sent an unexpected frame");
	}
	return 0;
}

static bool
has_pending(const struct view *v)
{
	return v->out.pending.len > 0 || v->err.pending.len > 0;
}

/* Decodes frames until output is pending. */
static int
read_frames(struct view *v)
{
	while (!v->exited && !has_pending(v)) {
		struct wire_frame frame;
		int rc = wire_next(v->decoder, &frame);
		if (rc == 0)
			return 0;
		if (rc == -1)
			return diag_set(v->dg, DIAG_DATA, "the holder sent %s",
			    v->decoder->broken);
		if (on_frame(v, &frame) == -1)
			return -1;
	}
	return 0;
}

static int
on_holder(struct view *v)
{
	unsigned char *at;
	size_t space = wire_space(v->decoder, &at);
	/* Small reads let the holder see that a slow terminal still reads. */
	if (v->is_tty && space > TTY_CHUNK)
		space = TTY_CHUNK;
	ssize_t n = recv(v->fd, at, space, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		end(v, ATTACH_LOST, 0);
		return 0;
	}
	wire_filled(v->decoder, (size_t)n);
	return read_frames(v);
}

/*
 * Backpressure: stdin is not read while the holder does not take the earlier
 * input.  A terminal is still read, up to TYPED_MAX: otherwise a stopped holder
 * would block the detach key.
 */
static bool
takes_input(const struct view *v)
{
	return v->input_open && !v->exited &&
	    v->to_holder.len < (v->is_tty ? TYPED_MAX : 1);
}

/* Returns the time to the next deadline in ms, or -1 for none. */
static int
next_due(const struct view *v)
{
	const int64_t dues[] = { v->key_due, v->redraw_due, v->signal_due };
	int64_t due = 0;
	for (size_t i = 0; i < ARRAY_SIZE(dues); i++)
		if (dues[i] != 0 && (due == 0 || dues[i] < due))
			due = dues[i];
	return due == 0 ? -1 : monotime_left_ms(due);
}

static void
on_due(struct view *v)
{
	if (v->key_due != 0 && monotime_left_ms(v->key_due) == 0) {
		cleanup_strbuf struct strbuf typed = STRBUF_INIT;
		detach_key_flush(&v->key, &typed);
		queue_typed(v, &typed);
		v->key_due = 0;
	}
	if (v->redraw_due != 0 && monotime_left_ms(v->redraw_due) == 0) {
		queue_size(v);
		v->redraw_due = 0;
	}
	if (v->signal_due != 0 && monotime_left_ms(v->signal_due) == 0)
		on_signal_due(v);
}

/*
 * One iteration of the poll loop.  Backpressure: the holder is not read while
 * output is pending.
 */
static int
step(struct view *v)
{
	bool writing = has_pending(v);
	bool sending = v->to_holder.len > 0;
	bool reading = takes_input(v);
	bool away = reading && in_background(v);
	int timeout = next_due(v);
	if (away && (timeout < 0 || timeout > BACKGROUND_MS))
		timeout = BACKGROUND_MS;
	struct pollfd p[] = {
		{ v->signal_fd, POLLIN, 0 },
		{ v->fd,
		    (short)((writing ? 0 : POLLIN) | (sending ? POLLOUT : 0)),
		    0 },
		{ reading && !away ? STDIN_FILENO : -1, POLLIN, 0 },
		{ v->out.pending.len > 0 ? v->out.fd : -1, POLLOUT, 0 },
		{ v->err.pending.len > 0 ? v->err.fd : -1, POLLOUT, 0 },
	};
	/*
	 * With no events requested, poll still reports POLLHUP of a closed
	 * connection.  The loop would be busy while output is pending.
	 */
	if (p[1].events == 0)
		p[1].fd = -1;
	if (poll(p, ARRAY_SIZE(p), timeout) == -1)
		return errno == EINTR
		    ? 0
		    : diag_set_errno(v->dg, DIAG_BUG, errno, "poll");
	if (p[0].revents != 0 && on_signal(v) == -1)
		return -1;
	if ((p[1].revents & (POLLOUT | POLLERR | POLLHUP)) != 0 && sending)
		flush_to_holder(v);
	if (p[2].revents != 0 && !v->done && on_input(v) == -1)
		return -1;
	on_due(v);
	if (p[3].revents != 0 && sink_flush(&v->out) == -1)
		return on_unwritten(v, &v->out);
	if (p[4].revents != 0 && sink_flush(&v->err) == -1)
		return on_unwritten(v, &v->err);
	if (!writing && !v->done &&
	    (p[1].revents & (POLLIN | POLLERR | POLLHUP)) != 0)
		return on_holder(v);
	return has_pending(v) ? 0 : read_frames(v);
}

static int
watch_signals(struct view *v, sigset_t *ret_before)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM,
		SIGTSTP, SIGWINCH, SIGCONT };
	sigset_t set;
	sigset_t blocked;
	interrupt_heeded(signals, ARRAY_SIZE(signals), &set);
	if (!v->is_tty)
		(void)sigdelset(&set, SIGTSTP);
	blocked = set;
	if (!v->is_tty)
		(void)sigaddset(&blocked, SIGTTIN);
	(void)sigprocmask(SIG_BLOCK, &blocked, ret_before);
	v->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (v->signal_fd == -1)
		return diag_set_errno(v->dg, DIAG_IO, errno, "signalfd");
	return 0;
}

static int
run(struct view *v)
{
	if (enter_terminal(v) == -1)
		return -1;
	queue_size(v);
	while (!v->done && (!v->exited || has_pending(v))) {
		if (step(v) == -1)
			return -1;
	}
	/* Input typed before the detach key belongs to the agent. */
	flush_to_holder(v);
	return 0;
}

static bool
terminal_is_plain(void)
{
	const char *term = getenv("TERM");
	return term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0;
}

/*
 * Filters drop queries to a terminal that the program does not read from: the
 * replies would be typed into the user's shell.
 */
static void
set_up_filters(struct view *v, const struct settings *settings)
{
	if (v->out.is_tty)
		v->out.filter = &v->filters[0];
	if (v->err.is_tty)
		v->err.filter = v->out.is_tty && tty_same(v->out.fd, v->err.fd)
		    ? v->out.filter
		    : &v->filters[1];
	v->filters[0].silent = !v->is_tty || !tty_same(STDIN_FILENO, v->out.fd);
	v->filters[1].silent = true;
	v->filters[0].vt.narrow = v->out.is_tty && !tty_decodes_utf8(v->out.fd);
	v->filters[1].vt.narrow = v->err.is_tty && !tty_decodes_utf8(v->err.fd);
	for (size_t i = 0; i < ARRAY_SIZE(v->filters); i++)
		v->filters[i].clipboard = settings->clipboard;
}

int
attach_view(int fd, unsigned flags, const struct settings *settings,
    struct attach_outcome *ret_outcome, struct diag *dg)
{
	bool detachable = (flags & ATTACH_DETACHABLE) != 0;
	struct view v = { .fd = fd,
		.signal_fd = -1,
		.is_tty = (flags & ATTACH_TTY) != 0,
		.passes_signals = !detachable && (flags & ATTACH_SIGNALS) != 0,
		.plain = terminal_is_plain(),
		.key = { detachable ? detach_key_parse(settings->detach_key)
				    : -1,
		    0, "" },
		.input_open = true,
		.input_is_tty = isatty(STDIN_FILENO),
		.filters = { TERMFILTER_INIT, TERMFILTER_INIT },
		.decoder = xmalloc(sizeof(*v.decoder)),
		.to_holder = STRBUF_INIT,
		.reason = STRBUF_INIT,
		.dg = dg };
	sigset_t before;
	wire_decoder_init(v.decoder, WIRE_HOLDER);
	sink_init(&v.out, STDOUT_FILENO);
	sink_init(&v.err, STDERR_FILENO);
	set_up_filters(&v, settings);
	int rc = watch_signals(&v, &before);
	if (rc == 0)
		rc = run(&v);
	leave_terminals(&v);
	cleanup_close_fn(&v.signal_fd);
	if (v.reason.len > 0)
		diag_note("%s", v.reason.buf);
	strbuf_release(&v.reason);
	sink_release(&v.out);
	sink_release(&v.err);
	strbuf_release(&v.to_holder);
	cleanup_free_fn(&v.decoder);
	termfilter_release(&v.filters[0]);
	termfilter_release(&v.filters[1]);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		*ret_outcome = v.outcome;
	return rc;
}
