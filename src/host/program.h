/* SPDX-License-Identifier: MIT */
/*
 * program: which of the host's programs drydock runs.
 *
 * A setting names one, or it is the first one found in the system's own
 * directories, or the first one in the caller's PATH that root alone can
 * replace.  Whatever a session could have written is never run: nothing below
 * a project, the state directory, or, from PATH, the working directory.
 */
#ifndef DRYDOCK_PROGRAM_H
#define DRYDOCK_PROGRAM_H

struct diag;
struct knownprojects;
struct paths;
struct settings;

/* Where every docker CLI looks for plugins besides its configuration. */
#define PROGRAM_PLUGIN_PATH                      \
	"/usr/local/lib/docker/cli-plugins:"     \
	"/usr/local/libexec/docker/cli-plugins:" \
	"/usr/lib/docker/cli-plugins:"           \
	"/usr/libexec/docker/cli-plugins"

enum program {
	PROGRAM_DOCKER,
	PROGRAM_COMPOSE,
	PROGRAM_COMPOSE_PLUGIN /* where docker's own plugins are */
};

struct program_search {
	const struct paths *paths;
	const struct settings *settings;
	const char *path; /* the caller's PATH; NULL: the system's alone */
	const struct knownprojects *known;
	/* Real paths of further projects ended by NULL, or NULL. */
	const char *const *projects;
};

/*
 * *ret_path, returned, is absolute; NULL when there is none that may be run,
 * and then *ret_passed_over, returned, is one of PATH that may not, or NULL.
 * A program that a setting names and that may not be run is DIAG_POLICY, one
 * that cannot be run DIAG_CONFIG; both messages name the setting.
 */
int program_find(enum program which, const struct program_search *search,
    char **ret_path, char **ret_passed_over, struct diag *dg);

/* Returned: the path of a program in the system's own directories, or NULL. */
char *program_find_system(const char *name);

#endif /* DRYDOCK_PROGRAM_H */
