/* SPDX-License-Identifier: MIT */
/*
 * egress: checks that the proxy of a contained session works, refuses what it
 * must, and can get out: by its name servers, or by an upstream proxy.
 */
#ifndef DRYDOCK_EGRESS_H
#define DRYDOCK_EGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct allowlist;
struct diag;
struct session;
struct settings;
struct strbuf;
struct strvec;

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

/*
 * Notes the upstream proxy of the settings, or that the environment has one
 * which sessions do not use.
 */
void egress_note_upstream(
    const struct settings *settings, const char *const *environ_);

/*
 * Appends the name servers that the session's proxy has.  *ret_known is false
 * if it has not told them: it does not run yet, or is of an older version.
 */
int egress_servers(const struct session *session, struct strvec *servers,
    bool *ret_known, struct diag *dg);

/*
 * Fails with DIAG_ENGINE if the proxy, which is ready, has no usable name
 * server, but must resolve names: those of the list, or the upstream proxy's.
 */
int egress_check_names(const struct session *session,
    const struct allowlist *list, const struct settings *settings,
    struct diag *dg);

#endif /* DRYDOCK_EGRESS_H */
