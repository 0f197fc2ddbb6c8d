/* SPDX-License-Identifier: MIT */
/*
 * record: sessions/ID/session.json, versioned, always replaced whole.
 */
#ifndef DRYDOCK_RECORD_H
#define DRYDOCK_RECORD_H

#include <stdbool.h>
#include <stddef.h>

struct diag;

/* A service of the plan beside agent and egress; all owned. */
struct record_service {
	char *name;
	char *image; /* sha256:... */
	char *container; /* NULL: not known yet */
};

/* All strings owned; NULL where not known yet. */
struct record {
	char *id;
	char *project; /* real path */
	char *agent;
	char *mode;
	char *mode_reason;
	char *kind; /* "run" or "shell" */
	char *engine_id;
	char *engine_data_root;
	char *engine_socket;
	char *agent_image;
	char *egress_image;
	char *agent_container;
	char *egress_container;
	struct record_service *services; /* owned */
	size_t nservices;
	char *agent_process; /* its first, as companion_process() has it */
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

/* One container of the session's plan; borrowed, NULL where not known. */
struct record_part {
	const char *role; /* the service's name */
	const char *image;
	const char *container;
};

/*
 * The i-th container that the plan has: the agent, egress (in dood without
 * image and id), the further services.  False: there are no more.
 */
bool record_part_at(
    const struct record *record, size_t i, struct record_part *ret_part);

void record_add_service(
    struct record *record, const char *name, const char *image);
/* Of a role that the record has. */
void record_set_container(
    struct record *record, const char *role, const char *id);

/* Replaces session.json in session_fd, 0600, flushed. */
int record_write(int session_fd, const struct record *record, struct diag *dg);

/*
 * Absent: DIAG_IO with errnum ENOENT.  Malformed, too new, or with a container
 * id that is none: DIAG_DATA.  Nothing is returned then.
 */
int record_read(int session_fd, struct record *ret_record, struct diag *dg);
int record_parse(
    const char *text, size_t len, struct record *ret_record, struct diag *dg);
void record_release(struct record *record);

/* Returned: the present time as the record has it. */
char *record_now(void);

#define cleanup_record __attribute__((cleanup(record_release)))

#endif /* DRYDOCK_RECORD_H */
