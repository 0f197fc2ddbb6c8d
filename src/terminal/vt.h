/* SPDX-License-Identifier: MIT */
/*
 * vt: splits a terminal's output into tokens.
 *
 * Terminals disagree on malformed streams: what ends a string, what a byte from
 * 0x80 to 0x9f means, what a control inside of a sequence does.  A token is
 * always complete and has one kind.  A caller that writes tokens in one form
 * (ESC and 7 bits) therefore writes a stream that all terminals read alike.  A
 * sequence that is cut off, malformed or too long gives no token.
 */
#ifndef DRYDOCK_VT_H
#define DRYDOCK_VT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

enum vt_kind {
	VT_TEXT, /* printable bytes; whole characters in UTF-8 */
	VT_CONTROL, /* one byte: C0 or DEL, never ESC, CAN or SUB */
	VT_ESCAPE, /* intermediates and the final byte */
	VT_CSI, /* parameters, intermediates and the final byte */
	/* Strings: the body lies between introducer and terminator. */
	VT_OSC,
	VT_DCS,
	VT_APC,
	VT_PM,
	VT_SOS,
	VT_TITLE, /* ESC k of screen and tmux */
};

struct vt_token {
	enum vt_kind kind;
	const char *body; /* borrowed until the callback returns */
	size_t len;
	bool bell; /* an OSC that ended with BEL */
};

typedef void vt_token_fn(void *arg, const struct vt_token *token);

enum {
	VT_SEQUENCE_MAX = 256, /* bytes of a CSI */
	VT_STRING_MAX = 4 << 20 /* bytes; an image or a clipboard needs less */
};

enum vt_state {
	VT_GROUND,
	VT_IN_ESCAPE,
	VT_IN_CSI,
	VT_IN_STRING,
	VT_IN_STRING_ESCAPE, /* the ESC may start the terminator */
};

struct vt {
	bool narrow; /* the terminal does not decode UTF-8 */
	enum vt_state state;
	enum vt_kind kind; /* of the current string */
	bool bad; /* the sequence gives no token */
	char character[4]; /* incomplete; of text or of a string */
	size_t ncharacter;
	struct strbuf held; /* owned; the incomplete sequence */
};

#define VT_INIT                                                      \
	{                                                            \
		false, VT_GROUND, VT_TEXT, false, "", 0, STRBUF_INIT \
	}

void vt_parse(
    struct vt *vt, const char *data, size_t len, vt_token_fn *token, void *arg);

void vt_release(struct vt *vt);

/* A parsed CSI. */
struct vt_csi {
	char prefix; /* one of < = > ?, or 0 */
	char intermediate[3]; /* "": none */
	char final;
	size_t n; /* parameters, at least 1; an absent one is 0 */
	unsigned int v[VT_SEQUENCE_MAX]; /* at most 999999; no sub-parameters */
};

/* Returns false if the token is not a well-formed CSI. */
bool vt_read_csi(const struct vt_token *token, struct vt_csi *ret);

#endif /* DRYDOCK_VT_H */
