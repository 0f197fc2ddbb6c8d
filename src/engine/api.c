/* SPDX-License-Identifier: MIT */
/* api: sends HTTP requests to the engine and checks the status. */
#include "engine/api.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/http.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/engine.h"

/* Limit of one answer; a list of a few thousand containers fits. */
#define ANSWER_MAX ((size_t)16 << 20)

/* The API version of the oldest supported engine (ENGINE_FLOOR_DOCKER). */
#define API_FLOOR "1.41"

/* Returns "GET /containers/json": without the version and the query. */
static char *
call_name(const struct api_call *call)
{
	return xasprintf(
	    "%s %.*s", call->method, (int)strcspn(call->path, "?"), call->path);
}

/* Sets the diag for an incomplete answer; returns -1. */
static int
refuse_answer(const struct engine *engine, const struct api_call *call,
    const struct http_answer *answer, struct diag *dg)
{
	cleanup_free char *name = call_name(call);
	bool seconds = call->timeout_ms % 1000 == 0;

	switch (answer->outcome) {
	case HTTP_UNREACHABLE:
		return engine_refuse_connect(engine, answer->errnum, dg);
	case HTTP_LATE:
		return diag_set(dg, DIAG_ENGINE,
		    "the engine did not answer %s within %d%s (setting %s)",
		    name, seconds ? call->timeout_ms / 1000 : call->timeout_ms,
		    seconds ? "s" : "ms", call->setting);
	case HTTP_TOO_LARGE:
		return diag_set(dg, DIAG_ENGINE,
		    "the engine's answer to %s is larger than drydock reads, "
		    "and is not used",
		    name);
	case HTTP_WHOLE:
	case HTTP_BROKEN:
		break;
	}
	diag_set(dg, DIAG_ENGINE,
	    "the engine's answer to %s is truncated or malformed, and is not "
	    "used",
	    name);
	return diag_add_detail(dg, answer->words.buf, answer->words.len);
}

int
api_ask(const struct engine *engine, const struct api_call *call,
    struct http_answer *ret_answer, struct diag *dg)
{
	cleanup_free char *target = engine->api_version == NULL
	    ? xstrdup(call->path)
	    : xasprintf("/v%s%s", engine->api_version, call->path);
	const struct http_request request = {
		.socket = engine->address,
		.method = call->method,
		.target = target,
		.timeout_ms = call->timeout_ms,
		.max_body = ANSWER_MAX,
	};

	http_ask(engine->http, &request, ret_answer);
	if (ret_answer->outcome == HTTP_WHOLE)
		return 0;
	return refuse_answer(engine, call, ret_answer, dg);
}

char *
api_message(const struct http_answer *answer)
{
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag ignored = DIAG_INIT;
	const char *message = NULL;

	if (json_parse(answer->body.buf, answer->body.len, "answer", &root,
		&ignored) == 0)
		message = json_string(json_get(root, "message"));
	return message != NULL ? xstrdup(message)
			       : xstrndup(answer->body.buf, answer->body.len);
}

int
api_refuse(const struct api_call *call, const struct http_answer *answer,
    struct diag *dg)
{
	cleanup_free char *name = call_name(call);
	cleanup_free char *message = api_message(answer);
	const char *advice = answer_advice(message);

	if (advice != NULL)
		diag_set(dg, DIAG_ENGINE, "the engine failed at %s: %s", name,
		    advice);
	else if (answer->status >= 400)
		diag_set(dg, DIAG_ENGINE,
		    "the engine failed at %s with status %d", name,
		    answer->status);
	else
		diag_set(dg, DIAG_ENGINE,
		    "the engine answered %s with status %d, which drydock "
		    "does not expect",
		    name, answer->status);
	if (*message != '\0')
		diag_add_detail(dg, message, strlen(message));
	return -1;
}

bool
api_denies(const struct http_answer *answer, const char *name)
{
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag ignored = DIAG_INIT;

	return answer->status == 404 &&
	    json_parse(answer->body.buf, answer->body.len, "answer", &root,
		&ignored) == 0 &&
	    strstr(json_string_or(json_get(root, "message"), ""), name) != NULL;
}

