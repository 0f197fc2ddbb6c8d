/* SPDX-License-Identifier: MIT */
/* Commands beside the session's own: theirs alone, bounded, and gone with it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/monotime.h"
#include "base/xalloc.h"
#include "check.h"
#include "guest/exec.h"
#include "holder-kit.h"

/* A connection on which script runs beside. */
static int
beside(struct kit *kit, const char *script, bool tty)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	static const char *const envp[] = { "MINE=1", NULL };
	struct kit_go go = { tty, true, argv, envp, NULL };
	int fd = kit_greet(kit, NULL);
	(void)kit_exec(fd, &go);
	return fd;
}

/* The session's own command, which ends with 4 at a word. */
static int
start(struct kit *kit, struct kit_output *o)
{
	int fd = kit_shell(
	    kit, "echo ready; read x; echo got $x; exit 4", true, false);
	if (fd != -1)
		CHECK(kit_read_until(fd, o, "ready"));
	return fd;
}

static void
finish(struct kit *kit, int fd, struct kit_output *o)
{
	CHECK(kit_send_frame(fd, WIRE_INPUT, "word\r", 5));
	kit_collect(fd, o);
	CHECK(strstr(o->out.buf, "got word") != NULL);
	CHECK_INT(o->status, 4);
	CHECK_INT(kit_wait(kit), 4);
	kit_output_release(o);
}

static bool
is_alive(const char *number)
{
	pid_t pid = (pid_t)strtol(number, NULL, 10);
	return CHECK(pid > 1) && kill(pid, 0) == 0;
}

static bool
ends_soon(const char *number)
{
	int64_t deadline = monotime_ms() + 20000;
	while (is_alive(number) && monotime_ms() < deadline)
		(void)usleep(10000);
	return !is_alive(number);
}

static void
each_has_its_streams_and_status(void)
{
	static const struct {
		const char *script;
		int status;
	} rows[] = {
		{ "cat; echo $MINE $HOLDERS >&2; exit 3", 3 },
		{ "cat; echo $MINE $HOLDERS >&2; kill -9 $$", 137 },
	};
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	/* What the container has, and what is added. */
	(void)setenv("HOLDERS", "too", 1);
	int fd = start(&kit, &o);
	if (fd == -1)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kit_output its = KIT_OUTPUT_INIT;
		int other = beside(&kit, rows[i].script, false);
		CHECK(kit_send_frame(other, WIRE_INPUT, "in", 2));
		CHECK(kit_send_frame(other, WIRE_INPUT_END, NULL, 0));
		kit_collect(other, &its);
		CHECK(its.started);
		CHECK_STR(its.out.buf, "in");
		CHECK_STR(its.err.buf, "1 too\n");
		CHECK_INT(its.status, rows[i].status);
		kit_output_release(&its);
	}
	finish(&kit, fd, &o);
}

static void
what_cannot_run_is_said(void)
{
	static const char *const absent[] = { "no-such-command", NULL };
	static const char *const text[] = { "/etc/passwd", NULL };
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	int fd = start(&kit, &o);
	if (fd == -1)
		return;
	for (int i = 0; i < 2; i++) {
		struct kit_output its = KIT_OUTPUT_INIT;
		struct kit_go go = { false, true, i == 0 ? absent : text, NULL,
			NULL };
		int other = kit_greet(&kit, NULL);
		CHECK(kit_exec(other, &go));
		kit_collect(other, &its);
		CHECK_INT(its.status, i == 0 ? 127 : 126);
		CHECK_STR(its.text,
		    i == 0 ? "no-such-command: not found"
			   : "/etc/passwd: Permission denied");
		kit_output_release(&its);
	}
	finish(&kit, fd, &o);
}

