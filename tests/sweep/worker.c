/* SPDX-License-Identifier: MIT */
/*
 * worker: tries one command in one world, with one fault after the other.
 *
 * usage: worker TOP SECRET
 *
 * TOP is the world's directory; TOP.args and TOP.env, whose strings each end
 * with a NUL, are the command, and TOP.stdin is what it reads.  It answers each
 * line of its standard input with one of its own:
 *
 *   keep WHICH                      kept
 *   restore WHICH                   restored | lost PATH
 *   look                            STATE
 *   try CHILDREN NUMBER N ERRNO     STATUS HIT STATE OUTCOME
 *
 * keep takes the world as it is, as one of TREES; restore puts that back and
 * ends the containers that began since: lost is what cannot be put back, a
 * container that ran or, but for tree 0, a socket.  try runs the command
 * (trace.h) and leaves what it printed in TOP.out and TOP.err.  STATUS is
 * negative for a signal; STATE is a number of the world that was left, OUTCOME
 * one of all that can be told.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "die.h"
#include "outcome.h"
#include "trace.h"
#include "tree.h"

/* Nothing takes as long that does not hang. */
#define SECONDS 240
#define PIPE_BYTES (1 << 20)

/* The world as a scenario begins, with what it adds that lasts, and what
 * scenarios have in common. */
#define TREES 3
#define CONTAINERS "bin/world.d/containers"

struct kept {
	struct tree tree;
	int *inits; /* of containers that ran */
	size_t nr;
};

struct worker {
	const char *top;
	struct kept kept[TREES];
	struct kept *now; /* which the world was last */
	struct chance chance;
};

/* TOP.args and the like: the strings of it. */
static void
read_strings(const char *top, const char *name, struct strvec *ret)
{
	cleanup_free char *path = xasprintf("%s.%s", top, name);
	cleanup_fclose FILE *f = fopen(path, "re");
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int c;

	if (f == NULL)
		die("open %s", path);
	while ((c = getc(f)) != EOF)
		strbuf_addch(&text, (char)c);
	for (const char *s = text.buf; s < text.buf + text.len;
	     s += strlen(s) + 1)
		strvec_push(ret, s);
}

/* The init of a container that is said to run, or 0. */
static int
find_init(const char *state)
{
	int pid;

	return sscanf(state, "running %d", &pid) == 1 && pid > 1 ? pid : 0;
}

static bool
is_state(const char *path)
{
	const char *name = strrchr(path, '/');

	return strncmp(path, CONTAINERS "/", sizeof(CONTAINERS)) == 0 &&
	    strcmp(name, "/state") == 0;
}

static void
keep(struct kept *k)
{
	tree_keep(&k->tree);
	k->nr = 0;
	for (size_t i = 0; i < k->tree.nr; i++) {
		const struct tree_entry *e = &k->tree.v[i];
		int pid = is_state(e->path) ? find_init(e->data) : 0;

		if (pid == 0 || !outcome_is_alive(pid))
			continue;
		k->inits =
		    xreallocarray(k->inits, k->nr + 1, sizeof(*k->inits));
		k->inits[k->nr++] = pid;
	}
}

/* An init that just began takes no signal yet: so again and again. */
static void
end_process(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd == -1)
		return;
	for (int i = 0; i < SECONDS * 50; i++)
		if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) != 0 ||
		    poll(&p, 1, 20) == 1)
			break;
	(void)close(fd);
}

/* What time would do: a holder that is given no command ends. */
static void
end_other(void *arg, int dir_fd, const char *path, const struct stat *st)
{
	struct kept *k = arg;
	cleanup_free char *state = NULL;
	size_t len;
	int pid;

	if (!is_state(path) || tree_same(&k->tree, path, st) != NULL)
		return;
	state = tree_read(dir_fd, path, st, &len);
	pid = find_init(state);
	if (pid > 0)
		end_process(pid);
}

static void
restore(struct kept *k, bool dead)
{
	cleanup_free char *lost = NULL;
	bool whole;

	tree_walk(&k->tree, CONTAINERS, end_other, k);
	whole = tree_restore(&k->tree, dead, &lost);
	for (size_t i = 0; i < k->nr && whole; i++)
		if (!outcome_is_alive(k->inits[i])) {
			lost = xasprintf("container %d", k->inits[i]);
			whole = false;
		}
	if (whole)
		(void)puts("restored");
	else
		(void)printf("lost %s\n", lost);
}

/*
 * A companion has drydock's name.  It lives as long as its session, which can
 * be a minute without a command.
 */
static bool
is_companion(int pid)
{
	cleanup_free char *path = xasprintf("/proc/%d/cmdline", pid);
	cleanup_fclose FILE *f = fopen(path, "re");
	char args[PATH_MAX] = "";
	size_t n = f == NULL ? 0 : fread(args, 1, sizeof(args) - 1, f);
	size_t first = strlen(args);

	return first < n && strcmp(args + first + 1, "--companion") == 0;
}

/* Whether a child of ours is not of a container, but a call of the stub, or is
 * about to be one. */
static bool
is_call(int pid)
{
	cleanup_free char *path = xasprintf("/proc/%d/comm", pid);
	cleanup_fclose FILE *f = fopen(path, "re");
	char name[32];

	if (f == NULL || fgets(name, sizeof(name), f) == NULL)
		return false;
	return strncmp(name, "docker", 6) == 0 ||
	    (strncmp(name, "drydock", 7) == 0 && !is_companion(pid));
}

