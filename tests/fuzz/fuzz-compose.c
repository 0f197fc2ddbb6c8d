/* SPDX-License-Identifier: MIT */
/*
 * What a program that may be Compose says of itself: version 2 and new enough,
 * or refused.  The judge is private to its file.
 */
#include "engine/compose-version.c"

#include "fuzz.h"

/* Digits, a dot and digits somewhere, the first number being at least 2. */
static void
check_version(const char *text)
{
	size_t digits;

	text += *text == 'v';
	digits = strspn(text, "0123456789");
	FUZZ_CHECK(digits > 0 && text[digits] == '.');
	FUZZ_CHECK(digits > 1 || *text >= '2');
	FUZZ_CHECK(strspn(text + digits + 1, "0123456789") > 0);
	FUZZ_CHECK(strchr(text, '\n') == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct engine engine cleanup_engine = ENGINE_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;
	char *text cleanup_free = fuzz_text(data, size);

	strvec_push(&engine.compose, "/usr/bin/docker-compose");
	text[strcspn(text, "\n")] = '\0';
	int rc = judge(&engine, text, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_ENGINE);
	else
		check_version(engine.compose_version);
	fuzz_outcome(rc, &dg);
	return 0;
}
