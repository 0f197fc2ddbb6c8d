/* SPDX-License-Identifier: MIT */
/*
 * strbuf: a growing byte string; never NULL, always terminated.
 *
 * buf is borrowed by readers and valid until the next call that changes the
 * strbuf.  buf may hold NUL bytes; len is the length.
 */
#ifndef DRYDOCK_STRBUF_H
#define DRYDOCK_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
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
void strbuf_release(struct strbuf *sb); /* reusable afterwards */
void strbuf_reset(struct strbuf *sb); /* length 0; memory is kept */
void strbuf_reserve(struct strbuf *sb, size_t extra);
void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_addstr(struct strbuf *sb, const char *s);
void strbuf_addch(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* Truncates to len, which must not exceed the current length. */
void strbuf_setlen(struct strbuf *sb, size_t len);

bool strbuf_equal(const struct strbuf *a, const struct strbuf *b);

/* Returns the terminated bytes (returned); the strbuf is empty afterwards. */
char *strbuf_detach(struct strbuf *sb, size_t *ret_len);

/*
 * Appends text escaped, so that a terminal displays it and interprets none of
 * it.  Control characters, DEL, C1 controls, Unicode line separators and
 * direction marks, and bytes that are not UTF-8 become vis(3) escapes (\n, \t,
 * \r, \033 octal).  A backslash is doubled.
 */
void strbuf_add_escaped(struct strbuf *sb, const char *s, size_t len);

/* Appends text with each occurrence of mark replaced by value. */
void strbuf_add_replaced(
    struct strbuf *sb, const char *text, const char *mark, const char *value);

/* Appends s quoted as one word of a POSIX shell command line. */
void strbuf_add_shell_quoted(struct strbuf *sb, const char *s);

/* Appends s in double quotes, with a backslash before " and \. */
void strbuf_add_quoted(struct strbuf *sb, const char *s);

#define cleanup_strbuf __attribute__((cleanup(strbuf_release)))

#endif /* DRYDOCK_STRBUF_H */
