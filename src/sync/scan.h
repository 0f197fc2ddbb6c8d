/* SPDX-License-Identifier: MIT */
/*
 * scan: what the host's configuration of an agent consists of, found without
 * reading any of it.
 *
 * A list of entries, a directory before what is in it.  Names that the agent's
 * rules exclude and credential files are not in it; what cannot go along is,
 * with the reason.
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

/* Deeper trees are a limit that was met: copies of them stay copyable. */
#define SCAN_MAX_DEPTH 60

enum scan_kind {
	SCAN_DIR = 'd',
	SCAN_FILE = 'f',
	SCAN_DOCUMENT = 'j', /* filtered JSON */
	SCAN_LINK = 'l', /* stays a link */
	SCAN_THROUGH = 't', /* a link; the next entry is what it leads to */
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
	SCAN_BACK, /* a link to a directory that holds or is in the tree */
	SCAN_LEAVES, /* a link out of a directory that a link leads to */
	SCAN_ACCOUNT, /* what is left out of a document would be in it */
	SCAN_IN_PROJECT, /* where an agent may have put a link, or anything */
	SCAN_FOREIGN, /* another user's file, or through such a link */
	SCAN_BAD, /* a document that is no JSON, or too large to read */
	SCAN_NWHYS
};

struct scan_entry {
	enum scan_kind kind;
	enum scan_why why; /* of SCAN_SKIPPED; or a file not readable */
	bool same; /* scan_compare(): as in the other scan */
	mode_t mode; /* permissions */
	int64_t size;
	struct timespec mtime;
	struct timespec ctime;
	uint64_t ino;
	dev_t dev; /* of a scan alone: not kept */
	char *path; /* owned; below the session's home */
	char *source; /* owned; path below /, a link's target, or NULL */
	char *detail; /* owned; why a SCAN_BAD one is, or NULL; not kept */
	const struct agent_source *document; /* borrowed from the agent */
};

struct scan {
	struct timespec start; /* on the file system's clock */
	struct scan_entry *v; /* owned */
	size_t nr;
	size_t alloc;
	int64_t bytes;
};

#define SCAN_INIT                        \
	{                                \
		{ 0, 0 }, NULL, 0, 0, 0, \
	}

/* Text for people; static. */
const char *scan_why_text(enum scan_why why);

/* Whether it is left out because of who may have put it there. */
bool scan_why_is_distrust(enum scan_why why);

/*
 * Fills *ret, SCAN_INIT before and releasable afterwards.  A limit of the
 * settings that is met is DIAG_CONFIG and names the setting.
 */
int scan_run(struct scan *ret, const struct paths *paths,
    const struct settings *settings, const struct agent *agent,
    struct diag *dg);

/* Adds one, all zero but kind and path (copied); borrowed until the next. */
struct scan_entry *scan_add(
    struct scan *scan, enum scan_kind kind, const char *path);

/*
 * Compares with what was there at an earlier start: sets `same` in now, and
 * calls report (NULL: nobody) for each difference with "new", "changed" or
 * "gone".  Returns how many there are.  An entry of then whose times are not
 * older than its start, as far as the file system tells, counts as changed; one
 * that is the same and could not be read is marked so.
 */
size_t scan_compare(struct scan *now, const struct scan *then,
    void (*report)(void *arg, const char *what, const char *path), void *arg);

void scan_release(struct scan *scan);

#define cleanup_scan __attribute__((cleanup(scan_release)))

#endif /* DRYDOCK_SCAN_H */
