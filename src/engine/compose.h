/* SPDX-License-Identifier: MIT */
/*
 * compose: runs Docker Compose v2.  Every call has --project-name, a project
 * directory made by drydock, --env-file=/dev/null, and an environment made by
 * drydock.
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
	const char *project_dir; /* absolute; made by drydock */
	const int *file_fds; /* borrowed; overlays in order; memfds or files */
	/* Names of the files for messages, NULL-terminated.  NULL: unknown. */
	const char *const *file_names;
	size_t nfiles;
	const struct strvec *vars; /* NAME=VALUE to interpolate; NULL: none */
	const int *keep_fds; /* more descriptors to inherit */
	size_t nkeep;
	const struct proc_interrupt *interrupt; /* for compose_up(); or NULL */
	bool *ret_began; /* set to true when Compose runs; or NULL */
};

/*
 * compose_config_start() starts `compose config --format json`.
 * compose_config_finish() waits for it, appends the merged model to out, and
 * frees proc (given).  DIAG_CONFIG: Compose rejects the files; its stderr is
 * the detail.  DIAG_ENGINE: a missed deadline or a malformed answer.
 *
 * Compose calls an overlay /proc/self/fd/N in its messages.
 * compose_name_files() replaces these paths in the detail of a diag with the
 * names from the spec.
 */
int compose_config_start(const struct engine *engine,
    const struct compose_spec *spec, struct proc **ret_proc, struct diag *dg);
int compose_config_finish(const struct engine *engine, struct proc *proc,
    struct strbuf *out, struct diag *dg);
void compose_name_files(const struct compose_spec *spec, struct diag *dg);

/*
 * Appends for each service of a sealed plan the digest of its configuration,
 * "NAME=DIGEST", as `compose up` writes it to the container's label
 * COMPOSE_HASH_LABEL.  The plan's and Compose's defaults are in it, but for
 * pull_policy and depends_on.  Another version of Compose may compute another
 * one.  DIAG_ENGINE if Compose fails.
 */
#define COMPOSE_HASH_LABEL "com.docker.compose.config-hash"
int compose_hashes(const struct engine *engine, const struct compose_spec *spec,
    struct strvec *ret_hashes, struct diag *dg);

/*
 * Runs `compose up --detach --no-build --no-recreate ...` on a sealed plan.
 * The deadline is launch_timeout.  A failure is DIAG_ENGINE with Compose's
 * stderr as detail.  After *ret_began is true, containers may exist in spite of
 * a failure.
 *
 * If the interrupt detaches from Compose, the result is DIAG_CANCELLED.
 * Compose then keeps running with the descriptors that it inherited.
 */
int compose_up(const struct engine *engine, const struct compose_spec *spec,
    struct diag *dg);

#endif /* DRYDOCK_COMPOSE_H */
