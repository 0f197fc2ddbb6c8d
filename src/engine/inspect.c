/* SPDX-License-Identifier: MIT */
/* inspect: runs `docker inspect`, and tells "unknown" from a failure. */
#include "engine/inspect.h"

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "engine/answer.h"
#include "engine/engine.h"

int
inspect_parse(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg)
{
	cleanup_json struct json *root = NULL;

	if (json_parse(text, len, what, &root, dg) == -1) {
		dg->class = DIAG_ENGINE;
		return -1;
	}
	if (!json_is_array(root))
		return diag_set(
		    dg, DIAG_ENGINE, "%s: the answer is not a list", what);
	for (size_t i = 0; i < json_len(root); i++)
		if (!json_is_object(json_at(root, i)))
			return diag_set(dg, DIAG_ENGINE,
			    "%s: the answer lists other than objects", what);
	*ret_root = steal_ptr(&root);
	return 0;
}

static bool
absent(const struct json *n)
{
	return n == NULL || json_is_null(n);
}

bool
inspect_strings(const struct json *array, struct strvec *out)
{
	if (absent(array))
		return true;
	if (!json_is_array(array))
		return false;
	for (size_t i = 0; i < json_len(array); i++) {
		const char *s = json_string(json_at(array, i));

		if (s == NULL)
			return false;
		strvec_push(out, s);
	}
	return true;
}

bool
inspect_labels(const struct json *object, struct strvec *out)
{
	if (absent(object))
		return true;
	if (!json_is_object(object))
		return false;
	for (size_t i = 0; i < json_len(object); i++) {
		const char *value = json_string(json_value_at(object, i));

		if (value == NULL)
			return false;
		strvec_pushf(out, "%s=%s", json_key_at(object, i), value);
	}
	return true;
}

int
inspect_ask(const struct engine *engine, const char *kind,
    const struct strvec *names, struct json **ret_root,
    struct strvec *ret_unknown, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_strvec struct strvec args = STRVEC_INIT;
	cleanup_strvec struct strvec unknown = STRVEC_INIT;
	cleanup_json struct json *root = NULL;
	const char *const *argv;

	strvec_push(&args, engine->docker);
	strvec_push(&args, "inspect");
	strvec_pushf(&args, "--type=%s", kind);
	strvec_push(&args, "--");
	strvec_push_all(&args, (const char *const *)names->v);
	argv = (const char *const *)args.v;
	if (engine_ask(engine, argv + 1, engine->timeout_ms, &result, dg) == -1)
		return -1;
	if (result.status != 0 &&
	    (result.status != 1 || result.err.len == 0 ||
		!answer_denies(&result.err, kind, names, &unknown)))
		return answer_failed(argv, &result, dg);
	if (inspect_parse(result.out.buf, result.out.len, "docker inspect",
		&root, dg) == -1)
		return -1;
	if (json_len(root) != names->nr - unknown.nr)
		return diag_set(dg, DIAG_ENGINE,
		    "docker inspect: %zu answers to %zu questions",
		    json_len(root) + unknown.nr, names->nr);
	*ret_root = steal_ptr(&root);
	strvec_push_all(ret_unknown, (const char *const *)unknown.v);
	return 0;
}
