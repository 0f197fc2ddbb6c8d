/* SPDX-License-Identifier: MIT */
/* Connects to the holder: socket, hello, and the go message. */
#include "session/attach.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "guest/wire.h"
#include "terminal/tty.h"

#define RETRY_MS 5

struct wire_size
attach_size(void)
{
	struct winsize size = tty_size(STDIN_FILENO);

	return (struct wire_size){ size.ws_row, size.ws_col };
}

/*
 * Waits for events on fd (-1: none), until the deadline and at most at_most_ms
 * (-1: no limit).  Returns false if the deadline had passed before.
 */
static bool
wait_for(int fd, short events, int64_t deadline, int at_most_ms)
{
	int left = monotime_left_ms(deadline);
	struct pollfd p = { fd, events, 0 };
	if (left == 0)
		return false;
	if (at_most_ms >= 0 && left > at_most_ms)
		left = at_most_ms;
	(void)poll(&p, 1, left);
	return true;
}

/*
 * Returns true if the holder may still start to listen.  The socket may be
 * absent, or left by an earlier start.  If the command put another file in its
 * place, the holder soon replaces that file (listener_guard()).
 */
static bool
may_come(int errnum)
{
	return errnum == ENOENT || errnum == ECONNREFUSED || errnum == EAGAIN ||
	    errnum == EINTR || errnum == ENOTSOCK || errnum == EPROTOTYPE;
}

static int
connect_by(int run_fd, int64_t deadline, int *ret_fd, struct diag *dg)
{
	/* The agent can write to run/: a symlink there is not followed. */
	while (fs_connect_socket(run_fd, WIRE_SOCKET_NAME, ret_fd) == -1) {
		int errnum = errno;
		if (!may_come(errnum))
			return diag_set_errno(dg, DIAG_ENGINE, errnum,
			    "reach the holder at " WIRE_SOCKET_NAME);
		if (!wait_for(-1, 0, deadline, RETRY_MS))
			return diag_set_errno(dg, DIAG_ENGINE, errnum,
			    "the holder did not come up at " WIRE_SOCKET_NAME);
	}
	return 0;
}

/* Reads one frame and no byte beyond it. */
static int
read_frame(int fd, struct wire_decoder *dec, int64_t deadline,
    struct wire_frame *ret_frame, struct diag *dg)
{
	wire_decoder_init(dec, WIRE_HOLDER);
	for (;;) {
		int rc = wire_next(dec, ret_frame);
		if (rc == 1)
			return 0;
		if (rc == -1)
			return diag_set(
			    dg, DIAG_DATA, "the holder sent %s", dec->broken);
		unsigned char *at;
		(void)wire_space(dec, &at);
		ssize_t n = recv(fd, at, wire_need(dec), 0);
		if (n > 0) {
			wire_filled(dec, (size_t)n);
			continue;
		}
		if (n == 0)
			return diag_set(dg, DIAG_ENGINE,
			    "the holder closed the connection");
		if (errno != EAGAIN && errno != EINTR)
			return diag_set_errno(
			    dg, DIAG_ENGINE, errno, "read from the holder");
		if (!wait_for(fd, POLLIN, deadline, -1))
			return diag_set(dg, DIAG_ENGINE,
			    "the holder did not answer in time");
	}
}

static int
send_all(int fd, const struct strbuf *data, int64_t deadline, struct diag *dg)
{
	size_t at = 0;
	while (at < data->len) {
		ssize_t n =
		    send(fd, data->buf + at, data->len - at, MSG_NOSIGNAL);
		if (n > 0)
			at += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return diag_set_errno(
			    dg, DIAG_ENGINE, errno, "write to the holder");
		else if (!wait_for(fd, POLLOUT, deadline, -1))
			return diag_set(
			    dg, DIAG_ENGINE, "the holder did not read in time");
	}
	return 0;
}

static int
set_refused(
    const struct wire_frame *frame, enum diag_class class, struct diag *dg)
{
	return diag_set(dg, class, "the holder refused: %.*s", (int)frame->len,
	    (const char *)frame->payload);
}

static int
read_hello(
    int fd, int64_t deadline, struct holder_hello *ret_hello, struct diag *dg)
{
	cleanup_free struct wire_decoder *dec = xmalloc(sizeof(*dec));
	struct wire_frame frame;
	struct wire_hello hello;
	if (read_frame(fd, dec, deadline, &frame, dg) != 0)
		return -1;
	if (frame.type == WIRE_REFUSED)
		return set_refused(&frame, DIAG_POLICY, dg);
	if (frame.type != WIRE_HELLO)
		return diag_set(dg, DIAG_DATA, "the holder sent no hello");
	wire_read_hello(&frame, &hello);
	ret_hello->version = wire_choose_version(&hello);
	if (ret_hello->version == 0)
		return diag_set(dg, DIAG_DATA,
		    "the holder speaks version %u of the protocol, and drydock "
		    "%u to %u: run \"drydock build\", and start a new session",
		    hello.version, WIRE_VERSION_OLDEST, WIRE_VERSION);
	ret_hello->running = (hello.flags & WIRE_HELLO_RUNNING) != 0;
	ret_hello->tty = (hello.flags & WIRE_HELLO_TTY) != 0;
	return 0;
}

