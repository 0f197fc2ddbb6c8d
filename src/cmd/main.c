/* SPDX-License-Identifier: MIT */
/*
 * main: dispatches the command line to a command and maps a diag to an exit
 * status.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/table.h"
#include "engine/engine.h"
#include "session/companion.h"

enum {
	SESSION_FD = 3, /* inherited by --companion */
};

/*
 * Opens descriptors 0 to 2 if they are closed.  Otherwise a file that is opened
 * later could become a child's standard output.
 */
static int
sanitise_stdfd(struct diag *dg)
{
	int fd;

	do {
		/* Children inherit these descriptors: no O_CLOEXEC. */
		fd = open("/dev/null", O_RDWR); /* NOLINT(android-cloexec-*) */
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open /dev/null");
	(void)close(fd);
	return 0;
}

static int
prepare_process(struct diag *dg)
{
	if (sanitise_stdfd(dg) != 0)
		return -1;
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return diag_set_errno(dg, DIAG_BUG, errno, "ignore SIGPIPE");
	/*
	 * With SIGXFSZ ignored, a write beyond the limit fails with EFBIG
	 * instead of ending the process.
	 */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return diag_set_errno(dg, DIAG_BUG, errno, "ignore SIGXFSZ");
	/*
	 * A caller may leave SIGCHLD ignored, and then the kernel reaps our
	 * children.
	 */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		return diag_set_errno(dg, DIAG_BUG, errno, "heed SIGCHLD");
	return 0;
}

/* Child processes gain no privileges. */
static int
forbid_privileges(struct diag *dg)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return diag_set_errno(dg, DIAG_BUG, errno, "set no_new_privs");
	return 0;
}

/*
 * Rejects options before a command.  When run is only implied and the first
 * operand names a command and no directory, the user meant that command.
 */
static int
check_order(
    const struct options *options, int argc, char **argv, struct diag *dg)
{
	cleanup_diag struct diag none = DIAG_INIT;
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	const char *word = options->dashdash > 0 ? options->argv[0] : NULL;
	const struct cmd *cmd;
	struct stat st;

	if (word == NULL || table_find(word, &cmd, &none) != 0 ||
	    (stat(word, &st) == 0 && S_ISDIR(st.st_mode)))
		return 0;
	strbuf_addf(&line, "drydock %s", word);
	for (int i = 0; i < argc; i++) {
		if (argv[i] == word)
			continue;
		strbuf_addch(&line, ' ');
		strbuf_add_shell_quoted(&line, argv[i]);
	}
	return diag_set(dg, DIAG_USAGE, "put the command first: %s", line.buf);
}

/*
 * Loads what cmd needs and runs it.  *ret_status is the exit status.  implied:
 * the command line names no command.
 */
static int
run_command(const struct cmd *cmd, bool implied, int argc, char **argv,
    int *ret_status, struct diag *dg)
{
	cleanup_options struct options options = OPTIONS_INIT;
	cleanup_settings struct settings settings;
	cleanup_paths struct paths paths;
	cleanup_strbuf struct strbuf help = STRBUF_INIT;
	cleanup_engine struct engine engine = ENGINE_INIT;
	struct context ctx = {
		.paths = &paths,
		.settings = &settings,
		.environ_ = (const char *const *)environ,
		.engine = &engine,
	};

	paths_init(&paths);
	settings_init(&settings);
	if ((cmd->needs & CMD_NEED_SETUID) == 0 && forbid_privileges(dg) != 0)
		return -1;
	if (options_parse(cmd, argc, argv, &options, dg) != 0)
		return -1;
	if (options.quiet)
		diag_mute_notes();
	if (options.help) {
		table_help_command(cmd, &help);
		(void)fputs(help.buf, stdout);
		return 0;
	}
	if (implied && check_order(&options, argc, argv, dg) != 0)
		return -1;
	if ((cmd->needs & CMD_NEED_SETTINGS) != 0 &&
	    (paths_find(&paths, dg) != 0 ||
		settings_load(&settings, &paths, ctx.environ_, dg) != 0 ||
		options_apply(&options, &settings, dg) != 0))
		return -1;
	if (cmd->args == NULL && options.argc > 0)
		return diag_set(dg, DIAG_USAGE, "%s: unexpected operand \"%s\"",
		    cmd->name, options.argv[0]);
	ctx.options = options.values;
	ctx.argv = options.argv;
	ctx.argc = options.argc;
	ctx.dashdash = options.dashdash;
	if (cmd->run(&ctx, dg) < 0)
		return -1;
	*ret_status = ctx.status;
	return 0;
}

/* Runs the process that companion_start() starts.  argv: ID PROCESS. */
static int
run_companion(int argc, char **argv, struct diag *dg)
{
	struct stat st;

	if (argc != 2 || fstat(SESSION_FD, &st) != 0 || !S_ISDIR(st.st_mode) ||
	    fcntl(SESSION_FD, F_SETFD, FD_CLOEXEC) != 0)
		return diag_set(dg, DIAG_USAGE,
		    "--companion: drydock itself starts this, for a session");
	return forbid_privileges(dg) != 0
	    ? -1
	    : companion_run(SESSION_FD, argv[1], dg);
}

/* argv is the command line without the program name. */
static int
dispatch(int argc, char **argv, int *ret_status, struct diag *dg)
{
	int used = argc > 0 ? 1 : 0;
	const char *word = argc > 0 ? argv[0] : "run";
	const struct cmd *cmd;

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		word = "help";
	} else if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		word = "version";
	} else if (strcmp(word, "--companion") == 0) {
		return run_companion(argc - 1, argv + 1, dg);
	} else if (strncmp(word, "--list-", 7) == 0) {
		return table_list(argc, argv, dg);
	} else if (word[0] == '-') {
		/* An option or "--" without a command belongs to run. */
		word = "run";
		used = 0;
	}
	if (table_find(word, &cmd, dg) != 0)
		return -1;
	return run_command(
	    cmd, used == 0, argc - used, argv + used, ret_status, dg);
}

/* Returns true if standard output is a pipe or socket without a reader. */
static bool
reader_left(void)
{
	struct pollfd out = { STDOUT_FILENO, POLLOUT, 0 };
	struct stat st;

	return fstat(STDOUT_FILENO, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) &&
	    poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

/*
 * Flushes standard output; a write error is a failure.  If the reader closed
 * its end, the process ends by SIGPIPE as other programs do.  SIGPIPE is
 * ignored until then.
 */
static int
finish_output(struct diag *dg)
{
	errno = 0;
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return 0;
	if (errno == EPIPE || reader_left()) {
		(void)signal(SIGPIPE, SIG_DFL);
		(void)raise(SIGPIPE);
	}
	return diag_set_errno(
	    dg, DIAG_IO, errno != 0 ? errno : EIO, "write to standard output");
}

int
main(int argc, char **argv)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	int status = 0;
	int rc;

	rc = prepare_process(&dg);
	if (rc == 0)
		rc = dispatch(argc > 0 ? argc - 1 : 0,
		    argc > 0 ? argv + 1 : argv, &status, &dg);
	if (rc == 0)
		rc = finish_output(&dg);
	if (rc == 0)
		return status;
	diag_print(&dg);
	return diag_exit_status(&dg);
}