/* Also what ignores the hang-up but its leader does not. */
static void
it_ends_with_its_client(void)
{
	for (int tty = 0; tty < 2; tty++) {
		struct kit kit;
		struct kit_output o = KIT_OUTPUT_INIT;
		struct kit_output its = KIT_OUTPUT_INIT;
		int fd = start(&kit, &o);
		if (fd == -1)
			return;
		int other = beside(&kit,
		    "(trap '' HUP; echo pid $$ `sh -c 'echo $PPID'` end;"
		    "sleep 1000) & wait",
		    tty == 1);
		CHECK(kit_read_until(other, &its, "end"));
		const char *leader = strstr(its.out.buf, "pid ") + 4;
		const char *child = strchr(leader, ' ') + 1;
		CHECK(is_alive(leader) && is_alive(child));
		(void)close(other);
		CHECK(ends_soon(leader));
		CHECK(ends_soon(child));
		kit_output_release(&its);
		finish(&kit, fd, &o);
	}
}

static void
signals_are_passed_on(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	struct kit_output its = KIT_OUTPUT_INIT;
	cleanup_strbuf struct strbuf frame = STRBUF_INIT;
	int fd = start(&kit, &o);
	if (fd == -1)
		return;
	int other = beside(&kit,
	    "trap 'echo int; exit 5' INT; echo on; while :; do sleep .02; done",
	    false);
	CHECK(kit_read_until(other, &its, "on"));
	wire_add_signal(&frame, SIGINT);
	/* The session's own goes on without its viewers: it is sent none. */
	CHECK(kit_send(fd, &frame));
	CHECK(kit_send(other, &frame));
	kit_collect(other, &its);
	CHECK(strstr(its.out.buf, "int") != NULL);
	CHECK_INT(its.status, 5);
	kit_output_release(&its);
	finish(&kit, fd, &o);
}

static void
there_are_only_so_many(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	int fds[EXECS_MAX];
	int fd = start(&kit, &o);
	if (fd == -1)
		return;
	for (size_t i = 0; i < EXECS_MAX; i++) {
		struct kit_output its = KIT_OUTPUT_INIT;
		fds[i] = beside(&kit, "echo on; read x; exit 6", false);
		CHECK(kit_read_until(fds[i], &its, "on"));
		kit_output_release(&its);
	}
	struct kit_output more = KIT_OUTPUT_INIT;
	kit_collect(beside(&kit, "true", false), &more);
	CHECK_STR(more.text, "too many commands run in the session");
	kit_output_release(&more);
	/* Viewers send none of them away. */
	for (int i = 0; i < 40; i++) {
		struct kit_output its = KIT_OUTPUT_INIT;
		int viewer = kit_greet(&kit, NULL);
		cleanup_strbuf struct strbuf frame = STRBUF_INIT;
		wire_add_size(&frame, WIRE_VIEW, (struct wire_size){ 9, 9 });
		CHECK(kit_send(viewer, &frame));
		CHECK(kit_read_until(viewer, &its, "ready"));
		kit_output_release(&its);
		if (i > 0)
			(void)close(viewer);
	}
	for (size_t i = 0; i < EXECS_MAX; i++) {
		struct kit_output its = KIT_OUTPUT_INIT;
		CHECK(kit_send_frame(fds[i], WIRE_INPUT, "\n", 1));
		kit_collect(fds[i], &its);
		CHECK_INT(its.status, 6);
		kit_output_release(&its);
	}
	(void)close(fd);
	fd = kit_greet(&kit, NULL);
	cleanup_strbuf struct strbuf frame = STRBUF_INIT;
	wire_add_size(&frame, WIRE_VIEW, (struct wire_size){ 24, 80 });
	CHECK(kit_send(fd, &frame));
	finish(&kit, fd, &o);
}

/* One that does not read keeps the session from ending for a moment alone. */
static void
sessions_end_ends_them(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	struct kit_output its = KIT_OUTPUT_INIT;
	struct kit_output none = KIT_OUTPUT_INIT;
	int fd = start(&kit, &o);
	if (fd == -1)
		return;
	int other = beside(&kit, "echo on; exec sleep 1000", true);
	int still = beside(&kit, "echo on; exec yes", false);
	CHECK(kit_read_until(other, &its, "on"));
	CHECK(kit_read_until(still, &none, "on"));
	int64_t before = monotime_ms();
	finish(&kit, fd, &o);
	CHECK(monotime_ms() - before < 10000);
	kit_collect(other, &its);
	CHECK_INT(its.status, 137);
	CHECK_STR(its.text, "the session has ended");
	(void)close(still);
	kit_output_release(&its);
	kit_output_release(&none);
}

