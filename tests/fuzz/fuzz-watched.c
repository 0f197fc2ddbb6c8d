/* SPDX-License-Identifier: MIT */
/*
 * A state of watched files: each file that is read lies below a root of the
 * state, by a row of its list.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "fuzz.h"
#include "host/text.h"
#include "session/watched.h"

static void
check_file(const struct watched *w, const struct watched_file *f)
{
	FUZZ_CHECK(f->root < w->nroots && f->row < w->list.nr);
	FUZZ_CHECK(text_is_below(f->path));
	FUZZ_CHECK(f->stamp != NULL && f->mode <= 07777);
	FUZZ_CHECK(f->data != NULL || f->len == 0);
	FUZZ_CHECK(f->data == NULL || f->data[f->len] == '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	cleanup_watched struct watched w = WATCHED_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (watched_parse((const char *)data, len, &w, &dg) != 0) {
		FUZZ_CHECK(dg.class == DIAG_DATA && dg.message != NULL);
		FUZZ_CHECK(w.files.nr == 0 && w.nroots == 0);
		return 0;
	}
	for (size_t i = 0; i < w.nroots; i++)
		FUZZ_CHECK(w.roots[i].path[0] == '/' && w.roots[i].fd == -1);
	for (size_t i = 0; i < w.files.nr; i++)
		check_file(&w, &w.files.v[i]);
	return 0;
}
