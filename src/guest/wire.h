/* SPDX-License-Identifier: MIT */
/*
 * wire: what drydock and the holder say to each other on run/holder.sock.
 *
 * A SOCK_STREAM unix socket carries frames both ways:
 *
 *	u8  type	one of enum wire_type
 *	u8  zero[3]
 *	u32 length	of the payload, at most WIRE_PAYLOAD_MAX
 *	payload
 *
 * Integers are little-endian.  The order of a conversation:
 *
 *	holder: HELLO, or REFUSED and close
 *	client: HELLO
 *	client: what kind of connection this is, once:
 *	    GO_PART... GO	runs the session's command, once in a holder's
 *				life
 *	    VIEW		views that command, when it runs on a pty
 *	    GO_PART... EXEC	runs one more command beside it (version 2)
 *	holder: STARTED, or EXIT with the reason why it does not run
 *	client: INPUT, INPUT_END, SIZE, SIGNAL;  holder: OUTPUT, ERROR
 *	holder: EXIT, and close
 *
 * The sender of GO is a viewer without saying VIEW.  Closing is leaving, and
 * ends the command of EXEC.  A frame of an unknown type, of the wrong direction
 * or of a length that its type does not have ends the connection; so does one
 * that comes too early.
 *
 * The holder's HELLO has the range of versions that it speaks, the client's the
 * one that it chose, the newest that both speak.  A new kind of connection is a
 * new type of frame and a new version.
 *
 * There is no I/O here: both ends feed a decoder and are fuzzable.
 */
#ifndef DRYDOCK_WIRE_H
#define DRYDOCK_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct strbuf;

#define WIRE_VERSION_OLDEST 1U
#define WIRE_VERSION 2U
#define WIRE_VERSION_EXEC 2U /* the first with EXEC and SIGNAL */
/*
 * A file beside the socket, the holder's note of the command's end: the status,
 * one to three digits and a newline.  The holder makes it anew, without a
 * status, when it starts, and writes the status before it tells any client.  A
 * command that was stopped together with the holder, or died of TERM, HUP or
 * KILL, has none unless it ends with its client: it can go on.  Older holders of
 * version 1 leave the note out for each signal, and for each command that
 * ends with its client.
 */
#define WIRE_END_NAME "ended"
/*
 * Two more, which the holder leaves before that note, and older ones do not:
 * what the terminal showed last, "ROWS COLUMNS\n" and then raw output; and which
 * limits the command met, lines as limits_describe() makes them.
 */
#define WIRE_SCREEN_NAME "screen"
#define WIRE_LIMITS_NAME "limits"
#define WIRE_SCREEN_MAX ((size_t)65536 + 16)
#define WIRE_LIMITS_MAX ((size_t)256)
#define WIRE_HEADER_SIZE 8
#define WIRE_HELLO_MAX (8 + DIGEST_HEX_SIZE - 1)
#define WIRE_PAYLOAD_MAX ((size_t)65536)
#define WIRE_GO_MAX ((size_t)1 << 20) /* all parts of one GO together */
#define WIRE_TEXT_MAX ((size_t)4096) /* words for people */
#define WIRE_EXIT_MAX (4 + WIRE_TEXT_MAX)

enum wire_type {
	/*
	 * Both ways.  u32 version, from the holder the oldest; u16 flags (enum
	 * wire_hello_flags, 0 from the client), u16 the newest version, 0 when
	 * there is no other; then nothing or the 64 hex digits of the guardrail
	 * manifest's SHA-256.
	 */
	WIRE_HELLO = 1,
	WIRE_REFUSED, /* holder: text; the connection ends */
	WIRE_GO_PART, /* client: a piece of the go message, not the last */
	WIRE_GO, /* client: the last piece; see struct wire_go */
	WIRE_STARTED, /* holder: empty; the command was executed */
	WIRE_VIEW, /* client: u16 rows, u16 columns; 0 not known */
	WIRE_SIZE, /* client: the same */
	WIRE_INPUT, /* client: bytes for stdin or the pty */
	WIRE_INPUT_END, /* client: empty; end of stdin, pipes only */
	WIRE_OUTPUT, /* holder: bytes from stdout or the pty */
	WIRE_ERROR, /* holder: bytes from stderr, pipes only */
	WIRE_EXIT, /* holder: u32 status 0 to 255, text why it did not run */
	WIRE_EXEC, /* client: as GO; its variables are set over the holder's */
	/*
	 * client: u32 HUP, INT, QUIT, TERM or KILL, for a command that ends
	 * with this client
	 */
	WIRE_SIGNAL,
};

