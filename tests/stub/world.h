/* SPDX-License-Identifier: MIT */
/*
 * world: a stand-in for docker and docker-compose that keeps containers.
 *
 * Installed by `world init DIR` as DIR/docker and DIR/docker-compose, it keeps
 * its world in DIR/world.d, found by its own name: drydock gives its children
 * nothing else.  Containers run the real holder, as a process in namespaces.
 * It is for tests: what fails ends it with words.
 */
#ifndef DRYDOCK_TESTS_WORLD_H
#define DRYDOCK_TESTS_WORLD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include "base/strvec.h"

struct json;

struct world {
	char *top; /* DIR */
	char *dir; /* DIR/world.d */
	const char *name; /* docker or docker-compose */
	char *const *argv; /* without the name */
	char *key; /* of the call: info, image-ls, compose-up */
	int n; /* the how-manieth of this key */
	/* One line of the script that is for this call: "" for none. */
	char fault[32];
	char *value;
	struct strbuf out, err;
	int status;
};

/* Prints and ends with a status that no engine has. */
_Noreturn void world_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* Returned; dies for what is missing unless optional. */
char *world_read(const char *path, bool optional);
void world_write(const char *path, const char *text, size_t len);
struct json *world_parse(const char *text, const char *what);

/* What has been done to it that no drydock may do: read by the tests. */
void world_complain(struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

bool world_has_fault(const struct world *w, const char *name);
const char *world_option(const struct world *w, const char *prefix);

/* The calls, by key; false for a key that is none. */
bool world_answer(struct world *w);
bool world_build(struct world *w);
void world_config(struct world *w);
void world_up(struct world *w);
void world_exec(struct world *w);
void world_logs(struct world *w);

/* Containers: the directory world.d/containers/ID is the container. */
char *world_container(const struct world *w, const char *id);
void world_start(struct world *w, const char *id);
void world_stop(struct world *w, const char *id, int grace_s);
void world_remove(struct world *w, const char *id);
bool world_is_alive(pid_t pid);
/* Writes what verify would find in /proc of the container's process. */
void world_write_facts(
    const struct world *w, const char *dir, const struct json *service);
/* Config, HostConfig and so on of what inspect prints. */
void world_write_body(const struct world *w, const char *dir,
    const struct json *service, const char *role, const char *project);

/* The string with Compose's doubled dollars made single; returned. */
char *world_undouble(const char *s);

#endif /* DRYDOCK_TESTS_WORLD_H */
