/* SPDX-License-Identifier: MIT */
/*
 * watched: the state of the files that can run programs on the host.
 *
 * A launch stores the state of these files in the session's directory, before
 * the agent runs.  The list of the files is host/watchlist.h.  The searched
 * directories are the project and the user's other directories that the session
 * can write.  They are hostile input: no symlink is followed out of them, no
 * open blocks, and nothing in them is run.
 */
#ifndef DRYDOCK_WATCHED_H
#define DRYDOCK_WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include "host/watchlist.h"

struct diag;
struct plan;
struct stat;

enum {
	WATCHED_ENTRIES = 200000, /* names that a search reads */
	WATCHED_FILES = 4000, /* files of a state */
	WATCHED_DATA = 256 << 10, /* bytes kept of a file */
	WATCHED_ALL_DATA = 8 << 20, /* bytes kept of all files */
	/* Time limits of a search in ms. */
	WATCHED_LAUNCH_MS = 2000, /* the containers start meanwhile */
	WATCHED_ATTACH_MS = 300,
	WATCHED_END_MS = 1000,
	WATCHED_DIFF_MS = 10000,
};

enum watched_kind {
	WATCHED_ABSENT = 'a', /* only in the state of an ended session */
	WATCHED_REGULAR = 'f',
	WATCHED_LINK = 'l', /* data is the target */
	WATCHED_OTHER = 'o', /* a fifo, socket or device */
	WATCHED_UNREADABLE = 'u',
};

struct watched_file {
	char *path; /* owned; below the root */
	size_t root; /* index in roots */
	size_t row; /* index in list.v */
	enum watched_kind kind;
	mode_t mode; /* permissions */
	char *stamp; /* owned; size, times and inode */
	char *data; /* owned; NULL: not kept, the file is too large */
	size_t len;
};

struct watched_root {
	char *path; /* owned; real path */
	char *identity; /* owned; see moved_identity() */
	int fd; /* -1 until the search */
};

/* The files of a state. */
struct watched_files {
	struct watched_file *v; /* owned; sorted by watched_order() */
	size_t nr;
	size_t bytes; /* of all data */
	/* owned; the first directory that was not searched; NULL: none */
	char *missed;
};

struct watched {
	struct watched_root *roots; /* owned */
	size_t nroots;
	struct strbuf list_text;
	struct watchlist list;
	struct watched_files files;
};

#define WATCHED_INIT                                             \
	{                                                        \
		.list_text = STRBUF_INIT, .list = WATCHLIST_INIT \
	}

/*
 * Returns a state without files, with the roots of the plan's agent: its
 * writable directories that drydock did not make.  text is the watch list.
 */
int watched_of_plan(const struct plan *plan, const char *text, size_t len,
    struct watched *ret, struct diag *dg);

/*
 * Opens the roots, and stores their identities if w has none.  DIAG_IO if a
 * root cannot be opened, or is no longer the same directory.
 */
int watched_open_roots(struct watched *w, struct diag *dg);

/*
 * Opens the roots, and reads the files below them as they are now.  A part that
 * cannot be searched, or that is beyond a limit, is named in missed.
 */
int watched_search(struct watched *w, int timeout_ms,
    struct watched_files *ret_files, struct diag *dg);

/*
 * Reads one file below the open roots; WATCHED_ABSENT if there is none, or if a
 * component of its path is not a directory.
 */
struct watched_file watched_read_one(
    const struct watched *w, const struct watched_file *like);

/*
 * Reads the file that fd, opened with O_PATH, refers to.  A regular file of
 * more than max bytes has no data.
 */
struct watched_file watched_read_fd(
    int fd, const char *path, const struct stat *st, size_t max);

/* Returns the state WATCHED_ABSENT of a file. */
struct watched_file watched_absent(const struct watched_file *like);

/* Orders by root and path, as qsort(3) wants it. */
int watched_order(const struct watched_file *a, const struct watched_file *b);

/* A word for users; NULL for any other number. */
const char *watched_kind_name(enum watched_kind kind);

/* Appends the file's path for messages: relative to the project. */
void watched_describe(const struct watched *w, const struct watched_file *file,
    struct strbuf *out);

/* Writes the state to name in dir_fd, flushed. */
int watched_write(
    const struct watched *w, int dir_fd, const char *name, struct diag *dg);

/* An absent file is errnum ENOENT, a malformed one is DIAG_DATA. */
int watched_read(
    int dir_fd, const char *name, struct watched *ret, struct diag *dg);
int watched_parse(
    const char *text, size_t len, struct watched *ret, struct diag *dg);

void watched_file_release(struct watched_file *file);
void watched_files_release(struct watched_files *files);
void watched_release(struct watched *w);

#define cleanup_watched_files __attribute__((cleanup(watched_files_release)))
#define cleanup_watched __attribute__((cleanup(watched_release)))

#endif /* DRYDOCK_WATCHED_H */
