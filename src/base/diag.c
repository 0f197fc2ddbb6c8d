/* SPDX-License-Identifier: MIT */
/* Failures: setting, wrapping and printing them. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/xalloc.h"

#define DETAIL_MAX ((size_t)8192)

/*
 * Rows before DIAG_NCLASSES are indexed by class; the others are only printed.
 */
static const struct diag_status status_table[] = {
	[DIAG_NONE] = { 0, "done" },
	[DIAG_NO] = { 1,
	    "nothing failed, but the answer is no: drift, nothing to do, "
	    "problems found, some entries skipped (each named)" },
	[DIAG_USAGE] = { 64,
	    "usage; also several sessions match and no terminal to ask at" },
	[DIAG_DATA] = { 65,
	    "data that a program wrote is wrong: host JSON, a record, an "
	    "image's content" },
	[DIAG_ENGINE] = { 69,
	    "the engine is missing, gave no reliable answer, or failed at "
	    "what it was asked (its own words follow)" },
	[DIAG_BUG] = { 70, "a bug in drydock" },
	[DIAG_IO] = { 74, "the file system said no" },
	[DIAG_BUSY] = { 75, "somebody else holds the lease, try again" },
	[DIAG_POLICY] = { 77, "refused by policy" },
	[DIAG_CONFIG] = { 78,
	    "a file the user wrote is wrong (also one that Compose refuses), "
	    "or a limit was met" },
	[DIAG_CANCELLED] = { 130, "cancelled at a prompt" },
	[DIAG_NCLASSES] = { DIAG_STATUS_ANY,
	    "run, shell, exec, attach: the agent's or command's own status "
	    "(128+n for a signal)" },
	{ 0, NULL },
};

static void add_vescaped(struct strbuf *sb, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
static void set_message(struct diag *dg, enum diag_class class, int errnum,
    const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));
static void print_line(const char *prefix, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
add_vescaped(struct strbuf *sb, const char *fmt, va_list ap)
{
	cleanup_strbuf struct strbuf raw = STRBUF_INIT;

	strbuf_vaddf(&raw, fmt, ap);
	strbuf_add_escaped(sb, raw.buf, raw.len);
}

/* The first message is kept: the first failure is the cause. */
static void
set_message(struct diag *dg, enum diag_class class, int errnum, const char *fmt,
    va_list ap)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	if (dg->class != DIAG_NONE)
		return;
	add_vescaped(&sb, fmt, ap);
	dg->class = class;
	dg->errnum = errnum;
	dg->message = strbuf_detach(&sb, NULL);
}

int(diag_set)(struct diag *dg, enum diag_class class, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_message(dg, class, 0, fmt, ap);
	va_end(ap);
	return -1;
}

int(diag_set_errno)(
    struct diag *dg, enum diag_class class, int errnum, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf whole = STRBUF_INIT;
	va_list ap;

	if (dg->class != DIAG_NONE)
		return -1;
	va_start(ap, fmt);
	strbuf_vaddf(&whole, fmt, ap);
	va_end(ap);
	(void)diag_set(dg, class, "%s: %s", whole.buf, strerror(errnum));
	dg->errnum = errnum;
	return -1;
}

int(diag_wrap)(struct diag *dg, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	va_list ap;

	if (dg->message == NULL)
		return -1;
	va_start(ap, fmt);
	add_vescaped(&sb, fmt, ap);
	va_end(ap);
	strbuf_addstr(&sb, ": ");
	strbuf_addstr(&sb, dg->message);
	free(dg->message);
	dg->message = strbuf_detach(&sb, NULL);
	return -1;
}

int
diag_add_detail(struct diag *dg, const char *text, size_t len)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	if (len > DETAIL_MAX) {
		text += len - DETAIL_MAX;
		len = DETAIL_MAX;
	}
	if (dg->detail != NULL) {
		strbuf_addstr(&sb, dg->detail);
		if (sb.len > 0 && sb.buf[sb.len - 1] != '\n')
			strbuf_addch(&sb, '\n');
	}
	/* detail is a C string; a NUL would truncate it. */
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\0')
			strbuf_addch(&sb, ' ');
		else
			strbuf_addch(&sb, text[i]);
	}
	free(dg->detail);
	dg->detail = xstrdup(
	    sb.len > DETAIL_MAX ? sb.buf + sb.len - DETAIL_MAX : sb.buf);
	return -1;
}

int
diag_reclass(struct diag *dg, enum diag_class class)
{
	dg->class = class;
	return -1;
}

int
diag_ignore(struct diag *dg, int errnum)
{
	if (dg->errnum != errnum)
		return -1;
	diag_clear(dg);
	return 0;
}

void
diag_clear(struct diag *dg)
{
	free(dg->message);
	free(dg->detail);
	*dg = (struct diag)DIAG_INIT;
}

int
diag_move(struct diag *dst, struct diag *src)
{
	*dst = *src;
	*src = (struct diag)DIAG_INIT;
	return -1;
}

int
diag_exit_status(const struct diag *dg)
{
	if (dg->class >= DIAG_NCLASSES)
		return status_table[DIAG_BUG].status;
	return status_table[dg->class].status;
}

const struct diag_status *
diag_status_table(void)
{
	return status_table;
}

/* A backslash stays as it is: the line is not read back. */
static void
add_detail_line(struct strbuf *sb, const char *line, size_t len)
{
	while (len > 0) {
		const char *backslash = memchr(line, '\\', len);
		size_t n = backslash != NULL ? (size_t)(backslash - line) : len;

		strbuf_add_escaped(sb, line, n);
		line += n;
		len -= n;
		if (len > 0) {
			strbuf_addch(sb, '\\');
			line++;
			len--;
		}
	}
}

static void
add_detail_lines(struct strbuf *sb, const char *detail)
{
	while (*detail != '\0') {
		size_t len = strcspn(detail, "\n");
		size_t shown = len;

		if (shown > 0 && detail[shown - 1] == '\r')
			shown--;
		if (shown > 0) {
			strbuf_addstr(sb, "  ");
			add_detail_line(sb, detail, shown);
			strbuf_addch(sb, '\n');
		}
		detail += len;
		if (*detail == '\n')
			detail++;
	}
}

void
diag_print(const struct diag *dg)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_addf(&sb, "drydock: %s\n",
	    dg->message != NULL ? dg->message : "failed without a word");
	if (dg->detail != NULL)
		add_detail_lines(&sb, dg->detail);
	(void)fwrite(sb.buf, 1, sb.len, stderr);
}

/* One fwrite per line, so that lines of several processes do not mix. */
static void
print_line(const char *prefix, const char *fmt, va_list ap)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_addstr(&sb, prefix);
	add_vescaped(&sb, fmt, ap);
	strbuf_addch(&sb, '\n');
	(void)fwrite(sb.buf, 1, sb.len, stderr);
}

void
diag_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("drydock: warning: ", fmt, ap);
	va_end(ap);
}

/* Global state, as stderr is: the whole program writes to it. */
static bool notes_muted;

void
diag_mute_notes(void)
{
	notes_muted = true;
}

void
diag_note(const char *fmt, ...)
{
	va_list ap;

	if (notes_muted)
		return;
	va_start(ap, fmt);
	print_line("drydock: ", fmt, ap);
	va_end(ap);
}
