/* SPDX-License-Identifier: MIT */
/* Tests of library: functions of a shared library, and what is missing. */
#include "base/library.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/libarchive.h"
#include "check.h"

struct table {
	const char *(*version)(void);
	const char *(*other)(void);
};

static const struct library_function functions[] = {
	{ "zlibVersion", offsetof(struct table, version) },
	{ "zlibNothing", offsetof(struct table, other) },
};

/* The library that the first installed one of files is, with nr functions. */
static struct library
library_of(const char *const *files, size_t nr)
{
	return (struct library){ .name = "libz",
		.files = files,
		.packages = "zlib1g",
		.newer = "a newer zlib",
		.failure = DIAG_ENGINE,
		.functions = functions,
		.nfunctions = nr };
}

static void
the_first_library_that_is_installed_is_loaded(void)
{
	static const char *const files[] = { "libnone.so.0", "libz.so.1",
		NULL };
	const struct library library = library_of(files, 1);
	cleanup_diag struct diag dg = DIAG_INIT;
	struct table table = { NULL, NULL };

	CHECK_INT(library_load(&library, &table, &dg), 0);
	CHECK(*table.version() == '1');
	CHECK(table.other == NULL);
}

static void
a_library_that_is_missing_is_named(void)
{
	static const char *const files[] = { "libnone.so.0", "libnone.so.1",
		NULL };
	const struct library library = library_of(files, 1);
	cleanup_diag struct diag dg = DIAG_INIT;
	struct table table = { NULL, NULL };

	CHECK_INT(library_load(&library, &table, &dg), -1);
	CHECK_INT(dg.class, DIAG_ENGINE);
	CHECK_HAS(dg.message, "cannot load libz (libnone.so.1: ");
	CHECK_HAS(dg.message, "): install zlib1g");
}

static void
a_missing_function_is_named(void)
{
	static const char *const files[] = { "libz.so.1", NULL };
	const struct library library = library_of(files, ARRAY_SIZE(functions));
	cleanup_diag struct diag dg = DIAG_INIT;
	struct table table = { NULL, NULL };

	CHECK_INT(library_load(&library, &table, &dg), -1);
	CHECK_STR(dg.message, "libz has no zlibNothing: install a newer zlib");
}

static void
all_functions_of_libarchive_are_found(void)
{
	struct libarchive lib;
	void *pointers[sizeof(lib) / sizeof(void *)] = { NULL };

	CHECK_INT(libarchive_load(&lib, NULL), 0);
	memcpy(pointers, &lib, sizeof(lib));
	for (size_t i = 0; i < ARRAY_SIZE(pointers); i++)
		CHECK(pointers[i] != NULL);
}

static const struct check_test tests[] = {
	{ "the first library that is installed is loaded",
	    the_first_library_that_is_installed_is_loaded },
	{ "a library that is missing is named",
	    a_library_that_is_missing_is_named },
	{ "a missing function is named", a_missing_function_is_named },
	{ "all functions of libarchive are found",
	    all_functions_of_libarchive_are_found },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
