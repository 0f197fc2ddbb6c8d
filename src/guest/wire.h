/* SPDX-License-Identifier: MIT */
/*
 * wire: the protocol between drydock and the holder on run/holder.sock.
 *
 * A SOCK_STREAM unix socket carries frames in both directions:
 *
 *	u8  type	one of enum wire_type
 *	u8  zero[3]
 *	u32 length	of the payload, at most WIRE_PAYLOAD_MAX
 *	payload
 *
 * Integers are little-endian.  The order of a connection:
 *
 *	holder: HELLO, or REFUSED and close
 *	client: HELLO
 *	client: the kind of this connection, once:
 *	    GO_PART... GO	runs the session's command, once in a holder's
 *				life
 *	    VIEW		views that command, if it runs on a pty
 *	    GO_PART... EXEC	runs an additional command (version 2)
 *	    PORT		connects to a port of the loopback (version 3)
 *	holder: STARTED, or EXIT with the reason why it does not run
 *	client: INPUT, INPUT_END, SIZE, SIGNAL;  holder: OUTPUT, ERROR
 *	holder: EXIT, and close
 *
 * After PORT and STARTED no more frames follow: the connection carries the
 * bytes of the port's connection, in both directions.  Each direction can be
 * shut down alone.  An end that closes both directions before it received the
 * other end's last byte reports a broken connection.
 *
 * The sender of GO is a viewer without sending VIEW.  Closing the connection
 * leaves the session, and ends the command of EXEC.  A frame with an unknown
 * type, from the wrong end, with a length that its type does not allow, or sent
 * too early ends the connection.
 *
 * The holder's HELLO has the range of versions that the holder supports.  The
 * client's HELLO has the version that the client chose, the newest that both
 * support.  A new kind of connection is a new type of frame and a new version.
 *
 * This module does no I/O, so that both ends feed a decoder and can be fuzzed.
 */
#ifndef DRYDOCK_WIRE_H
#define DRYDOCK_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct strbuf;

/* In run/.  The paths of list --json and of other programs end with it. */
#define WIRE_SOCKET_NAME "holder.sock"
#define WIRE_VERSION_OLDEST 1U
#define WIRE_VERSION 3U
#define WIRE_VERSION_EXEC 2U /* the first with EXEC and SIGNAL */
#define WIRE_VERSION_PORT 3U /* the first with PORT */
/*
 * The holder's note of the command's end, a file beside the socket.  It holds
 * the status, one to three digits and a newline.  At its start the holder
 * creates the file without a status.  The holder writes the status before it
 * sends the end to any client.  If the command was stopped together with the
 * holder, or was killed by TERM, HUP or KILL, the note has no status, because
 * the command can be continued; a command that ends with its client always gets
 * one.  Older holders of version 1 write no note for any signal, and none for a
 * command that ends with its client.
 */
#define WIRE_END_NAME "ended"
/*
 * Two files that the holder writes before that note, and older holders do not:
 * the last screen, "ROWS COLUMNS\n" and then raw output; and the limits that
 * the command reached, in the lines of limits_describe().
 */
#define WIRE_SCREEN_NAME "screen"
#define WIRE_LIMITS_NAME "limits"
#define WIRE_SCREEN_MAX ((size_t)65536 + 16)
#define WIRE_LIMITS_MAX ((size_t)256)
#define WIRE_HEADER_SIZE 8
#define WIRE_HELLO_MAX (8 + DIGEST_HEX_SIZE - 1)
#define WIRE_PAYLOAD_MAX ((size_t)65536)
#define WIRE_GO_MAX ((size_t)1 << 20) /* all parts of one GO together */
#define WIRE_TEXT_MAX ((size_t)4096) /* messages for people */
#define WIRE_EXIT_MAX (4 + WIRE_TEXT_MAX)

enum wire_type {
	/*
	 * Both ends.  u32 version, the holder's oldest or the client's choice;
	 * u16 flags (enum wire_hello_flags, 0 from the client); u16 newest
	 * version, 0 if there is only one; then nothing, or the 64 hex digits
	 * of the SHA-256 of the guardrail manifest.
	 */
	WIRE_HELLO = 1,
	WIRE_REFUSED, /* holder: text; the connection ends */
	WIRE_GO_PART, /* client: a part of the go message, not the last */
	WIRE_GO, /* client: the last part; see struct wire_go */
	WIRE_STARTED, /* holder: empty; the command was executed */
	WIRE_VIEW, /* client: u16 rows, u16 columns; 0 unknown */
	WIRE_SIZE, /* client: as VIEW */
	WIRE_INPUT, /* client: bytes for stdin or the pty */
	WIRE_INPUT_END, /* client: empty; end of stdin, pipes only */
	WIRE_OUTPUT, /* holder: bytes from stdout or the pty */
	WIRE_ERROR, /* holder: bytes from stderr, pipes only */
	WIRE_EXIT, /* holder: u32 status 0 to 255, text why it did not run */
	WIRE_EXEC, /* client: as GO; its variables override the holder's */
	/*
	 * client: u32 HUP, INT, QUIT, TERM or KILL, for a command that ends
	 * with this client
	 */
	WIRE_SIGNAL,
	WIRE_PORT, /* client: u16 port, not 0 */
};

