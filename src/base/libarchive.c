/* SPDX-License-Identifier: MIT */
/* libarchive: loads it, and has the names of its functions. */
#include "base/libarchive.h"

#include <dlfcn.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/library.h"

#define FUNCTION(name)                                              \
	{                                                           \
		"archive_" #name, offsetof(struct libarchive, name) \
	}

int
libarchive_load(struct libarchive *ret_functions, struct diag *dg)
{
	static const char *const names[] = { "libarchive.so.13", NULL };
	static const struct library_function functions[] = {
		FUNCTION(error_string),
		FUNCTION(filter_bytes),
		FUNCTION(set_error),
		FUNCTION(read_new),
		FUNCTION(read_free),
		FUNCTION(read_open),
		FUNCTION(read_support_format_tar),
		FUNCTION(read_next_header),
		FUNCTION(read_data_block),
		FUNCTION(write_new),
		FUNCTION(write_free),
		FUNCTION(write_open),
		FUNCTION(write_close),
		FUNCTION(write_header),
		FUNCTION(write_data),
		FUNCTION(write_add_filter_gzip),
		FUNCTION(write_set_filter_option),
		FUNCTION(write_set_format_pax_restricted),
		FUNCTION(write_set_bytes_per_block),
		FUNCTION(entry_new),
		FUNCTION(entry_free),
		FUNCTION(entry_pathname),
		FUNCTION(entry_hardlink),
		FUNCTION(entry_filetype),
		FUNCTION(entry_perm),
		FUNCTION(entry_size),
		FUNCTION(entry_set_pathname),
		FUNCTION(entry_set_filetype),
		FUNCTION(entry_set_perm),
		FUNCTION(entry_set_uid),
		FUNCTION(entry_set_gid),
		FUNCTION(entry_set_mtime),
		FUNCTION(entry_set_size),
	};
	const char *missing;

	if (library_load(names, functions, ARRAY_SIZE(functions), ret_functions,
		&missing) == 0)
		return 0;
	if (missing != NULL)
		return diag_set(dg, DIAG_IO,
		    "libarchive has no %s: install a newer libarchive",
		    missing);
	return diag_set(dg, DIAG_IO,
	    "cannot load libarchive (%s): install libarchive13 (Debian 12) or "
	    "libarchive13t64",
	    dlerror());
}
