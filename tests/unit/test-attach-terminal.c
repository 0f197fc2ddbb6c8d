/* SPDX-License-Identifier: MIT */
/* A terminal at the holder's socket: raw, restored, left by a key. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "holder-kit.h"
#include "viewer-kit.h"

static void
terminal_is_raw_and_restored(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.tty = true,
		.script = "stty size; trap 'stty size' WINCH; echo ready;"
			  "until read x; do :; done; echo got $x;"
			  "printf 'a\\033]52;c;QQ==\\007b'; exit 5" };
	struct termios before, during, after;
	struct winsize ws = { .ws_row = 44, .ws_col = 122 };
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK_INT(tcgetattr(v.slave, &before), 0);
	CHECK(viewer_read_for(v.in, &out, "33 111"));
	CHECK(viewer_read_for(v.in, &out, "ready"));
	CHECK_INT(tcgetattr(v.slave, &during), 0);
	CHECK_INT(during.c_lflag & (ICANON | ECHO | ISIG), 0);
	CHECK_INT(ioctl(v.in, TIOCSWINSZ, &ws), 0);
	CHECK(viewer_read_for(v.in, &out, "44 122"));
	CHECK(viewer_type(v.in, "word\r"));
	CHECK(viewer_read_for(v.in, &out, "got word"));
	CHECK(viewer_read_for(v.in, &out, "\r\nab"));
	CHECK(viewer_read_for(v.in, &out, "\033[?1049l"));
	CHECK(viewer_read_for(v.in, &out, "\033[?25h"));
	struct viewer_result r = viewer_wait(&v);
	CHECK_INT(r.outcome.end, ATTACH_EXITED);
	CHECK_INT(r.outcome.status, 5);
	CHECK_INT(tcgetattr(v.slave, &after), 0);
	CHECK_INT(after.c_lflag, before.c_lflag);
	CHECK_INT(after.c_iflag, before.c_iflag);
	CHECK_INT(after.c_oflag, before.c_oflag);
	CHECK(strstr(out.buf, "]52;") == NULL);
	CHECK_INT(kit_wait(&kit), 5);
	(void)close(v.in);
	(void)close(v.slave);
}

static void
key_detaches_and_another_attaches(void)
{
	static const char *const keys[] = { "\x1c", "\033[92;5u" };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct kit kit;
		struct viewer v = { .kit = &kit,
			.tty = true,
			.script = "echo ready; read x; echo got $x; read y;"
				  "exit 6" };
		struct viewer w = { .kit = &kit, .tty = true, .view = true };
		struct strbuf out cleanup_strbuf = STRBUF_INIT;
		struct strbuf again cleanup_strbuf = STRBUF_INIT;
		struct termios after;
		if (!kit_start(&kit, NULL) || !viewer_start(&v))
			return;
		CHECK(viewer_read_for(v.in, &out, "ready"));
		char *text cleanup_free = xasprintf("typed\r%sz", keys[i]);
		CHECK(viewer_type(v.in, text));
		struct viewer_result r = viewer_wait(&v);
		CHECK_INT(r.outcome.end, ATTACH_DETACHED);
		CHECK_INT(r.outcome.status, 0);
		CHECK_INT(tcgetattr(v.slave, &after), 0);
		CHECK(after.c_lflag & ICANON);
		if (!viewer_start(&w))
			return;
		CHECK(viewer_read_for(w.in, &again, "got typed"));
		CHECK(viewer_type(w.in, "\r"));
		r = viewer_wait(&w);
		CHECK_INT(r.outcome.end, ATTACH_EXITED);
		CHECK_INT(r.outcome.status, 6);
		CHECK_INT(kit_wait(&kit), 6);
		(void)close(v.in);
		(void)close(v.slave);
		(void)close(w.in);
		(void)close(w.slave);
	}
}

/* Types n letters, as fast as they are taken. */
static bool
type_much(int fd, size_t n)
{
	char text[1000];
	memset(text, 'x', sizeof(text));
	CHECK_INT(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	while (n > 0) {
		struct pollfd p = { fd, POLLOUT, 0 };
		size_t len = n < sizeof(text) ? n : sizeof(text);
		ssize_t done = write(fd, text, len);
		if (done == -1 && poll(&p, 1, 5000) != 1)
			return CHECK_INT(n, 0);
		n -= done > 0 ? (size_t)done : 0;
	}
	return true;
}

static void
key_is_seen_when_the_holder_stopped(void)
{
	struct kit kit;
	struct viewer v = {
		.kit = &kit, .tty = true, .script = "echo ready; read x"
	};
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_read_for(v.in, &out, "ready"));
	CHECK_INT(kill(kit.pid, SIGSTOP), 0);
	bool taken = type_much(v.in, 1000000) && viewer_type(v.in, "\x1c");
	if (!taken)
		CHECK_INT(kill(v.pid, SIGTERM), 0);
	CHECK_INT(viewer_wait(&v).outcome.status, 0);
	CHECK_INT(kill(kit.pid, SIGKILL), 0);
	CHECK_INT(kit_wait(&kit), 137);
	(void)close(v.in);
	(void)close(v.slave);
}

static void
terminal_gone_detaches(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.tty = true,
		.ends = true,
		.script = "echo ready; exec sleep 1000" };
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_read_for(v.in, &out, "ready"));
	(void)close(v.in);
	(void)close(v.slave);
	struct viewer_result r = viewer_wait(&v);
	CHECK_INT(r.outcome.end, ATTACH_DETACHED);
	CHECK_INT(r.outcome.status, 129);
	CHECK_INT(kit_wait(&kit), 129);
}

static const struct check_test tests[] = {
	{ "a terminal is raw meanwhile, and restored",
	    terminal_is_raw_and_restored },
	{ "the key detaches, and another viewer attaches",
	    key_detaches_and_another_attaches },
	{ "the key is seen when the holder stopped",
	    key_is_seen_when_the_holder_stopped },
	{ "a terminal that is gone detaches", terminal_gone_detaches },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
