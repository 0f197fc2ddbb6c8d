/* SPDX-License-Identifier: MIT */
/*
 * program: selects the host programs that drydock runs.
 *
 * A setting names the program.  Otherwise drydock takes the first one in the
 * system's directories, then the first one in the caller's PATH that only root
 * can replace.  drydock never runs a program that a session could have written:
 * nothing below a project or the state directory and, for PATH, nothing below
 * the working directory.
 */
#ifndef DRYDOCK_PROGRAM_H
#define DRYDOCK_PROGRAM_H

struct diag;
struct knownprojects;
struct paths;
struct settings;

/*
 * Plugin directories that every docker CLI searches, besides its configuration.
 */
#define PROGRAM_PLUGIN_PATH                      \
	"/usr/local/lib/docker/cli-plugins:"     \
	"/usr/local/libexec/docker/cli-plugins:" \
	"/usr/lib/docker/cli-plugins:"           \
	"/usr/libexec/docker/cli-plugins"

enum program {
	PROGRAM_DOCKER,
	PROGRAM_COMPOSE,
	PROGRAM_COMPOSE_PLUGIN /* in the directories of docker's plugins */
};

struct program_search {
	const struct paths *paths;
	const struct settings *settings;
	const char *path; /* the caller's PATH; NULL: system directories only */
	const struct knownprojects *known;
	/* Real paths of additional projects, ended by NULL; or NULL. */
	const char *const *projects;
};

/*
 * Finds a program.  *ret_path (returned) is absolute, or NULL when no permitted
 * program exists.  In that case *ret_passed_over (returned) is a program that
 * was found and rejected, or NULL.  A program named by a setting fails with
 * DIAG_POLICY when it is not permitted, and with DIAG_CONFIG when it cannot be
 * run; both messages name the setting.
 */
int program_find(enum program which, const struct program_search *search,
    char **ret_path, char **ret_passed_over, struct diag *dg);

/* Returned: the path of a program in the system's directories, or NULL. */
char *program_find_system(const char *name);

#endif /* DRYDOCK_PROGRAM_H */
