/* SPDX-License-Identifier: MIT */
/* hostname: whole DNS names (RFC 1123), in the one form that is compared. */
#ifndef DRYDOCK_HOSTNAME_H
#define DRYDOCK_HOSTNAME_H

/*
 * Returns the error in a name, as static text to be printed after it, or NULL.
 * A name has letters, digits, hyphens and dots; at most 253 characters; labels
 * of at most 63.  Upper case and a trailing dot are errors.  So is a last label
 * that is a number: some parsers take such a name for an IPv4 address
 * (inet_aton(3), WHATWG URL 3.5).
 */
const char *hostname_problem(const char *name);

#endif /* DRYDOCK_HOSTNAME_H */
