/* SPDX-License-Identifier: MIT */
/*
 * egress: whether a contained session's way out works and refuses.
 */
#ifndef DRYDOCK_EGRESS_H
#define DRYDOCK_EGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct diag;
struct strbuf;

/*
 * Asks through egress.sock in egress_fd for a reserved name until the answer
 * is our own refusal; at most timeout_ms, else DIAG_ENGINE with what was last
 * seen.  The other end is hostile: what is read is bounded.  Setting *stop
 * from another thread ends it within a second.
 */
int egress_wait_ready(
    int egress_fd, int timeout_ms, const atomic_bool *stop, struct diag *dg);

/* Whether somebody listens there; for a moment, without asking anything. */
bool egress_listens(int egress_fd);

/*
 * Attaches the end of the proxy's own log, cache.log in log_fd, to a
 * diag that is set.  A log that is not there or no file adds nothing.
 */
void egress_add_log(int log_fd, struct diag *dg);

/*
 * Appends what the proxy was asked for, the newest lines: requests.log.1 and
 * requests.log in log_fd, before them access.log, which older sidecars write.
 * What is absent adds nothing.
 */
int egress_read_requests(int log_fd, struct strbuf *out, struct diag *dg);

/* Whether these bytes are the head of our own refusal. */
bool egress_is_refusal(const char *head, size_t len);

#endif /* DRYDOCK_EGRESS_H */
