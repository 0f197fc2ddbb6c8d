/* SPDX-License-Identifier: MIT */
/*
 * strbuf: a byte string that grows, never NULL, always terminated.
 *
 * buf is borrowed by readers and valid until the next call that changes it.
 * It may hold NUL bytes; len tells.
 */
#ifndef DRYDOCK_STRBUF_H
#define DRYDOCK_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

struct strbuf {
	size_t len;
	size_t alloc; /* 0: buf is the shared empty string */
	char *buf; /* owned when alloc is not 0 */
};

extern char strbuf_empty[];
#define STRBUF_INIT                \
	{                          \
		0, 0, strbuf_empty \
	}

void strbuf_init(struct strbuf *sb);
void strbuf_release(struct strbuf *sb); /* releasable and usable again */
void strbuf_reset(struct strbuf *sb); /* length 0, keeps its memory */
void strbuf_reserve(struct strbuf *sb, size_t extra);
void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_addstr(struct strbuf *sb, const char *s);
void strbuf_addch(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* Cuts to len, which must not be more than the present length. */
void strbuf_setlen(struct strbuf *sb, size_t len);

/* Returned: the terminated bytes; the strbuf is empty afterwards. */
char *strbuf_detach(struct strbuf *sb, size_t *ret_len);

/*
 * Appends text so that a terminal shows it and obeys none of it: control
 * characters, DEL, C1 controls and bytes that are not UTF-8 become vis(3)
 * escapes (\n, \t, \033 octal), a backslash becomes two.
 */
void strbuf_add_escaped(struct strbuf *sb, const char *s, size_t len);

/* Appends s as one word of a POSIX shell command line. */
void strbuf_add_shell_quoted(struct strbuf *sb, const char *s);

#define cleanup_strbuf __attribute__((cleanup(strbuf_release)))

#endif /* DRYDOCK_STRBUF_H */
