/* SPDX-License-Identifier: MIT */
/* Which sockets below a bind somebody listens at. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/settings.h"
#include "plan/plan.h"
#include "plan/role.h"
#include "plan/sockets.h"

#include "check.h"
#include "tree-kit.h"

/* A socket of that name below the test's directory; the caller closes it. */
static int
make_socket(const char *name, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_free char *old = getcwd(NULL, 0);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	CHECK_INT(chdir(check_tmpdir()), 0);
	CHECK((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		  name) < sizeof(address.sun_path));
	CHECK_INT(
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_INT(chdir(old), 0);
	return fd;
}

/* The whole of what is found in a bind of the test's directory. */
static void
find(const char *project, struct strvec *found, bool *whole)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	struct plan_mount bind = {
		.role = &mount_roles[strcmp(project, "/p") == 0 ? MOUNT_PROJECT
								: MOUNT_RUN],
		.source = (char *)(uintptr_t) "/p",
		.fd = tree_open(),
	};
	struct settings settings = { .binds = STRVEC_INIT };
	struct plan_request request = {
		.settings = &settings,
	};
	struct plan_service agent = {
		.name = (char *)(uintptr_t) "agent",
		.mounts = &bind,
		.nmounts = 1,
	};
	struct plan plan = { .services = &agent, .nservices = 1 };

	CHECK_INT(fstat(bind.fd, &bind.st), 0);
	CHECK_INT(sockets_find(&request, &plan, found, whole, &dg), 0);
	CHECK_STR(dg.message, NULL);
	close(bind.fd);
}

static void
test_kinds(void)
{
	cleanup_strvec struct strvec found = STRVEC_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int listener = -1;
	cleanup_close int datagram = -1;
	cleanup_close int closed = -1;
	bool whole = false;

	CHECK_INT(mkdirat(dir, "a", 0700), 0);
	CHECK_INT(mkdirat(dir, "a/b", 0700), 0);
	CHECK_INT(mkdirat(dir, "a/b/c", 0700), 0);
	CHECK_INT(symlinkat("a", dir, "link"), 0);
	tree_file(dir, "a/file", 0600);
	CHECK_INT(mkfifoat(dir, "a/fifo", 0600), 0);
	find("/p", &found, &whole);
	CHECK_INT(found.nr, 0);
	CHECK(whole);
	listener = make_socket("a/b/c/listener", SOCK_STREAM);
	datagram = make_socket("datagram", SOCK_DGRAM);
	/* Its program has ended. */
	closed = make_socket("stale", SOCK_STREAM);
	CHECK_INT(listen(closed, 1), 0);
	cleanup_close_fn(&closed);
	CHECK_INT(listen(listener, 0), 0);
	for (int i = 0; i < 3; i++) {
		strvec_release(&found);
		/* The queue is full after the first. */
		find("/p", &found, &whole);
		if (!CHECK_INT(found.nr, 2))
			return;
		CHECK_STR(found.v[0], "/p/datagram");
		CHECK_STR(found.v[1], "/p/a/b/c/listener");
		CHECK(whole);
	}
}

/* What is neither the project nor listed is drydock's own, or refused. */
static void
test_binds(void)
{
	cleanup_strvec struct strvec found = STRVEC_INIT;
	cleanup_close int listener = make_socket("listener", SOCK_STREAM);
	bool whole = false;

	CHECK_INT(listen(listener, 1), 0);
	find("/q", &found, &whole);
	CHECK_INT(found.nr, 0);
	find("/p", &found, &whole);
	CHECK_INT(found.nr, 1);
}

/* The agent has the caller's rights: it could open this one. */
static void
test_closed(void)
{
	cleanup_strvec struct strvec found = STRVEC_INIT;
	cleanup_close int dir = tree_open();
	bool whole = true;

	if (geteuid() == 0) {
		check_skip("root reads every directory");
		return;
	}
	CHECK_INT(mkdirat(dir, "closed", 0), 0);
	find("/p", &found, &whole);
	CHECK(!whole);
	CHECK_INT(fchmodat(dir, "closed", 0700, 0), 0);
}

/* The agent has the caller's rights: it could connect to this one. */
static void
test_mode(void)
{
	cleanup_strvec struct strvec found = STRVEC_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int listener = make_socket("listener", SOCK_STREAM);
	bool whole = false;

	CHECK_INT(listen(listener, 1), 0);
	CHECK_INT(fchmodat(dir, "listener", 0, 0), 0);
	find("/p", &found, &whole);
	CHECK_INT(found.nr, 1);
}

/* An agent can make a tree that no path reaches the end of. */
static void
test_too_deep(void)
{
	cleanup_strvec struct strvec found = STRVEC_INIT;
	cleanup_free char *name = xcalloc(NAME_MAX + 1, 1);
	cleanup_close int at = tree_open();
	bool whole = true;

	memset(name, 'x', NAME_MAX);
	for (int i = 0; i <= PATH_MAX / NAME_MAX; i++) {
		cleanup_close int up = at;

		CHECK_INT(mkdirat(up, name, 0700), 0);
		at = openat(up, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CHECK(at >= 0);
	}
	find("/p", &found, &whole);
	CHECK(!whole);
	CHECK_INT(found.nr, 0);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "what listens is found at any depth, what has ended is not",
		    test_kinds },
		{ "drydock's own directories are not searched", test_binds },
		{ "a directory that is closed to the caller is told of",
		    test_closed },
		{ "a socket of the caller's is open to the agent by any mode",
		    test_mode },
		{ "a tree that is too deep for a name is told of",
		    test_too_deep },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
