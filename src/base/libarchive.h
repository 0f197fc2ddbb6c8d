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

/* archive_NAME() is the pointer NAME. */
struct libarchive {
	__typeof__(archive_error_string) *error_string;
	__typeof__(archive_filter_bytes) *filter_bytes;
	__typeof__(archive_set_error) *set_error;
	__typeof__(archive_read_new) *read_new;
	__typeof__(archive_read_free) *read_free;
	__typeof__(archive_read_open) *read_open;
	__typeof__(archive_read_support_format_tar) *read_support_format_tar;
	__typeof__(archive_read_next_header) *read_next_header;
	__typeof__(archive_read_data_block) *read_data_block;
	__typeof__(archive_write_new) *write_new;
	__typeof__(archive_write_free) *write_free;
	__typeof__(archive_write_open) *write_open;
	__typeof__(archive_write_close) *write_close;
	__typeof__(archive_write_header) *write_header;
	__typeof__(archive_write_data) *write_data;
	__typeof__(archive_write_add_filter_gzip) *write_add_filter_gzip;
	__typeof__(archive_write_set_filter_option) *write_set_filter_option;
	__typeof__(archive_write_set_format_pax_restricted)
	    *write_set_format_pax_restricted;
	__typeof__(archive_write_set_bytes_per_block)
	    *write_set_bytes_per_block;
	__typeof__(archive_entry_new) *entry_new;
	__typeof__(archive_entry_free) *entry_free;
	__typeof__(archive_entry_pathname) *entry_pathname;
	__typeof__(archive_entry_hardlink) *entry_hardlink;
	__typeof__(archive_entry_filetype) *entry_filetype;
	__typeof__(archive_entry_perm) *entry_perm;
	__typeof__(archive_entry_size) *entry_size;
	__typeof__(archive_entry_set_pathname) *entry_set_pathname;
	__typeof__(archive_entry_set_filetype) *entry_set_filetype;
	__typeof__(archive_entry_set_perm) *entry_set_perm;
	__typeof__(archive_entry_set_uid) *entry_set_uid;
	__typeof__(archive_entry_set_gid) *entry_set_gid;
	__typeof__(archive_entry_set_mtime) *entry_set_mtime;
	__typeof__(archive_entry_set_size) *entry_set_size;
};

/*
 * Loads libarchive, once however often this is called; it is never unloaded.
 * A library that is missing or lacks a function is DIAG_IO; the message says
 * what to install.
 */
int libarchive_load(struct libarchive *ret_functions, struct diag *dg);

#endif /* DRYDOCK_LIBARCHIVE_H */
