/* SPDX-License-Identifier: MIT */
/*
 * version: the version numbers that programs print, in as far as they count.
 */
#ifndef DRYDOCK_VERSION_H
#define DRYDOCK_VERSION_H

#include <stdbool.h>

struct version {
	int major;
	int minor;
};

/*
 * Reads "MAJOR.MINOR", after an optional "v" and before whatever else follows
 * ("26.1.5+dfsg1", "v2.20.0", "2.26.1-4").  False for anything else.
 */
bool version_parse(const char *text, struct version *ret_version);

/* Whether a is older than b. */
bool version_before(struct version a, struct version b);

#endif /* DRYDOCK_VERSION_H */
