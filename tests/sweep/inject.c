/* SPDX-License-Identifier: MIT */
/*
 * inject: runs a command of which one system call fails, or is its last.
 *
 * usage: inject HIT CHILDREN NUMBER N ERRNO COMMAND [ARGUMENT]...
 *
 * As in trace.h.  The file HIT is there afterwards when it came to that.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "die.h"
#include "trace.h"

static long
read_number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0')
		die("%s", text);
	return n;
}

static void
note(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1 || close(fd) != 0)
		die("%s", path);
}

int
main(int argc, char **argv)
{
	const struct rlimit no_core = { 0, 0 };
	struct injection in;
	pid_t pid;
	int status;
	bool hit;

	if (argc < 7)
		die("usage: HIT CHILDREN NUMBER N ERRNO COMMAND...");
	in = (struct injection){ read_number(argv[2]), read_number(argv[3]),
		read_number(argv[4]), (int)read_number(argv[5]) };
	pid = fork();
	if (pid == -1)
		die("fork");
	if (pid == 0) {
		trace_me();
		(void)execv(argv[6], argv + 6);
		_exit(DIE_STATUS);
	}
	status = trace_child(pid, &in, &hit);
	if (hit)
		note(argv[1]);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)signal(WTERMSIG(status), SIG_DFL);
	(void)raise(WTERMSIG(status));
	return DIE_STATUS;
}