enum wire_hello_flags {
	WIRE_HELLO_RUNNING = 1 << 0, /* GO was given before */
	WIRE_HELLO_TTY = 1 << 1, /* and what runs has a pty */
};

enum wire_end {
	WIRE_CLIENT,
	WIRE_HOLDER
};

struct wire_hello {
	uint32_t version;
	uint16_t flags;
	uint16_t newest; /* 0: version is the only one */
	char digest[DIGEST_HEX_SIZE]; /* "" none */
};

struct wire_size {
	uint16_t rows;
	uint16_t columns;
};

/*
 * The go message: u32 flags (1 tty, 2 ends with client), u16 rows, u16
 * columns, u32 number of arguments (at least 1), u32 number of variables, then
 * the working directory (absolute), the arguments and the variables, each
 * ended by a NUL.
 */
#define WIRE_UMASK_VARIABLE "DRYDOCK_UMASK" /* octal; the command's umask */

struct wire_go {
	bool tty;
	bool ends_with_client;
	struct wire_size size;
	const char *cwd; /* borrowed, as are the strings of both lists */
	const char *const *argv; /* end with NULL */
	const char *const *envp;
	const char **lists; /* owned: where a message that was read has them */
};

/* One frame; payload is borrowed from the decoder. */
struct wire_frame {
	enum wire_type type;
	const unsigned char *payload;
	size_t len;
};

struct wire_decoder {
	enum wire_end from; /* who sends */
	const char *broken; /* why nothing more can be read; static */
	size_t start, end; /* what of buf is not decoded yet */
	unsigned char buf[WIRE_HEADER_SIZE + WIRE_PAYLOAD_MAX];
};

void wire_decoder_init(struct wire_decoder *dec, enum wire_end from);

/*
 * Where to read into and how much fits, at least 1 after wire_next() said 0;
 * frames given before are invalid now.
 */
size_t wire_space(struct wire_decoder *dec, unsigned char **ret_at);
void wire_filled(struct wire_decoder *dec, size_t n);

/* How many bytes the frame under way still needs, as far as is known. */
size_t wire_need(const struct wire_decoder *dec);

/* 1 and a frame, 0 when more bytes are needed, -1 when dec->broken. */
int wire_next(struct wire_decoder *dec, struct wire_frame *ret_frame);

/* A frame's first bytes; len is at most WIRE_PAYLOAD_MAX. */
void wire_put_header(unsigned char head[static WIRE_HEADER_SIZE],
    enum wire_type type, size_t len);
/* The payloads of HELLO and EXIT; how long it is.  Longer text is cut. */
size_t wire_put_hello(unsigned char payload[static WIRE_HELLO_MAX],
    const struct wire_hello *hello);
size_t wire_put_exit(unsigned char payload[static WIRE_EXIT_MAX],
    unsigned int status, const char *text);

/* Append one frame to out; len is at most WIRE_PAYLOAD_MAX. */
void wire_add(
    struct strbuf *out, enum wire_type type, const void *payload, size_t len);
void wire_add_hello(struct strbuf *out, const struct wire_hello *hello);
void wire_add_signal(struct strbuf *out, int sig);
void wire_add_size(
    struct strbuf *out, enum wire_type type, struct wire_size size);
/* Text over WIRE_TEXT_MAX is cut. */
void wire_add_exit(struct strbuf *out, unsigned int status, const char *text);

/*
 * Appends a go message as frames, of which the last is of this type: WIRE_GO or
 * WIRE_EXEC.  -1 when it is over WIRE_GO_MAX, has no argument or a working
 * directory that is not absolute; out is unchanged then.
 */
int wire_add_go(
    struct strbuf *out, enum wire_type type, const struct wire_go *go);

/* The payload was checked by the decoder. */
void wire_read_hello(const struct wire_frame *frame, struct wire_hello *ret);
struct wire_size wire_read_size(const struct wire_frame *frame);
int wire_read_signal(const struct wire_frame *frame);
/* *ret_text is not terminated. */
unsigned int wire_read_exit(
    const struct wire_frame *frame, const char **ret_text, size_t *ret_len);

/* The newest version that both this end and who sent hello speak; 0: none. */
uint32_t wire_choose_version(const struct wire_hello *hello);

/*
 * Reads a whole go message, whose strings stay in data; -1 when it is malformed
 * or there is no memory for the lists.
 */
int wire_read_go(const void *data, size_t len, struct wire_go *ret_go);

/* Frees the lists, and not what they point at. */
void wire_go_release(struct wire_go *go);

#define cleanup_wire_go __attribute__((cleanup(wire_go_release)))

#endif /* DRYDOCK_WIRE_H */
