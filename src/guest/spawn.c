/* SPDX-License-Identifier: MIT */
/*
 * Starts the command: descriptors, fork, exec, and the report of exec's
 * failure.
 */
#include "guest/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "guest/wire.h"

#define STATUS_NOT_EXECUTABLE 126U
#define STATUS_NOT_FOUND 127U

enum step {
	STEP_TERMINAL,
	STEP_DIRECTORY,
	STEP_EXEC
};

/* The report of a child that failed before or in exec. */
struct failure {
	enum step step;
	int errnum;
};

/* Both ends of stdin, stdout and stderr. */
struct ends {
	int ours[3];
	int theirs[3];
};

static void
ends_release(struct ends *e)
{
	for (size_t i = 0; i < 3; i++) {
		cleanup_close_fn(&e->ours[i]);
		cleanup_close_fn(&e->theirs[i]);
	}
}

#define cleanup_ends __attribute__((cleanup(ends_release)))

/*
 * Three descriptors of the same terminal, so that each can be closed
 * separately.
 */
static int
open_pty(struct ends *e, struct wire_size size)
{
	struct winsize ws = { .ws_row = size.rows != 0 ? size.rows : 24,
		.ws_col = size.columns != 0 ? size.columns : 80 };
	e->ours[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (e->ours[0] == -1 || grantpt(e->ours[0]) == -1 ||
	    unlockpt(e->ours[0]) == -1)
		return -1;
	/* TIOCGPTPEER uses the descriptor; a name could lead elsewhere. */
	e->theirs[0] =
	    ioctl(e->ours[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (e->theirs[0] == -1 || ioctl(e->ours[0], TIOCSWINSZ, &ws) == -1)
		return -1;
	e->ours[1] = fcntl(e->ours[0], F_DUPFD_CLOEXEC, 3);
	e->theirs[1] = fcntl(e->theirs[0], F_DUPFD_CLOEXEC, 3);
	e->theirs[2] = fcntl(e->theirs[0], F_DUPFD_CLOEXEC, 3);
	return e->ours[1] == -1 || e->theirs[1] == -1 || e->theirs[2] == -1 ? -1
									    : 0;
}

static int
open_pipes(struct ends *e)
{
	for (size_t i = 0; i < 3; i++) {
		int fds[2];
		if (pipe2(fds, O_CLOEXEC) == -1)
			return -1;
		e->ours[i] = fds[i == 0 ? 1 : 0];
		e->theirs[i] = fds[i == 0 ? 0 : 1];
	}
	return 0;
}

static int
set_nonblocking(const struct ends *e)
{
	for (size_t i = 0; i < 3; i++) {
		if (e->ours[i] != -1 &&
		    fcntl(e->ours[i], F_SETFL, O_NONBLOCK) == -1)
			return -1;
	}
	return 0;
}

static void
reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &sa, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void
inherited_note(struct inherited *own)
{
	own->mask = umask(0);
	(void)umask(own->mask);
	(void)getrlimit(RLIMIT_NOFILE, &own->files);
}

static void
make_environment(const struct wire_go *go, bool add_env, struct strvec *env)
{
	if (!add_env) {
		strvec_push_all(env, go->envp);
		return;
	}
	strvec_push_all(env, (const char *const *)environ);
	for (const char *const *v = go->envp; *v != NULL; v++) {
		cleanup_free char *name = xstrndup(*v, strcspn(*v, "="));
		const char *value = *v + strlen(name);
		if (*value == '=')
			strvec_setenv(env, name, value + 1);
	}
}

static bool
has_entry(const char *dir, const char *name)
{
	/*
	 * terminfo(5): the directory is the first letter, or its hexadecimal
	 * code.
	 */
	cleanup_free char *letter = xasprintf("%s/%c/%s", dir, name[0], name);
	cleanup_free char *number =
	    xasprintf("%s/%02x/%s", dir, (unsigned char)name[0], name);

	return access(letter, R_OK) == 0 || access(number, R_OK) == 0;
}

static bool
has_terminal(const char *name, const char *home)
{
	static const char *const dirs[] = { "/etc/terminfo", "/lib/terminfo",
		"/usr/share/terminfo" };

	if (name[0] == '\0' || strchr(name, '/') != NULL)
		return false;
	if (home != NULL) {
		cleanup_free char *own = xasprintf("%s/.terminfo", home);

		if (has_entry(own, name))
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (has_entry(dirs[i], name))
			return true;
	}
	return false;
}

static bool
has_locale(const char *name)
{
	locale_t locale = newlocale(LC_ALL_MASK, name, (locale_t)0);

	if (locale == (locale_t)0)
		return false;
	freelocale(locale);
	return true;
}

/* A POSIX rule (CET-1CEST,M3.5.0) needs no file. */
static bool
has_zone(const char *name)
{
	cleanup_free char *path = xasprintf("/usr/share/zoneinfo/%s", name);

	if (name[0] == '\0' || name[0] == ':' || name[0] == '/' ||
	    (strpbrk(name, "0123456789") != NULL &&
		strncmp(name, "Etc/", 4) != 0))
		return true;
	return access(path, R_OK) == 0;
}

void
spawn_correct_env(struct strvec *env)
{
	const char *home = envp_get((const char *const *)env->v, "HOME");

	for (size_t i = 0; i < env->nr; i++) {
		char *equals = strchr(env->v[i], '=');
		const char *value = equals == NULL ? "" : equals + 1;
		cleanup_free char *name = NULL;

		if (*value == '\0')
			continue;
		name = xstrndup(env->v[i], (size_t)(equals - env->v[i]));
		if (strcmp(name, "TERM") == 0 && !has_terminal(value, home))
			strvec_setenv(env, name, "xterm-256color");
		else if ((strcmp(name, "LANG") == 0 ||
			     strncmp(name, "LC_", 3) == 0) &&
		    !has_locale(value))
			strvec_setenv(env, name, "C.UTF-8");
		else if (strcmp(name, "TZ") == 0 && !has_zone(value))
			strvec_setenv(env, name, "UTC0");
	}
}

/*
 * Runs in the child.  The holder's descriptors are close-on-exec; those that it
 * inherited are made so.
 */
static void
become(const struct wire_go *go, bool add_env, const struct inherited *own,
    const struct ends *e, struct failure *failure)
{
	/* Allocated after fork(): running out of memory ends the child only. */
	struct strvec env = STRVEC_INIT;
	const char *mask;

	failure->step = STEP_TERMINAL;
	(void)setsid();
	if (go->tty && ioctl(e->theirs[0], TIOCSCTTY, 0) == -1)
		return;
	for (int i = 0; i < 3; i++) {
		if (dup2(e->theirs[i], i) == -1)
			return;
	}
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	(void)umask(own->mask);
	(void)setrlimit(RLIMIT_NOFILE, &own->files);
	failure->step = STEP_DIRECTORY;
	if (chdir(go->cwd) == -1)
		return;
	failure->step = STEP_EXEC;
	reset_signals();
	make_environment(go, add_env, &env);
	spawn_correct_env(&env);
	/* The holder's umask is the container runtime's, not the caller's. */
	mask = envp_get((const char *const *)env.v, WIRE_UMASK_VARIABLE);
	if (mask != NULL)
		(void)umask((mode_t)strtoul(mask, NULL, 8) & 0777);
	/* execvp() searches the PATH in environ. */
	environ = env.v;
	(void)execvp(go->argv[0], (char *const *)go->argv);
}

/* Reports that exec failed, and exits. */
static _Noreturn void
fail(int tell, struct failure *failure)
{
	failure->errnum = errno;
	while (write(tell, failure, sizeof(*failure)) == -1 && errno == EINTR) {
	}
	_exit((int)STATUS_NOT_EXECUTABLE);
}

int
spawn_fail(struct spawn_failure *ret_failure, unsigned int status, int errnum,
    const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(ret_failure->text, sizeof(ret_failure->text), fmt, ap);
	va_end(ap);
	size_t len = strlen(ret_failure->text);
	if (errnum != 0)
		(void)snprintf(ret_failure->text + len,
		    sizeof(ret_failure->text) - len, ": %s", strerror(errnum));
	ret_failure->status = status;
	return -1;
}

static int
cannot_run(struct spawn_failure *ret_failure, const char *what)
{
	return spawn_fail(
	    ret_failure, STATUS_NOT_EXECUTABLE, errno, "%s", what);
}

static int
describe(const struct wire_go *go, const struct failure *failure,
    struct spawn_failure *ret_failure)
{
	errno = failure->errnum;
	switch (failure->step) {
	case STEP_TERMINAL:
		return cannot_run(ret_failure, "make a terminal");
	case STEP_DIRECTORY:
		return spawn_fail(ret_failure, STATUS_NOT_EXECUTABLE,
		    failure->errnum, "change to %.500s", go->cwd);
	case STEP_EXEC:
		break;
	}
	if (failure->errnum == ENOENT || failure->errnum == ENOTDIR)
		return spawn_fail(ret_failure, STATUS_NOT_FOUND, 0,
		    "%.500s: not found", go->argv[0]);
	return spawn_fail(ret_failure, STATUS_NOT_EXECUTABLE, failure->errnum,
	    "%.500s", go->argv[0]);
}

/* Returns true if exec succeeded, which closes the pipe without a report. */
static bool
has_executed(int fd, struct failure *ret_failure)
{
	ssize_t n;
	do {
		n = read(fd, ret_failure, sizeof(*ret_failure));
	} while (n == -1 && errno == EINTR);
	return n != (ssize_t)sizeof(*ret_failure);
}

int
spawn_command(const struct wire_go *go, bool add_env,
    const struct inherited *own, struct spawned *ret_child,
    struct spawn_failure *ret_failure)
{
	cleanup_ends struct ends e = { { -1, -1, -1 }, { -1, -1, -1 } };
	struct failure failure = { STEP_TERMINAL, 0 };
	int word[2];
	if ((go->tty ? open_pty(&e, go->size) : open_pipes(&e)) == -1 ||
	    set_nonblocking(&e) == -1)
		return cannot_run(
		    ret_failure, go->tty ? "make a terminal" : "make pipes");
	if (pipe2(word, O_CLOEXEC) == -1)
		return cannot_run(ret_failure, "make a pipe");
	cleanup_close int hear = word[0];
	cleanup_close int tell = word[1];

	/*
	 * The command runs as the same user and must not trace the holder, or
	 * it could impersonate the holder to the viewers.  The flag is set only
	 * now, because the host inspects the holder in /proc before.  exec
	 * resets the flag for the child.
	 */
	(void)prctl(PR_SET_DUMPABLE, 0);
	pid_t pid = fork();
	if (pid == -1)
		return cannot_run(ret_failure, "fork");
	if (pid == 0) {
		become(go, add_env, own, &e, &failure);
		fail(tell, &failure);
	}
	cleanup_close_fn(&tell);
	if (!has_executed(hear, &failure)) {
		(void)waitpid(pid, NULL, 0);
		return describe(go, &failure, ret_failure);
	}
	*ret_child = (struct spawned){ pid, steal_fd(&e.ours[0]),
		steal_fd(&e.ours[1]), steal_fd(&e.ours[2]) };
	return 0;
}
