/* SPDX-License-Identifier: MIT */
/* tar-kit: packages for tests, byte by byte, so that they can be hostile. */
#ifndef DRYDOCK_TESTS_TAR_KIT_H
#define DRYDOCK_TESTS_TAR_KIT_H

#include <stddef.h>

struct strbuf;

/* The types of entries that tar headers have. */
#define TAR_FILE '0'
#define TAR_HARDLINK '1'
#define TAR_SYMLINK '2'
#define TAR_CHAR '3'
#define TAR_BLOCK '4'
#define TAR_DIR '5'
#define TAR_FIFO '6'
#define TAR_GLOBAL 'g' /* pax headers for all entries that follow */
#define TAR_EXTENDED 'x' /* pax headers for the next entry */
#define TAR_LONG_NAME 'L' /* GNU: the next entry's name */
#define TAR_SPARSE 'S' /* GNU */

struct tar_entry {
	const char *name; /* at most 100 bytes are used */
	char type;
	const char *link; /* or NULL */
	const char *data; /* or NULL */
	size_t len; /* 0: of the text in data */
	size_t size; /* what the header says; 0: the length of data */
	const char *mode; /* octal, 7 digits; NULL: "0000644" */
	const char *owner; /* the user's name, or NULL */
};

void tar_add(struct strbuf *tar, const struct tar_entry *entry);
void tar_add_file(struct strbuf *tar, const char *name, const char *text);
/* A file whose name a GNU long name gives. */
void tar_add_long(struct strbuf *tar, const char *name, const char *text);
/* Appends a record for a pax header. */
void pax_add(struct strbuf *records, const char *key, const char *value);
void tar_add_pax(struct strbuf *tar, char type, const char *records);
void tar_end(struct strbuf *tar);

/* Appends the bytes as one gzip stream. */
void gzip_add(struct strbuf *out, const void *data, size_t len);

#endif /* DRYDOCK_TESTS_TAR_KIT_H */
