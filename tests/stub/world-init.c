/* SPDX-License-Identifier: MIT */
/*
 * Containers that run: an init in namespaces of its own, with the plan's binds
 * mounted where a verifier looks, and below it the real holder, or what
 * answers for the proxy.
 */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "guest/refusal.h"

#define STEP_MS 2
#define STEPS 2500

struct service {
	const struct world *w;
	char *dir; /* the container's */
	struct json *plan; /* of the service */
	bool agent;
	int listener; /* of the proxy; -1 */
};

static void
now(char *buf, size_t size)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)gmtime_r(&ts.tv_sec, &tm);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf + n, size - n, ".%09ldZ", ts.tv_nsec);
}

static void
write_state(const struct service *s, const char *word, long n,
    const char *started, bool ended)
{
	cleanup_free char *path = xasprintf("%s/state", s->dir);
	char finished[64] = "";
	cleanup_free char *text = NULL;

	if (ended)
		now(finished, sizeof(finished));
	text = xasprintf("%s %ld %s %s\n", word, n, started, finished);
	world_write(path, text, strlen(text));
}

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return;
	if (write(fd, text, strlen(text)) == -1)
		world_die("write %s: %s", path, strerror(errno));
	(void)close(fd);
}

/* An ordinary user is root of a user namespace, and owns the guardrails. */
static void
map_user(uid_t uid, gid_t gid)
{
	char map[64];

	write_file("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof(map), "0 %u 1\n", uid);
	write_file("/proc/self/uid_map", map);
	(void)snprintf(map, sizeof(map), "0 %u 1\n", gid);
	write_file("/proc/self/gid_map", map);
}

/* Directories on the way, and at the end what can be mounted upon. */
static void
make_point(char *path, bool dir)
{
	for (char *at = path + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		(void)mkdir(path, 0755);
		*at = '/';
	}
	if (dir)
		(void)mkdir(path, 0755);
	else
		(void)close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int
compare(const void *a, const void *b)
{
	const struct json *x = *(const struct json *const *)a;
	const struct json *y = *(const struct json *const *)b;
	size_t nx = strlen(json_string_or(json_get(x, "target"), ""));
	size_t ny = strlen(json_string_or(json_get(y, "target"), ""));

	return nx < ny ? -1 : nx > ny;
}

/* The plan's binds below DIR/tree, outer ones first. */
static void
mount_binds(const struct service *s)
{
	const struct json *volumes = json_get(s->plan, "volumes");
	size_t n = json_len(volumes);
	const struct json **v = xcalloc(n + 1, sizeof(const struct json *));
	cleanup_free char *tree = xasprintf("%s/tree", s->dir);
	bool other = world_has_fault(s->w, "differ") &&
	    strcmp(s->w->value, "source") == 0;

	(void)mkdir(tree, 0755);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", tree, "tmpfs", 0, "mode=0755") != 0)
		world_die("mount %s: %s", tree, strerror(errno));
	for (size_t i = 0; i < n; i++)
		v[i] = json_at(volumes, i);
	qsort(v, n, sizeof(*v), compare);
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *source = world_undouble(
		    json_string_or(json_get(v[i], "source"), ""));
		cleanup_free char *target = world_undouble(
		    json_string_or(json_get(v[i], "target"), ""));
		cleanup_free char *at = xasprintf("%s%s", tree, target);
		struct stat st;

		if (stat(source, &st) != 0)
			world_die("stat %s: %s", source, strerror(errno));
		make_point(at, S_ISDIR(st.st_mode));
		if (other && strcmp(target, "/run/drydock") == 0)
			continue;
		if (mount(source, at, NULL, MS_BIND | MS_REC, NULL) != 0)
			world_die("bind %s: %s", at, strerror(errno));
	}
	free(v);
}

/* The source of the bind at this target. */
static char *
source_of(const struct service *s, const char *target)
{
	const struct json *volumes = json_get(s->plan, "volumes");

	for (size_t i = 0; i < json_len(volumes); i++) {
		const struct json *v = json_at(volumes, i);

		if (strcmp(json_string_or(json_get(v, "target"), ""), target) ==
		    0)
			return world_undouble(
			    json_string_or(json_get(v, "source"), ""));
	}
	world_die("no bind at %s", target);
}

/*
 * Another session of the user has taken all that the kernel gives to one user:
 * the holder, and so each session of the world, does without.
 */
static void
deny_watches(void)
{
	static const uint32_t calls[] = { SYS_epoll_create1, SYS_epoll_ctl,
		SYS_inotify_init1, SYS_timerfd_create };
	struct sock_filter code[2 * ARRAY_SIZE(calls) + 2];
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(
	    BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(
		    BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(
		    BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)ENOSPC);
	}
	code[n++] =
	    (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = { n, code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		world_die("deny watches: %s", strerror(errno));
}

static _Noreturn void
be_holder(const struct service *s)
{
	cleanup_free char *holder_path = xasprintf("%s/holder", s->w->dir);
	char *holder = world_read(holder_path, false);
	cleanup_free char *guard_path = xasprintf("%s/guard", s->w->dir);
	char *guard = world_read(guard_path, false);
	char *run = source_of(s, "/run/drydock");
	char *policy = xasprintf("%s/policy", guard);
	char *manifest = xasprintf("%s/manifest", guard);
	char *const argv[] = { holder, (char[]){ "hold" },
		(char[]){ "--build" }, (char[]){ "--run" }, run,
		(char[]){ "--policy" }, policy, (char[]){ "--manifest" },
		manifest, NULL };
	char *const envp[] = { NULL };

	deny_watches();
	(void)execve(holder, argv, envp);
	world_die("run %s: %s", holder, strerror(errno));
}

/* The proxy's own refusal, whatever is asked. */
static _Noreturn void
be_proxy(const struct service *s)
{
	char answer[128];
	char buf[4096];

	(void)snprintf(answer, sizeof(answer),
	    "HTTP/1.1 %d Forbidden\r\n%s\r\n\r\n", REFUSAL_STATUS,
	    REFUSAL_HEADER "list");
	for (;;) {
		int fd = accept(s->listener, NULL, NULL);
		size_t len = 0;
		ssize_t n;

		if (fd == -1)
			continue;
		while (len < sizeof(buf) &&
		    (n = read(fd, buf + len, sizeof(buf) - len)) > 0) {
			len += (size_t)n;
			if (memmem(buf, len, "\r\n\r\n", 4) != NULL)
				break;
		}
		if (len > 0)
			(void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
		(void)close(fd);
	}
}

static volatile sig_atomic_t child_pid;

static void
pass_on(int sig)
{
	if (child_pid > 0)
		(void)kill((pid_t)child_pid, sig);
}

/* PID 1 of the container: what it leaves behind is how its child ended. */
static _Noreturn void
be_init(const struct service *s, const char *started)
{
	int status = 0;
	int code;
	pid_t pid;

	(void)prctl(PR_SET_NAME, "world-init");
	mount_binds(s);
	(void)signal(SIGTERM, pass_on);
	(void)signal(SIGPIPE, SIG_DFL);
	pid = fork();
	if (pid == 0) {
		(void)signal(SIGTERM, SIG_DFL);
		if (s->agent)
			be_holder(s);
		be_proxy(s);
	}
	child_pid = pid;
	for (;;) {
		pid_t dead = waitpid(-1, &status, 0);

		if (dead == pid || (dead == -1 && errno == ECHILD))
			break;
	}
	code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	/* The engine knows a little later than the process is gone. */
	write_state(s, "exited", code, started, true);
	_exit(0);
}

static void
leave_caller(void)
{
	int null = open("/dev/null", O_RDWR);

	(void)setsid();
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null, fd);
}

static int
open_proxy(const struct service *s)
{
	cleanup_free char *dir = source_of(s, "/run/egress");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path),
	    "/proc/self/fd/%d/egress.sock", dirfd);
	(void)unlink(sun.sun_path);
	if (fd == -1 ||
	    bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) != 0 ||
	    chmod(sun.sun_path, 0666) != 0 || listen(fd, 16) != 0)
		world_die("listen in %s: %s", dir, strerror(errno));
	(void)close(dirfd);
	return fd;
}

