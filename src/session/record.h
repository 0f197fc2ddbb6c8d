/* SPDX-License-Identifier: MIT */
/*
 * record: sessions/ID/session.json.  The file has a version and is always
 * replaced as a whole.
 */
#ifndef DRYDOCK_RECORD_H
#define DRYDOCK_RECORD_H

#include <stdbool.h>
#include <stddef.h>

struct diag;

/* The container of one service of the plan.  All strings are owned. */
struct record_container {
	char *role; /* the service's name: "agent", "egress", or the user's */
	char *image; /* sha256:...; NULL only in records of version 1 */
	char *id; /* NULL: unknown yet */
};

/* All strings are owned; NULL if unknown yet. */
struct record {
	char *id;
	char *project; /* real path */
	char *project_file; /* device and inode, see moved.h */
	char *agent;
	char *mode;
	char *mode_reason;
	char *kind; /* "run" or "shell" */
	char *engine_id;
	char *engine_data_root;
	char *engine_socket;
	struct record_container *containers; /* owned; each role is unique */
	size_t ncontainers;
	char *agent_process; /* first process, see companion_process() */
	char *history; /* path of the bound directory */
	char *cache; /* the same of the slot, see slot.h; NULL: none */
	/* settings that an option or the environment had at the launch */
	char *toolchains;
	char *agent_hosts;
	char *upstream_proxy; /* of the launch; NULL: of an older version */
	char *plan_digest;
	char *created_at; /* RFC 3339 UTC */
	char *launched_at; /* set before the agent can run */
	char *starting_at; /* set during a restart, until the command runs */
	char *stopping_at; /* set by stop; an exit soon after is the end */
	char *ended_at; /* end seen; set before containers are removed */
	bool ends_with_client; /* session ends when its client leaves */
};

#define RECORD_INIT                       \
	{                                 \
		.ends_with_client = false \
	}

/*
 * Returns NULL if the plan has no service of that role, or none is recorded
 * yet.
 */
const struct record_container *record_find(
    const struct record *record, const char *role);
/* Returns the id of the role's container, borrowed; NULL if it is unknown. */
const char *record_container_id(const struct record *record, const char *role);

/*
 * Adds a role, or replaces its image and id.  A NULL argument keeps the old
 * value.
 */
void record_set(
    struct record *record, const char *role, const char *image, const char *id);

/* Replaces session.json in session_fd, mode 0600, synced to disk. */
int record_write(int session_fd, const struct record *record, struct diag *dg);

/*
 * Reads a record of this version or of version 1.  Absent: DIAG_IO with errnum
 * ENOENT.  DIAG_DATA if the record is malformed or too new, has a role twice,
 * or has an invalid container id.  *ret_record is set only on success.
 */
int record_read(int session_fd, struct record *ret_record, struct diag *dg);
/*
 * The same without the containers and the plan's digest, which other places can
 * tell: neither has to be valid.
 */
int record_read_fields(
    int session_fd, struct record *ret_record, struct diag *dg);
/* Reads a record's text: the whole record, or the same fields. */
int record_parse(const char *text, size_t len, bool whole,
    struct record *ret_record, struct diag *dg);
void record_release(struct record *record);

#define cleanup_record __attribute__((cleanup(record_release)))

#endif /* DRYDOCK_RECORD_H */
