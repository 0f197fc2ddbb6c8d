/* SPDX-License-Identifier: MIT */
/* git's configuration syntax (git-config(1)), as far as [user] needs it. */
#include "host/gitident.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/text.h"

#define GITCONFIG_MAX ((size_t)1 << 20)

/* A text under way; git ends lines with LF or CR LF. */
struct reader {
	const char *at;
	const char *end;
	size_t line;
	bool in_user; /* below a plain [user] */
};

/* The character at hand, or -1 at the end. */
static int
peek(const struct reader *r)
{
	if (r->at == r->end)
		return -1;
	if (*r->at == '\r' && r->end - r->at > 1 && r->at[1] == '\n')
		return '\n';
	return (unsigned char)*r->at;
}

static int
take(struct reader *r)
{
	int c = peek(r);

	if (c == '\n') {
		r->at += *r->at == '\r' ? 2 : 1;
		r->line++;
	} else if (c >= 0) {
		r->at++;
	}
	return c;
}

static bool
is_blank(int c)
{
	return c == ' ' || c == '\t';
}

static bool
is_word(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '-';
}

static void
skip_line(struct reader *r)
{
	while (peek(r) >= 0 && peek(r) != '\n')
		(void)take(r);
}

/* "[user]" or "[other "sub"]"; what is wrong, or NULL. */
static const char *
read_section(struct reader *r)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	bool plain = true;

	(void)take(r);
	while (is_word(peek(r)) || peek(r) == '.')
		strbuf_addch(&name, (char)take(r));
	while (is_blank(peek(r)))
		(void)take(r);
	if (peek(r) == '"') {
		plain = false;
		(void)take(r);
		while (peek(r) != '"') {
			if (peek(r) == '\\')
				(void)take(r);
			if (peek(r) < 0 || peek(r) == '\n')
				return "a section's name without an end";
			(void)take(r);
		}
		(void)take(r);
	}
	if (take(r) != ']' || name.len == 0)
		return "not a section";
	r->in_user = plain && strcasecmp(name.buf, "user") == 0;
	return NULL;
}

/* What stands for a backslash and c, or -1. */
static int
unescape(int c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'b':
		return '\b';
	default:
		return -1;
	}
}

/* What is wrong, or NULL.  Blanks at the ends do not count, unless quoted. */
static const char *
read_value(struct reader *r, struct strbuf *value)
{
	size_t kept = 0;
	bool quoted = false;

	while (is_blank(peek(r)))
		(void)take(r);
	for (;;) {
		int c = peek(r);

		if (c < 0 || c == '\n')
			break;
		if (!quoted && (c == '#' || c == ';')) {
			skip_line(r);
			break;
		}
		(void)take(r);
		if (c == '"') {
			quoted = !quoted;
			kept = value->len;
			continue;
		}
		if (c == '\\') {
			c = take(r);
			if (c == '\n')
				continue;
			c = unescape(c);
			if (c < 0)
				return "a backslash before something else";
		}
		strbuf_addch(value, (char)c);
		if (quoted || !is_blank(c))
			kept = value->len;
	}
	if (quoted)
		return "a quote without its end";
	strbuf_setlen(value, kept);
	return NULL;
}

/* A name that reaches a commit: one line, and not endless. */
static bool
is_identity(const struct strbuf *value)
{
	return strlen(value->buf) == value->len && value->len > 0 &&
	    value->len <= 512 && utf8_valid(value->buf, value->len) &&
	    text_is_plain(value->buf);
}

static const char *
read_key(struct reader *r, struct gitident *ident)
{
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	cleanup_strbuf struct strbuf value = STRBUF_INIT;
	char **field = NULL;
	const char *why;

	while (is_word(peek(r)))
		strbuf_addch(&key, (char)take(r));
	if (key.len == 0)
		return "not a key";
	while (is_blank(peek(r)))
		(void)take(r);
	if (peek(r) == '=') {
		(void)take(r);
		why = read_value(r, &value);
		if (why != NULL)
			return why;
	} else {
		/* A key alone is a truth, and no name. */
		skip_line(r);
	}
	if (r->in_user && strcasecmp(key.buf, "name") == 0)
		field = &ident->name;
	else if (r->in_user && strcasecmp(key.buf, "email") == 0)
		field = &ident->email;
	if (field != NULL && is_identity(&value)) {
		free(*field);
		*field = xstrdup(value.buf);
	}
	return NULL;
}

static const char *
read_all(struct reader *r, struct gitident *ident)
{
	const char *why = NULL;

	while (why == NULL && peek(r) >= 0) {
		int c = peek(r);

		if (c == '#' || c == ';')
			skip_line(r);
		else if (c == '[')
			why = read_section(r);
		else if (is_blank(c) || c == '\n')
			(void)take(r);
		else
			why = read_key(r, ident);
	}
	return why;
}

int
gitident_parse(struct gitident *ident, const char *name, const char *text,
    size_t len, struct diag *dg)
{
	cleanup_gitident struct gitident found = GITIDENT_INIT;
	struct reader r = { text, text + len, 1, false };
	const char *why;

	/* A byte order mark is no key. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		r.at += 3;
	why = read_all(&r, &found);
	if (why != NULL)
		return diag_set(
		    dg, DIAG_CONFIG, "%s: line %zu: %s", name, r.line, why);
	if (found.name != NULL) {
		free(ident->name);
		ident->name = steal_ptr(&found.name);
	}
	if (found.email != NULL) {
		free(ident->email);
		ident->email = steal_ptr(&found.email);
	}
	return 0;
}

/* The user's own file may be a link to wherever it is kept. */
static int
load_file(struct gitident *ident, const char *path, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd =
	    open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR
		    ? 0
		    : diag_set_errno(dg, DIAG_CONFIG, errno, "open %s", path);
	if (fs_read_fd(fd, path, GITCONFIG_MAX, &text, dg) < 0)
		return -1;
	return gitident_parse(ident, path, text.buf, text.len, dg);
}

int
gitident_load(
    struct gitident *ident, const struct paths *paths, struct diag *dg)
{
	/* The configuration directory is $XDG_CONFIG_HOME/drydock. */
	cleanup_free char *xdg = xasprintf("%.*s/git/config",
	    (int)(strrchr(paths->config_dir, '/') - paths->config_dir),
	    paths->config_dir);
	cleanup_free char *own = xasprintf("%s/.gitconfig", paths->home);

	if (load_file(ident, xdg, dg) < 0)
		return -1;
	return load_file(ident, own, dg);
}

static void
add_value(struct strbuf *out, const char *key, const char *value)
{
	if (value == NULL)
		return;
	strbuf_addf(out, "\t%s = \"", key);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			strbuf_addch(out, '\\');
		strbuf_addch(out, *value);
	}
	strbuf_addstr(out, "\"\n");
}

void
gitident_write(const struct gitident *ident, struct strbuf *out)
{
	if (ident->name == NULL && ident->email == NULL)
		return;
	strbuf_addstr(out, "[user]\n");
	add_value(out, "name", ident->name);
	add_value(out, "email", ident->email);
	/* The keys stay on the host. */
	strbuf_addstr(
	    out, "[commit]\n\tgpgSign = false\n[tag]\n\tgpgSign = false\n");
}

void
gitident_release(struct gitident *ident)
{
	free(ident->name);
	free(ident->email);
	*ident = (struct gitident)GITIDENT_INIT;
}
