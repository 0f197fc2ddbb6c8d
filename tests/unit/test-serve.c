/* SPDX-License-Identifier: MIT */
/* Viewers of one command: who is slow or stands still hurts nobody. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "check.h"
#include "holder-kit.h"

/* Of a hundred bytes each: twice what a viewer's buffer holds. */
#define LINES 90000

/* A child that takes a little of fd now and then, and never all of it. */
static pid_t
drip(int fd)
{
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		char buf[8192];
		if (recv(fd, buf, sizeof(buf), 0) <= 0)
			_exit(0);
		(void)usleep(200000);
	}
}

static int
view(struct kit *kit)
{
	cleanup_strbuf struct strbuf frame = STRBUF_INIT;
	int fd = kit_greet(kit, NULL);
	wire_add_size(&frame, WIRE_VIEW, (struct wire_size){ 30, 100 });
	CHECK(kit_send(fd, &frame));
	return fd;
}

/* Says "ready", and at a word all of the numbers. */
static char *
flood(int lines)
{
	return xasprintf(
	    "stty -echo; echo ready; read x; seq -f %%098.0f 1 %d; exit 5",
	    lines);
}

/* Whether it ends with all of the numbers. */
static bool
is_whole(const struct strbuf *out, int lines)
{
	cleanup_strbuf struct strbuf want = STRBUF_INIT;
	for (int i = 1; i <= lines; i++)
		strbuf_addf(&want, "%098d\r\n", i);
	return out->len >= want.len &&
	    memcmp(out->buf + out->len - want.len, want.buf, want.len) == 0;
}

/*
 * One stands still, one takes so little that it would take the command a
 * quarter of an hour; who reads sees all of it, and they are sent away.
 */
static void
who_reads_waits_for_nobody(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	struct kit_output other = KIT_OUTPUT_INIT;
	int status;
	cleanup_free char *script = flood(LINES);
	int fd = kit_shell(&kit, script, true, false);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "ready"));
	int still = view(&kit);
	int slow = view(&kit);
	pid_t dripping = drip(slow);
	CHECK(kit_send_frame(fd, WIRE_INPUT, "go\r", 3));
	kit_collect(fd, &o);
	CHECK(is_whole(&o.out, LINES));
	CHECK_INT(o.status, 5);
	(void)close(slow);
	/* What it gets when it goes on is the end, without a status. */
	kit_collect(still, &other);
	CHECK_INT(other.status, -1);
	CHECK(other.out.len > 0 && other.out.len < o.out.len / 2);
	CHECK_INT(kill(dripping, SIGKILL), 0);
	CHECK_INT(waitpid(dripping, &status, 0), dripping);
	CHECK_INT(kit_wait(&kit), 5);
	kit_output_release(&o);
	kit_output_release(&other);
}

/* Nobody else looks: it is waited for, as a terminal is. */
static void
who_is_slow_alone_loses_nothing(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	cleanup_free struct wire_decoder *dec = xmalloc(sizeof(*dec));
	struct wire_frame frame = { .type = WIRE_STARTED };
	size_t since = 0;
	cleanup_free char *script = flood(LINES);
	int fd = kit_shell(&kit, script, true, false);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "ready"));
	CHECK(kit_send_frame(fd, WIRE_INPUT, "go\r", 3));
	wire_decoder_init(dec, WIRE_HOLDER);
	while (frame.type != WIRE_EXIT && kit_frame(fd, dec, &frame)) {
		if (frame.type != WIRE_OUTPUT)
			continue;
		strbuf_add(&o.out, (const char *)frame.payload, frame.len);
		since += frame.len;
		if (since > 65536)
			(void)usleep(20000);
		since %= 65536;
	}
	CHECK_INT(frame.type, WIRE_EXIT);
	CHECK(is_whole(&o.out, LINES));
	(void)close(fd);
	CHECK_INT(kit_wait(&kit), 5);
	kit_output_release(&o);
}

/* The command ends though its one viewer stands still, who is sent away. */
static void
who_stands_still_is_dropped(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	cleanup_free char *script = flood(LINES);
	int fd = kit_shell(&kit, script, true, false);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "ready"));
	CHECK(kit_send_frame(fd, WIRE_INPUT, "go\r", 3));
	CHECK_INT(kit_wait(&kit), 5);
	kit_collect(fd, &o);
	CHECK_INT(o.status, -1);
	kit_output_release(&o);
}

/* What fits into its buffer is not lost on one that reads again in time. */
static void
who_reads_again_has_it_all(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	struct kit_output again = KIT_OUTPUT_INIT;
	cleanup_free char *script = xasprintf(
	    "stty -echo; echo ready; read x; seq -f %%098.0f 1 %d; read x; exit 5",
	    LINES / 4);
	char last[128];
	(void)snprintf(last, sizeof(last), "%098d\r\n", LINES / 4);
	int fd = kit_shell(&kit, script, true, false);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "ready"));
	int still = view(&kit);
	CHECK(kit_send_frame(fd, WIRE_INPUT, "go\r", 3));
	CHECK(kit_read_until(fd, &o, last));
	CHECK(kit_read_until(still, &again, last));
	CHECK(is_whole(&again.out, LINES / 4));
	CHECK(kit_send_frame(fd, WIRE_INPUT, "go\r", 3));
	kit_collect(still, &again);
	CHECK_INT(again.status, 5);
	(void)close(fd);
	CHECK_INT(kit_wait(&kit), 5);
	kit_output_release(&o);
	kit_output_release(&again);
}

static const struct check_test tests[] = {
	{ "a viewer that reads waits for no other",
	    who_reads_waits_for_nobody },
	{ "a slow viewer alone loses nothing",
	    who_is_slow_alone_loses_nothing },
	{ "a viewer alone that stands still is dropped",
	    who_stands_still_is_dropped },
	{ "a viewer that reads again in time has it all",
	    who_reads_again_has_it_all },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
