/* SPDX-License-Identifier: MIT */
/* What becomes of a session when its holder, or its command, misbehaves. */
#include "session/view.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/moment.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "engine/engine.h"
#include "guest/wire.h"
#include "host/paths.h"
#include "session/record.h"
#include "session/session.h"
#include "stub-bed.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16

/* How long an agent has to end, as its user is told. */
#define END_WAIT_MS 15000

/* By how much the clock was put forward; the checker's only state. */
static int64_t skipped_ms;

int __real_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int64_t __real_monotime_ms(void);
int __real_monotime_left_ms(int64_t deadline);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int64_t __wrap_monotime_ms(void);
int __wrap_monotime_left_ms(int64_t deadline);

/* An agent's time passes at once, each other as it does. */
int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	if (n != 1 || timeout_ms != END_WAIT_MS)
		return __real_poll(fds, n, timeout_ms);
	skipped_ms += timeout_ms;
	return __real_poll(fds, n, 0);
}

int64_t
__wrap_monotime_ms(void)
{
	return __real_monotime_ms() + skipped_ms;
}

int
__wrap_monotime_left_ms(int64_t deadline)
{
	return __real_monotime_left_ms(deadline - skipped_ms);
}

/* A launched session, and an engine that is asked of its container. */
struct room {
	struct bed bed;
	struct engine engine;
	struct session session;
	struct record record;
};

/* What inspect answers the nth time; 0: each other time. */
static void
container_is(const struct room *r, int n, const char *state, int code)
{
	cleanup_free char *name =
	    n == 0 ? xstrdup("inspect.out") : xasprintf("inspect.%d.out", n);
	cleanup_free char *text = xasprintf(
	    "[{\"Id\":\"" A64 "\",\"Name\":\"/n\",\"Image\":\"sha256:" A64
	    "\",\"State\":{\"Status\":\"%s\",\"Pid\":%d,\"ExitCode\":%d,"
	    "\"StartedAt\":\"2026-11-22T14:55:44Z\","
	    "\"FinishedAt\":\"2026-11-22T14:55:44Z\"},"
	    "\"Config\":{\"Labels\":{\"io.drydock.session\":\"%s\","
	    "\"io.drydock.state\":\"0123\",\"io.drydock.role\":\"agent\"}},"
	    "\"HostConfig\":{\"NetworkMode\":\"none\"}}]",
	    state, strcmp(state, "running") == 0, code, r->session.id);

	stub_script(name, text);
	stub_script("inspect.rc", "0");
}

/* One more session in the room. */
static void
room_claim(struct room *r, bool ends_with_client)
{
	static char path[] = "/p";
	cleanup_diag struct diag dg = DIAG_INIT;

	record_release(&r->record);
	session_release(&r->session);
	r->session = (struct session)SESSION_INIT;
	CHECK_INT(session_claim(&r->bed.paths, &r->session, &dg), 0);
	r->record = (struct record){
		.id = xstrdup(r->session.id),
		.project = xstrdup(path),
		.agent = xstrdup("claude"),
		.mode = xstrdup("contained"),
		.mode_reason = xstrdup("the default"),
		.kind = xstrdup(ends_with_client ? "shell" : "run"),
		.engine_id = xstrdup("stub"),
		.engine_data_root = xstrdup("/data"),
		.engine_socket = xstrdup(r->engine.socket),
		.created_at = moment_now(),
		.launched_at = moment_now(),
		.ends_with_client = ends_with_client,
	};
	record_set(&r->record, "agent", NULL, A64);
	CHECK_INT(record_write(r->session.dir_fd, &r->record, &dg), 0);
	CHECK_STR(dg.message, NULL);
	session_drop_lease(&r->session);
}

static bool
room_open(struct room *r, bool ends_with_client)
{
	static const char *const names[] = { "sessions", "agents", "trash" };

	*r = (struct room){ .engine = ENGINE_INIT,
		.session = SESSION_INIT,
		.record = RECORD_INIT };
	if (!bed_find(&r->bed, &r->engine))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK_INT(mkdirat(r->bed.paths.state_fd, names[i], 0700), 0);
	(void)strcpy(r->bed.paths.state_id, "0123");
	free(r->engine.id);
	free(r->engine.data_root);
	r->engine.id = xstrdup("stub");
	r->engine.data_root = xstrdup("/data");
	room_claim(r, ends_with_client);
	return true;
}

static void
room_close(struct room *r)
{
	record_release(&r->record);
	session_release(&r->session);
	engine_release(&r->engine);
	bed_release(&r->bed);
}

static bool
session_is_there(const struct room *r)
{
	struct stat st;

	return stat(r->session.dir, &st) == 0;
}

static struct view_spec
spec_of(struct room *r, int agent_pidfd)
{
	return (struct view_spec){
		.paths = &r->bed.paths,
		.settings = &r->bed.settings,
		.environ_ = (const char *const *)r->bed.env.v,
		.engine = &r->engine,
		.record = &r->record,
		.session = &r->session,
		.agent_pidfd = agent_pidfd,
	};
}

/*
 * Views through a holder that sent this, and closed nothing; one that sends
 * nothing is gone.
 */
static int
view_of(
    struct room *r, const struct strbuf *sent, int *ret_status, struct diag *dg)
{
	struct view_spec spec = spec_of(r, -1);
	int ends[2];
	int rc;

