/* SPDX-License-Identifier: MIT */
/*
 * refused: the hosts that a session's proxy did not let it reach.
 *
 * The names come from the agent and are hostile: few are kept, and a line for
 * the allowlist is offered only when the allowlist's own parser takes it.
 */
#ifndef DRYDOCK_REFUSED_H
#define DRYDOCK_REFUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct paths;
struct strbuf;

enum {
	REFUSED_MAX = 20, /* hosts that are kept */
	REFUSED_NAME_MAX = 300, /* bytes of a name */
};

struct refused_host {
	char *name; /* owned; the line that allows it, or what was asked for */
	int64_t count;
	bool allowable; /* name is such a line */
};

struct refused {
	struct refused_host *v; /* owned; in order of first mention */
	size_t nr;
	int64_t more; /* requests for hosts that are not kept */
};

#define REFUSED_INIT       \
	{                  \
		NULL, 0, 0 \
	}

/* Adds n requests; a name that is too long is cut. */
void refused_add(
    struct refused *r, const char *name, bool allowable, int64_t n);

/* From lines of the proxy's log: "TIME STATUS METHOD TARGET". */
void refused_parse(struct refused *r, const char *text, size_t len);

/* From the log of the session in session_fd; without one nothing. */
void refused_read(struct refused *r, int session_fd);

/*
 * Notes for the user: which hosts, and what allows them.  agent names the
 * agent whose hosts are allowed besides the user's.
 */
void refused_tell(
    const struct refused *r, const struct paths *paths, const char *agent);

/* Appends "a.example (3 times), ...", escaped; only those of that kind. */
void refused_describe(
    const struct refused *r, bool allowable, struct strbuf *out);

void refused_release(struct refused *r);

#define cleanup_refused __attribute__((cleanup(refused_release)))

#endif /* DRYDOCK_REFUSED_H */
