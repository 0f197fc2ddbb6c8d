/* SPDX-License-Identifier: MIT */
/* libarchive: loads it. */
#include "base/libarchive.h"

#include <stddef.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/library.h"

#define FUNCTION(name) { "archive_" #name, offsetof(struct libarchive, name) },
static const struct library_function functions[] = { LIBARCHIVE_FUNCTIONS(
    FUNCTION) };

static const struct library library = {
	.name = "libarchive",
	.files = (const char *const[]){ "libarchive.so.13", NULL },
	.packages = "libarchive13 (Debian 12) or libarchive13t64",
	.newer = "a newer libarchive",
	.failure = DIAG_IO,
	.functions = functions,
	.nfunctions = ARRAY_SIZE(functions),
};

int
libarchive_load(struct libarchive *ret_functions, struct diag *dg)
{
	return library_load(&library, ret_functions, dg);
}