enum wire_hello_flags {
	WIRE_HELLO_RUNNING = 1 << 0, /* GO was received before */
	WIRE_HELLO_TTY = 1 << 1, /* and the command has a pty */
};

enum wire_end {
	WIRE_CLIENT,
	WIRE_HOLDER
};

struct wire_hello {
	uint32_t version;
	uint16_t flags;
	uint16_t newest; /* 0: version is the only one */
	char digest[DIGEST_HEX_SIZE]; /* "" if none */
};

struct wire_size {
	uint16_t rows;
	uint16_t columns;
};

/*
 * The go message: u32 flags (1 tty, 2 ends with client), u16 rows, u16 columns,
 * u32 number of arguments (at least 1), u32 number of variables, then the
 * working directory (absolute), the arguments and the variables, each
 * terminated by a NUL.
 */
#define WIRE_UMASK_VARIABLE "DRYDOCK_UMASK" /* octal; the command's umask */

struct wire_go {
	bool tty;
	bool ends_with_client;
	struct wire_size size;
	const char *cwd; /* borrowed, like the strings of both lists */
	const char *const *argv; /* NULL-terminated */
	const char *const *envp;
	const char **lists; /* owned; the lists of a message that was read */
};

/* One frame.  payload is borrowed from the decoder. */
struct wire_frame {
	enum wire_type type;
	const unsigned char *payload;
	size_t len;
};

struct wire_decoder {
	enum wire_end from; /* the sender */
	const char *broken; /* the reason for a decoding error; static */
	size_t start, end; /* the undecoded part of buf */
	unsigned char buf[WIRE_HEADER_SIZE + WIRE_PAYLOAD_MAX];
};

void wire_decoder_init(struct wire_decoder *dec, enum wire_end from);

/*
 * Returns how many bytes fit at *ret_at; at least 1 after wire_next() returned
 * 0.  Invalidates the frames returned before.
 */
size_t wire_space(struct wire_decoder *dec, unsigned char **ret_at);
void wire_filled(struct wire_decoder *dec, size_t n);

/* Returns how many bytes the current frame still needs, as far as is known. */
size_t wire_need(const struct wire_decoder *dec);

/* Returns 1 and a frame, 0 if more bytes are needed, -1 with dec->broken. */
int wire_next(struct wire_decoder *dec, struct wire_frame *ret_frame);

/* Writes a frame's header; len is at most WIRE_PAYLOAD_MAX. */
void wire_put_header(unsigned char head[static WIRE_HEADER_SIZE],
    enum wire_type type, size_t len);
/*
 * Write the payloads of HELLO and EXIT and return their length.  Longer text is
 * truncated.
 */
size_t wire_put_hello(unsigned char payload[static WIRE_HELLO_MAX],
    const struct wire_hello *hello);
size_t wire_put_exit(unsigned char payload[static WIRE_EXIT_MAX],
    unsigned int status, const char *text);

/* Append one frame to out; len is at most WIRE_PAYLOAD_MAX. */
void wire_add(
    struct strbuf *out, enum wire_type type, const void *payload, size_t len);
void wire_add_hello(struct strbuf *out, const struct wire_hello *hello);
void wire_add_signal(struct strbuf *out, int sig);
void wire_add_port(struct strbuf *out, uint16_t port);
void wire_add_size(
    struct strbuf *out, enum wire_type type, struct wire_size size);
/* Text over WIRE_TEXT_MAX is truncated. */
void wire_add_exit(struct strbuf *out, unsigned int status, const char *text);

/*
 * Appends a go message as frames; the last frame has this type, WIRE_GO or
 * WIRE_EXEC.  Returns -1 if the message exceeds WIRE_GO_MAX, has no argument or
 * has a working directory that is not absolute; out is then unchanged.
 */
int wire_add_go(
    struct strbuf *out, enum wire_type type, const struct wire_go *go);

/* These read payloads that the decoder has checked. */
void wire_read_hello(const struct wire_frame *frame, struct wire_hello *ret);
struct wire_size wire_read_size(const struct wire_frame *frame);
int wire_read_signal(const struct wire_frame *frame);
uint16_t wire_read_port(const struct wire_frame *frame);
/* *ret_text is not terminated. */
unsigned int wire_read_exit(
    const struct wire_frame *frame, const char **ret_text, size_t *ret_len);

/*
 * Returns the newest version that this end and hello's sender support; 0: none.
 */
uint32_t wire_choose_version(const struct wire_hello *hello);

/*
 * Reads a whole go message; its strings are borrowed from data.  Returns -1 if
 * the message is malformed or there is no memory for the lists.
 */
int wire_read_go(const void *data, size_t len, struct wire_go *ret_go);

/* Frees the lists, not the strings. */
void wire_go_release(struct wire_go *go);

#define cleanup_wire_go __attribute__((cleanup(wire_go_release)))

#endif /* DRYDOCK_WIRE_H */
