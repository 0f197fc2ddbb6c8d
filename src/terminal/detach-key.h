/* SPDX-License-Identifier: MIT */
/*
 * detach-key: finds the detach key in terminal input.
 *
 * The key arrives as its control character or as a sequence of a keyboard
 * protocol that a program enabled: kitty's (CSI 92 ; 5 u), xterm's
 * modifyOtherKeys (CSI 27 ; 5 ; 92 ~) or win32-input-mode (CSI Vk ; Sc ; Uc ;
 * Kd ; Cs ; Rc _).  CSI is ESC [ or the C1 control, which may be encoded in
 * UTF-8.  The release of a key is ignored.
 */
#ifndef DRYDOCK_DETACH_KEY_H
#define DRYDOCK_DETACH_KEY_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf;

/* Longest sequence of a key, in bytes. */
#define DETACH_KEY_MAX ((size_t)64)

/* How long to wait for the rest of a sequence, also after a lone ESC. */
#define DETACH_KEY_WAIT_MS 50

struct detach_key {
	int key; /* a control character, or -1 for none */
	size_t nheld;
	char held[DETACH_KEY_MAX]; /* bytes that may start a sequence */
};

/* Returns the key of a setting like "ctrl-\", or -1 for "none" or "". */
int detach_key_parse(const char *text);

/*
 * Appends the input, without the key, to ret_typed.  Returns true when the key
 * was pressed; the input after the key is dropped.  Bytes that may start the
 * key's sequence are held until the next call or detach_key_flush().
 */
bool detach_key_find(struct detach_key *k, const char *input, size_t len,
    struct strbuf *ret_typed);

/* Appends the held bytes: no complete sequence arrived. */
void detach_key_flush(struct detach_key *k, struct strbuf *ret_typed);

#endif /* DRYDOCK_DETACH_KEY_H */