int
holder_connect(int run_fd, int timeout_ms, struct holder_hello *ret_hello,
    int *ret_fd, struct diag *dg)
{
	int64_t deadline = monotime_ms() + timeout_ms;
	struct holder_hello hello;
	struct wire_hello ours = { .version = WIRE_VERSION };
	cleanup_strbuf struct strbuf frame = STRBUF_INIT;
	cleanup_close int fd = -1;
	if (connect_by(run_fd, deadline, &fd, dg) != 0 ||
	    read_hello(fd, deadline, &hello, dg) != 0)
		return -1;
	ours.version = hello.version;
	wire_add_hello(&frame, &ours);
	if (send_all(fd, &frame, deadline, dg) != 0)
		return -1;
	*ret_hello = hello;
	*ret_fd = steal_fd(&fd);
	return 0;
}

/*
 * Waits for the answer to go.  An exit frame, with its reason, stays in the
 * socket: attach_view() reads it.
 */
static int
await_start(int fd, int64_t deadline, bool *ret_started, struct diag *dg)
{
	cleanup_free struct wire_decoder *dec = xmalloc(sizeof(*dec));
	struct wire_frame frame;
	unsigned char type;
	while (recv(fd, &type, 1, MSG_PEEK) == -1 &&
	    (errno == EAGAIN || errno == EINTR)) {
		if (!wait_for(fd, POLLIN, deadline, -1))
			return diag_set(dg, DIAG_ENGINE,
			    "the holder did not start the command in time");
	}
	type = 0;
	if (recv(fd, &type, 1, MSG_PEEK) == 1 && type == WIRE_EXIT) {
		*ret_started = false;
		return 0;
	}
	if (read_frame(fd, dec, deadline, &frame, dg) != 0)
		return -1;
	if (frame.type == WIRE_REFUSED)
		return set_refused(&frame, DIAG_ENGINE, dg);
	if (frame.type != WIRE_STARTED)
		return diag_set(
		    dg, DIAG_DATA, "the holder did not answer the go message");
	*ret_started = true;
	return 0;
}

int
holder_go(int fd, enum wire_type type, struct wire_go *go, int timeout_ms,
    bool *ret_started, struct diag *dg)
{
	int64_t deadline = monotime_ms() + timeout_ms;
	cleanup_strbuf struct strbuf frames = STRBUF_INIT;
	if (go->tty)
		go->size = attach_size();
	if (wire_add_go(&frames, type, go) == -1)
		return diag_set(dg, DIAG_CONFIG,
		    "command and environment are empty or over %zu bytes",
		    WIRE_GO_MAX);
	int rc = send_all(fd, &frames, deadline, dg);
	explicit_bzero(frames.buf, frames.len);
	return rc == -1 ? -1 : await_start(fd, deadline, ret_started, dg);
}

bool
holder_can_exec(const struct holder_hello *hello)
{
	return hello->version >= WIRE_VERSION_EXEC;
}

int
holder_collect(int fd, int timeout_ms, size_t max, struct strbuf *out,
    int *ret_status, struct diag *dg)
{
	cleanup_free struct wire_decoder *dec = xmalloc(sizeof(*dec));
	int64_t deadline = monotime_ms() + timeout_ms;
	struct wire_frame frame;
	const char *text;
	size_t len;

	for (;;) {
		if (read_frame(fd, dec, deadline, &frame, dg) != 0)
			return -1;
		if (frame.type == WIRE_EXIT) {
			*ret_status = (int)wire_read_exit(&frame, &text, &len);
			return 0;
		}
		if (frame.type != WIRE_OUTPUT)
			continue;
		if (frame.len > max - out->len)
			return diag_set(dg, DIAG_ENGINE,
			    "the command wrote more than %zu bytes", max);
		strbuf_add(out, frame.payload, frame.len);
	}
}

int
holder_view(int fd, struct diag *dg)
{
	cleanup_strbuf struct strbuf frame = STRBUF_INIT;
	wire_add_size(&frame, WIRE_VIEW, attach_size());
	return send_all(fd, &frame, monotime_ms() + 1000, dg);
}
