/* SPDX-License-Identifier: MIT */
/*
 * record: sessions/ID/session.json, versioned, always replaced whole.
 */
#ifndef DRYDOCK_RECORD_H
#define DRYDOCK_RECORD_H

#include <stdbool.h>
#include <stddef.h>

struct diag;

/* The container of one service of the plan; all owned. */
struct record_container {
	char *role; /* the service's name: "agent", "egress", or the user's */
	char *image; /* sha256:...; NULL only in records of version 1 */
	char *id; /* NULL: not known yet */
};

/* All strings owned; NULL where not known yet. */
struct record {
	char *id;
	char *project; /* real path */
	char *project_file; /* its device and inode, see moved.h */
	char *agent;
	char *mode;
	char *mode_reason;
	char *kind; /* "run" or "shell" */
	char *engine_id;
	char *engine_data_root;
	char *engine_socket;
	struct record_container *containers; /* owned; each role once */
	size_t ncontainers;
	char *agent_process; /* its first, as companion_process() has it */
	char *history; /* path of the bound one */
	char *plan_digest;
	char *created_at; /* RFC 3339 UTC */
	char *launched_at; /* written before the agent may run */
	char *starting_at; /* set while it is started again, until it went */
	char *stopping_at; /* the user ends it: any exit by that is its end */
	char *ended_at; /* seen; written before its containers are removed */
	bool ends_with_client; /* any exit is its end, nobody comes back */
};

#define RECORD_INIT                       \
	{                                 \
		.ends_with_client = false \
	}

/* NULL: the plan has no service of that role, or none is recorded yet. */
const struct record_container *record_find(
    const struct record *record, const char *role);
/* The id of the role's container; NULL where it is not known. */
const char *record_container_id(const struct record *record, const char *role);

/* Adds a role, or replaces its image or id where those are not NULL. */
void record_set(
    struct record *record, const char *role, const char *image, const char *id);

/* Replaces session.json in session_fd, 0600, flushed. */
int record_write(int session_fd, const struct record *record, struct diag *dg);

/*
 * Reads what this version and version 1 write.  Absent: DIAG_IO with errnum
 * ENOENT.  Malformed, too new, with a role twice, or with a container id that
 * is none: DIAG_DATA.  Nothing is returned then.
 */
int record_read(int session_fd, struct record *ret_record, struct diag *dg);
int record_parse(
    const char *text, size_t len, struct record *ret_record, struct diag *dg);
void record_release(struct record *record);

/* Returned: the present time as the record has it. */
char *record_now(void);

#define cleanup_record __attribute__((cleanup(record_release)))

#endif /* DRYDOCK_RECORD_H */
