/* SPDX-License-Identifier: MIT */
/*
 * forward: asks a session's companion to serve ports on the host, or to stop.
 */
#ifndef DRYDOCK_FORWARD_H
#define DRYDOCK_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "session/join.h"
#include "session/ports.h"

struct diag;

/*
 * Asks the session's companion to serve a port, and starts the companion if it
 * is absent.  Makes no engine query.  Stores the host's port in port->outer.  A
 * session that does not run, or has the host's network, is DIAG_NO.  A host
 * port that is taken or refused is DIAG_IO.  An older holder or companion is
 * DIAG_ENGINE.
 */
int forward_add(const struct join_spec *spec, const char *id, struct port *port,
    struct diag *dg);

/* Stops serving a port.  A port that is not in the list is DIAG_NO. */
int forward_remove(const struct join_spec *spec, const char *id, uint16_t inner,
    struct diag *dg);

/* Reads the list; sets *ret_companion to true if a companion serves it. */
int forward_list(const struct join_spec *spec, const char *id,
    struct portlist *ret, bool *ret_companion, struct diag *dg);

#endif /* DRYDOCK_FORWARD_H */
