/* SPDX-License-Identifier: MIT */
/* Short answers: denials, versions of the API and of programs, times. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/http.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/strbuf.h"
#include "engine/answer.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "fuzz.h"

/* A denial is believed only when it names what was asked for. */
static void
check_denial(const struct fuzz_input *in)
{
	cleanup_http_answer struct http_answer answer = HTTP_ANSWER_INIT;

	answer.status = 404;
	strbuf_add(&answer.body, in->data, in->size);
	if (!api_denies(&answer, "aaaa"))
		return;
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	FUZZ_CHECK(
	    json_parse(answer.body.buf, answer.body.len, "x", &root, &dg) == 0);
	FUZZ_CHECK(
	    strstr(json_string(json_get(root, "message")), "aaaa") != NULL);
}

/* The version that is spoken is neither too old nor unknown to us. */
static void
check_api(const struct fuzz_input *in)
{
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct version ours, least, most;

	cleanup_json struct json *answer = NULL;
	int rc = answer_parse((const char *)in->data, in->size, "version",
		     &answer, &dg) == 0
	    ? api_read_version(&engine, answer, &dg)
	    : -1;
	if (rc == -1)
		FUZZ_CHECK(
		    dg.class == DIAG_ENGINE && engine.api_version == NULL);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return;
	FUZZ_CHECK(version_parse(engine.api_version, &ours));
	FUZZ_CHECK(version_parse("1.41", &least));
	FUZZ_CHECK(version_parse(API_TESTED, &most));
	FUZZ_CHECK(!version_before(ours, least));
	FUZZ_CHECK(!version_before(most, ours));
}

static void
check_version(const char *text)
{
	struct version v;
	if (!version_parse(text, &v))
		return;
	FUZZ_CHECK(v.major >= 0 && v.minor >= 0);
	FUZZ_CHECK(!version_before(v, v));
}

static void
check_moment(const char *text)
{
	struct timespec t;
	if (!moment_parse(text, &t))
		return;
	FUZZ_CHECK(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
	FUZZ_CHECK(!moment_before(t, t));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned int kind = fuzz_take(&in);
	cleanup_free char *text = fuzz_text(in.data, in.size);

	if (kind == 'd')
		check_denial(&in);
	else if (kind == 'p')
		check_api(&in);
	else if (kind == 'v')
		check_version(text);
	else
		check_moment(text);
	return 0;
}
