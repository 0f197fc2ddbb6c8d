/* SPDX-License-Identifier: MIT */
/*
 * ended: what attach, logs and list show of sessions that have ended.
 */
#ifndef DRYDOCK_ENDED_H
#define DRYDOCK_ENDED_H

#include <stdbool.h>

#include "cmd/cmd.h"

struct diag;
struct outcome;
struct outcomes;

/*
 * Shows the ended session whose id word is, or is the start of: its last screen
 * on stdout, escaped, and how it ended on stderr.  False, and nothing is
 * printed, when there is none.  *ret_status is the command's own, or 1.
 */
bool ended_show(struct context *ctx, const char *word, int *ret_status);

/*
 * Prints one line of list for each.  Unless all, only the latest of each
 * project, and none that ended with its client.
 */
void ended_print(const struct outcomes *outcomes, bool all);

/* Whether list shows the i-th. */
bool ended_is_shown(const struct outcomes *outcomes, size_t i, bool all);

#endif /* DRYDOCK_ENDED_H */