/* What the command left alone is our child now: whether a call is among that. */
static bool
has_call(void)
{
	cleanup_fclose FILE *f = NULL;
	bool found = false;
	int pid;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	f = fopen("/proc/thread-self/children", "re");
	if (f == NULL)
		die("see the children");
	while (!found && fscanf(f, "%d", &pid) == 1)
		found = is_call(pid);
	return found;
}

/*
 * Until the engine has begun with each call that it was sent: it takes one
 * connection after the other, and hangs up when nothing is asked.
 */
static void
wait_for_engine(const struct worker *w)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char c;

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s.sock", w->top);
	if (fd == -1 ||
	    connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) != 0 ||
	    shutdown(fd, SHUT_WR) != 0 || read(fd, &c, 1) != 0)
		die("wait for the engine at %s", sun.sun_path);
	(void)close(fd);
}

/* Until calls of the stub that outlive the command have ended: those that
 * began only, and those whose parent is another by now. */
static void
settle(const struct worker *w)
{
	const struct timespec pause = { 0, 1000000 };
	cleanup_free char *path = xasprintf("%s/bin/world.d/busy", w->top);
	cleanup_close int fd = -1;

	while (has_call())
		(void)nanosleep(&pause, NULL);
	wait_for_engine(w);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || flock(fd, LOCK_EX) != 0)
		die("wait for %s", path);
}

/* As subprocess.Popen() would, and then the command. */
static _Noreturn void
become(const struct strvec *args, const struct strvec *env, const int fds[3])
{
	(void)setsid();
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) != i)
			_exit(DIE_STATUS);
	if (chdir("/") != 0)
		_exit(DIE_STATUS);
	trace_me();
	(void)execve(args->v[0], args->v, env->v);
	_exit(DIE_STATUS);
}

/* What is in the pipe, for who looks at it, and its sum. */
static uint64_t
take(const struct worker *w, int fd, const char *name)
{
	cleanup_free char *path = xasprintf("%s.%s", w->top, name);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_fclose FILE *f = fopen(path, "we");
	char buf[8192];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		strbuf_add(&text, buf, (size_t)n);
	(void)close(fd);
	if (f == NULL || fwrite(text.buf, 1, text.len, f) != text.len)
		die("write %s", path);
	return chance_sum(&w->chance, text.buf, text.len);
}

static void
make_pipe(int ret_fds[2])
{
	if (pipe2(ret_fds, O_CLOEXEC) != 0 ||
	    fcntl(ret_fds[0], F_SETFL, O_NONBLOCK) != 0 ||
	    fcntl(ret_fds[1], F_SETPIPE_SZ, PIPE_BYTES) < 0)
		die("make a pipe");
}

static uint64_t
look(struct worker *w)
{
	chance_look(&w->chance, &w->chance.now);
	return outcome_state(&w->now->tree, &w->chance);
}

static void
try(struct worker *w, const struct injection *in)
{
	cleanup_strvec struct strvec args = STRVEC_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT;
	cleanup_free char *input = xasprintf("%s.stdin", w->top);
	int in_fd = open(input, O_RDONLY | O_CLOEXEC);
	int out[2];
	int err[2];
	uint64_t state;
	uint64_t said;
	pid_t pid;
	int status;
	bool hit;

	read_strings(w->top, "args", &args);
	read_strings(w->top, "env", &env);
	make_pipe(out);
	make_pipe(err);
	(void)alarm(SECONDS);
	pid = in_fd == -1 ? -1 : fork();
	if (pid == -1)
		die("start %s", args.v[0]);
	if (pid == 0)
		become(&args, &env, (const int[]){ in_fd, out[1], err[1] });
	(void)close(in_fd);
	(void)close(out[1]);
	(void)close(err[1]);
	status = trace_child(pid, in, &hit);
	settle(w);
	(void)alarm(0);
	state = look(w);
	said = take(w, out[0], "out") * 3 + take(w, err[0], "err");
	status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	(void)printf("%d %d %016" PRIx64 " %016" PRIx64 "\n", status, hit,
	    state, state * 31 + said * 7 + (uint64_t)status);
}

static void
answer(struct worker *w, const char *line)
{
	struct injection in;
	unsigned which;

	if (sscanf(line, "try %ld %ld %ld %d", &in.children, &in.number, &in.n,
		&in.error) == 4) {
		try(w, &in);
	} else if (strcmp(line, "look\n") == 0) {
		(void)printf("%016" PRIx64 "\n", look(w));
	} else if (sscanf(line, "restore %u", &which) == 1 && which < TREES) {
		w->now = &w->kept[which];
		restore(w->now, which == 0);
	} else if (sscanf(line, "keep %u", &which) == 1 && which < TREES) {
		w->now = &w->kept[which];
		keep(w->now);
		chance_look(&w->chance, &w->chance.before);
		(void)puts("kept");
	} else {
		die("not known: %s", line);
	}
	(void)fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct worker w;
	char line[256];

	if (argc != 3) {
		(void)fputs("usage: worker TOP SECRET\n", stderr);
		return DIE_STATUS;
	}
	w = (struct worker){ .top = argv[1],
		.now = w.kept,
		.chance = { argv[1], argv[2], STRVEC_INIT, STRVEC_INIT } };
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		die("adopt children");
	for (size_t i = 0; i < TREES; i++)
		tree_init(&w.kept[i].tree, argv[1]);
	while (fgets(line, sizeof(line), stdin) != NULL)
		answer(&w, line);
	return 0;
}
