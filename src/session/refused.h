/* SPDX-License-Identifier: MIT */
/*
 * refused: the hosts that a session's proxy refused.
 *
 * The names come from the agent and are hostile.  The list is bounded.  A name
 * is offered as an allowlist line only if the allowlist's own parser accepts
 * it.
 */
#ifndef DRYDOCK_REFUSED_H
#define DRYDOCK_REFUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;
struct paths;
struct strbuf;

enum {
	REFUSED_MAX = 20, /* hosts kept */
	REFUSED_NAME_MAX = 300, /* bytes of a name */
};

struct refused_host {
	char *name; /* owned; an allowlist line, or the requested target */
	int64_t count;
	bool allowable; /* name is a valid allowlist line */
	bool told; /* refused_tell_new() reported it */
};

struct refused {
	struct refused_host *v; /* owned; in order of first request */
	size_t nr;
	int64_t more; /* requests for other hosts, beyond REFUSED_MAX */
	bool unknown; /* the log could not be read */
};

#define REFUSED_INIT              \
	{                         \
		NULL, 0, 0, false \
	}

/*
 * Adds n requests for a name.  A name of more than REFUSED_NAME_MAX bytes is
 * cut and is not allowable.
 */
void refused_add(
    struct refused *r, const char *name, bool allowable, int64_t n);

/*
 * Returns true if the proxy refused a request that has this status and result
 * in its log.  An allowed server can answer 403, too.  Logs of older sidecars
 * have no result (NULL), and do not show the difference.
 */
bool refused_is_refusal(const char *status, const char *result);

/*
 * Adds the refused requests of the proxy's log: "TIME STATUS METHOD TARGET
 * [RESULT [PAGE]]" lines.
 */
void refused_parse(struct refused *r, const char *text, size_t len);

/*
 * Adds the refused requests of the session in session_fd.  Without a log, adds
 * none.  A log that cannot be read is an error, and sets r->unknown.
 */
int refused_read(struct refused *r, int session_fd, struct diag *dg);

/*
 * Prints notes for the user: the refused hosts that were not told, and how to
 * allow them.  The hosts of the agent and of the project's toolchains count as
 * allowed, too.  If the allowlist cannot be read, the hosts are reported with
 * that error and without advice.
 */
void refused_tell(const struct refused *r, const struct paths *paths,
    const char *project, const char *agent);

/*
 * Prints these notes for a running session.  Each host is reported once, here
 * or at the session's end.
 */
void refused_tell_new(int session_fd, const struct paths *paths,
    const char *project, const char *agent);

/*
 * Appends "a.example (3 times), ..." for the hosts with this value of
 * allowable.  The text is not escaped: the code that prints it must escape it.
 */
void refused_describe(
    const struct refused *r, bool allowable, struct strbuf *out);

void refused_release(struct refused *r);

#define cleanup_refused __attribute__((cleanup(refused_release)))

#endif /* DRYDOCK_REFUSED_H */
