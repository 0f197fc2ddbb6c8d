/* SPDX-License-Identifier: MIT */
/* Short answers of the CLIs: lists of ids, denials, versions and times. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "engine/answer.h"
#include "engine/moment.h"
#include "engine/version.h"
#include "fuzz.h"

static const char *const docker_ps[] = { "docker", "ps", NULL };

/* An accepted list is exactly its ids, a line each; nothing is left out. */
static void
check_ids(const struct fuzz_input *in, bool (*is_id)(const char *s))
{
	struct proc_result result cleanup_proc_result = PROC_RESULT_INIT;
	struct strvec ids cleanup_strvec = STRVEC_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;

	strbuf_add(&result.out, in->data, in->size);
	int rc = answer_read_ids(docker_ps, &result, is_id, &ids, &dg);
	fuzz_outcome(rc, &dg);
	if (rc == -1) {
		FUZZ_CHECK(ids.nr == 0);
		return;
	}
	size_t lines = 0;
	for (size_t i = 0; i < in->size; i++)
		lines += in->data[i] == '\n';
	FUZZ_CHECK(in->size == 0 || in->data[in->size - 1] == '\n');
	FUZZ_CHECK(ids.nr <= lines && (ids.nr > 0) == (lines > 0));
	for (size_t i = 0; i < ids.nr; i++) {
		const char *colon = strchr(ids.v[i], ':');
		const char *hex = colon != NULL ? colon + 1 : ids.v[i];
		FUZZ_CHECK(strlen(hex) == 64);
		FUZZ_CHECK(strspn(hex, "0123456789abcdef") == 64);
	}
}

/*
 * A denial is believed only when each line denies another one of the names.
 */
static void
check_denial(const struct fuzz_input *in)
{
	struct strvec names cleanup_strvec = STRVEC_INIT;
	struct strvec denied cleanup_strvec = STRVEC_INIT;
	struct strbuf words cleanup_strbuf = STRBUF_INIT;

	strvec_push(&names, "aaaa");
	strvec_push(&names, "bbbb");
	strbuf_add(&words, in->data, in->size);
	if (!answer_denies(&words, "container", &names, &denied)) {
		FUZZ_CHECK(denied.nr == 0);
		return;
	}
	FUZZ_CHECK(denied.nr <= names.nr);
	for (size_t i = 0; i < denied.nr; i++) {
		FUZZ_CHECK(strvec_has(&names, denied.v[i]));
		FUZZ_CHECK(
		    memmem(words.buf, words.len, denied.v[i], 4) != NULL);
	}
	size_t lines = 0;
	for (const char *p = words.buf; *p != '\0';) {
		size_t len = strcspn(p, "\n");
		lines += len > 0;
		p += len + (p[len] == '\n' ? 1 : 0);
	}
	FUZZ_CHECK(lines == denied.nr);
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
	char *text cleanup_free = fuzz_text(in.data, in.size);

	if (kind == 'c')
		check_ids(&in, answer_is_container_id);
	else if (kind == 'i')
		check_ids(&in, answer_is_image_id);
	else if (kind == 'd')
		check_denial(&in);
	else if (kind == 'v')
		check_version(text);
	else
		check_moment(text);
	return 0;
}
