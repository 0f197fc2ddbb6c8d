/* SPDX-License-Identifier: MIT */
/*
 * container: typed answers about containers, and what is done to them by id.
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

enum container_state {
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_RESTARTING,
	CONTAINER_REMOVING,
	CONTAINER_EXITED,
	CONTAINER_DEAD,
};

/* As the engine knows it; every string is owned and never NULL. */
struct container {
	char *id; /* 64 hex digits */
	char *name;
	char *created; /* RFC 3339, "" when it is not said */
	char *image_id; /* sha256:... */
	char *session; /* label io.drydock.session, or "" */
	char *state_id; /* label io.drydock.state, or "" */
	char *role; /* label io.drydock.role, or "" */
	enum container_state state;
	pid_t pid; /* 0 unless running */
	int exit_code;
	char *finished_at; /* RFC 3339; "0001-..." when it never ended */
	char *started_at;
	char *error; /* the engine's words on a failed start */
	struct strvec env; /* NAME=VALUE */
	struct strvec labels; /* NAME=VALUE */
	struct strvec entrypoint; /* Config.Entrypoint then Config.Cmd */
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
 * All containers, in any state, that carry io.drydock.state=state_id: their
 * ids by one listing, then each is inspected.  When one is gone between the
 * two, the listing is asked for again (bounded); no answer is ever partial.
 */
int containers_find(const struct engine *engine, const char *state_id,
    struct container_list *ret_list, struct diag *dg);

/* The same with a label (NAME, or NAME=VALUE) that the caller chooses. */
int containers_find_labelled(const struct engine *engine, const char *label,
    struct container_list *ret_list, struct diag *dg);

/* "running", "exited", ...: the engine's word. */
const char *container_state_name(enum container_state state);

/*
 * Inspects these ids.  One that the engine reliably does not know is left out
 * of the list, and that is no failure.
 */
int containers_inspect(const struct engine *engine, const char *const *ids,
    struct container_list *ret_list, struct diag *dg);

/* By full id, forced, with anonymous volumes; absent is success. */
int container_remove(
    const struct engine *engine, const char *id, struct diag *dg);
int container_start(
    const struct engine *engine, const char *id, struct diag *dg);
/* TERM, then KILL after grace seconds. */
int container_stop(
    const struct engine *engine, const char *id, int grace, struct diag *dg);

/*
 * From what the engine answers of one; *c is to be released also after a
 * failure.
 */
int container_read(
    const struct json *object, struct container *c, struct diag *dg);
/* The same from text; for tests and fuzzing. */
int container_parse(
    const char *text, size_t len, struct container *c, struct diag *dg);
void container_release(struct container *c);

/* NULL, or the one with this id. */
const struct container *container_list_find(
    const struct container_list *list, const char *id);
void container_list_release(struct container_list *list);

#define cleanup_container __attribute__((cleanup(container_release)))
#define cleanup_container_list __attribute__((cleanup(container_list_release)))

#endif /* DRYDOCK_CONTAINER_H */
