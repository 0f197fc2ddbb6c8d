/* SPDX-License-Identifier: MIT */
/* lease: two processes at one file, and what an agent does to the file. */
#include "guest/lease.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/monotime.h"
#include "base/xalloc.h"

#include "check.h"

#define LONG_MS 60000 /* longer than a test */
#define LOST 3 /* exit status of a sidecar that lost the lease */
#define END_MS (LEASE_LOST_MS + 5000)

struct pair {
	char *socket, *lease; /* owned */
	pid_t holder, sidecar; /* 0: none */
};

static void
init(struct pair *p, const char *name)
{
	p->socket = xasprintf("%s/%s/egress.sock", check_tmpdir(), name);
	p->lease = xasprintf("%s/%s/" LEASE_NAME, check_tmpdir(), name);
	p->holder = p->sidecar = 0;
	cleanup_free char *dir = xasprintf("%s/%s", check_tmpdir(), name);
	CHECK_INT(mkdir(dir, 0700), 0);
}

static void
end(pid_t *pid)
{
	if (*pid > 0) {
		(void)kill(*pid, SIGKILL);
		(void)waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static void
release(struct pair *p)
{
	end(&p->holder);
	end(&p->sidecar);
	free(p->socket);
	free(p->lease);
}

#define cleanup_pair __attribute__((cleanup(release)))

static void
on_lost(void *arg)
{
	(void)arg;
	_exit(LOST);
}

/* With children, the holder has a child that inherits its descriptors. */
static void
start_holder(struct pair *p, bool children)
{
	static struct loop loop;
	struct lease lease;
	p->holder = fork();
	if (p->holder != 0)
		return;
	loop_init(&loop);
	lease_init(&lease, &loop, p->socket);
	lease_hold(&lease);
	if (children && fork() == 0) {
		(void)poll(NULL, 0, 2 * END_MS);
		_exit(0);
	}
	loop_run(&loop);
	_exit(1);
}

static void
start_sidecar(struct pair *p, int first_ms)
{
	static struct loop loop;
	struct lease lease;
	p->sidecar = fork();
	if (p->sidecar != 0)
		return;
	loop_init(&loop);
	lease_init(&lease, &loop, p->socket);
	lease_watch(&lease, first_ms, on_lost, NULL);
	loop_run(&loop);
	_exit(1);
}

/* Returns the milliseconds until the sidecar lost its lease, or -1. */
static int64_t
wait_lost(struct pair *p, int limit_ms)
{
	int64_t start = monotime_ms();
	int status = 0;
	while (monotime_ms() - start < limit_ms) {
		if (waitpid(p->sidecar, &status, WNOHANG) == p->sidecar) {
			p->sidecar = 0;
			CHECK(WIFEXITED(status));
			CHECK_INT(WEXITSTATUS(status), LOST);
			return monotime_ms() - start;
		}
		(void)poll(NULL, 0, 20);
	}
	return -1;
}

/* The sidecar writes to the file once it has seen the lock. */
static void
wait_held(const struct pair *p)
{
	struct stat st = { .st_size = 0 };
	for (int i = 0; i < 1000 && st.st_size == 0; i++) {
		(void)poll(NULL, 0, 20);
		if (lstat(p->lease, &st) == -1)
			st.st_size = 0;
	}
	CHECK(st.st_size > 0);
}

static void
without_an_agent(void)
{
	cleanup_pair struct pair p;
	init(&p, "alone");
	start_sidecar(&p, 1500);
	int64_t ms = wait_lost(&p, END_MS);
	CHECK(ms >= 1400);
	start_sidecar(&p, LONG_MS);
	CHECK_INT(wait_lost(&p, 500), -1);
}

static void
with_the_agents_end(void)
{
	cleanup_pair struct pair p;
	init(&p, "end");
	start_sidecar(&p, LONG_MS);
	start_holder(&p, true);
	wait_held(&p);
	CHECK_INT(wait_lost(&p, LEASE_LOST_MS + 1500), -1);
	end(&p.holder);
	CHECK(wait_lost(&p, END_MS) >= LEASE_LOST_MS - 1100);
	/* One that the engine starts again waits no longer. */
	start_sidecar(&p, LONG_MS);
	CHECK(wait_lost(&p, END_MS) > 0);
}

static void
a_sidecar_comes_back(void)
{
	cleanup_pair struct pair p;
	init(&p, "again");
	start_holder(&p, false);
	start_sidecar(&p, LONG_MS);
	wait_held(&p);
	end(&p.sidecar);
	start_sidecar(&p, LONG_MS);
	CHECK_INT(wait_lost(&p, LEASE_LOST_MS + 1500), -1);
}

static void
remove_file(const char *path)
{
	CHECK_INT(unlink(path), 0);
}

static void
make_file(const char *path)
{
	FILE *f = fopen(path, "we");
	CHECK(f != NULL);
	if (f != NULL)
		(void)fclose(f);
}

static void
replace_by_file(const char *path)
{
	remove_file(path);
	make_file(path);
}

static void
replace_by_fifo(const char *path)
{
	remove_file(path);
	CHECK_INT(mkfifo(path, 0600), 0);
}

static void
replace_by_directory(const char *path)
{
	remove_file(path);
	CHECK_INT(mkdir(path, 0700), 0);
}

static void
replace_by_link(const char *path)
{
	remove_file(path);
	CHECK_INT(symlink("/etc/passwd", path), 0);
}

static void
remove_and_restart(const char *path)
{
	remove_file(path);
}

/* None of it keeps the sidecar after the agent's end, or ends it before. */
static void
an_agent_at_the_file(void)
{
	static const struct {
		const char *name;
		void (*act)(const char *path);
		bool restarts; /* the sidecar */
	} rows[] = {
		{ "removed", remove_file, false },
		{ "replaced", replace_by_file, false },
		{ "fifo", replace_by_fifo, false },
		{ "directory", replace_by_directory, false },
		{ "link", replace_by_link, false },
		{ "remade", remove_and_restart, true },
	};
	struct pair pairs[ARRAY_SIZE(rows)];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		init(&pairs[i], rows[i].name);
		start_sidecar(&pairs[i], LONG_MS);
		start_holder(&pairs[i], false);
		wait_held(&pairs[i]);
		rows[i].act(pairs[i].lease);
		if (rows[i].restarts) {
			end(&pairs[i].sidecar);
			start_sidecar(&pairs[i], LONG_MS);
		}
	}
	(void)poll(NULL, 0, LEASE_LOST_MS + 2500);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool lives = wait_lost(&pairs[i], 1) == -1;
		check_true(__FILE__, __LINE__, rows[i].name, lives);
		end(&pairs[i].holder);
		if (lives)
			check_true(__FILE__, __LINE__, rows[i].name,
			    wait_lost(&pairs[i], END_MS) > 0);
		release(&pairs[i]);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a sidecar without an agent ends after its wait",
		    without_an_agent },
		{ "a sidecar ends soon after its agent, also after a restart",
		    with_the_agents_end },
		{ "a sidecar that restarts finds its agent",
		    a_sidecar_comes_back },
		{ "an agent's changes of the file keep no sidecar alive",
		    an_agent_at_the_file },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
