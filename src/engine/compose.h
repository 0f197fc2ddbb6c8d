/* SPDX-License-Identifier: MIT */
/*
 * compose: Docker Compose v2, always with --project-name, a project directory
 * of ours, --env-file /dev/null and a sealed environment.
 */
#ifndef DRYDOCK_COMPOSE_H
#define DRYDOCK_COMPOSE_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct engine;
struct proc;
struct proc_interrupt;
struct strbuf;
struct strvec;

struct compose_spec {
	const char *project; /* "drydock-ID" */
	const char *project_dir; /* absolute, ours */
	const int *file_fds; /* overlays in order; memfds or files */
	/* Their names for messages, NULL-terminated; NULL: none are known. */
	const char *const *file_names;
	size_t nfiles;
	const struct strvec *vars; /* NAME=VALUE for interpolation, ours */
	const int *keep_fds; /* more descriptors that the child inherits */
	size_t nkeep;
	const struct proc_interrupt *interrupt; /* of compose_up(), or NULL */
	bool *ret_began; /* becomes true when Compose runs; or NULL */
};

/*
 * Starts `compose config --format json`; finish appends the merged model to
 * out.  What Compose refuses is DIAG_CONFIG with its words; a deadline or a
 * broken answer is DIAG_ENGINE.  finish frees proc (given).  In what Compose
 * says an overlay is called /proc/self/fd/N: compose_name_files() puts its
 * name from the spec there, in a diag that compose_config_finish() set.
 */
int compose_config_start(const struct engine *engine,
    const struct compose_spec *spec, struct proc **ret_proc, struct diag *dg);
int compose_config_finish(const struct engine *engine, struct proc *proc,
    struct strbuf *out, struct diag *dg);
void compose_name_files(const struct compose_spec *spec, struct diag *dg);

/*
 * `compose up --detach --no-build --no-recreate ... ` on one sealed plan.  A
 * failure is DIAG_ENGINE with Compose's words; containers may exist then, if it
 * began.  The deadline is that of a launch.  One that was left by its interrupt
 * is DIAG_CANCELLED, and goes on with the descriptors that it inherited.
 */
int compose_up(const struct engine *engine, const struct compose_spec *spec,
    struct diag *dg);

#endif /* DRYDOCK_COMPOSE_H */