/* So that a launch makes the same calls each time. */
static void
await_holder(const struct service *s, pid_t pid)
{
	cleanup_free char *dir = source_of(s, "/run/drydock");
	int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path),
	    "/proc/self/fd/%d/holder.sock", dirfd);
	for (int i = 0; i < STEPS; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int rc =
		    connect(fd, (const struct sockaddr *)&sun, sizeof(sun));

		(void)close(fd);
		if (rc == 0 || !world_is_alive(pid))
			break;
		(void)poll(NULL, 0, STEP_MS);
	}
	(void)close(dirfd);
}

void
world_start(struct world *w, const char *id)
{
	cleanup_free char *dir = world_container(w, id);
	cleanup_free char *path = xasprintf("%s/service", dir);
	cleanup_free char *text = world_read(path, false);
	cleanup_free char *role_path = xasprintf("%s/role", dir);
	cleanup_free char *role = world_read(role_path, false);
	struct service s = { .w = w,
		.dir = dir,
		.plan = world_parse(text, path),
		.agent = strcmp(role, "agent") == 0,
		.listener = -1 };
	unsigned long flags = CLONE_NEWPID | CLONE_NEWNS | SIGCHLD;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char started[64];
	int go[2];
	pid_t pid;
	char c;

	if (!s.agent)
		s.listener = open_proxy(&s);
	if (uid != 0)
		flags |= CLONE_NEWUSER;
	now(started, sizeof(started));
	if (pipe2(go, O_CLOEXEC) != 0)
		world_die("pipe");
	pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	if (pid == -1)
		world_die("clone: %s", strerror(errno));
	if (pid == 0) {
		if (uid != 0)
			map_user(uid, gid);
		(void)close(go[1]);
		/* Whose Compose was killed before is none that runs. */
		if (read(go[0], &c, 1) != 1)
			_exit(0);
		leave_caller();
		/* Above all the lease, which is Compose's alone. */
		for (int fd = 3; fd < 64; fd++)
			if (fd != s.listener)
				(void)close(fd);
		be_init(&s, started);
	}
	write_state(&s, "running", pid, started, false);
	if (write(go[1], "g", 1) != 1)
		world_die("start %s: %s", id, strerror(errno));
	(void)close(go[0]);
	(void)close(go[1]);
	if (s.listener != -1)
		(void)close(s.listener);
	if (s.agent)
		await_holder(&s, pid);
	json_free(s.plan);
}

