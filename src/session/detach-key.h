/* SPDX-License-Identifier: MIT */
/*
 * detach-key: finds the key that leaves a session in what is typed.
 *
 * It comes as its control character or as the sequence of a keyboard protocol
 * that a program switched on: kitty's (CSI 92 ; 5 u), xterm's modifyOtherKeys
 * (CSI 27 ; 5 ; 92 ~) or win32-input-mode (CSI Vk ; Sc ; Uc ; Kd ; Cs ; Rc _),
 * with CSI as ESC [ or as the C1 control, also in UTF-8.  A key that is released
 * is none.
 */
#ifndef DRYDOCK_DETACH_KEY_H
#define DRYDOCK_DETACH_KEY_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf;

/* No key's sequence is longer. */
#define DETACH_KEY_MAX ((size_t)64)

/* How long the rest of a sequence may take; a lone ESC waits as long. */
#define DETACH_KEY_WAIT_MS 50

struct detach_key {
	int key; /* a control character, or -1: none */
	size_t nheld;
	char held[DETACH_KEY_MAX]; /* what may be the start of its sequence */
};

/* The control character of a setting like "ctrl-\"; -1 for "none" or "". */
int detach_key_parse(const char *text);

/*
 * Appends what was typed and is not the key to ret_typed.  true when the key
 * was pressed: what was typed after it is left out.  What may be the start of
 * its sequence is held until the next call, or detach_key_flush().
 */
bool detach_key_find(struct detach_key *k, const char *input, size_t len,
    struct strbuf *ret_typed);

/* Appends what is held: the rest did not come. */
void detach_key_flush(struct detach_key *k, struct strbuf *ret_typed);

#endif /* DRYDOCK_DETACH_KEY_H */
