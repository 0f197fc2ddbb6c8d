/* SPDX-License-Identifier: MIT */
/* mode: contained (the default) or dood, and the reason for the choice. */
#ifndef DRYDOCK_MODE_H
#define DRYDOCK_MODE_H

struct diag;
struct settings;

enum mode {
	MODE_CONTAINED,
	MODE_DOOD, /* host network and engine socket: root on the host */
};

struct mode_choice {
	enum mode mode;
	const char *reason; /* static text for the banner: "--mode" */
};

const char *mode_name(enum mode mode);

/*
 * Fails with DIAG_USAGE if the word is not a mode name.  origin is the start of
 * the message: "run: --mode".
 */
int mode_check(const char *word, const char *origin, struct diag *dg);

/*
 * Resolves the mode.  option comes first (NULL: not given), then the setting
 * (NULL: no settings), then contained.  An unknown word gives contained, and a
 * warning names the word.  The option parser rejects an unknown word on the
 * command line.
 */
struct mode_choice mode_resolve(
    const char *option, const struct settings *settings);

#endif /* DRYDOCK_MODE_H */
