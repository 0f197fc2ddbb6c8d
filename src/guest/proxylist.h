/* SPDX-License-Identifier: MIT */
/*
 * proxylist: what the proxy may reach, as the host writes it for one session.
 *
 * The directory has these files.  The host replaces each by rename.
 *
 *	hosts		lines "PROTOCOL KIND HOST PORT SCOPE"
 *	host-addresses	an address of the host a line: never a destination
 *	parent		may be absent: "HOST PORT", the upstream proxy of all
 *			connections
 *	boot-id		may be absent: the id of the host's boot in which the
 *			proxy may run.  The engine's restart policy could start
 *			it after a later boot, without its agent
 *
 * PROTOCOL is connect or http, KIND is name, below (each name below HOST, but
 * not HOST) or address, SCOPE is public or private.  Lines that begin with #
 * are comments.  A line of any other form is an error, so that a list is
 * never understood in part.
 */
#ifndef DRYDOCK_PROXYLIST_H
#define DRYDOCK_PROXYLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/proxyhead.h"
#include "guest/refusal.h"

struct diag;

#define PROXYLIST_HOSTS "hosts"
#define PROXYLIST_ADDRESSES "host-addresses"
#define PROXYLIST_PARENT "parent"
#define PROXYLIST_BOOT "boot-id" /* guest/egress.h reads it */
#define PROXYLIST_MAX ((size_t)4 << 20) /* bytes of a file */

/* The words of the file hosts. */
#define PROXYLIST_CONNECT "connect"
#define PROXYLIST_HTTP "http"
#define PROXYLIST_NAME "name"
#define PROXYLIST_BELOW "below"
#define PROXYLIST_ADDRESS "address"
#define PROXYLIST_PUBLIC "public"
#define PROXYLIST_PRIVATE "private"

struct proxyline {
	struct proxytarget target;
	bool below;
	bool private_ok;
};

struct proxyparent {
	char *host; /* owned; NULL: there is no upstream proxy */
	uint16_t port;
};

struct proxylist {
	struct proxyline *v; /* owned */
	size_t nr;
	struct proxyaddr *own; /* owned; the host's addresses */
	size_t nown;
	struct proxyparent parent;
};

#define PROXYLIST_INIT    \
	{                 \
		.v = NULL \
	}

/*
 * Reads the files in dir_fd.  On a failure the list is empty, and refuses
 * everything.
 */
int proxylist_read(int dir_fd, struct proxylist *ret_list, struct diag *dg);
void proxylist_release(struct proxylist *list);

/* Adds the lines of the file hosts.  Errors name the line. */
int proxylist_parse_hosts(
    struct proxylist *list, const char *text, size_t len, struct diag *dg);

/*
 * Judges a request by its name and port alone.  *ret_private: addresses that
 * are not global unicast are allowed, too.
 */
enum refusal_why proxylist_judge(const struct proxylist *list,
    const struct proxytarget *target, bool *ret_private);

#endif /* DRYDOCK_PROXYLIST_H */
