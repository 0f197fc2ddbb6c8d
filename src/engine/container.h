/* SPDX-License-Identifier: MIT */
/*
 * container: the engine's data about containers, and operations on containers
 * by id.
 */
#ifndef DRYDOCK_CONTAINER_H
#define DRYDOCK_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/strvec.h"

struct diag;
struct engine;
struct json;
struct strbuf;

enum container_state {
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_RESTARTING,
	CONTAINER_REMOVING,
	CONTAINER_EXITED,
	CONTAINER_DEAD,
};

/*
 * A container as the engine reports it.  Every string is owned and never NULL.
 */
struct container {
	char *id; /* 64 hex digits */
	char *name;
	char *created; /* RFC 3339; "" if the engine does not report it */
	char *image_id; /* sha256:... */
	char *session; /* label io.drydock.session, or "" */
	char *state_id; /* label io.drydock.state, or "" */
	char *role; /* label io.drydock.role, or "" */
	enum container_state state;
	pid_t pid; /* 0 unless running */
	int exit_code;
	char *finished_at; /* RFC 3339; "0001-..." before the first exit */
	char *started_at;
	char *error; /* the engine's message for a failed start */
	struct strvec env; /* NAME=VALUE */
	struct strvec labels; /* NAME=VALUE */
	struct strvec entrypoint; /* Config.Entrypoint, then Config.Cmd */
	char *working_dir;
	char *user;
	char *network_mode;
	char *inspect; /* the whole JSON object, as text */
};

struct container_list {
	struct container *v;
	size_t nr;
};

#define CONTAINER_LIST_INIT \
	{                   \
		NULL, 0     \
	}

/*
 * Finds all containers, in any state, with the label io.drydock.state=state_id.
 * One request lists the ids, then each container is inspected.  If a container
 * is removed between the two, the list is requested again (at most 5 times in
 * total, then DIAG_ENGINE).  A result is never partial.
 */
int containers_find(const struct engine *engine, const char *state_id,
    struct container_list *ret_list, struct diag *dg);

/* Like containers_find(), with the label (NAME or NAME=VALUE) of the caller. */
int containers_find_labelled(const struct engine *engine, const char *label,
    struct container_list *ret_list, struct diag *dg);

/* Returns the engine's name of the state: "running", "exited", ... */
const char *container_state_name(enum container_state state);

/*
 * Inspects the containers with these ids; ids ends with NULL.  A container that
 * does not exist on the engine is left out of the list.
 */
int containers_inspect(const struct engine *engine, const char *const *ids,
    struct container_list *ret_list, struct diag *dg);

/*
 * Removes a container by full id, forced, with its anonymous volumes.  An
 * absent container is success.
 */
int container_remove(
    const struct engine *engine, const char *id, struct diag *dg);
int container_start(
    const struct engine *engine, const char *id, struct diag *dg);
/* Sends SIGTERM, then SIGKILL after grace seconds. */
int container_stop(
    const struct engine *engine, const char *id, int grace, struct diag *dg);

/*
 * Appends the last lines of the stdout and stderr of a container, as stored by
 * the engine; lines is a decimal number.  An incomplete answer is DIAG_ENGINE,
 * and nothing is appended.
 */
int container_ask_log(const struct engine *engine, const char *container_id,
    const char *lines, struct strbuf *out, struct strbuf *err, struct diag *dg);

/*
 * Splits the engine's log of a container without a terminal into its streams.
 * A frame has one byte for the stream, three zero bytes, a length of four bytes
 * (big endian), and the data.  For tests and fuzzing too.
 */
int container_read_log(const char *data, size_t len, struct strbuf *out,
    struct strbuf *err, struct diag *dg);

/*
 * Adds the last 20 lines of both streams to the detail of a diag that is set.
 * If the log is not available, nothing is added.
 */
void container_add_log(
    const struct engine *engine, const char *container_id, struct diag *dg);

/*
 * Fills *c from the engine's JSON object.  The caller releases *c after a
 * failure too.  For tests and fuzzing.
 */
int container_read(
    const struct json *object, struct container *c, struct diag *dg);
void container_release(struct container *c);

/* Returns the container with this id (borrowed), or NULL. */
const struct container *container_list_find(
    const struct container_list *list, const char *id);
void container_list_release(struct container_list *list);

#define cleanup_container __attribute__((cleanup(container_release)))
#define cleanup_container_list __attribute__((cleanup(container_list_release)))

#endif /* DRYDOCK_CONTAINER_H */
