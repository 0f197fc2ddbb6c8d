/* SPDX-License-Identifier: MIT */
/*
 * api: requests to the engine over its HTTP API.
 *
 * A failed connection, a missed deadline, and a truncated, malformed or too
 * large answer fail with DIAG_ENGINE.  Success is decided by the HTTP status
 * alone; the engine's message is only detail.
 */
#ifndef DRYDOCK_API_H
#define DRYDOCK_API_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct engine;
struct http_answer;
struct json;
struct strbuf;
struct strvec;

/* The newest API version that drydock was tested with. */
#define API_TESTED "1.45"

/* The status of an operation that the object's state does not allow. */
#define HTTP_CONFLICT 409

struct api_call {
	const char *method;
	const char *path; /* after the version; escaped */
	int timeout_ms;
	const char *setting; /* the setting that sets timeout_ms */
};

/*
 * Sends the request.  The caller checks the HTTP status.  The engine must be
 * open (engine_probe()).  Until api_choose_version() no API version is named.
 */
int api_ask(const struct engine *engine, const struct api_call *call,
    struct http_answer *ret_answer, struct diag *dg);

/*
 * Returned: the message of an error's JSON body, or the body if it is not JSON.
 */
char *api_message(const struct http_answer *answer);

/* Sets DIAG_ENGINE for a status that the caller cannot use, and returns -1. */
int api_refuse(const struct api_call *call, const struct http_answer *answer,
    struct diag *dg);

/*
 * Returns true if the status is 404 and the JSON message contains name.  A 404
 * from a server that is not an engine does not contain the name.
 */
bool api_denies(const struct http_answer *answer, const char *name);

/*
 * Sends a GET with deadline engine_timeout.  Any status except 200 is
 * DIAG_ENGINE.
 */
int api_get(const struct engine *engine, const char *path,
    struct json **ret_root, struct diag *dg);

/*
 * Like api_get(), for one object that may not exist.  If it does not exist, the
 * call succeeds and *ret_root stays NULL.  An answer that is not a JSON object
 * is DIAG_ENGINE.
 */
int api_get_known(const struct engine *engine, const char *path,
    const char *name, struct json **ret_root, struct diag *dg);

/*
 * Appends the "Id" of each object of a list.  An invalid or duplicate id is
 * DIAG_ENGINE.
 */
int api_list_ids(const struct engine *engine, const char *path,
    bool (*is_id)(const char *s), struct strvec *ret_ids, struct diag *dg);

/*
 * Asks the engine for its API versions and chooses one; engine->api_version is
 * NULL before.  Called by engine_probe().
 */
int api_choose_version(struct engine *engine, struct diag *dg);

/* Chooses the version by the answer to GET /version.  For tests and fuzzing. */
int api_read_version(
    struct engine *engine, const struct json *answer, struct diag *dg);

/*
 * Appends "filters=..." that matches objects with all of these labels (NAME or
 * NAME=VALUE).  labels ends with NULL.
 */
int api_add_label_filter(
    struct strbuf *path, const char *const *labels, struct diag *dg);

#endif /* DRYDOCK_API_H */