static void
before_the_sessions_command_there_is_none(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	struct kit_output next = KIT_OUTPUT_INIT;
	if (!kit_start(&kit, NULL))
		return;
	kit_collect(beside(&kit, "true", false), &next);
	CHECK_STR(next.text, "the session's command does not run yet");
	kit_output_release(&next);
	static const char *const argv[] = { "sh", "-c", "exit 3", NULL };
	struct kit_go go = { false, true, argv, NULL, NULL };
	int fd = kit_greet(&kit, NULL);
	CHECK(kit_go(fd, &go));
	kit_collect(fd, &o);
	CHECK_INT(kit_wait(&kit), 3);
	kit_output_release(&o);
}

/* A process of the same user may set the holder's limits. */
static void
limits_cost_that_command_alone(void)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t value;
	} rows[] = {
		{ RLIMIT_AS, 1 },
		{ RLIMIT_NOFILE, 0 },
		{ RLIMIT_NPROC, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kit kit;
		struct kit_output o = KIT_OUTPUT_INIT;
		struct kit_output its = KIT_OUTPUT_INIT;
		struct rlimit limit;
		int fd = start(&kit, &o);
		if (fd == -1)
			return;
		int other = kit_greet(&kit, NULL);
		CHECK_INT(prlimit(kit.pid, rows[i].resource, NULL, &limit), 0);
		limit.rlim_cur = rows[i].value;
		CHECK_INT(prlimit(kit.pid, rows[i].resource, &limit, NULL), 0);
		static const char *const argv[] = { "true", NULL };
		struct kit_go go = { false, true, argv, NULL, NULL };
		CHECK(kit_exec(other, &go));
		kit_collect(other, &its);
		/* The superuser may have any number of processes. */
		CHECK(its.status != 0 || rows[i].resource == RLIMIT_NPROC);
		kit_output_release(&its);
		limit.rlim_cur = limit.rlim_max;
		CHECK_INT(prlimit(kit.pid, rows[i].resource, &limit, NULL), 0);
		finish(&kit, fd, &o);
	}
}

/* On a terminal there is no shell that could continue it. */
static void
what_stops_on_a_terminal_goes_on(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	struct kit_output its = KIT_OUTPUT_INIT;
	int fd = kit_shell(&kit,
	    "echo ready; kill -STOP 0; echo on; kill -STOP $$; echo and on;"
	    "read x; exit 7",
	    true, false);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "and on"));
	int other = beside(&kit, "kill -STOP $$; exit 8", true);
	kit_collect(other, &its);
	CHECK_INT(its.status, 8);
	CHECK(kit_send_frame(fd, WIRE_INPUT, "\r", 1));
	kit_collect(fd, &o);
	CHECK_INT(o.status, 7);
	CHECK_INT(kit_wait(&kit), 7);
	kit_output_release(&o);
	kit_output_release(&its);
}

static const struct check_test tests[] = {
	{ "each has its streams, environment and status",
	    each_has_its_streams_and_status },
	{ "what cannot run is said", what_cannot_run_is_said },
	{ "it ends with its client", it_ends_with_its_client },
	{ "signals are passed on", signals_are_passed_on },
	{ "there are only so many, and viewers cost none",
	    there_are_only_so_many },
	{ "the session's end ends them", sessions_end_ends_them },
	{ "before the session's command there is none",
	    before_the_sessions_command_there_is_none },
	{ "limits cost that command alone", limits_cost_that_command_alone },
	{ "what stops on a terminal goes on",
	    what_stops_on_a_terminal_goes_on },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
