/* SPDX-License-Identifier: MIT */
/*
 * hold: waits for the go message, runs the command, serves its viewers, and
 * ends as it ended.
 */
#ifndef DRYDOCK_HOLD_H
#define DRYDOCK_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/policy.h"

struct diag;

struct hold_spec {
	const char *run_dir; /* where holder.sock is made */
	struct policy policy;
	bool egress; /* relay 127.0.0.1:port to egress_socket */
	uint16_t port;
	const char *egress_socket;
	/* Without a go message it ends then; once whoever might have sent one
	 * has left, after a fifteenth of that. */
	int go_timeout_ms;
};

/*
 * *ret_status is what the container ends with: the command's own, 143 when
 * told to end before there was one.  Broken guardrails, told to whoever
 * connects in the next seconds, are a failure (DIAG_POLICY); so is no go
 * message in time (DIAG_BUSY).
 */
int hold_run(const struct hold_spec *spec, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_HOLD_H */
