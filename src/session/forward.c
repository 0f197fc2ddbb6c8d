/* SPDX-License-Identifier: MIT */
/* forward: requests of ports to a session's companion. */
#include "session/forward.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/mode.h"
#include "host/text.h"
#include "session/attach.h"
#include "session/companion.h"
#include "session/record.h"
#include "session/session.h"

enum {
	COMPANION_MS = 5000,
};

/* Fails for a session that cannot serve ports. */
static int
check_session(
    const struct session *session, const struct record *record, struct diag *dg)
{
	cleanup_close int fd = -1;
	struct holder_hello hello;
	const char *id = session->id;

	if (strcmp(record->mode, mode_name(MODE_CONTAINED)) != 0)
		return diag_set(dg, DIAG_NO,
		    "session %s has the host's network: its servers listen on "
		    "the host already",
		    id);
	if (join_holder(session, &hello, &fd, dg) != 0)
		return -1;
	if (hello.version < WIRE_VERSION_PORT)
		return diag_set(dg, DIAG_ENGINE,
		    "session %s was started by an older drydock, whose holder "
		    "serves no ports: start a new session",
		    id);
	if (!hello.running)
		return diag_set(dg, DIAG_BUSY,
		    "session %s is being started: try again", id);
	return 0;
}

static int
set_older(const struct session *session, struct diag *dg)
{
	return diag_set(dg, DIAG_ENGINE,
	    "the companion of session %s is an older drydock's, which "
	    "serves no ports: start a new session",
	    session->id);
}

/*
 * *ret_outer is the number in the answer "ok HOSTPORT", and *ret_errnum the one
 * in "no ERRNO", or 0.
 */
static int
ask(const struct session *session, const char *line, uint16_t *ret_outer,
    int *ret_errnum, struct diag *dg)
{
	cleanup_strbuf struct strbuf answer = STRBUF_INIT;
	const char *text;
	int64_t n;

	if (companion_ask(session->dir_fd, line, COMPANION_MS, &answer, dg) !=
	    0) {
		if ((dg->errnum != ENOENT && dg->errnum != ECONNREFUSED) ||
		    !companion_present(session->dir_fd))
			return diag_wrap(dg, "session %s", session->id);
		diag_clear(dg);
		return set_older(session, dg);
	}
	text = answer.len > 3 ? answer.buf + 3 : "";
	if (strncmp(answer.buf, "ok ", 3) == 0 &&
	    text_decimal(text, 0, UINT16_MAX, &n)) {
		*ret_outer = (uint16_t)n;
		*ret_errnum = 0;
		return 0;
	}
	if (strncmp(answer.buf, "no ", 3) != 0 ||
	    !text_decimal(text, 1, PORT_ERRNO_MAX, &n))
		return diag_set(dg, DIAG_DATA,
		    "the companion of session %s gave no answer", session->id);
	/* The request was well-formed, so the companion does not know it. */
	if (n == EINVAL)
		return set_older(session, dg);
	*ret_errnum = (int)n;
	return 0;
}

static int
explain(const struct port *port, const char *id, int errnum, struct diag *dg)
{
	unsigned int in = port->inner;
	unsigned int out = port->outer;

	if (errnum == EADDRINUSE)
		return diag_set(dg, DIAG_IO,
		    "port %u of the host is taken: choose another with "
		    "\"drydock port %s %u:HOSTPORT\"",
		    out, id, in);
	if (errnum == EACCES || errnum == EPERM)
		return diag_set(dg, DIAG_IO,
		    "only root may listen on port %u of the host: choose one "
		    "above 1023 with \"drydock port %s %u:HOSTPORT\"",
		    out, id, in);
	if (errnum == ENOSPC)
		return diag_set(dg, DIAG_IO,
		    "session %s has %d ports already: remove one with "
		    "\"drydock port %s --remove PORT\"",
		    id, PORTLIST_MAX, id);
	return diag_set_errno(
	    dg, DIAG_IO, errnum, "listen on port %u of the host", out);
}

int
forward_add(const struct join_spec *spec, const char *id, struct port *port,
    struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_record struct record record = RECORD_INIT;
	cleanup_free char *line =
	    xasprintf("port add %u:%u", port->inner, port->outer);
	uint16_t outer = 0;
	int errnum = 0;

	if (session_open(spec->paths, id, &session, dg) != 0 ||
	    record_read(session.dir_fd, &record, dg) != 0)
		return diag_wrap(dg, "session %s", id);
	if (check_session(&session, &record, dg) != 0)
		return -1;
	join_tend(spec, &session, &record);
	if (ask(&session, line, &outer, &errnum, dg) != 0)
		return -1;
	if (errnum != 0)
		return explain(port, id, errnum, dg);
	port->outer = outer;
	return 0;
}

/* Without a companion no other process writes the list. */
static int
remove_unserved(const struct session *session, uint16_t inner, int *ret_errnum,
    struct diag *dg)
{
	struct portlist list;
	struct port *port;

	if (portlist_read(session->dir_fd, &list, dg) != 0)
		return -1;
	port = portlist_find(&list, inner);
	*ret_errnum = port == NULL ? ENOENT : 0;
	if (port == NULL)
		return 0;
	portlist_drop(&list, port);
	return portlist_write(session->dir_fd, &list, dg);
}

int
forward_remove(const struct join_spec *spec, const char *id, uint16_t inner,
    struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_free char *line = xasprintf("port remove %u", inner);
	uint16_t ignored;
	int errnum = 0;
	int rc;

	if (session_open(spec->paths, id, &session, dg) != 0)
		return diag_wrap(dg, "session %s", id);
	rc = companion_present(session.dir_fd)
	    ? ask(&session, line, &ignored, &errnum, dg)
	    : remove_unserved(&session, inner, &errnum, dg);
	if (rc != 0)
		return -1;
	if (errnum == ENOENT)
		return diag_set(dg, DIAG_NO,
		    "port %u of session %s is not served", inner, id);
	if (errnum != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errnum, "remove port %u", inner);
	return 0;
}

int
forward_list(const struct join_spec *spec, const char *id, struct portlist *ret,
    bool *ret_companion, struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;

	if (session_open(spec->paths, id, &session, dg) != 0 ||
	    portlist_read(session.dir_fd, ret, dg) != 0)
		return diag_wrap(dg, "session %s", id);
	*ret_companion = companion_present(session.dir_fd);
	return 0;
}
