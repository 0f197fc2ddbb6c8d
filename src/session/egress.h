/* SPDX-License-Identifier: MIT */
/*
 * egress: checks that the proxy of a contained session works, and refuses what
 * it must.
 */
#ifndef DRYDOCK_EGRESS_H
#define DRYDOCK_EGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct diag;
struct strbuf;

/*
 * Requests a reserved name through egress.sock in egress_fd until the answer is
 * drydock's own refusal.  After timeout_ms fails with DIAG_ENGINE and the last
 * observation.  The peer is hostile: the answer is bounded.  Setting *stop from
 * another thread ends the wait within a second.
 */
int egress_wait_ready(
    int egress_fd, int timeout_ms, const atomic_bool *stop, struct diag *dg);

/* Returns true if the socket has a listener.  Sends no request. */
bool egress_listens(int egress_fd);

/*
 * Appends the end of requests.log in log_fd, where the proxy says why it does
 * not start, to a diag that is set.  Adds nothing if the log is absent or not a
 * regular file.
 */
void egress_add_log(int log_fd, struct diag *dg);

/*
 * Appends the newest lines of the proxy's request log in log_fd, oldest first:
 * access.log (written by older sidecars), requests.log.1, requests.log.  Absent
 * files add nothing.
 */
int egress_read_requests(int log_fd, struct strbuf *out, struct diag *dg);

/* Returns true if these bytes are the head of drydock's own refusal. */
bool egress_is_refusal(const char *head, size_t len);

#endif /* DRYDOCK_EGRESS_H */
