/* SPDX-License-Identifier: MIT */
/*
 * mode: contained (the factory mode) or dood, and why.
 */
#ifndef DRYDOCK_MODE_H
#define DRYDOCK_MODE_H

#include <stdbool.h>

enum mode {
	MODE_CONTAINED,
	MODE_DOOD, /* host network, the engine's socket: root on the host */
};

struct mode_choice {
	enum mode mode;
	const char *reason; /* static text for the banner: "--mode" */
};

const char *mode_name(enum mode mode);

/* The mode of that name; false, and *ret_mode as it was, for another word. */
bool mode_parse(const char *word, enum mode *ret_mode);

/*
 * From the option (NULL: not given), then DRYDOCK_MODE or drydock.conf's value
 * (NULL or "": not given), else contained.  An unknown word is contained, with
 * a warning that names it; the option parser refuses one on the command line.
 */
struct mode_choice mode_resolve(const char *option, const char *setting);

#endif /* DRYDOCK_MODE_H */