/* A zombie is dead: whose child it became may take its time. */
bool
world_is_alive(pid_t pid)
{
	char path[64];
	cleanup_free char *text = NULL;
	const char *end;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	text = world_read(path, true);
	end = text == NULL ? NULL : strrchr(text, ')');
	return end != NULL && end[1] == ' ' && end[2] != 'Z' && end[2] != 'X';
}

/* 0 when it does not run. */
static pid_t
pid_of(const struct world *w, const char *id)
{
	cleanup_free char *dir = world_container(w, id);
	cleanup_free char *path = xasprintf("%s/state", dir);
	cleanup_free char *text = world_read(path, true);
	long pid = 0;

	if (text == NULL || sscanf(text, "running %ld", &pid) != 1)
		return 0;
	return (pid_t)pid;
}

static bool
await_end(const struct world *w, const char *id, int ms)
{
	for (int waited = 0;; waited += STEP_MS) {
		pid_t pid = pid_of(w, id);

		if (pid <= 0 || !world_is_alive(pid))
			return true;
		if (waited >= ms)
			return false;
		(void)poll(NULL, 0, STEP_MS);
	}
}

void
world_stop(struct world *w, const char *id, int grace_s)
{
	pid_t pid = pid_of(w, id);

	if (pid <= 0)
		return;
	(void)kill(pid, SIGTERM);
	if (!await_end(w, id, grace_s * 1000)) {
		(void)kill(pid, SIGKILL);
		(void)await_end(w, id, 5000);
	}
}

void
world_remove(struct world *w, const char *id)
{
	cleanup_free char *dir = world_container(w, id);
	cleanup_free char *gone = xasprintf("%s/.gone.%s", w->dir, id);
	cleanup_free char *live = xasprintf("%s/live", dir);
	pid_t pid = pid_of(w, id);

	if (access(live, F_OK) == 0)
		world_complain(w, "a live container is removed: %s", id);
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		(void)await_end(w, id, 5000);
	}
	if (rename(dir, gone) != 0 && errno != ENOENT)
		world_die("remove %s: %s", dir, strerror(errno));
}