	if (!CHECK_INT(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0))
		return 0;
	CHECK_INT(write(ends[1], sent->buf, sent->len), (intmax_t)sent->len);
	if (sent->len == 0)
		CHECK_INT(shutdown(ends[1], SHUT_WR), 0);
	rc = view_session(&spec, ends[0], ret_status, dg);
	(void)close(ends[1]);
	return rc;
}

static void
a_session_that_ends_with_its_client_is_put_away(void)
{
	cleanup_strbuf struct strbuf sent = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int status = -1;
	struct room r;

	if (!room_open(&r, true))
		return;
	container_is(&r, 0, "exited", 129);
	wire_add(&sent, WIRE_REFUSED, "no", 2);
	CHECK_INT(view_of(&r, &sent, &status, &dg), -1);
	CHECK_STR(dg.message, "the holder refused: no");
	CHECK(!session_is_there(&r));
	room_close(&r);
}

static void
one_that_may_be_left_stays(void)
{
	cleanup_strbuf struct strbuf sent = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *stopped = NULL;
	int status = -1;
	struct room r;

	if (!room_open(&r, false))
		return;
	container_is(&r, 0, "running", 0);
	wire_add(&sent, WIRE_REFUSED, "no", 2);
	CHECK_INT(view_of(&r, &sent, &status, &dg), -1);
	CHECK_STR(dg.message, "the holder refused: no");
	CHECK(session_is_there(&r));
	stopped = stub_recorded("stop.1");
	CHECK_STR(stopped, "");
	room_close(&r);
}

/* What the holder leaves in run/. */
static void
note_end(const struct room *r, const char *text)
{
	int fd = openat(r->session.dir_fd, "run/" WIRE_END_NAME,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK_INT(write(fd, text, strlen(text)), (intmax_t)strlen(text));
	CHECK_INT(close(fd), 0);
}

/* The holder is gone: its note says whether the command has ended. */
static void
a_lost_connection_is_no_end(void)
{
	static const struct {
		bool ends_with_client;
		const char *note;
		int code; /* the container's */
		int status; /* -1: the session stays */
	} rows[] = {
		{ false, "---\n", 0, -1 },
		{ false, "---\n", 134, -1 },
		{ false, "000\n", 0, 0 },
		{ false, "137\n", 137, 137 },
		{ false, "143\n", 143, 143 },
		{ false, "255\n", 255, 255 },
		{ true, "---\n", 0, -1 },
		{ true, "---\n", 139, -1 },
		{ true, "003\n", 137, 3 },
	};
	struct room r;

	if (!room_open(&r, false))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf sent = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		bool stays = rows[i].status == -1;
		int status = -1;

		room_claim(&r, rows[i].ends_with_client);
		container_is(&r, 0, "exited", rows[i].code);
		note_end(&r, rows[i].note);
		CHECK_INT(view_of(&r, &sent, &status, &dg), stays ? -1 : 0);
		CHECK_INT(status, rows[i].status);
		CHECK_INT(session_is_there(&r), stays);
		/* A collector does not take the client for one that left. */
		CHECK(!stays || !rows[i].ends_with_client ||
		    (viewers_forgotten(r.session.dir_fd) &&
			!viewers_left(r.session.dir_fd)));
	}
	room_close(&r);
}

/* A status without a note is a holder's that somebody put in its place. */
static void
a_status_alone_is_no_end(void)
{
	cleanup_strbuf struct strbuf sent = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int status = -1;
	struct room r;

	if (!room_open(&r, false))
		return;
	container_is(&r, 0, "exited", 0);
	wire_add_exit(&sent, 7, "");
	CHECK_INT(view_of(&r, &sent, &status, &dg), 0);
	CHECK_INT(status, 7);
	CHECK(session_is_there(&r));
	room_close(&r);
}

/* Its holder was stopped: the whole time that it has passes. */
static void
overdue(bool ends_with_client)
{
	cleanup_free char *stopped = NULL;
	cleanup_close int pidfd = -1;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct view_spec spec;
	struct room r;
	int status = 0;
	pid_t pid;

	if (!room_open(&r, ends_with_client))
		return;
	container_is(&r, 0, "exited", 137);
	container_is(&r, 1, "running", 0);
	skipped_ms = 0;
	pid = fork();
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	CHECK(pidfd >= 0);
	spec = spec_of(&r, pidfd);
	CHECK_INT(view_end(&spec, true, &status, &dg), 0);
	CHECK_INT(status, ends_with_client ? 137 : -1);
	CHECK_INT(session_is_there(&r), !ends_with_client);
	stopped = stub_recorded("stop.1");
	CHECK_INT(skipped_ms, END_WAIT_MS);
	CHECK_STR(stopped,
	    ends_with_client ? "POST\n/v1.41/containers/" A64 "/stop?t=0\n"
			     : "");
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	room_close(&r);
}

static void
what_does_not_end_with_its_client_is_killed(void)
{
	overdue(true);
}

static void
what_may_be_left_is_never_killed(void)
{
	overdue(false);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a broken holder: what ends with its client is put away",
		    a_session_that_ends_with_its_client_is_put_away },
		{ "a broken holder: what may be left stays",
		    one_that_may_be_left_stays },
		{ "a lost connection is no end", a_lost_connection_is_no_end },
		{ "a status alone is no end", a_status_alone_is_no_end },
		{ "what does not end with its client is killed",
		    what_does_not_end_with_its_client_is_killed },
		{ "what may be left is never killed",
		    what_may_be_left_is_never_killed },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
