/* SPDX-License-Identifier: MIT */
/* mode: contained (the default) or dood, and the reason for the choice. */
#ifndef DRYDOCK_MODE_H
#define DRYDOCK_MODE_H

#include <stdbool.h>

enum mode {
	MODE_CONTAINED,
	MODE_DOOD, /* host network and engine socket: root on the host */
};

struct mode_choice {
	enum mode mode;
	const char *reason; /* static text for the banner: "--mode" */
};

const char *mode_name(enum mode mode);

/* Parses a mode name.  Another word returns false; *ret_mode stays. */
bool mode_parse(const char *word, enum mode *ret_mode);

/*
 * Resolves the mode.  option comes first (NULL: not given), then setting, the
 * value of DRYDOCK_MODE or drydock.conf (NULL or "": not given), then
 * contained.  An unknown word gives contained, and a warning names the word.
 * The option parser rejects an unknown word on the command line.
 */
struct mode_choice mode_resolve(const char *option, const char *setting);

#endif /* DRYDOCK_MODE_H */
