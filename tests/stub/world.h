/* SPDX-License-Identifier: MIT */
/*
 * world: a stand-in for an engine, docker and docker-compose that keeps
 * containers.
 *
 * Installed by `world init DIR` as DIR/docker and DIR/docker-compose, it keeps
 * its world in DIR/world.d, found by its own name: drydock gives its children
 * nothing else.  `world serve DIR SOCKET` answers for the engine's API in the
 * same world, or, when there is a DIR/stub.d, as the files in there say.
 * Containers run the real holder, as a process in namespaces.  It is for tests:
 * what fails ends it with words.
 */
#ifndef DRYDOCK_TESTS_WORLD_H
#define DRYDOCK_TESTS_WORLD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/digest.h"
#include "base/strbuf.h"
#include "base/strvec.h"

struct json;

struct world {
	char *top; /* DIR */
	char *dir; /* DIR/world.d */
	const char *name; /* docker, docker-compose, or "" for the API */
	char *const *argv; /* without the name */
	/* Of the API: its connection, what is asked, and about which name. */
	int peer;
	char *method;
	char *target;
	char *subject;
	bool scripted; /* by stub.d */
	char *key; /* of the call: info, image-ls, compose-up */
	int n; /* the how-manieth of this key */
	/* One line of the script that is for this call: "" for none. */
	char fault[32];
	char *value;
	struct strbuf out, err;
	int status; /* an exit's, or of HTTP; 0: 200 or 204 */
};

/* What GET /version answers: an engine 26.1. */
#define WORLD_VERSION                                             \
	"{\"Version\":\"26.1.5\",\"ApiVersion\":\"1.45\",\"Os\":" \
	"\"linux\",\"MinAPIVersion\":\"1.24\"}\n"

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

/* Until it is killed, or standard input ends. */
void world_serve(struct world *w, const char *socket_path, bool until_eof);
/* Records one call of the API, and makes its answer. */
void world_call(struct world *w);
_Noreturn void world_reply(struct world *w);
/* Faults of the API that come before anything is done. */
void world_lie(struct world *w);
/* Until whoever asks leaves. */
_Noreturn void world_hang(const struct world *w);
/* An answer of an error: {"message": words}. */
void world_message(struct world *w, int status, const char *words);
/* 404, naming what was asked for. */
void world_deny(struct world *w);
/* A parameter of the query, unescaped; returned, or NULL. */
char *world_query(const struct world *w, const char *name);
/* Whether the labels (an object) have each NAME=VALUE of the filters. */
bool world_has_labels(const struct world *w, const struct json *labels);
/* Adds one object to a listing. */
void world_list(struct world *w, const char *id, const struct json *labels);
/* Of stub.d: fault and value, and the answer. */
void world_read_fault(struct world *w);
void world_recite(struct world *w);

/* The calls, by key; false for a key that is none. */
bool world_answer(struct world *w);
bool world_command(struct world *w);
bool world_build(struct world *w);
void world_config(struct world *w);
void world_up(struct world *w);
/* compose config --hash=*: "SERVICE DIGEST" for each service of the plan. */
void world_hashes(struct world *w);
/* The digest of a service's configuration, which its container's label has. */
void world_hash(const struct json *service, char ret_digest[DIGEST_HEX_SIZE]);
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
