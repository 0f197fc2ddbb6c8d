/* SPDX-License-Identifier: MIT */
/* zip-kit: small zips for tests. */
#ifndef DRYDOCK_TESTS_ZIP_KIT_H
#define DRYDOCK_TESTS_ZIP_KIT_H

#include <stdbool.h>
#include <stddef.h>

struct digest;
struct strbuf;

struct zip_file {
	const char *name;
	const char *text;
	bool deflated;
	const char *local_name; /* NULL: name; as long as name */
};

/* Appends a zip of n files.  front and comment may be "". */
void zip_make(struct strbuf *out, const struct zip_file *files, size_t n,
    const char *front, const char *comment);

/* The h1 by its definition, of files that are sorted. */
void zip_h1(const struct zip_file *files, size_t n, struct digest *ret_h1);

#endif /* DRYDOCK_TESTS_ZIP_KIT_H */
