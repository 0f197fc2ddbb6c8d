/* SPDX-License-Identifier: MIT */
/* What `docker image inspect` prints: one whole image, or refused. */
#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/moment.h"
#include "engine/answer.h"
#include "engine/image.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_image struct image image = IMAGE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_json struct json *root = NULL;
	struct timespec created;

	int rc = answer_parse((const char *)data, size, "x", &root, &dg) == 0
	    ? image_read(root, &image, &dg)
	    : -1;
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_ENGINE && image.id == NULL);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return 0;
	FUZZ_CHECK(strncmp(image.id, "sha256:", 7) == 0);
	FUZZ_CHECK(strspn(image.id + 7, "0123456789abcdef") == 64);
	FUZZ_CHECK(strlen(image.id) == 7 + 64);
	FUZZ_CHECK(image.context != NULL && image.created != NULL);
	FUZZ_CHECK(moment_parse(image.created, &created));
	for (size_t i = 0; i < image.labels.nr; i++)
		FUZZ_CHECK(strchr(image.labels.v[i], '=') != NULL);
	return 0;
}
