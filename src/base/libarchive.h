/* SPDX-License-Identifier: MIT */
/*
 * libarchive: the functions of libarchive, which builds and patches need.
 *
 * libarchive_load() loads it on demand.  It needs libxml2, ICU and the library
 * of C++, which take half of the time in which a command without them starts.
 */
#ifndef DRYDOCK_LIBARCHIVE_H
#define DRYDOCK_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

struct diag;

/* Each NAME of a function archive_NAME(). */
#define LIBARCHIVE_FUNCTIONS(X)            \
	X(error_string)                    \
	X(filter_bytes)                    \
	X(set_error)                       \
	X(read_new)                        \
	X(read_free)                       \
	X(read_open)                       \
	X(read_support_format_tar)         \
	X(read_next_header)                \
	X(read_data_block)                 \
	X(write_new)                       \
	X(write_free)                      \
	X(write_open)                      \
	X(write_close)                     \
	X(write_header)                    \
	X(write_data)                      \
	X(write_add_filter_gzip)           \
	X(write_set_filter_option)         \
	X(write_set_format_pax_restricted) \
	X(write_set_bytes_per_block)       \
	X(entry_new)                       \
	X(entry_free)                      \
	X(entry_pathname)                  \
	X(entry_hardlink)                  \
	X(entry_filetype)                  \
	X(entry_perm)                      \
	X(entry_size)                      \
	X(entry_set_pathname)              \
	X(entry_set_filetype)              \
	X(entry_set_perm)                  \
	X(entry_set_uid)                   \
	X(entry_set_gid)                   \
	X(entry_set_mtime)                 \
	X(entry_set_size)

struct libarchive {
#define LIBARCHIVE_POINTER(name) __typeof__(archive_##name) *name;
	LIBARCHIVE_FUNCTIONS(LIBARCHIVE_POINTER)
#undef LIBARCHIVE_POINTER
};

/*
 * Loads libarchive, once however often this is called; it is never unloaded.
 * A library that is missing or lacks a function is DIAG_IO; the message says
 * what to install.
 */
int libarchive_load(struct libarchive *ret_functions, struct diag *dg);

#endif /* DRYDOCK_LIBARCHIVE_H */