/* If name is not NULL, a 404 for name is success with *ret_root unchanged. */
static int
get(const struct engine *engine, const char *path, const char *name,
    struct json **ret_root, struct diag *dg)
{
	cleanup_http_answer struct http_answer answer = HTTP_ANSWER_INIT;
	cleanup_free char *what = NULL;
	const struct api_call call = {
		.method = "GET",
		.path = path,
		.timeout_ms = engine->timeout_ms,
		.setting = "engine_timeout",
	};

	if (api_ask(engine, &call, &answer, dg) != 0)
		return -1;
	if (name != NULL && api_denies(&answer, name))
		return 0;
	if (answer.status != 200)
		return api_refuse(&call, &answer, dg);
	what = xasprintf(
	    "the engine's answer to GET %.*s", (int)strcspn(path, "?"), path);
	return answer_parse(
	    answer.body.buf, answer.body.len, what, ret_root, dg);
}

int
api_get(const struct engine *engine, const char *path, struct json **ret_root,
    struct diag *dg)
{
	return get(engine, path, NULL, ret_root, dg);
}

int
api_get_known(const struct engine *engine, const char *path, const char *name,
    struct json **ret_root, struct diag *dg)
{
	cleanup_json struct json *root = NULL;

	if (get(engine, path, name, &root, dg) != 0)
		return -1;
	if (root != NULL && !json_is_object(root))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine's answer to GET %s is not an object", path);
	*ret_root = steal_ptr(&root);
	return 0;
}

int
api_list_ids(const struct engine *engine, const char *path,
    bool (*is_id)(const char *s), struct strvec *ret_ids, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	int len = (int)strcspn(path, "?");

	if (api_get(engine, path, &root, dg) != 0)
		return -1;
	if (!json_is_array(root))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine's answer to GET %.*s is not a list", len, path);
	for (size_t i = 0; i < json_len(root); i++) {
		const char *id =
		    json_string_or(json_get(json_at(root, i), "Id"), "");

		if (!is_id(id) || strvec_has(ret_ids, id))
			return diag_set(dg, DIAG_ENGINE,
			    "the engine's answer to GET %.*s: '%.80s' is not "
			    "an id, or occurs twice",
			    len, path, id);
		strvec_push(ret_ids, id);
	}
	return 0;
}

int
api_read_version(
    struct engine *engine, const struct json *answer, struct diag *dg)
{
	const char *least =
	    json_string_or(json_get(answer, "MinAPIVersion"), "");
	const char *most = json_string_or(json_get(answer, "ApiVersion"), "");
	const char *version = json_string_or(json_get(answer, "Version"), "");
	struct version ours, tested, min, max;

	if (!version_parse(API_FLOOR, &ours) ||
	    !version_parse(API_TESTED, &tested))
		return diag_set(dg, DIAG_BUG, "versions of the API");
	if (!version_parse(least, &min) || !version_parse(most, &max))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine's answer to GET /version names no versions of "
		    "its API");
	if (version_before(max, ours))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine has version %s, and drydock needs %s %s or "
		    "newer",
		    version, engine_floors()[ENGINE_FLOOR_DOCKER].program,
		    engine_floors()[ENGINE_FLOOR_DOCKER].version);
	if (version_before(tested, min))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine (version %s) speaks its API from version %s "
		    "on, and this drydock speaks it up to " API_TESTED
		    ": install a newer drydock",
		    version, least);
	engine->api_version = version_before(ours, min)
	    ? xasprintf("%d.%d", min.major, min.minor)
	    : xstrdup(API_FLOOR);
	return 0;
}

int
api_choose_version(struct engine *engine, struct diag *dg)
{
	cleanup_json struct json *answer = NULL;

	if (api_get(engine, "/version", &answer, dg) != 0)
		return -1;
	return api_read_version(engine, answer, dg);
}

int
api_add_label_filter(
    struct strbuf *path, const char *const *labels, struct diag *dg)
{
	cleanup_strbuf struct strbuf filters = STRBUF_INIT;
	struct jsonw *w = jsonw_new(false);

	jsonw_open_object(w);
	jsonw_key_array(w, "label");
	for (; *labels != NULL; labels++)
		jsonw_str(w, *labels);
	jsonw_close_array(w);
	jsonw_close_object(w);
	if (jsonw_finish(w, &filters, dg) != 0)
		return diag_wrap(dg, "labels to look for");
	strbuf_setlen(&filters, strcspn(filters.buf, "\n"));
	strbuf_addstr(path, "filters=");
	http_add_escaped(path, filters.buf);
	return 0;
}
