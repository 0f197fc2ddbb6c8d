/* SPDX-License-Identifier: MIT */
/*
 * forward: makes ports of a session reachable on the host, and takes them back.
 */
#ifndef DRYDOCK_FORWARD_H
#define DRYDOCK_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "session/join.h"
#include "session/portlist.h"

struct diag;

/*
 * Lets the session's companion, which is started if it is absent, serve a port.
 * Asks no engine.  port->outer becomes the host's port.  A session that does not
 * run, or has the host's network, is DIAG_NO.  A host port that is taken or
 * refused is DIAG_IO.  An older holder or companion is DIAG_ENGINE.
 */
int forward_add(const struct join_spec *spec, const char *id, struct port *port,
    struct diag *dg);

/* A port that is not in the list is DIAG_NO. */
int forward_remove(const struct join_spec *spec, const char *id, uint16_t inner,
    struct diag *dg);

/* Reads the list; *ret_companion says whether somebody serves it. */
int forward_list(const struct join_spec *spec, const char *id,
    struct portlist *ret, bool *ret_companion, struct diag *dg);

#endif /* DRYDOCK_FORWARD_H */
