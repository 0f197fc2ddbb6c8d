/* SPDX-License-Identifier: MIT */
/* Tests of library: functions of a shared library, and what is missing. */
#include "base/library.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/libarchive.h"
#include "check.h"

struct table {
	const char *(*version)(void);
	const char *(*other)(void);
};

static const struct library_function version = { "zlibVersion",
	offsetof(struct table, version) };

static void
the_first_library_that_is_installed_is_loaded(void)
{
	static const char *const names[] = { "libnone.so.0", "libz.so.1",
		NULL };
	struct table table = { NULL, NULL };
	const char *missing = "unset";

	CHECK_INT(library_load(names, &version, 1, &table, &missing), 0);
	CHECK(*table.version() == '1');
	CHECK(table.other == NULL);
}

static void
a_library_that_is_missing_has_no_missing_function(void)
{
	static const char *const names[] = { "libnone.so.0", "libnone.so.1",
		NULL };
	struct table table = { NULL, NULL };
	const char *missing = "unset";

	CHECK_INT(library_load(names, &version, 1, &table, &missing), -1);
	CHECK(missing == NULL);
}

static void
a_missing_function_is_named(void)
{
	static const char *const names[] = { "libz.so.1", NULL };
	const struct library_function functions[] = { version,
		{ "zlibNothing", offsetof(struct table, other) } };
	struct table table = { NULL, NULL };
	const char *missing = NULL;

	CHECK_INT(library_load(names, functions, ARRAY_SIZE(functions), &table,
		      &missing),
	    -1);
	CHECK_STR(missing, "zlibNothing");
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
	{ "a library that is missing has no missing function",
	    a_library_that_is_missing_has_no_missing_function },
	{ "a missing function is named", a_missing_function_is_named },
	{ "all functions of libarchive are found",
	    all_functions_of_libarchive_are_found },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
