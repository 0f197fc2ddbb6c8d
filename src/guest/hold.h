/* SPDX-License-Identifier: MIT */
/*
 * hold: the holder: waits for the go message, runs the command, serves its
 * viewers, and exits with the command's status.
 */
#ifndef DRYDOCK_HOLD_H
#define DRYDOCK_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/policy.h"

struct diag;

struct hold_spec {
	const char *run_dir; /* the directory of holder.sock */
	struct policy policy;
	bool egress; /* relay 127.0.0.1:port to egress_socket, hold its lease */
	uint16_t port;
	const char *egress_socket;
	/*
	 * The deadline for the go message.  Once a client has sent hello and
	 * all clients have left, a fifteenth of it.
	 */
	int go_timeout_ms;
};

/*
 * Runs the holder.  *ret_status is the container's exit status: the command's
 * status, or 143 if the holder is terminated before go.  Broken guardrails are
 * DIAG_POLICY, after clients were refused for some seconds.  No go message in
 * time is DIAG_BUSY.
 */
int hold_run(const struct hold_spec *spec, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_HOLD_H */
