/* SPDX-License-Identifier: MIT */
/*
 * scan: a list of the files that make up the host's configuration of an agent.
 * A scan does not read file contents.
 *
 * A directory comes before its contents in the list.  Names that the agent's
 * rules exclude and credential files are not listed.  A file that cannot be
 * copied is listed with the reason.
 */
#ifndef DRYDOCK_SCAN_H
#define DRYDOCK_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct agent;
struct agent_source;
struct diag;
struct paths;
struct settings;

/*
 * A deeper tree is DIAG_CONFIG.  The limit is below FS_COPY_DEPTH, so that a
 * snapshot can be copied.
 */
#define SCAN_MAX_DEPTH 60

enum scan_kind {
	SCAN_DIR = 'd',
	SCAN_FILE = 'f',
	SCAN_DOCUMENT = 'j', /* filtered JSON */
	SCAN_LINK = 'l', /* copied as a symlink */
	SCAN_THROUGH = 't', /* a symlink; the next entry is its target */
	SCAN_SKIPPED = 's',
};

enum scan_why {
	SCAN_FINE = 0,
	SCAN_UNREADABLE,
	SCAN_DANGLING,
	SCAN_TO_PROTECTED,
	SCAN_TO_CREDENTIAL,
	SCAN_SPECIAL,
	SCAN_TO_SPECIAL,
	SCAN_BACK, /* a symlink to a directory that holds or is in the tree */
	SCAN_LEAVES, /* a symlink out of a directory behind a symlink */
	SCAN_ACCOUNT, /* a document or its copy: it would be unfiltered */
	SCAN_IN_PROJECT, /* in a project, where an agent can write */
	SCAN_FOREIGN, /* another user's file, or behind such a user's link */
	SCAN_BAD, /* a document that is not JSON, or is too large */
	SCAN_NWHYS
};

struct scan_entry {
	enum scan_kind kind;
	enum scan_why why; /* for SCAN_SKIPPED, or an unreadable file */
	bool same; /* result of scan_compare(): as in the other scan */
	mode_t mode; /* permissions */
	int64_t size;
	struct timespec mtime;
	struct timespec ctime;
	uint64_t ino;
	dev_t dev; /* not stored in the manifest */
	char *path; /* owned; below the session's home */
	char *source; /* owned; path below / or symlink target, or NULL */
	char *detail; /* owned; reason for SCAN_BAD, or NULL; not stored */
	const struct agent_source *document; /* borrowed from the agent */
};

struct scan {
	struct timespec start; /* by the clock of file timestamps */
	struct scan_entry *v; /* owned */
	size_t nr;
	size_t alloc;
	int64_t bytes;
};

#define SCAN_INIT                        \
	{                                \
		{ 0, 0 }, NULL, 0, 0, 0, \
	}

/* Returns a text for people (static). */
const char *scan_why_text(enum scan_why why);

/*
 * Returns true if the file is skipped because an agent or another user may have
 * put it there.
 */
bool scan_why_is_distrust(enum scan_why why);

/*
 * Fills *ret.  It is SCAN_INIT before, and can be released after a failure too.
 * Exceeding a limit of the settings is DIAG_CONFIG; the message names the
 * setting.
 */
int scan_run(struct scan *ret, const struct paths *paths,
    const struct settings *settings, const struct agent *agent,
    struct diag *dg);

/*
 * Adds an entry.  Only kind and path (copied) are set.  The pointer is borrowed
 * and valid until the next scan_add().
 */
struct scan_entry *scan_add(
    struct scan *scan, enum scan_kind kind, const char *path);

/*
 * Compares two scans: sets `same` in each entry of now, and calls report for
 * each difference with "new", "changed" or "gone" (NULL: no report).  Returns
 * the number of differences.
 *
 * An entry of then counts as changed if its timestamps are not older than the
 * start of that scan, within the timestamp resolution of the file system.  An
 * entry that is the same keeps the mark of an unreadable file.
 */
size_t scan_compare(struct scan *now, const struct scan *then,
    void (*report)(void *arg, const char *what, const char *path), void *arg);

bool scan_same_time(const struct timespec *a, const struct timespec *b);

void scan_release(struct scan *scan);

#define cleanup_scan __attribute__((cleanup(scan_release)))

#endif /* DRYDOCK_SCAN_H */
