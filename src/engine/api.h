/* SPDX-License-Identifier: MIT */
/*
 * api: questions to the engine over its HTTP API.
 *
 * An answer is whole, or it is DIAG_ENGINE: no connection, a passed deadline,
 * a cut or too large answer.  Only the status says whether the engine did what
 * it was asked; its own words are detail.
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

/* The newest version of the API that drydock was tried with. */
#define API_TESTED "1.45"

struct api_call {
	const char *method;
	const char *path; /* after the version; escaped */
	int timeout_ms;
	const char *setting; /* which bounds it */
};

/*
 * Asks, and leaves the status to the caller.  The engine is open
 * (engine_open()).
 */
int api_ask(const struct engine *engine, const struct api_call *call,
    struct http_answer *ret_answer, struct diag *dg);

/* DIAG_ENGINE for a status that the caller cannot use; returns -1. */
int api_refuse(const struct api_call *call, const struct http_answer *answer,
    struct diag *dg);

/*
 * Whether the answer is 404 and its message names what was asked for.  A 404
 * of something that is no engine does not.
 */
bool api_denies(const struct http_answer *answer, const char *name);

/* GET within engine_timeout: any status but 200 is refused. */
int api_get(const struct engine *engine, const char *path,
    struct json **ret_root, struct diag *dg);

/*
 * The same for one thing that may not be there: then *ret_root stays NULL.
 * Anything but an object is refused.
 */
int api_get_known(const struct engine *engine, const char *path,
    const char *name, struct json **ret_root, struct diag *dg);

/*
 * Appends the "Id" of each object of a listing; anything else in it, and one
 * that comes twice, is DIAG_ENGINE.
 */
int api_list_ids(const struct engine *engine, const char *path,
    bool (*is_id)(const char *s), struct strvec *ret_ids, struct diag *dg);

/*
 * Asks which versions of the API the engine has, and chooses one; for
 * engine_open().
 */
int api_choose_version(struct engine *engine, struct diag *dg);

/* The same from what GET /version answered; for tests and fuzzing. */
int api_read_version(
    struct engine *engine, const char *text, size_t len, struct diag *dg);

/* Appends "filters=..." for what carries all of these labels, NAME=VALUE. */
int api_add_label_filter(
    struct strbuf *path, const char *const *labels, struct diag *dg);

#endif /* DRYDOCK_API_H */
